//! Sealing one message with a one-use key: ChaCha20-Poly1305 (RFC 8439 §2.8), in place.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use zeroize::Zeroizing;

/// Bytes that sealing adds: the Poly1305 tag.
pub const TAG_BYTES: usize = 16;

/// The key of one message. It seals or opens, and is wiped on drop.
///
/// Sealing consumes it, because the nonce is fixed: two messages under one key would give both away.
pub struct MessageKey {
    key: Zeroizing<[u8; 32]>,
    nonce: Zeroizing<[u8; 12]>,
}

/// The sealed bytes were not made with this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed message can't be opened")]
pub struct BadSeal;

impl MessageKey {
    /// Key and nonce of one message; what each suite makes of its exchange is in [`exchange`](super::exchange).
    #[must_use]
    pub(crate) fn new(key: Zeroizing<[u8; 32]>, nonce: Zeroizing<[u8; 12]>) -> Self {
        Self { key, nonce }
    }

    /// Encrypts `buffer` in place and returns the tag over it and `associated`.
    #[must_use]
    pub fn seal(self, associated: &[u8], buffer: &mut [u8]) -> [u8; TAG_BYTES] {
        self.cipher()
            .encrypt_inout_detached(&Nonce::from(*self.nonce), associated, buffer.into())
            .expect("a message is far below ChaCha20's limit of 256 GiB")
            .into()
    }

    /// Decrypts `buffer` in place.
    ///
    /// # Errors
    /// The tag does not fit; `buffer` still holds the ciphertext then.
    pub fn open(
        &self,
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), BadSeal> {
        let nonce = Nonce::from(*self.nonce);
        self.cipher()
            .decrypt_inout_detached(&nonce, associated, buffer.into(), &Tag::from(*tag))
            .map_err(|_| BadSeal)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&*self.key).into())
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKey(..)")
    }
}
