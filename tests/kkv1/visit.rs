//! A published client's visit to our relay, step by step over one connection.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use tokio::io::DuplexStream;

use super::published::{Challenge, Client, Fields, OneUse, form, unhex, verifies};
use super::raw_http::{Answer, FORM, Wire, get, post};
use crate::in_process::InProcess;

/// A client, its connection, and what it has learnt.
#[derive(Debug)]
pub struct Visit {
    pub client: Client,
    pub wire: Wire<DuplexStream>,
    /// The relay's Ed25519 key.
    pub relay: [u8; 32],
}

/// A challenge with its signature.
#[derive(Debug, Clone, Copy)]
pub struct Challenged {
    pub bytes: [u8; 76],
    pub signature: [u8; 64],
}

/// Fields to exchange keys with, and the secret that stands behind them.
#[derive(Debug, Clone)]
pub struct Offer {
    pub fields: Fields,
    pub secret: OneUse,
}

impl Challenged {
    pub fn parsed(&self) -> Challenge {
        Challenge::from_bytes(&self.bytes)
    }
}

impl Visit {
    /// Connects and asks for the relay's key.
    pub async fn new(relay: &InProcess) -> Self {
        Self::of(relay, Client::new()).await
    }

    /// The same with a given key.
    pub async fn of(relay: &InProcess, client: Client) -> Self {
        let mut wire = Wire::new(relay.connect());
        let answer = wire.ask(&get("/get_domain_pk")).await;
        // A relay of kkv/2 alone doesn't say it: then nothing is checked against it either.
        let relay = match answer.status {
            200 => unhex(answer.text()),
            _ => *relay.relay.keys().public().as_bytes(),
        };
        Self {
            client,
            wire,
            relay,
        }
    }

    /// Posts a form.
    pub async fn post(&mut self, path: &str, fields: &Fields) -> Answer {
        self.wire.ask(&post(path, FORM, form(fields))).await
    }

    /// Asks for a challenge, which must be given.
    pub async fn challenge(&mut self) -> Challenged {
        let answer = self.post("/pow", &self.client.pow()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let json = answer.json();
        Challenged {
            bytes: unhex(json["bytes"].as_str().expect("a string")),
            signature: unhex(json["signature"].as_str().expect("a string")),
        }
    }

    /// Solves a challenge and makes the fields of an exchange with a new one-use key.
    pub fn offer(&self, challenged: &Challenged) -> Offer {
        self.offer_with(challenged, &challenged.parsed().solve())
    }

    /// The same with a given nonce.
    pub fn offer_with(&self, challenged: &Challenged, nonce: &[u8; 32]) -> Offer {
        let secret = OneUse::new();
        let Challenged { bytes, signature } = challenged;
        let fields = self
            .client
            .exchange(bytes, signature, nonce, &secret.public());
        Offer { fields, secret }
    }

    /// Reads the answer to an exchange. Returns the shared secret.
    pub fn shared(&self, offer: &Offer, answer: &Answer) -> [u8; 32] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let json = answer.json();
        let theirs = unhex(json["diffie_hellman"].as_str().expect("a string"));
        let signature = unhex(json["diffie_hellman_sig"].as_str().expect("a string"));
        assert!(verifies(&self.relay, &theirs, &signature));
        offer.secret.agree(theirs)
    }

    /// Goes as far as an open session. Returns its shared secret.
    pub async fn session(&mut self) -> [u8; 32] {
        let challenged = self.challenge().await;
        let offer = self.offer(&challenged);
        let answer = self.post("/exchange_keys", &offer.fields).await;
        self.shared(&offer, &answer)
    }

    /// Leaves a message in an open session.
    pub async fn message(&mut self, shared: &[u8; 32], text: &[u8]) -> Answer {
        let fields = self.client.message(shared, text);
        self.post("/msg", &fields).await
    }
}
