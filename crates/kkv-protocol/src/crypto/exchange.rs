//! The one-use key exchanges: X25519 alone (kkv/1) and X25519 with ML-KEM-768 (kkv/2).
//!
//! ```
//! use kkv_protocol::crypto::exchange::HybridSecret;
//! use kkv_protocol::crypto::random;
//! use kkv_protocol::ids::SessionId;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut random::kernel();
//! let secret = HybridSecret::generate(rng); // the sender's
//! let (answer, relays) = secret.offer().answer(rng)?; // the relay's
//! let senders = secret.agree(&answer)?;
//!
//! let session = SessionId([7; 32]);
//! let mut text = *b"for one reader";
//! let tag = senders.message_key(&session).seal(&session.0, &mut text);
//! relays.message_key(&session).open(&session.0, &mut text, &tag)?;
//! assert_eq!(&text, b"for one reader");
//! # Ok(())
//! # }
//! ```
//!
//! The sender starts, the relay answers; both ends come out with a shared secret that no one else has. Every secret
//! here is used once and wiped on drop.

use std::fmt;

use ml_kem::kem::{Decapsulate, Encapsulate, Generate, KeyExport};
use ml_kem::ml_kem_768 as mlkem;
use rand::CryptoRng;
use x25519_dalek::EphemeralSecret;
use zeroize::Zeroizing;

use super::chunks::ChunkKey;
use super::labels;
use super::seal::MessageKey;
use crate::ids::{SessionId, X25519PublicKey};

/// Bytes of an ML-KEM-768 encapsulation key (FIPS 203, table 3).
pub const ENCAPSULATION_KEY_BYTES: usize = 1184;
/// Bytes of an ML-KEM-768 ciphertext (FIPS 203, table 3).
pub const KEM_CIPHERTEXT_BYTES: usize = 1088;

/// The other side's key is one that no honest side sends: an X25519 key of small order, or an encapsulation key that is
/// not in canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other side's exchange key is not a usable one")]
pub struct BadExchangeKey;

/// A one-use X25519 secret.
pub struct X25519Secret(EphemeralSecret);

/// What an X25519 exchange ends with: 32 bytes, not all zero.
pub struct X25519Shared(Zeroizing<[u8; 32]>);

impl X25519Secret {
    /// A new secret from `rng` (32 bytes are drawn).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(EphemeralSecret::random_from_rng(rng))
    }

    /// The public key to send.
    #[must_use]
    pub fn public(&self) -> X25519PublicKey {
        X25519PublicKey(x25519_dalek::PublicKey::from(&self.0).to_bytes())
    }

    /// X25519(self, theirs), RFC 7748 §6.1.
    ///
    /// # Errors
    /// The result is all zero, as it is for every point of small order: a side that sends one wants a key known to
    /// everybody.
    pub fn agree(self, theirs: X25519PublicKey) -> Result<X25519Shared, BadExchangeKey> {
        let shared = self
            .0
            .diffie_hellman(&x25519_dalek::PublicKey::from(theirs.0));
        if shared.was_contributory() {
            Ok(X25519Shared(Zeroizing::new(shared.to_bytes())))
        } else {
            Err(BadExchangeKey)
        }
    }
}

impl X25519Shared {
    /// kkv/1's message key: the raw secret, with its first 12 bytes as the nonce (PROTOCOL.md §10).
    #[must_use]
    pub fn message_key(&self) -> MessageKey {
        let mut nonce = Zeroizing::new([0; 12]);
        nonce.copy_from_slice(&self.0[..12]);
        MessageKey::new(Zeroizing::new(*self.0), nonce)
    }
}

/// The sender's half of a hybrid exchange, waiting for the relay's answer.
pub struct HybridSecret {
    x25519: X25519Secret,
    mlkem768: mlkem::DecapsulationKey,
}

/// The sender's public keys: 32 + 1,184 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct HybridOffer {
    /// One-use X25519 public key.
    pub x25519: X25519PublicKey,
    /// One-use ML-KEM-768 encapsulation key.
    pub mlkem768: [u8; ENCAPSULATION_KEY_BYTES],
}

/// The relay's answer: 32 + 1,088 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct HybridAnswer {
    /// One-use X25519 public key.
    pub x25519: X25519PublicKey,
    /// ML-KEM-768 ciphertext.
    pub mlkem768: [u8; KEM_CIPHERTEXT_BYTES],
}

/// What ML-KEM ends with: 32 bytes.
struct KemShared(Zeroizing<[u8; 32]>);

/// Both shared secrets, ML-KEM's first as in TLS's X25519MLKEM768.
pub struct HybridShared {
    mlkem768: KemShared,
    x25519: X25519Shared,
}

/// The keys of a session for asks, one for each direction.
#[derive(Debug)]
pub struct AskKeys {
    pub(crate) request: ChunkKey,
    pub(crate) response: ChunkKey,
}

/// The keys of a session for a large message: what is sent, and what is answered.
#[derive(Debug)]
pub struct UploadKeys {
    pub(crate) pieces: ChunkKey,
    pub(crate) acknowledgements: ChunkKey,
}

impl HybridSecret {
    /// New one-use secrets from `rng`: 32 bytes for X25519, then 64 for ML-KEM (d ‖ z of FIPS 203, algorithm 16).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self {
            x25519: X25519Secret::generate(rng),
            mlkem768: mlkem::DecapsulationKey::generate_from_rng(rng),
        }
    }

    /// The public halves to send.
    #[must_use]
    pub fn offer(&self) -> HybridOffer {
        HybridOffer {
            x25519: self.x25519.public(),
            mlkem768: self.mlkem768.encapsulation_key().to_bytes().into(),
        }
    }

    /// Ends the exchange on the sender's side. A wrong ML-KEM ciphertext gives another secret, not an error (implicit
    /// rejection, FIPS 203 §6.3), so the first sealed message shows it.
    ///
    /// # Errors
    /// The X25519 result is all zero.
    pub fn agree(self, answer: &HybridAnswer) -> Result<HybridShared, BadExchangeKey> {
        let mut kem = self.mlkem768.decapsulate(&answer.mlkem768.into());
        let mlkem768 = take(&mut kem);
        Ok(HybridShared {
            mlkem768,
            x25519: self.x25519.agree(answer.x25519)?,
        })
    }
}

impl HybridOffer {
    /// Answers the offer on the relay's side. Draws 32 bytes for X25519, then 32 for ML-KEM (m of FIPS 203, algorithm
    /// 17).
    ///
    /// # Errors
    /// The encapsulation key is not canonical (FIPS 203 §7.2) or the X25519 result is all zero.
    pub fn answer(
        &self,
        rng: &mut impl CryptoRng,
    ) -> Result<(HybridAnswer, HybridShared), BadExchangeKey> {
        let secret = X25519Secret::generate(rng);
        let public = secret.public();
        let x25519 = secret.agree(self.x25519)?;
        let theirs =
            mlkem::EncapsulationKey::new(&self.mlkem768.into()).map_err(|_| BadExchangeKey)?;
        let (ciphertext, mut kem) = theirs.encapsulate_with_rng(rng);
        let answer = HybridAnswer {
            x25519: public,
            mlkem768: ciphertext.into(),
        };
        let mlkem768 = take(&mut kem);
        Ok((answer, HybridShared { mlkem768, x25519 }))
    }
}

impl HybridShared {
    /// BLAKE3 derive_key([`labels::MESSAGE_KEY`], ML-KEM secret ‖ X25519 secret ‖ session), PROTOCOL.md §6.
    ///
    /// Both secrets go in, so the key is safe while either problem is hard; the session goes in, so it is bound to
    /// everything that was said before.
    #[must_use]
    pub fn message_key(self, session: &SessionId) -> MessageKey {
        let parts: [&[u8]; 3] = [&*self.mlkem768.0, &*self.x25519.0, &session.0];
        let nonce = Zeroizing::new([0; 12]); // the key is used once
        MessageKey::new(labels::MESSAGE_KEY.derive(&parts), nonce)
    }

    /// BLAKE3 derive_key(label, ML-KEM secret ‖ X25519 secret ‖ session) for both directions (PROTOCOL.md §14).
    /// The labels are [`labels::ASK_REQUEST_KEY`] and [`labels::ASK_RESPONSE_KEY`].
    #[must_use]
    pub fn ask_keys(self, session: &SessionId) -> AskKeys {
        let parts: [&[u8]; 3] = [&*self.mlkem768.0, &*self.x25519.0, &session.0];
        AskKeys {
            request: ChunkKey::new(labels::ASK_REQUEST_KEY.derive(&parts)),
            response: ChunkKey::new(labels::ASK_RESPONSE_KEY.derive(&parts)),
        }
    }

    /// The same for a large message (PROTOCOL.md §16), with [`labels::MESSAGE_KEY`] and
    /// [`labels::UPLOAD_ACKNOWLEDGEMENT_KEY`].
    #[must_use]
    pub fn upload_keys(self, session: &SessionId) -> UploadKeys {
        let parts: [&[u8]; 3] = [&*self.mlkem768.0, &*self.x25519.0, &session.0];
        UploadKeys {
            pieces: ChunkKey::new(labels::MESSAGE_KEY.derive(&parts)),
            acknowledgements: ChunkKey::new(labels::UPLOAD_ACKNOWLEDGEMENT_KEY.derive(&parts)),
        }
    }
}

/// Moves a shared secret out of the KEM's type, which does not wipe itself, into one that does.
fn take(kem: &mut ml_kem::kem::SharedKey<ml_kem::MlKem768>) -> KemShared {
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(kem.as_slice());
    zeroize::Zeroize::zeroize(kem.as_mut_slice());
    KemShared(secret)
}

macro_rules! opaque_debug {
    ($($secret:ident),+) => {$(
        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($secret), "(..)"))
            }
        }
    )+};
}
opaque_debug!(
    X25519Secret,
    X25519Shared,
    HybridSecret,
    HybridOffer,
    HybridAnswer,
    HybridShared
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_derive_the_same_key() {
        let rng = &mut rand::rng();
        let secret = HybridSecret::generate(rng);
        let (answer, relays) = secret.offer().answer(rng).unwrap();
        let senders = secret.agree(&answer).unwrap();
        let session = SessionId([7; 32]);
        let mut sealed = *b"text and sixteen.........";
        let tag = senders.message_key(&session).seal(&[], &mut sealed);
        let opened = relays.message_key(&session).open(&[], &mut sealed, &tag);
        assert!(opened.is_ok());
        assert_eq!(&sealed, b"text and sixteen.........");
    }

    #[test]
    fn a_small_order_point_is_refused_on_both_sides() {
        let rng = &mut rand::rng();
        let secret = HybridSecret::generate(rng);
        let mut offer = secret.offer();
        let (mut answer, _) = offer.answer(rng).unwrap();
        offer.x25519 = X25519PublicKey([0; 32]);
        assert!(offer.answer(rng).is_err());
        answer.x25519 = X25519PublicKey([0; 32]);
        assert!(secret.agree(&answer).is_err());
    }

    #[test]
    fn an_encapsulation_key_out_of_range_is_refused() {
        let rng = &mut rand::rng();
        let mut offer = HybridSecret::generate(rng).offer();
        offer.mlkem768[..3].fill(0xff); // two coefficients of 4095, above q = 3329
        assert!(offer.answer(rng).is_err());
    }
}
