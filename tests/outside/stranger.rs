//! A sender that the test plays itself, step by step, so that it knows every secret of a session and can say what an
//! honest sender never does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use kkv_pow::{Search, Solution, Solver};
use kkv_protocol::crypto::exchange::{HybridAnswer, HybridOffer};
use kkv_protocol::crypto::identity::{KeySeed, SenderKey, Signature};
use kkv_protocol::crypto::labels;
use kkv_protocol::ids::{RelayId, SessionId, Statement, X25519PublicKey};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::challenge::Challenge as ChallengeV2;
use kkv_protocol::v2::message::{self, HEAD_BYTES, PLAIN_BYTES};
use kkv_protocol::v2::purpose::Purpose;
use kkv_protocol::v2::transcript;
use kkv_protocol::v2::wire::{ExchangeAnswer, PowAnswer};
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::ml_kem_768::DecapsulationKey;
use serde_json::{Value, json};
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use super::marker::Marker;
use crate::published::{self, Challenge, Client, OneUse, form, hex, random, unhex};

/// Somebody with a key to sign with, who knows where a relay is.
pub(super) struct Stranger {
    address: String,
    suite: u8,
    client: Client,
}

/// An open session, and what is secret about it.
pub(super) struct Session<'s> {
    pub stranger: &'s Stranger,
    /// Its name in kkv/2.
    pub id: SessionId,
    pub relay: RelayId,
    /// What its one message is sealed with.
    pub key: [u8; 32],
    /// Secrets that the key was made of.
    parts: Vec<Marker>,
    /// The relay's one-use X25519 public key.
    pub one_use: [u8; 32],
}

/// What can be wrong inside of a message whose seal is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The signature is of another text.
    Signature,
    NotUtf8,
    /// kkv/1 alone.
    Nul,
    /// kkv/2 alone: a kind that nobody knows, a byte behind the text, a length that is more than there is.
    Kind,
    Padding,
    Length,
}

impl Flaw {
    /// Those of one suite.
    pub(super) fn of(suite: &str) -> &'static [Self] {
        use Flaw::*;
        if suite == "1" {
            &[Signature, NotUtf8, Nul]
        } else {
            &[Signature, NotUtf8, Kind, Padding, Length]
        }
    }
}

/// Body of `POST /msg`.
pub(super) struct Body(String);

impl Stranger {
    pub(super) fn new(address: &str, suite: &str) -> Self {
        Self {
            address: address.to_owned(),
            suite: suite.parse().expect("a suite is a number"),
            client: Client::new(),
        }
    }

    /// The key by which it is known, in all ways in which it could be written down.
    pub(super) fn public(&self) -> [Marker; 3] {
        Marker::with_hex("the sender's key", &self.client.public())
    }

    /// Sends a message: the status of the answer, and its body.
    pub(super) fn send(&self, body: &Body) -> (u16, String) {
        self.ask("POST", "/msg", &body.0)
    }

    /// Pays and exchanges keys.
    pub(super) fn open(&self) -> Session<'_> {
        match self.suite {
            1 => self.open_v1(),
            _ => self.open_v2(Purpose::Message),
        }
    }

    fn open_v1(&self) -> Session<'_> {
        let challenge = self.asked("/pow", &form(&self.client.pow()));
        let bytes = unhex::<76>(text(&challenge, "bytes"));
        let nonce = Challenge::from_bytes(&bytes).solve();
        let secret = OneUse::new();
        let signature = unhex(text(&challenge, "signature"));
        let request = self
            .client
            .exchange(&bytes, &signature, &nonce, &secret.public());
        let answer = self.asked("/exchange_keys", &form(&request));
        let one_use = unhex(text(&answer, "diffie_hellman"));
        Session {
            stranger: self,
            id: SessionId([0; 32]),
            relay: RelayId([0; 32]),
            key: secret.agree(one_use),
            parts: Vec::new(),
            one_use,
        }
    }

    /// The same for whatever a session may be for.
    pub(super) fn open_v2(&self, purpose: Purpose) -> Session<'_> {
        let key = SenderKey::from_seed(&KeySeed::new(self.client.key.to_bytes().into()));
        let request = json!({
            "suite": "kkv/2", "sender": hex(self.client.public()), "purpose": hex(purpose.to_bytes()),
        });
        let answer: PowAnswer = read(self.asked("/pow", &request.to_string()));
        let challenge = ChallengeV2::from_bytes(&answer.challenge.0).expect("of suite 2");
        let found = Solver::default().solve(&challenge.puzzle(), &[0; 24], &Search::default());
        let Some(Solution::V2(nonces)) = found else {
            panic!("nobody stops it");
        };
        let solution: Vec<u8> = nonces
            .iter()
            .flat_map(|nonce| nonce.to_le_bytes())
            .collect();

        let (secret, seed) = (random(), [random(), random()].concat());
        let seed: [u8; 64] = seed.try_into().expect("d and z");
        let kem = DecapsulationKey::from_seed(seed.into());
        let offer = HybridOffer {
            x25519: X25519PublicKey(x25519(secret, X25519_BASEPOINT_BYTES)),
            mlkem768: kem.encapsulation_key().to_bytes().into(),
        };
        let statement = transcript::request(&challenge, &solution, &offer);
        let signature = key.sign_statement(&statement);
        let request = json!({
            "challenge": hex(challenge.as_bytes()), "solution": hex(&solution), "x25519": hex(offer.x25519.0),
            "mlkem768": hex(offer.mlkem768), "signature": hex(signature.0),
        });
        let answer: ExchangeAnswer = read(self.asked("/exchange_keys", &request.to_string()));
        let answer = HybridAnswer {
            x25519: answer.x25519,
            mlkem768: answer.mlkem768.0,
        };
        let session = transcript::session(&statement, &signature, &answer);
        let shared: [u8; 32] = kem.decapsulate(&answer.mlkem768.into()).into();
        let session = transcript::session_id(&session);
        let agreed = x25519(secret, answer.x25519.0);
        Session {
            stranger: self,
            id: session,
            relay: challenge.relay(),
            key: *labels::MESSAGE_KEY.derive(&[&shared, &agreed, &session.0]),
            parts: vec![
                Marker::new("the ML-KEM secret", shared),
                Marker::new("the X25519 secret", agreed),
            ],
            one_use: answer.x25519.0,
        }
    }

    /// What is answered to a request that nothing is wrong with.
    fn asked(&self, path: &str, body: &str) -> Value {
        let (status, answer) = self.ask("POST", path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        serde_json::from_str(&answer).expect("an answer is JSON")
    }

    /// One request on a connection of its own: its status, and its body.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let content_type = match self.suite {
            1 => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        let mut stream = self.begin(method, path, content_type, body.len());
        stream.write_all(body.as_bytes()).expect("the relay reads");
        let (status, body) = answer(stream);
        (status, String::from_utf8(body).expect("it is text"))
    }

    /// A connection to the relay on which the head of a request has gone out.
    pub(super) fn begin(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        length: usize,
    ) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("the relay listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nconnection: close\r\n\
             content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        )
        .expect("the relay reads");
        stream
    }
}

/// Reads an answer and what ends it: its status, and its body.
pub(super) fn answer(stream: TcpStream) -> (u16, Vec<u8>) {
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).expect("there is an answer");
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    while line != "\r\n" {
        line.clear();
        let read = answer.read_line(&mut line).expect("a head is text");
        assert!(read > 0, "a head has an end");
    }
    let mut body = Vec::new();
    answer.read_to_end(&mut body).expect("it has a body");
    (status.expect("an answer has a status"), body)
}

impl Session<'_> {
    /// What the relay needs until it has the message.
    pub(super) fn key(&self) -> Marker {
        Marker::new("the message's key", self.key)
    }

    /// What nobody needs any more.
    pub(super) fn parts(&self) -> &[Marker] {
        &self.parts
    }

    /// All of it.
    pub(super) fn secrets(&self) -> Vec<Marker> {
        let parts = self.parts.iter().cloned();
        parts.chain([self.key()]).collect()
    }

    /// A message, with a flaw or none.
    pub(super) fn message(&self, text: &Marker, flaw: Flaw) -> Body {
        let mut content = text.bytes().to_vec();
        match flaw {
            Flaw::NotUtf8 => content.push(0xff),
            Flaw::Nul => content.push(0),
            _ => {}
        }
        self.sealed(&content, flaw, |_| {})
    }

    /// A message of which a bit was changed after it was sealed.
    pub(super) fn garbled(&self, text: &Marker) -> Body {
        self.sealed(text.bytes(), Flaw::None, |sealed| sealed[70] ^= 1)
    }

    fn sealed(&self, content: &[u8], flaw: Flaw, change: impl FnOnce(&mut Vec<u8>)) -> Body {
        let client = &self.stranger.client;
        let signed = if flaw == Flaw::Signature {
            &content[1..]
        } else {
            content
        };
        if self.stranger.suite == 1 {
            let plain = [&client.sign(signed)[..], content].concat();
            let mut sealed = published::seal(&self.key, &plain);
            change(&mut sealed);
            return Body(form(&client.message_of(&sealed)));
        }
        let kind = if flaw == Flaw::Kind { 9 } else { 0 };
        let statement =
            message::statement(&self.relay, &self.id, kind, &BoxPart::None.digest(), signed);
        let signature = self.sign(&statement);
        let length = match flaw {
            Flaw::Length => u32::MAX,
            _ => u32::try_from(content.len()).expect("it is short"),
        };
        let mut plain = vec![0; PLAIN_BYTES];
        plain[..64].copy_from_slice(&signature.0);
        plain[64] = kind;
        plain[148..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        plain[HEAD_BYTES..HEAD_BYTES + content.len()].copy_from_slice(content);
        if flaw == Flaw::Padding {
            plain[HEAD_BYTES + content.len()] = 1;
        }
        let tag = ChaCha20Poly1305::new(&Key::from(self.key))
            .encrypt_inout_detached(&Nonce::default(), &self.id.0, plain.as_mut_slice().into())
            .expect("short enough");
        plain.extend_from_slice(tag.as_slice());
        change(&mut plain);
        Body(json!({"session": hex(self.id.0), "sealed": hex(&plain)}).to_string())
    }

    pub(super) fn sign(&self, statement: &Statement) -> Signature {
        let seed = KeySeed::new(self.stranger.client.key.to_bytes().into());
        SenderKey::from_seed(&seed).sign_statement(statement)
    }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().expect("a string")
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> T {
    serde_json::from_value(answer).expect("of the right shape")
}
