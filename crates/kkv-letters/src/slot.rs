//! What all slots have in common: the content key, sealed under a key that only the reader and the author can derive
//! (LETTERS-FORMAT.md §10).

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use zeroize::Zeroizing;

use crate::clear::Clear;
use crate::envelope::{SEAL_BYTES, SEALED_KEY_BYTES};
use crate::labels;

/// D("clear part", clear part): what every slot, the commitment and the content are bound to, so that nobody can put
/// another name or time on what someone else has sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClearDigest(pub(crate) [u8; 32]);

/// Seals one thing, or opens it. Wiped on drop.
pub(crate) struct SlotKey(Zeroizing<[u8; 32]>);

/// Seals the content of one envelope. Wiped on drop.
pub(crate) struct ContentKey(Zeroizing<[u8; 32]>);

impl ClearDigest {
    pub(crate) fn of(clear: &Clear) -> Self {
        let mut bytes = Vec::with_capacity(clear.length());
        clear.write(&mut bytes);
        Self(labels::CLEAR_PART.digest(&[&bytes]))
    }
}

impl SlotKey {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The sealed content key: 32 bytes and a tag of 16.
    pub(crate) fn seal(&self, content: &ContentKey) -> [u8; SEALED_KEY_BYTES] {
        let mut sealed = [0; SEALED_KEY_BYTES];
        let (key, tag) = sealed.split_at_mut(SEALED_KEY_BYTES - SEAL_BYTES);
        key.copy_from_slice(&*content.0);
        tag.copy_from_slice(&seal(&self.0, &[], key));
        sealed
    }

    /// None if the slot is another's.
    pub(crate) fn open(&self, sealed: &[u8; SEALED_KEY_BYTES]) -> Option<ContentKey> {
        let (text, tag) = sealed.split_last_chunk::<SEAL_BYTES>()?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(text);
        open(&self.0, &[], key.as_mut_slice(), tag).then_some(ContentKey(key))
    }
}

impl ContentKey {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// D("commitment", content key ‖ clear digest): there is no second key for the same content (CRYPTO: "commit to
    /// the key").
    pub(crate) fn commitment(&self, clear: &ClearDigest) -> [u8; 32] {
        labels::COMMITMENT.digest(&[&*self.0, &clear.0])
    }

    /// Seals padded content in place.
    pub(crate) fn seal(&self, clear: &ClearDigest, content: &mut [u8]) -> [u8; SEAL_BYTES] {
        seal(&self.0, &clear.0, content)
    }

    /// Opens content in place: whether it is whole.
    pub(crate) fn open(
        &self,
        clear: &ClearDigest,
        content: &mut [u8],
        tag: &[u8; SEAL_BYTES],
    ) -> bool {
        open(&self.0, &clear.0, content, tag)
    }
}

/// ChaCha20-Poly1305 (RFC 8439 §2.8) with a nonce of zeros, as each key seals one thing.
fn seal(key: &[u8; 32], associated: &[u8], text: &mut [u8]) -> [u8; SEAL_BYTES] {
    ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&Nonce::default(), associated, text.into())
        .expect("an envelope is far below ChaCha20's limit of 256 GiB")
        .into()
}

fn open(key: &[u8; 32], associated: &[u8], text: &mut [u8], tag: &[u8; SEAL_BYTES]) -> bool {
    ChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(&Nonce::default(), associated, text.into(), &Tag::from(*tag))
        .is_ok()
}
