//! Sealing bodies in chunks, many under one key: ChaCha20-Poly1305 (RFC 8439 §2.8), in place (PROTOCOL.md §14, §16).
//!
//! As in STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", 2015) the nonce has the chunk's index and whether it is the last: none can be dropped, moved or
//! cut off unseen.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use zeroize::Zeroizing;

use super::seal::{BadSeal, TAG_BYTES};

/// Number of a request within its session: below 2^56, and never used twice under one key.
///
/// ```
/// use kkv_protocol::crypto::chunks::AskNumber;
///
/// assert!(AskNumber::new((1 << 56) - 1).is_some());
/// assert!(AskNumber::new(1 << 56).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskNumber(u64);

/// Where a chunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkPosition {
    /// Of the request that it belongs to, or answers.
    pub number: AskNumber,
    /// From 0.
    pub index: u32,
    /// Whether none follows.
    pub is_last: bool,
}

/// The key of one direction of a session. It is wiped on drop.
pub struct ChunkKey(Zeroizing<[u8; 32]>);

impl AskNumber {
    /// The first.
    pub const FIRST: Self = Self(0);

    /// `None` from 2^56 on.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (number >> 56 == 0).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The one after it, if there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl ChunkPosition {
    /// number u56 ‖ index u32 ‖ last u8, little endian.
    fn nonce(self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..7].copy_from_slice(&self.number.0.to_le_bytes()[..7]);
        nonce[7..11].copy_from_slice(&self.index.to_le_bytes());
        nonce[11] = self.is_last.into();
        nonce.into()
    }
}

impl ChunkKey {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// To be kept where nobody else reads it.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts `buffer` in place and returns the tag over it and `associated`. Another `buffer` must never be sealed
    /// at the same position.
    pub(crate) fn seal(
        &self,
        position: ChunkPosition,
        associated: &[u8],
        buffer: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        self.cipher()
            .encrypt_inout_detached(&position.nonce(), associated, buffer.into())
            .expect("a chunk is far below ChaCha20's limit of 256 GiB")
            .into()
    }

    /// Decrypts `buffer` in place.
    ///
    /// # Errors
    /// The tag does not fit; `buffer` still holds the ciphertext then.
    pub(crate) fn open(
        &self,
        position: ChunkPosition,
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), BadSeal> {
        self.cipher()
            .decrypt_inout_detached(
                &position.nonce(),
                associated,
                buffer.into(),
                &Tag::from(*tag),
            )
            .map_err(|_| BadSeal)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&*self.0).into())
    }
}

impl fmt::Debug for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(number: u64, index: u32, is_last: bool) -> ChunkPosition {
        let number = AskNumber::new(number).unwrap();
        ChunkPosition {
            number,
            index,
            is_last,
        }
    }

    #[test]
    fn a_chunk_opens_in_its_own_place_only() {
        let key = ChunkKey::new(Zeroizing::new([7; 32]));
        let own = position(5, 3, false);
        let mut sealed = *b"a chunk of a body";
        let tag = key.seal(own, b"session", &mut sealed);
        for other in [
            position(4, 3, false),
            position(5 + (1 << 48), 3, false),
            position(5, 2, false),
            position(5, 3 + (1 << 24), false),
            position(5, 3, true),
        ] {
            let opened = key.open(other, b"session", &mut sealed, &tag);
            assert!(opened.is_err(), "{other:?}");
        }
        assert!(key.open(own, b"another", &mut sealed, &tag).is_err());
        let other = ChunkKey::new(Zeroizing::new([8; 32]));
        assert!(other.open(own, b"session", &mut sealed, &tag).is_err());
        assert!(key.open(own, b"session", &mut sealed, &tag).is_ok());
        assert_eq!(&sealed, b"a chunk of a body");
    }

    #[test]
    fn numbers_end_at_56_bits() {
        let last = AskNumber::new((1 << 56) - 1).unwrap();
        assert_eq!(last.next(), None);
        assert_eq!(AskNumber::FIRST.next().map(AskNumber::get), Some(1));
        assert_eq!(
            position(last.get(), 0, true).nonce()[..8],
            [255, 255, 255, 255, 255, 255, 255, 0]
        );
    }
}
