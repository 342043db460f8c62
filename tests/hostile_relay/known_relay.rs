//! A kkv/2 relay whose signing key the test holds, so that it can say wrong things under a right signature.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::sync::{Arc, Mutex};

use kkv::crypto::exchange::{HybridAnswer, HybridOffer};
use kkv::crypto::identity::{PublicKey, RelayKey, Signature};
use kkv::crypto::labels;
use kkv::crypto::seal::MessageKey;
use kkv::protocol::ids::{SenderId, SessionId, Statement, X25519PublicKey};
use kkv::protocol::refusal::Refusal;
use kkv::protocol::v2::challenge::Challenge;
use kkv::protocol::v2::receipt::{self, Receipt};
use kkv::protocol::v2::wire::{
    ExchangeAnswer, ExchangeRequest, MessageAnswer, MessageRequest, PowAnswer, PowRequest,
};
use kkv::protocol::v2::{message, transcript};
use kkv::protocol::wire::Hex;
use kkv::tor::{Dial, DialError};
use serde::Serialize;
use tokio::io::{AsyncWriteExt, DuplexStream};

use crate::in_process::{PIPE_BYTES, START};
use crate::published::random;
use crate::raw_http::{Request, Wire, answer};

/// What is wrong with it. Each change is made before the signature.
pub struct Twist {
    /// Changes a challenge.
    pub challenge: fn(&mut [u8; 112]),
    /// Makes the challenge's signature from the bytes to be signed, where the relay's own key is not to do it.
    pub challenge_signature: Option<SignChallenge>,
    /// Puts this X25519 key into the exchange.
    pub x25519: Option<X25519PublicKey>,
    /// Changes the ML-KEM ciphertext.
    pub mlkem768: fn(&mut [u8; 1088]),
    /// Changes the receipt.
    pub receipt: fn(&mut Receipt),
    /// Signs with another key at this path.
    pub imposter: Option<&'static str>,
    /// Signs a receipt for a message that it can't open.
    pub always_yes: bool,
}

/// See [`Twist::challenge_signature`]. May change the challenge once more, where a forger has to try.
pub type SignChallenge = Arc<dyn Fn(&mut [u8; 112]) -> [u8; 64] + Send + Sync>;

impl Default for Twist {
    fn default() -> Self {
        Self {
            challenge: |_| {},
            challenge_signature: None,
            x25519: None,
            mlkem768: |_| {},
            receipt: |_| {},
            imposter: None,
            always_yes: false,
        }
    }
}

/// The relay.
#[derive(Clone)]
pub struct KnownRelay(Arc<Inner>);

struct Inner {
    key: RelayKey,
    twist: Twist,
    session: Mutex<Option<Session>>,
    asked: Mutex<Vec<String>>,
}

struct Session {
    id: SessionId,
    sender: SenderId,
    key: MessageKey,
}

/// The bytes that a kkv/2 signature is over.
pub fn signed_bytes(statement: &Statement) -> Vec<u8> {
    [&labels::STATEMENT_PREFIX[..], &statement.0].concat()
}

/// What a relay signs of a challenge.
pub fn challenge_statement(challenge: &[u8; 112]) -> Statement {
    labels::CHALLENGE.digest(&[challenge])
}

impl KnownRelay {
    pub fn new(twist: Twist) -> Self {
        Self(Arc::new(Inner {
            key: RelayKey::generate(&mut rand::rng()),
            twist,
            session: Mutex::default(),
            asked: Mutex::default(),
        }))
    }

    /// "POST /pow" and so on, in the order they came.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().expect("nobody panics there").clone()
    }

    async fn serve(self, stream: DuplexStream) {
        let mut wire = Wire::new(stream);
        while let Some(request) = wire.request().await {
            let line = request.line();
            self.0
                .asked
                .lock()
                .expect("nobody panics there")
                .push(line.clone());
            let bytes = match line.as_str() {
                "POST /pow" => self.pow(&request),
                "POST /exchange_keys" => self.exchange(&request),
                "POST /msg" => self.message(&request),
                _ => panic!("{line}"),
            };
            if wire.stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    fn pow(&self, request: &Request) -> Vec<u8> {
        let request: PowRequest = read(request);
        let twist = &self.0.twist;
        let mut bytes = [0; 112];
        bytes[0] = 2;
        bytes[2..4].copy_from_slice(&120u16.to_le_bytes());
        bytes[4..8].copy_from_slice(&60u32.to_le_bytes());
        bytes[8..16].copy_from_slice(&(START + 60).to_le_bytes());
        bytes[16..48].copy_from_slice(&random());
        bytes[48..80].copy_from_slice(&request.sender.0);
        bytes[80..].copy_from_slice(self.0.key.public().as_bytes());
        (twist.challenge)(&mut bytes);
        let signature = match &twist.challenge_signature {
            Some(sign) => sign(&mut bytes),
            None => self.sign("/pow", &challenge_statement(&bytes)),
        };
        said(&PowAnswer {
            challenge: Hex(bytes),
            signature: Hex(signature),
        })
    }

    fn exchange(&self, request: &Request) -> Vec<u8> {
        let request: ExchangeRequest = read(request);
        let twist = &self.0.twist;
        let challenge = Challenge::from_bytes(&request.challenge.0).expect("its own challenge");
        let offer = HybridOffer {
            x25519: request.x25519,
            mlkem768: request.mlkem768.0,
        };
        let (mut keys, shared) = offer.answer(&mut rand::rng()).expect("an honest offer");
        keys.x25519 = twist.x25519.unwrap_or(keys.x25519);
        (twist.mlkem768)(&mut keys.mlkem768);
        let solution = request.solution.as_bytes();
        let statement = transcript::request(&challenge, solution, &offer);
        let signed = transcript::session(&statement, &Signature(request.signature.0), &keys);
        let id = transcript::session_id(&signed);
        let session = Session {
            id,
            sender: challenge.sender(),
            key: shared.message_key(&id),
        };
        *self.0.session.lock().expect("nobody panics there") = Some(session);
        let HybridAnswer { x25519, mlkem768 } = keys;
        said(&ExchangeAnswer {
            x25519,
            mlkem768: Hex(mlkem768),
            signature: Hex(self.sign("/exchange_keys", &signed)),
        })
    }

    fn message(&self, request: &Request) -> Vec<u8> {
        let request: MessageRequest = read(request);
        let session = self.0.session.lock().expect("nobody panics there").take();
        let session = session.expect("a message comes after an exchange");
        let (sealed, tag) = request.sealed.0.split_last_chunk().expect("3,584 bytes");
        let mut plain: [u8; message::PLAIN_BYTES] = sealed.try_into().expect("3,568 bytes");
        let opened = session.key.open(&session.id.0, &mut plain, tag);
        if opened.is_err() && !self.0.twist.always_yes {
            let refusal = Refusal::Unproven;
            return answer(refusal.status(), "application/json", refusal.body());
        }
        let relay = self.0.key.public().id();
        // What it can't open it can only guess at.
        let (statement, signature) = match message::decode(&plain) {
            Ok(parts) if opened.is_ok() => {
                let said = message::statement(&relay, &session.id, parts.kind, parts.content);
                (said, parts.signature)
            }
            _ => (Statement(session.id.0), Signature([0; 64])),
        };
        let mut receipt = Receipt {
            session: session.id,
            sender: PublicKey::from_id(&session.sender).expect("an honest key"),
            digest: receipt::digest(&statement, &signature),
        };
        (self.0.twist.receipt)(&mut receipt);
        let fields: [&[u8]; 3] = [
            &receipt.session.0,
            receipt.sender.as_bytes(),
            &receipt.digest.0,
        ];
        let statement = labels::RECEIPT.digest(&fields);
        said(&MessageAnswer {
            receipt: Hex(self.sign("/msg", &statement)),
        })
    }

    fn sign(&self, path: &str, statement: &Statement) -> [u8; 64] {
        if self.0.twist.imposter == Some(path) {
            RelayKey::generate(&mut rand::rng())
                .sign_statement(statement)
                .0
        } else {
            self.0.key.sign_statement(statement).0
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(request: &Request) -> T {
    serde_json::from_slice(&request.body).expect("our sender says it right")
}

fn said(body: &impl Serialize) -> Vec<u8> {
    let body = serde_json::to_vec(body).expect("strings are JSON");
    answer(200, "application/json", body)
}

impl Dial for KnownRelay {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}
