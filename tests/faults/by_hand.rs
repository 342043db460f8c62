//! A kkv/2 client that takes each step by hand, so that it can take one twice, or say what the sender's types forbid.

use kkv_pow::{Search, Solution, Solver};
use kkv_protocol::crypto::exchange::{HybridAnswer, HybridOffer, HybridSecret};
use kkv_protocol::crypto::identity::{SenderKey, Signature};
use kkv_protocol::crypto::seal::MessageKey;
use kkv_protocol::ids::{RelayId, SessionId, Statement};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::challenge::Challenge;
use kkv_protocol::v2::message::{self, HEAD_BYTES, PLAIN_BYTES};
use kkv_protocol::v2::transcript;
use kkv_protocol::v2::wire::{ExchangeAnswer, PowAnswer};
use serde_json::{Value, json};
use tokio::io::DuplexStream;

use crate::in_process::InProcess;
use crate::published::hex;
use crate::raw_http::{Answer, Wire, post};

/// A client, its key and its connection.
pub(crate) struct ByHand {
    pub(crate) key: SenderKey,
    wire: Wire<DuplexStream>,
}

/// Half an exchange.
pub(crate) struct Offer {
    pub(crate) body: Value,
    secret: HybridSecret,
    statement: Statement,
    signature: Signature,
}

/// An open session.
pub(crate) struct Session {
    id: SessionId,
    key: MessageKey,
    relay: RelayId,
}

/// The X25519 and ML-KEM keys of a new secret.
pub(crate) fn secret() -> HybridSecret {
    HybridSecret::generate(&mut rand::rng())
}

/// Solves a challenge; returns the bytes of the nonces.
pub(crate) fn solution(challenge: &Challenge) -> Vec<u8> {
    let search = Search::default();
    let found = Solver::default().solve(&challenge.puzzle(), &[0; 24], &search);
    let Some(Solution::V2(nonces)) = found else {
        panic!("nobody stops it");
    };
    nonces
        .iter()
        .flat_map(|nonce| nonce.to_le_bytes())
        .collect()
}

/// Body of an exchange.
pub(crate) fn exchange_body(
    challenge: &Challenge,
    solution: &[u8],
    offer: &HybridOffer,
    signature: &[u8; 64],
) -> Value {
    json!({
        "challenge": hex(challenge.as_bytes()),
        "solution": hex(solution),
        "x25519": hex(offer.x25519.0),
        "mlkem768": hex(offer.mlkem768),
        "signature": hex(signature),
    })
}

impl ByHand {
    pub(crate) fn new(relay: &InProcess) -> Self {
        Self {
            key: SenderKey::generate(&mut rand::rng()),
            wire: Wire::new(relay.connect()),
        }
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let request = post(path, "application/json", body.to_string());
        self.wire.ask(&request).await
    }

    /// Asks for a challenge in the name of any key.
    pub(crate) async fn challenge_for(&mut self, sender: &[u8; 32]) -> Challenge {
        let body = json!({"suite": "kkv/2", "sender": hex(sender), "purpose": "0000"});
        let answer = self.post("/pow", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: PowAnswer = serde_json::from_slice(&answer.body).expect("a challenge");
        Challenge::from_bytes(&answer.challenge.0).expect("of suite 2")
    }

    pub(crate) async fn challenge(&mut self) -> Challenge {
        let sender = *self.key.public().as_bytes();
        self.challenge_for(&sender).await
    }

    /// New one-use keys with a solution, signed.
    pub(crate) fn offer(&self, challenge: &Challenge, solution: &[u8]) -> Offer {
        let secret = secret();
        let offer = secret.offer();
        self.offer_of(challenge, solution, secret, &offer)
    }

    /// The same with public keys that need not belong to the secret.
    pub(crate) fn offer_of(
        &self,
        challenge: &Challenge,
        solution: &[u8],
        secret: HybridSecret,
        offer: &HybridOffer,
    ) -> Offer {
        let statement = transcript::request(challenge, solution, offer);
        let signature = self.key.sign_statement(&statement);
        Offer {
            body: exchange_body(challenge, solution, offer, &signature.0),
            secret,
            statement,
            signature,
        }
    }

    /// Goes as far as an open session.
    pub(crate) async fn session(&mut self) -> Session {
        let challenge = self.challenge().await;
        let offer = self.offer(&challenge, &solution(&challenge));
        let answer = self.post("/exchange_keys", &offer.body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        offer.open(&answer, challenge.relay())
    }
}

impl Offer {
    /// Ends the exchange.
    pub(crate) fn open(self, answer: &Answer, relay: RelayId) -> Session {
        let answer: ExchangeAnswer = serde_json::from_slice(&answer.body).expect("keys");
        let keys = HybridAnswer {
            x25519: answer.x25519,
            mlkem768: answer.mlkem768.0,
        };
        let signed = transcript::session(&self.statement, &self.signature, &keys);
        let id = transcript::session_id(&signed);
        let shared = self.secret.agree(&keys).expect("an honest relay's keys");
        Session {
            key: shared.message_key(&id),
            id,
            relay,
        }
    }
}

impl Session {
    /// Body of a message of any kind with any content.
    pub(crate) fn message(self, key: &SenderKey, kind: u8, content: &[u8]) -> Value {
        let id = self.id;
        let statement =
            message::statement(&self.relay, &id, kind, &BoxPart::None.digest(), content);
        let mut plain = [0; PLAIN_BYTES];
        plain[..64].copy_from_slice(&key.sign_statement(&statement).0);
        plain[64] = kind;
        let length = u32::try_from(content.len()).expect("it fits");
        plain[148..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        plain[HEAD_BYTES..HEAD_BYTES + content.len()].copy_from_slice(content);
        let tag = self.key.seal(&id.0, &mut plain);
        let sealed = [&plain[..], &tag].concat();
        json!({"session": hex(id.0), "sealed": hex(sealed)})
    }
}
