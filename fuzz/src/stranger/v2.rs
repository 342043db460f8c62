//! The steps of kkv/2 by hand.

use kkv_pow::Solution;
use kkv_protocol::crypto::exchange::{HybridAnswer, HybridSecret};
use kkv_protocol::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use kkv_protocol::crypto::seal::MessageKey;
use kkv_protocol::ids::{RelayId, SessionId, Statement};
use kkv_protocol::v2;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::message::{HEAD_BYTES, PLAIN_BYTES, SEALED_BYTES};
use kkv_protocol::v2::receipt::{self, Receipt};
use kkv_protocol::v2::transcript;
use kkv_protocol::wire::{Hex, HexUpTo};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::solve;

/// A paid exchange of kkv/2.
#[derive(Debug)]
pub struct Paid {
    /// What is asked.
    pub request: v2::wire::ExchangeRequest,
    statement: Statement,
    seed: u64,
}

/// An open session of kkv/2, as its sender knows it.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    relay: RelayId,
    answer: HybridAnswer,
    seed: u64,
}

impl Paid {
    /// Pays for a challenge; another `seed` makes another request.
    ///
    /// # Panics
    /// The challenge is none.
    #[must_use]
    pub fn new(key: &SenderKey, answer: &v2::wire::PowAnswer, seed: u64) -> Self {
        let challenge = v2::challenge::Challenge::from_bytes(&answer.challenge.0);
        let challenge = challenge.expect("the relay's own");
        let Solution::V2(nonces) = solve(&challenge.puzzle()) else {
            unreachable!("solved in the layout that was asked for");
        };
        let solution: Vec<u8> = nonces
            .iter()
            .flat_map(|nonce| nonce.to_le_bytes())
            .collect();
        let offer = hybrid(seed).offer();
        let statement = transcript::request(&challenge, &solution, &offer);
        let request = v2::wire::ExchangeRequest {
            challenge: answer.challenge,
            solution: HexUpTo::new(solution),
            x25519: offer.x25519,
            mlkem768: Hex(offer.mlkem768),
            signature: Hex(key.sign_statement(&statement).0),
        };
        Self {
            request,
            statement,
            seed,
        }
    }

    /// Asks for the session.
    #[must_use]
    pub fn request(&self) -> v2::wire::ExchangeRequest {
        v2::wire::ExchangeRequest {
            solution: self.request.solution.clone(),
            ..self.request
        }
    }

    /// Takes the relay's answer.
    ///
    /// # Panics
    /// The relay hasn't signed it.
    #[must_use]
    pub fn open(&self, relay: &PublicKey<Relay>, answer: &v2::wire::ExchangeAnswer) -> Session {
        let keys = HybridAnswer {
            x25519: answer.x25519,
            mlkem768: answer.mlkem768.0,
        };
        let own = Signature(self.request.signature.0);
        let statement = transcript::session(&self.statement, &own, &keys);
        let signed = relay.verify_statement(&statement, &Signature(answer.signature.0));
        signed.expect("the relay signs what it answers");
        Session {
            id: transcript::session_id(&statement),
            relay: relay.id(),
            answer: keys,
            seed: self.seed,
        }
    }
}

impl Session {
    /// What a sender of this content signs.
    #[must_use]
    pub fn statement(&self, kind: u8, content: &[u8]) -> Statement {
        v2::message::statement(
            &self.relay,
            &self.id,
            kind,
            &BoxPart::None.digest(),
            content,
        )
    }

    /// An opened message, signed, as it should be laid out.
    ///
    /// # Panics
    /// More than 3,500 bytes of content.
    #[must_use]
    pub fn plain(&self, key: &SenderKey, kind: u8, content: &[u8]) -> [u8; PLAIN_BYTES] {
        let mut plain = [0; PLAIN_BYTES];
        let length = u32::try_from(content.len()).expect("a content is short");
        let signature = key.sign_statement(&self.statement(kind, content));
        plain[..64].copy_from_slice(&signature.0);
        plain[64] = kind;
        plain[148..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        plain[HEAD_BYTES..HEAD_BYTES + content.len()].copy_from_slice(content);
        plain
    }

    /// Seals any bytes.
    #[must_use]
    pub fn seal(&self, plain: &[u8; PLAIN_BYTES]) -> v2::wire::MessageRequest {
        let mut sealed = [0; SEALED_BYTES];
        sealed[..PLAIN_BYTES].copy_from_slice(plain);
        let tag = self
            .message_key()
            .seal(&self.id.0, &mut sealed[..PLAIN_BYTES]);
        sealed[PLAIN_BYTES..].copy_from_slice(&tag);
        self.named(sealed)
    }

    /// A message of this session that was never sealed.
    #[must_use]
    pub fn named(&self, sealed: [u8; SEALED_BYTES]) -> v2::wire::MessageRequest {
        v2::wire::MessageRequest {
            session: self.id,
            sealed: Hex(sealed),
        }
    }

    /// Checks the relay's receipt for a text.
    ///
    /// # Panics
    /// It isn't its word for this.
    pub fn accepted(
        &self,
        relay: &PublicKey<Relay>,
        key: &SenderKey,
        text: &[u8],
        answer: &v2::wire::MessageAnswer,
    ) {
        let statement = self.statement(0, text);
        let receipt = Receipt {
            session: self.id,
            sender: key.public(),
            digest: receipt::digest(&statement, &key.sign_statement(&statement)),
        };
        let signed = receipt.verify(relay, &Signature(answer.receipt.0));
        signed.expect("a receipt is for what was sent");
    }

    fn message_key(&self) -> MessageKey {
        let shared = hybrid(self.seed).agree(&self.answer);
        let shared = shared.expect("an honest relay's key");
        shared.message_key(&self.id)
    }
}

fn hybrid(seed: u64) -> HybridSecret {
    HybridSecret::generate(&mut StdRng::seed_from_u64(seed))
}
