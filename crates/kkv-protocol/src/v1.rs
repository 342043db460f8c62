//! kkv/1, the published protocol, as it is on the wire (PROTOCOL.md §10).

pub mod challenge;
pub mod relay;
pub mod sender;
pub mod wire;

use crate::crypto::seal::TAG_BYTES;
use crate::ids::X25519PublicKey;
use kkv_pow::Nonce;

/// Bytes of a signature before the text in an opened message.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Shortest ciphertext that can hold a text: tag, signature and one byte.
pub(crate) const MIN_CIPHERTEXT_BYTES: usize = TAG_BYTES + SIGNATURE_BYTES + 1;

/// What a sender's inner signature is over: the bare text.
#[must_use]
pub fn content_signed(text: &[u8]) -> &[u8] {
    text
}

/// Whether these bytes are a text of kkv/1: UTF-8 without NUL.
///
/// A NUL would let a signed statement of kkv/2 pass for a text (PROTOCOL.md §2). A published relay never accepts one
/// either: it takes the NUL out and then finds that the signature doesn't fit.
#[must_use]
pub fn is_text(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| !text.contains('\0'))
}

/// What a sender signs in the exchange: X25519 key ‖ nonce, 64 bytes.
pub(crate) fn exchange_signed(x25519: &X25519PublicKey, nonce: &Nonce) -> [u8; 64] {
    let mut signed = [0; 64];
    signed[..32].copy_from_slice(&x25519.0);
    signed[32..].copy_from_slice(&nonce.0);
    signed
}
