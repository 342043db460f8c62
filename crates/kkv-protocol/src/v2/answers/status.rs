//! The status record: what a relay says of a box to whoever has its words (PROTOCOL.md §17).
//!
//! ```text
//! opened   ends u64 | messages u16 | answers u16 | waiting u8 | receipts u8 | entries u8 | zero 33 | 16 entries
//! entry    salt 16 | accepted u64 | state u8 | zero | answers u16 | zero 4
//! ```

use super::keys::{BoxSecret, SALT_BYTES, Salt};
use super::{MAX_ENTRIES, MAX_WAITING};
use crate::crypto::chunks::AskNumber;
use crate::crypto::seal::TAG_BYTES;
use crate::error::ProtocolError;
use crate::ids::SessionId;

const HEAD_BYTES: usize = 48;
const ENTRY_BYTES: usize = 32;
/// Bytes of an opened record.
pub const OPENED_BYTES: usize = HEAD_BYTES + MAX_ENTRIES * ENTRY_BYTES;
/// Bytes of a sealed record.
pub const SEALED_BYTES: usize = OPENED_BYTES + TAG_BYTES;

/// What is known of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxStatus {
    /// When it ends if nothing changes in it, by the relay's clock, in unix seconds.
    pub ends: u64,
    /// Messages that it has accepted; 65,535 for more.
    pub messages: u16,
    /// Answers that were sealed; 65,535 for more.
    pub answers: u16,
    /// Answers that wait: at most [`MAX_WAITING`].
    pub waiting: u8,
    /// Whether the owner lets senders know what has become of their messages.
    pub receipts: bool,
    /// The last messages, newest first: at most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
}

/// What is known of a message in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its own, which names the chain of its answers.
    pub salt: Salt,
    /// When it was accepted, by the relay's clock, in unix seconds.
    pub accepted: u64,
    /// What has become of it.
    pub state: EntryState,
    /// Answers that were sealed under its chain.
    pub answers: u16,
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryState {
    /// It was accepted, and the owner lets no more be known.
    Accepted = 0,
    /// It waits to be read.
    Waiting = 1,
    /// It is marked as read.
    Read = 2,
    /// It is not there any more: deleted, or too old.
    Gone = 3,
}

impl TryFrom<u8> for EntryState {
    type Error = u8;

    /// # Errors
    /// The byte, which means nothing here.
    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            0 => Ok(Self::Accepted),
            1 => Ok(Self::Waiting),
            2 => Ok(Self::Read),
            3 => Ok(Self::Gone),
            other => Err(other),
        }
    }
}

impl BoxStatus {
    /// Seals it for the answer to one request. No other record is sealed for the same.
    ///
    /// # Panics
    /// It has too many entries: the caller's bug.
    #[must_use]
    pub fn seal(
        &self,
        secret: &BoxSecret,
        session: &SessionId,
        number: AskNumber,
    ) -> [u8; SEALED_BYTES] {
        let mut sealed = [0; SEALED_BYTES];
        sealed[..OPENED_BYTES].copy_from_slice(&self.to_bytes());
        let key = secret.status_key(session, number);
        let tag = key.seal(&[], &mut sealed[..OPENED_BYTES]);
        sealed[OPENED_BYTES..].copy_from_slice(&tag);
        sealed
    }

    /// Opens a record.
    ///
    /// # Errors
    /// [`ProtocolError::BadSeal`]: it was not sealed for this request, by who holds this box.
    /// [`ProtocolError::Malformed`]: it is not laid out as a record is.
    pub fn open(
        sealed: &[u8; SEALED_BYTES],
        secret: &BoxSecret,
        session: &SessionId,
        number: AskNumber,
    ) -> Result<Self, ProtocolError> {
        let (sealed, tag) = sealed
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(ProtocolError::Malformed)?;
        let mut plain = [0; OPENED_BYTES];
        plain.copy_from_slice(sealed);
        secret
            .status_key(session, number)
            .open(&[], &mut plain, tag)
            .map_err(|_| ProtocolError::BadSeal)?;
        Self::from_bytes(&plain).ok_or(ProtocolError::Malformed)
    }

    fn to_bytes(&self) -> [u8; OPENED_BYTES] {
        let mut bytes = [0; OPENED_BYTES];
        bytes[..8].copy_from_slice(&self.ends.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.messages.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.answers.to_le_bytes());
        bytes[12] = self.waiting;
        bytes[13] = self.receipts.into();
        bytes[14] = u8::try_from(self.entries.len()).expect("at most 16");
        let (places, _) = bytes[HEAD_BYTES..].as_chunks_mut::<ENTRY_BYTES>();
        assert!(self.entries.len() <= places.len(), "at most 16");
        for (place, entry) in places.iter_mut().zip(&self.entries) {
            place[..16].copy_from_slice(&entry.salt.0);
            place[16..24].copy_from_slice(&entry.accepted.to_le_bytes());
            place[24] = entry.state as u8;
            place[26..28].copy_from_slice(&entry.answers.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; OPENED_BYTES]) -> Option<Self> {
        let (ends, rest) = bytes.split_first_chunk()?;
        let (messages, rest) = rest.split_first_chunk()?;
        let (answers, rest) = rest.split_first_chunk()?;
        let ([waiting, receipts, count], rest) = rest.split_first_chunk()?;
        let (zeros, entries) = rest.split_first_chunk::<33>()?;
        let receipts = match receipts {
            0 => false,
            1 => true,
            _ => return None,
        };
        let (entries, empty) = entries.split_at_checked(usize::from(*count) * ENTRY_BYTES)?;
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if !is_zero(zeros) || !is_zero(empty) || usize::from(*waiting) > MAX_WAITING {
            return None;
        }
        let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
        let entries: Option<Vec<_>> = entries.iter().map(Entry::from_bytes).collect();
        let entries = entries?;
        let tells = |entry: &Entry| entry.state != EntryState::Accepted;
        if entries.iter().any(|entry| tells(entry) != receipts) {
            return None;
        }
        Some(Self {
            ends: u64::from_le_bytes(*ends),
            messages: u16::from_le_bytes(*messages),
            answers: u16::from_le_bytes(*answers),
            waiting: *waiting,
            receipts,
            entries,
        })
    }
}

impl Entry {
    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (salt, rest) = bytes.split_first_chunk::<SALT_BYTES>()?;
        let (accepted, rest) = rest.split_first_chunk()?;
        let ([state, zero], rest) = rest.split_first_chunk()?;
        let (answers, zeros) = rest.split_first_chunk()?;
        if *zero != 0 || zeros != [0; 4] {
            return None;
        }
        Some(Self {
            salt: Salt(*salt),
            accepted: u64::from_le_bytes(*accepted),
            state: EntryState::try_from(*state).ok()?,
            answers: u16::from_le_bytes(*answers),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(receipts: bool) -> impl Strategy<Value = Entry> {
        let states = if receipts { 1..4_u8 } else { 0..1 };
        (any::<[u8; 16]>(), any::<u64>(), states, any::<u16>()).prop_map(
            |(salt, accepted, state, answers)| Entry {
                salt: Salt(salt),
                accepted,
                state: EntryState::try_from(state).unwrap(),
                answers,
            },
        )
    }

    fn status() -> impl Strategy<Value = BoxStatus> {
        any::<bool>().prop_flat_map(|receipts| {
            let entries = proptest::collection::vec(entry(receipts), 0..=MAX_ENTRIES);
            let counts = (any::<u64>(), any::<u16>(), any::<u16>(), 0..5_u8);
            (counts, entries).prop_map(move |((ends, messages, answers, waiting), entries)| {
                BoxStatus {
                    ends,
                    messages,
                    answers,
                    waiting,
                    receipts,
                    entries,
                }
            })
        })
    }

    proptest! {
        #[test]
        fn a_record_reads_back(status in status()) {
            prop_assert_eq!(BoxStatus::from_bytes(&status.to_bytes()), Some(status));
        }

        #[test]
        fn any_bytes_are_one_record_or_none(
            status in status(), place in 0..OPENED_BYTES, change in 1..=255_u8,
        ) {
            let mut bytes = status.to_bytes();
            bytes[place] ^= change;
            if let Some(read) = BoxStatus::from_bytes(&bytes) {
                prop_assert_ne!(&read, &status);
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}
