//! A relay whose signing key a test or the fuzzer holds: it answers rightly in both suites, or tells lies and signs
//! them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use kkv_protocol::crypto::exchange::{HybridOffer, X25519Secret};
use kkv_protocol::crypto::identity::{PublicKey, Relay, RelayKey, Signature};
use kkv_protocol::crypto::labels;
use kkv_protocol::crypto::seal::MessageKey;
use kkv_protocol::ids::{MessageDigest, SenderId, SessionId, X25519PublicKey};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::message::{self, PLAIN_BYTES};
use kkv_protocol::v2::receipt::{self, Receipt};
use kkv_protocol::v2::{challenge::Challenge, transcript};
use kkv_protocol::wire::{Hex, form};
use kkv_protocol::{v1, v2};
use rand::rngs::StdRng;
use rand::{CryptoRng, Rng, SeedableRng};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::in_process::START;
use crate::raw_http::{Answer, FORM, Request};

/// What a relay lies about. Each change is made before the signature, and by default none is.
pub trait Twist {
    /// Changes a challenge of kkv/1.
    fn challenge_v1(&mut self, _: &mut [u8; 76]) {}
    /// Changes a challenge of kkv/2.
    fn challenge_v2(&mut self, _: &mut [u8; 128]) {}
    /// Signs a challenge of kkv/2 in the relay's stead; may change it once more, where a forger has to try.
    fn challenge_signature(&mut self, _: &mut [u8; 128]) -> Option<[u8; 64]> {
        None
    }
    /// Changes the signing key that kkv/1 asks for.
    fn relay_key(&mut self, _: &mut [u8; 32]) {}
    /// Changes the X25519 key of the exchange.
    fn x25519(&mut self, _: &mut X25519PublicKey) {}
    /// Changes the ML-KEM ciphertext.
    fn mlkem768(&mut self, _: &mut [u8; 1088]) {}
    /// Changes the receipt.
    fn receipt(&mut self, _: &mut Receipt) {}
    /// Whether another key than the relay's signs at this path.
    fn imposter(&mut self, _path: &str) -> bool {
        false
    }
    /// Whether there is a receipt for a message that the relay can't open.
    fn signs_unopened(&mut self) -> bool {
        false
    }
}

/// Tells no lies.
pub struct Honest;

impl Twist for Honest {}

/// The relay's side of both suites.
pub struct LyingRelay {
    key: RelayKey,
    imposter: RelayKey,
    rng: StdRng,
    session: Option<Session>,
    /// The receipt for the last message that could be opened, and its text.
    read: Option<(Receipt, Vec<u8>)>,
}

struct Session {
    id: SessionId,
    sender: SenderId,
    key: MessageKey,
}

impl LyingRelay {
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        Self {
            key: RelayKey::generate(rng),
            imposter: RelayKey::generate(rng),
            rng: StdRng::from_rng(rng),
            session: None,
            read: None,
        }
    }

    pub fn public(&self) -> PublicKey<Relay> {
        self.key.public()
    }

    /// The receipt for a message of this text, if such a one has been opened.
    pub fn read(&self, text: &str) -> Option<Receipt> {
        let (receipt, read) = self.read.as_ref()?;
        (read == text.as_bytes()).then_some(*receipt)
    }

    /// The right answer, but for what `twist` does to it before it is signed.
    pub fn answer(&mut self, request: &Request, twist: &mut impl Twist) -> Answer {
        let is_v1 = request.header("content-type") == Some(FORM);
        let body = match (request.path.as_str(), is_v1) {
            ("/get_domain_pk", _) => {
                let mut key = *self.public().as_bytes();
                twist.relay_key(&mut key);
                Ok(Hex(key).to_string())
            }
            ("/pow", true) => Ok(self.pow_v1(request, twist)),
            ("/exchange_keys", true) => Ok(self.exchange_v1(twist)),
            ("/msg", true) => Ok(String::new()),
            ("/pow", false) => Ok(self.pow_v2(&read(request), twist)),
            ("/exchange_keys", false) => Ok(self.exchange_v2(&read(request), twist)),
            ("/msg", false) => self.message_v2(&read(request), twist),
            (path, _) => panic!("a sender has no business at {path}"),
        };
        let (status, body) = match body {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status(), refusal.body()),
        };
        Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.into_bytes(),
        }
    }

    /// The key that signs at `path`.
    fn signer(&self, path: &str, twist: &mut impl Twist) -> &RelayKey {
        if twist.imposter(path) {
            &self.imposter
        } else {
            &self.key
        }
    }

    fn pow_v1(&mut self, request: &Request, twist: &mut impl Twist) -> String {
        let asked: v1::wire::PowRequest = form(&request.body).expect("our sender says it right");
        let mut bytes = [0; 76];
        self.rng.fill_bytes(&mut bytes[..32]);
        bytes[36..68].copy_from_slice(&asked.bytes.0);
        bytes[68..].copy_from_slice(&(START + 60).to_le_bytes());
        twist.challenge_v1(&mut bytes);
        json(&v1::wire::PowAnswer {
            bytes: Hex(bytes),
            signature: Hex(self.signer("/pow", twist).sign(&bytes).0),
        })
    }

    fn exchange_v1(&mut self, twist: &mut impl Twist) -> String {
        let mut public = X25519Secret::generate(&mut self.rng).public();
        twist.x25519(&mut public);
        let signature = self.signer("/exchange_keys", twist).sign(&public.0).0;
        json(&v1::wire::ExchangeAnswer::new(public, signature))
    }

    fn pow_v2(&mut self, request: &v2::wire::PowRequest, twist: &mut impl Twist) -> String {
        let mut bytes = [0; 128];
        bytes[0] = 2;
        bytes[2..4].copy_from_slice(&request.purpose.0);
        bytes[4..8].copy_from_slice(&60u32.to_le_bytes());
        bytes[8..16].copy_from_slice(&(START + 60).to_le_bytes());
        bytes[16..18].copy_from_slice(&120u16.to_le_bytes());
        self.rng.fill_bytes(&mut bytes[32..64]);
        bytes[64..96].copy_from_slice(&request.sender.0);
        bytes[96..].copy_from_slice(self.public().as_bytes());
        twist.challenge_v2(&mut bytes);
        let signature = twist.challenge_signature(&mut bytes).unwrap_or_else(|| {
            let statement = labels::CHALLENGE.digest(&[&bytes]);
            self.signer("/pow", twist).sign_statement(&statement).0
        });
        json(&v2::wire::PowAnswer {
            challenge: Hex(bytes),
            signature: Hex(signature),
        })
    }

    fn exchange_v2(
        &mut self,
        request: &v2::wire::ExchangeRequest,
        twist: &mut impl Twist,
    ) -> String {
        let challenge = Challenge::from_bytes(&request.challenge.0).expect("one that was given");
        let offer = HybridOffer {
            x25519: request.x25519,
            mlkem768: request.mlkem768.0,
        };
        let (mut keys, shared) = offer.answer(&mut self.rng).expect("an honest sender's");
        twist.x25519(&mut keys.x25519);
        twist.mlkem768(&mut keys.mlkem768);
        let offered = transcript::request(&challenge, request.solution.as_bytes(), &offer);
        let statement = transcript::session(&offered, &Signature(request.signature.0), &keys);
        let id = transcript::session_id(&statement);
        self.session = Some(Session {
            id,
            sender: challenge.sender(),
            key: shared.message_key(&id),
        });
        let signer = self.signer("/exchange_keys", twist);
        json(&v2::wire::ExchangeAnswer {
            x25519: keys.x25519,
            mlkem768: Hex(keys.mlkem768),
            signature: Hex(signer.sign_statement(&statement).0),
        })
    }

    fn message_v2(
        &mut self,
        request: &v2::wire::MessageRequest,
        twist: &mut impl Twist,
    ) -> Result<String, Refusal> {
        let session = self.session.as_ref().expect("a message comes in a session");
        assert_eq!(request.session, session.id);
        let sender = PublicKey::from_id(&session.sender).expect("an honest key");
        let mut receipt = Receipt {
            session: session.id,
            sender,
            digest: MessageDigest([0; 32]), // of what can't be opened it can know nothing
        };
        let (sealed, tag) = request.sealed.0.split_last_chunk().expect("3,668 bytes");
        let mut plain: [u8; PLAIN_BYTES] = sealed.try_into().expect("3,652 bytes");
        if session.key.open(&session.id.0, &mut plain, tag).is_ok() {
            let parts = message::decode(&plain).expect("an honest sender's message");
            let relay = self.key.public().id();
            let place = parts.box_part.digest();
            let said = message::statement(&relay, &session.id, parts.kind, &place, parts.content);
            assert!(sender.verify_statement(&said, &parts.signature).is_ok());
            receipt.digest = receipt::digest(&said, &parts.signature);
            self.read = Some((receipt, parts.content.to_vec()));
        } else if !twist.signs_unopened() {
            return Err(Refusal::Unproven);
        }
        twist.receipt(&mut receipt);
        let Receipt {
            session,
            sender,
            digest,
        } = &receipt;
        let statement = labels::RECEIPT.digest(&[&session.0, sender.as_bytes(), &digest.0]);
        let signature = self.signer("/msg", twist).sign_statement(&statement);
        Ok(json(&v2::wire::MessageAnswer {
            receipt: Hex(signature.0),
        }))
    }
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("hex is JSON")
}

fn read<T: DeserializeOwned>(request: &Request) -> T {
    serde_json::from_slice(&request.body).expect("our sender says it right")
}
