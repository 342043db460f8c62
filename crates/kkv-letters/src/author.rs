//! Who signs an envelope: Ed25519 with a context of its own, checked strictly (RFC 8032).

use ed25519_dalek::{Signer, VerifyingKey};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::ids::Fingerprint;
use crate::labels::Label;

/// Bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// First bytes of all that is signed here, before a digest of 32 bytes: as long as that of kkv/2, and another.
const PREFIX: [u8; 16] = *b"kkv letters one\0";

/// The Ed25519 public key of whoever signs, as it stands in an envelope: 32 bytes that were not looked at yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author(pub [u8; 32]);

/// The Ed25519 secret of an identity, or of one direct chain. Wiped on drop.
pub struct AuthorKey(ed25519_dalek::SigningKey);

/// The signature doesn't fit, or the key is none that anybody may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature doesn't fit")]
pub struct BadSignature;

impl Author {
    /// The person's address.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// Ed25519 over [`PREFIX`] ‖ `derive_key(label, parts)`, strictly: canonical S, neither R nor the key of small
    /// order.
    pub(crate) fn verify(
        &self,
        label: Label,
        parts: &[&[u8]],
        signature: &[u8; SIGNATURE_BYTES],
    ) -> Result<(), BadSignature> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(&signed(label, parts), &signature)
            .map_err(|_| BadSignature)
    }
}

impl AuthorKey {
    /// A new one: 32 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self::from_seed(&seed)
    }

    /// The key that RFC 8032 §5.1.5 makes of this seed.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub fn author(&self) -> Author {
        Author(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, label: Label, parts: &[&[u8]]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(&signed(label, parts)).to_bytes()
    }
}

fn signed(label: Label, parts: &[&[u8]]) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(&PREFIX);
    bytes[16..].copy_from_slice(&label.digest(parts));
    bytes
}

opaque_debug!(Author, AuthorKey);
