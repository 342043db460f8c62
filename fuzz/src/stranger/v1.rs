//! The steps of kkv/1 by hand.

use kkv_pow::Solution;
use kkv_protocol::crypto::exchange::X25519Secret;
use kkv_protocol::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use kkv_protocol::crypto::seal::MessageKey;
use kkv_protocol::ids::X25519PublicKey;
use kkv_protocol::v1;
use kkv_protocol::wire::{Hex, HexUpTo};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::solve;

/// A paid exchange of kkv/1. The seed makes its secret, again and again.
#[derive(Debug)]
pub struct Paid {
    request: v1::wire::Exchange,
    seed: u64,
}

/// An open session of kkv/1.
#[derive(Debug)]
pub struct Session {
    theirs: X25519PublicKey,
    seed: u64,
}

impl Paid {
    /// Pays for a challenge; another `seed` makes another request.
    ///
    /// # Panics
    /// The challenge is none.
    #[must_use]
    pub fn new(key: &SenderKey, answer: &v1::wire::PowAnswer, seed: u64) -> Self {
        let challenge = v1::challenge::Challenge::from_bytes(&answer.bytes.0);
        let puzzle = challenge.expect("the relay's own").puzzle();
        let Solution::V1(nonce) = solve(&puzzle) else {
            unreachable!("solved in the layout that was asked for");
        };
        let public = x25519(seed).public();
        let signed = [public.0, nonce.0].concat();
        let request = v1::wire::Exchange {
            ed25519_pubkey: key.public().id(),
            nonce: Hex(nonce.0),
            pow: answer.bytes,
            pow_sig: answer.signature,
            diffie_hellman: public,
            diffie_hellman_sig: Hex(key.sign(&signed).0),
        };
        Self { request, seed }
    }

    /// Asks for the session.
    #[must_use]
    pub fn request(&self) -> v1::wire::Exchange {
        v1::wire::Exchange { ..self.request }
    }

    /// Takes the relay's answer.
    ///
    /// # Panics
    /// The relay hasn't signed it.
    #[must_use]
    pub fn open(&self, relay: &PublicKey<Relay>, answer: &v1::wire::ExchangeAnswerKeys) -> Session {
        let signature = Signature(answer.diffie_hellman_sig.0);
        let signed = relay.verify(&answer.diffie_hellman.0, &signature);
        signed.expect("the relay signs what it answers");
        Session {
            theirs: answer.diffie_hellman,
            seed: self.seed,
        }
    }
}

impl Session {
    /// Signature ‖ text.
    #[must_use]
    pub fn plain(key: &SenderKey, text: &[u8]) -> Vec<u8> {
        let signature = key.sign(v1::content_signed(text));
        [&signature.0[..], text].concat()
    }

    /// Seals any bytes, of which at most 2,984 fit, and signs what comes of it.
    ///
    /// # Panics
    /// More than fit.
    #[must_use]
    pub fn seal(&self, key: &SenderKey, plain: &[u8]) -> v1::wire::MessageRequest {
        let mut sealed = plain.to_vec();
        let tag = self.message_key().seal(&[], &mut sealed);
        sealed.extend_from_slice(&tag);
        Self::signed(key, sealed)
    }

    /// A message that was never sealed, signed.
    ///
    /// # Panics
    /// More than 3,000 bytes.
    #[must_use]
    pub fn signed(key: &SenderKey, ciphertext: Vec<u8>) -> v1::wire::MessageRequest {
        v1::wire::MessageRequest {
            pubkey: key.public().id(),
            signature: Hex(key.sign(&ciphertext).0),
            chiphertext: HexUpTo::new(ciphertext),
        }
    }

    fn message_key(&self) -> MessageKey {
        let shared = x25519(self.seed).agree(self.theirs);
        shared.expect("an honest relay's key").message_key()
    }
}

fn x25519(seed: u64) -> X25519Secret {
    X25519Secret::generate(&mut StdRng::seed_from_u64(seed))
}
