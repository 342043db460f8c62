//! Ed25519 keys, one type per side, and the signed statements of kkv/2 (RFC 8032).
//!
//! ```
//! use kkv_protocol::crypto::identity::{KeySeed, PublicKey, Sender, SenderKey};
//! use kkv_protocol::crypto::{labels, random};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SenderKey::generate(&mut random::kernel());
//! let statement = labels::MESSAGE.digest(&[b"what is said"]);
//! let signature = key.sign_statement(&statement);
//!
//! // Whoever has the 32 bytes of the key can check it.
//! let public = PublicKey::<Sender>::from_id(&key.public().id())?;
//! public.verify_statement(&statement, &signature)?;
//! assert_eq!(public.fingerprint().to_string().len(), 39); // eight groups of four digits
//!
//! // As a file, and back.
//! let again = SenderKey::from_pem(&key.to_pem())?;
//! assert_eq!(again.public().id(), key.public().id());
//!
//! // kkv/1 signs bare bytes. The same seed makes the same key.
//! let key = SenderKey::from_seed(&KeySeed::new([1; 32].into()));
//! key.public().verify(b"text", &key.sign(b"text"))?;
//! assert_eq!(key.public().fingerprint().short().len(), 9);
//! # Ok(())
//! # }
//! ```
//!
//! A sender's key is no relay's:
//!
//! ```compile_fail,E0308
//! use kkv_protocol::crypto::identity::{PublicKey, Relay};
//! use kkv_protocol::ids::SenderId;
//!
//! let key = PublicKey::<Relay>::from_id(&SenderId([1; 32]));
//! ```

use std::fmt;
use std::marker::PhantomData;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer, VerifyingKey};
use rand::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::labels::{self, STATEMENT_PREFIX};
use super::scrub;
use crate::ids::{RelayId, SenderId, Statement};

/// Marks the keys of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Relay;
/// Marks the keys of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sender;

/// Whose a key is: [`Relay`] or [`Sender`], and nobody else's.
pub trait Side: sealed::Sealed {
    /// The 32 bytes of this side's public key as they stand in a message.
    type Id: Copy + Eq + From<[u8; 32]> + Into<[u8; 32]>;
}

impl Side for Relay {
    type Id = RelayId;
}

impl Side for Sender {
    type Id = SenderId;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Relay {}
    impl Sealed for super::Sender {}
}

/// The relay's signing key: new at each start, held in memory only.
pub type RelayKey = SigningKey<Relay>;
/// A sender's signing key: new for each message unless an identity is named.
pub type SenderKey = SigningKey<Sender>;

/// The 32 bytes that an Ed25519 key pair is made of: RFC 8032 §5.1.5's "private key". Wiped on drop.
pub struct KeySeed(Zeroizing<[u8; 32]>);

/// An Ed25519 secret key of one side. Wiped on drop.
pub struct SigningKey<S> {
    key: ed25519_dalek::SigningKey,
    side: PhantomData<S>,
}

/// An Ed25519 public key of one side that is a curve point and not of small order.
///
/// Small-order keys are refused because a signature can be made for them that fits any text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<S> {
    key: VerifyingKey,
    side: PhantomData<S>,
}

/// 64 bytes that claim to be an Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct Signature(pub [u8; 64]);

/// The bytes are no public key: not a curve point, or of small order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct BadPublicKey;

/// A text that holds no Ed25519 secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 secret key in PKCS#8 PEM")]
pub struct BadKeyFile;

/// A signature does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature doesn't fit")]
pub struct BadSignature;

impl KeySeed {
    /// A new seed from `rng` (32 bytes are drawn).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self(seed)
    }

    /// Takes a seed that is there already.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }
}

impl<S: Side> SigningKey<S> {
    /// A new key from `rng` (32 bytes are drawn).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self::from_seed(&KeySeed::generate(rng))
    }

    /// The key that RFC 8032 §5.1.5 makes of this seed.
    #[must_use]
    pub fn from_seed(seed: &KeySeed) -> Self {
        Self {
            key: ed25519_dalek::SigningKey::from_bytes(&seed.0),
            side: PhantomData,
        }
    }

    /// The key as a file: PKCS#8 in PEM (RFC 5958, RFC 7468, RFC 8410), as `openssl genpkey -algorithm ed25519` writes
    /// it.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let secret = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        };
        let pem = secret.to_pkcs8_pem(LineEnding::LF);
        pem.expect("32 bytes are always a key")
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(pem: &str) -> Result<Self, BadKeyFile> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem).map_err(|_| BadKeyFile)?;
        Ok(Self {
            key,
            side: PhantomData,
        })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey<S> {
        PublicKey {
            key: self.key.verifying_key(),
            side: PhantomData,
        }
    }

    /// Ed25519(self, bytes): a bare signature as kkv/1 makes them.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature(self.key.sign(bytes).to_bytes())
    }

    /// Ed25519(self, [`STATEMENT_PREFIX`] ‖ digest): how kkv/2 signs (PROTOCOL.md §2).
    #[must_use]
    pub fn sign_statement(&self, statement: &Statement) -> Signature {
        self.sign(&signed_bytes(statement))
    }
}

impl<S: Side> PublicKey<S> {
    /// Takes the 32 bytes of a message for a key.
    ///
    /// # Errors
    /// They are not the encoding of a curve point, or that of one of small order.
    pub fn from_id(id: &S::Id) -> Result<Self, BadPublicKey> {
        match VerifyingKey::from_bytes(&(*id).into()) {
            Ok(key) if !key.is_weak() => Ok(Self {
                key,
                side: PhantomData,
            }),
            _ => Err(BadPublicKey),
        }
    }

    /// The 32 bytes that go on the wire, as this side's.
    #[must_use]
    pub fn id(&self) -> S::Id {
        self.key.to_bytes().into()
    }

    /// The same 32 bytes, bare.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Checks a bare signature strictly: canonical S, neither R nor the key of small order (RFC 8032 §5.1.7 and the
    /// "strict" rules of Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs").
    ///
    /// # Errors
    /// The signature does not fit.
    pub fn verify(&self, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        let result = self.key.verify_strict(bytes, &signature);
        scrub::wipe_shallow_stack();
        result.map_err(|_| BadSignature)
    }

    /// Checks a statement of kkv/2, Ed25519 over [`STATEMENT_PREFIX`] ‖ digest, strictly (PROTOCOL.md §2).
    ///
    /// # Errors
    /// The signature does not fit.
    pub fn verify_statement(
        &self,
        statement: &Statement,
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        self.verify(&signed_bytes(statement), signature)
    }

    /// What people compare: see [`Fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = labels::FINGERPRINT.digest(&[self.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Fingerprint(bytes)
    }
}

/// What is signed for a statement: [`STATEMENT_PREFIX`] ‖ digest, 48 bytes (PROTOCOL.md §2).
fn signed_bytes(statement: &Statement) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(&STATEMENT_PREFIX);
    bytes[16..].copy_from_slice(&statement.0);
    bytes
}

/// The first 16 bytes of a labelled BLAKE3 of a public key, printed as eight groups of four hex digits (PROTOCOL.md
/// §9).
///
/// 128 bits: finding a second key with a given fingerprint takes 2^128 tries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The first two groups, for a list. Enough to tell a handful of senders apart, not to recognise one.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(9).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, pair) in self.0.chunks_exact(2).enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed(..)")
    }
}

impl<S> fmt::Debug for SigningKey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// A sender's key can identify a person, so it is never printed by a stray `{:?}`.
impl<S> fmt::Debug for PublicKey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_order_keys_are_refused() {
        // The eight points of small order, as canonically encoded (curve25519-dalek's EIGHT_TORSION), by their y
        // coordinates: 0 and 1 and -1 are enough to see that the check is there; the relay's own tests send every one
        // of them.
        let mut one = [0; 32];
        one[0] = 1;
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        for bytes in [[0; 32], one, minus_one] {
            let key = PublicKey::<Sender>::from_id(&SenderId(bytes));
            assert_eq!(key, Err(BadPublicKey));
        }
    }

    #[test]
    fn a_statement_is_bound_to_its_context() {
        let key = SenderKey::generate(&mut rand::rng());
        let statement = labels::MESSAGE.digest(&[b"x"]);
        let signature = key.sign_statement(&statement);
        assert!(
            key.public()
                .verify_statement(&statement, &signature)
                .is_ok()
        );
        let other = labels::RECEIPT.digest(&[b"x"]);
        assert!(key.public().verify_statement(&other, &signature).is_err());
        assert!(key.public().verify(b"x", &signature).is_err());
    }

    #[test]
    fn secrets_do_not_print() {
        let key = SenderKey::generate(&mut rand::rng());
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
    }
}
