//! kkv/1, the published protocol, as it is on the wire (PROTOCOL.md §10).

pub mod challenge;
pub mod relay;
pub mod sender;
pub mod wire;

use crate::crypto::seal::TAG_BYTES;

/// Bytes of a signature before the text in an opened message.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Shortest ciphertext that can hold a text: tag, signature and one byte.
pub(crate) const MIN_CIPHERTEXT_BYTES: usize = TAG_BYTES + SIGNATURE_BYTES + 1;

/// What a sender's inner signature is over: the bare text.
#[must_use]
pub fn content_signed(text: &[u8]) -> &[u8] {
    text
}

/// What a sender signs in the exchange: X25519 key ‖ nonce, 64 bytes.
pub(crate) fn exchange_signed(x25519: &[u8; 32], nonce: &[u8; 32]) -> [u8; 64] {
    let mut signed = [0; 64];
    signed[..32].copy_from_slice(x25519);
    signed[32..].copy_from_slice(nonce);
    signed
}
