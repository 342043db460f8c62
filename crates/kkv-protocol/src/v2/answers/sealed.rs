//! One answer, sealed by the relay and opened by whoever has the words (PROTOCOL.md §17).
//!
//! ```text
//! opened   time u64 | kind u8 | zero | length u16 | text | zeros
//! ```

use std::fmt;

use zeroize::Zeroizing;

use super::keys::{
    Acknowledged, Acknowledgement, AnswerKey, AnswerRoot, BoxSecret, SALT_BYTES, Salt,
};
use crate::crypto::seal::TAG_BYTES;
use crate::error::ProtocolError;
use crate::ids::RelayId;
use crate::kind::Kind;
use crate::limits::MAX_TEXT_BYTES;
use crate::text::Text;

/// Bytes before the text.
const HEAD_BYTES: usize = 12;
/// Bytes of an opened answer.
pub const OPENED_BYTES: usize = HEAD_BYTES + MAX_TEXT_BYTES;
/// Bytes of a sealed answer.
pub const SEALED_BYTES: usize = OPENED_BYTES + TAG_BYTES;
/// Bytes of one place for an answer.
pub const PLACE_BYTES: usize = SALT_BYTES + 2 + SEALED_BYTES;

/// An answer that waits: nobody can open it without the words.
pub struct SealedAnswer {
    /// The chain that it is of.
    pub salt: Salt,
    /// Its place in the chain, from 0.
    pub index: u16,
    /// Ciphertext and tag.
    pub sealed: Box<[u8; SEALED_BYTES]>,
}

/// Seals the answers to a message, one after the other: the relay's. It holds the key of the next alone.
pub struct Chain {
    salt: Salt,
    /// `None` after the last.
    next: Option<(u16, AnswerKey)>,
}

/// A chain has sealed 65,536 answers, and seals no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no more answers can be sealed for this message")]
pub struct ChainOver;

/// An opened answer: the sender's.
pub struct OpenedAnswer {
    /// When it was sealed, by the relay's clock, in unix seconds.
    pub time: u64,
    /// 1 to 3,500 bytes. Who wrote it may have written anything: see PROTOCOL.md §7 on texts.
    pub text: Zeroizing<String>,
    /// By which the relay may be told that it has arrived.
    pub acknowledgement: Acknowledgement,
}

impl Chain {
    /// The chain that begins with this key.
    #[must_use]
    pub fn new(salt: Salt, first: AnswerKey) -> Self {
        Self {
            salt,
            next: Some((0, first)),
        }
    }

    /// What names it.
    #[must_use]
    pub fn salt(&self) -> Salt {
        self.salt
    }

    /// Seals an answer at `time` (unix seconds), and replaces the key by the next. Returns the answer, and what its
    /// acknowledgement is known by.
    ///
    /// # Errors
    /// The chain is over.
    pub fn seal(
        &mut self,
        relay: &RelayId,
        secret: &BoxSecret,
        time: u64,
        text: &Text,
    ) -> Result<(SealedAnswer, Acknowledged), ChainOver> {
        let (index, key) = self.next.as_ref().ok_or(ChainOver)?;
        let mut plain = Zeroizing::new([0; OPENED_BYTES]);
        let bytes = text.as_bytes();
        let length = u16::try_from(bytes.len()).expect("a text has at most 3,500 bytes");
        plain[..8].copy_from_slice(&time.to_le_bytes());
        plain[8] = Kind::Text as u8;
        plain[10..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        plain[HEAD_BYTES..HEAD_BYTES + bytes.len()].copy_from_slice(bytes);
        let tag = key
            .sealing(relay, secret, &self.salt, *index)
            .seal(&[], plain.as_mut_slice());
        let mut sealed = Box::new([0; SEALED_BYTES]);
        sealed[..OPENED_BYTES].copy_from_slice(plain.as_slice()); // sealed by now
        sealed[OPENED_BYTES..].copy_from_slice(&tag);
        let answer = SealedAnswer {
            salt: self.salt,
            index: *index,
            sealed,
        };
        let acknowledged = key.acknowledgement().digest();
        let next = index.checked_add(1).map(|index| (index, key.next()));
        self.next = next;
        Ok((answer, acknowledged))
    }
}

impl SealedAnswer {
    /// It as it goes to whoever asks: salt ‖ index ‖ sealed answer.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PLACE_BYTES] {
        let mut place = [0; PLACE_BYTES];
        place[..SALT_BYTES].copy_from_slice(&self.salt.0);
        place[SALT_BYTES..SALT_BYTES + 2].copy_from_slice(&self.index.to_le_bytes());
        place[SALT_BYTES + 2..].copy_from_slice(self.sealed.as_slice());
        place
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`ProtocolError::BadSeal`]: it was not sealed for these words, by this relay, at this place of this chain.
    /// [`ProtocolError::Malformed`]: it is not laid out as an answer is.
    pub fn open(
        &self,
        relay: &RelayId,
        secret: &BoxSecret,
        root: &AnswerRoot,
    ) -> Result<OpenedAnswer, ProtocolError> {
        let key = root.key(&self.salt, self.index);
        let (sealed, tag) = self
            .sealed
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(ProtocolError::Malformed)?;
        let mut plain = Zeroizing::new([0; OPENED_BYTES]);
        plain.copy_from_slice(sealed);
        key.sealing(relay, secret, &self.salt, self.index)
            .open(&[], plain.as_mut_slice(), tag)
            .map_err(|_| ProtocolError::BadSeal)?;
        let (time, text) = parse(&plain).ok_or(ProtocolError::Malformed)?;
        Ok(OpenedAnswer {
            time,
            text: Zeroizing::new(text.to_owned()),
            acknowledgement: key.acknowledgement(),
        })
    }
}

/// The time and the text of an opened answer.
fn parse(plain: &[u8; OPENED_BYTES]) -> Option<(u64, &str)> {
    let (time, rest) = plain.split_first_chunk()?;
    let ([kind, zero], rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (text, padding) = rest.split_at_checked(length)?;
    let has_zeros = *zero == 0 && padding.iter().all(|byte| *byte == 0);
    let is_text = *kind == Kind::Text as u8 && !text.is_empty();
    let text = std::str::from_utf8(text).ok()?;
    (has_zeros && is_text).then_some((u64::from_le_bytes(*time), text))
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
opaque_debug!(SealedAnswer, Chain, OpenedAnswer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_seals_each_answer_under_another_key_and_ends() {
        let (entropy, relay) = ([5; 16], RelayId([1; 32]));
        let (root, secret) = (AnswerRoot::derive(&entropy), BoxSecret::derive(&entropy));
        let text = Text::new(Zeroizing::new("said".to_owned())).unwrap();
        let salt = Salt([3; 16]);
        let mut chain = Chain::new(salt, root.first_key(&salt));
        let [first, second] = [0, 1].map(|_| chain.seal(&relay, &secret, 1, &text).unwrap().0);
        assert_eq!((first.index, second.index), (0, 1));
        assert_ne!(first.sealed, second.sealed);
        for answer in [&first, &second] {
            let opened = answer.open(&relay, &secret, &root).unwrap();
            assert_eq!(*opened.text, "said");
        }
        let moved = SealedAnswer { index: 0, ..second };
        assert!(moved.open(&relay, &secret, &root).is_err());

        let (_, key) = chain.next.take().unwrap();
        chain.next = Some((u16::MAX, key));
        let last = chain.seal(&relay, &secret, 1, &text).unwrap().0;
        assert_eq!(last.index, u16::MAX);
        assert!(chain.seal(&relay, &secret, 1, &text).is_err());
    }

    #[test]
    fn an_opened_answer_that_is_laid_out_otherwise_is_none() {
        let mut right = [0; OPENED_BYTES];
        right[..8].copy_from_slice(&77_u64.to_le_bytes());
        right[10] = 2;
        right[12..14].copy_from_slice("é".as_bytes());
        assert_eq!(parse(&right), Some((77, "é")));
        for (place, byte) in [
            (8, 1),
            (9, 1),
            (10, 0),
            (10, 1),
            (11, 255),
            (14, 1),
            (12, 0xff),
        ] {
            let mut wrong = right;
            wrong[place] = byte;
            assert_eq!(parse(&wrong), None, "{place}");
        }
        let mut wrong = right;
        wrong[OPENED_BYTES - 1] = 1;
        assert_eq!(parse(&wrong), None);
    }
}
