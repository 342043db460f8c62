//! Asks (PROTOCOL.md §14): what is asked in a session and answered, sealed in chunks and padded to one of five sizes.
//!
//! ```text
//! request          session 32 | number u64 | chunks
//! answer           chunks
//! opened request   kind u8 | zero 3 | length u32 | content | zeros
//! opened answer    outcome u8 | zero 3 | length u32 | started u64 | content | zeros
//! ```
//!
//! A body is cut into pieces of 64 KiB, and each piece is sealed by itself: both ends need memory for one of them.

pub mod relay;
pub mod sender;

use zeroize::Zeroizing;

use super::answers::ask::{MAX_REQUEST_BYTES, RepliesRequest};
use super::purpose::BodySize;
use crate::crypto::chunks::{AskNumber, ChunkPosition};
use crate::crypto::seal::TAG_BYTES;
use crate::error::BadLayout;
use crate::ids::SessionId;
use crate::refusal::Refusal;

/// Bytes of a piece; the last one of a body may be shorter.
pub const PIECE_BYTES: usize = 65_536;
/// Bytes before the first chunk of a request.
pub const REQUEST_HEAD_BYTES: usize = 40;
/// Bytes before the content of an opened request.
pub const REQUEST_PREFIX_BYTES: usize = 8;
/// Bytes before the content of an opened answer.
pub const ANSWER_PREFIX_BYTES: usize = 16;
/// How often a session is answered.
pub const MAX_ANSWERS: u8 = 16;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AskKind {
    /// Nothing: whether the relay is there, and since when.
    Nothing = 0,
    /// Answers to messages (PROTOCOL.md §17).
    Replies = 1,
}

/// What is asked, as it came.
#[derive(Debug)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// What waits in a box.
    Replies(RepliesRequest),
}

impl Asked {
    /// Of what kind it is.
    #[must_use]
    pub fn kind(&self) -> AskKind {
        match self {
            Self::Nothing => AskKind::Nothing,
            Self::Replies(_) => AskKind::Replies,
        }
    }
}

impl AskKind {
    /// Bytes of the longest content of a request of this kind.
    #[must_use]
    pub const fn max_content(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Replies => MAX_REQUEST_BYTES,
        }
    }
}

impl TryFrom<u8> for AskKind {
    type Error = u8;

    /// # Errors
    /// The byte, which means nothing here.
    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            0 => Ok(Self::Nothing),
            1 => Ok(Self::Replies),
            other => Err(other),
        }
    }
}

/// What came of a request that the relay has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AskOutcome {
    /// It is done.
    Done = 0,
    /// Its kind is not known there.
    UnknownKind = 1,
    /// It is not laid out as its kind says.
    Malformed = 2,
}

impl TryFrom<u8> for AskOutcome {
    type Error = u8;

    /// # Errors
    /// The byte, which means nothing here.
    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            0 => Ok(Self::Done),
            1 => Ok(Self::UnknownKind),
            2 => Ok(Self::Malformed),
            other => Err(other),
        }
    }
}

/// One piece of a body: where its chunk stands, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// For the nonce.
    pub position: ChunkPosition,
    /// Bytes before the chunk.
    pub head: usize,
    /// Bytes of the piece: its head, the ciphertext and the tag.
    pub bytes: usize,
}

impl Piece {
    /// Bytes of the chunk's plaintext.
    #[must_use]
    pub const fn plain(&self) -> usize {
        self.bytes - self.head - TAG_BYTES
    }
}

/// The pieces of the request with this number, if its body has this size.
pub fn request_pieces(number: AskNumber, size: BodySize) -> impl ExactSizeIterator<Item = Piece> {
    pieces(number, size, REQUEST_HEAD_BYTES)
}

/// The pieces of the answer to it.
pub fn answer_pieces(number: AskNumber, size: BodySize) -> impl ExactSizeIterator<Item = Piece> {
    pieces(number, size, 0)
}

fn pieces(number: AskNumber, size: BodySize, head: usize) -> impl ExactSizeIterator<Item = Piece> {
    let count = count(size);
    (0..count).map(move |index| Piece {
        position: ChunkPosition {
            number,
            index,
            is_last: index + 1 == count,
        },
        head: if index == 0 { head } else { 0 },
        bytes: size.bytes().min(PIECE_BYTES),
    })
}

const fn count(size: BodySize) -> u32 {
    size.bytes().div_ceil(PIECE_BYTES) as u32 // 16 at most
}

/// Bytes of content that fit into a request of this size.
#[must_use]
pub const fn request_room(size: BodySize) -> usize {
    size.bytes() - REQUEST_HEAD_BYTES - REQUEST_PREFIX_BYTES - count(size) as usize * TAG_BYTES
}

/// Bytes of content that fit into an answer of this size.
#[must_use]
pub const fn answer_room(size: BodySize) -> usize {
    size.bytes() - ANSWER_PREFIX_BYTES - count(size) as usize * TAG_BYTES
}

/// Reads the head of a request: in which session it is, and its number.
///
/// # Errors
/// Unproven: the number is 2^56 or more.
pub fn request_head(head: &[u8; REQUEST_HEAD_BYTES]) -> Result<(SessionId, AskNumber), Refusal> {
    let (session, number) = head.split_first_chunk().ok_or(Refusal::Unproven)?;
    let number = number.first_chunk().ok_or(Refusal::Unproven)?;
    let number = AskNumber::new(u64::from_le_bytes(*number)).ok_or(Refusal::Unproven)?;
    Ok((SessionId(*session), number))
}

/// first byte ‖ zero 3 ‖ length u32
fn prefix(first: u8, length: usize) -> [u8; 8] {
    let length = u32::try_from(length).expect("a body has at most 1 MiB");
    let mut prefix = [0; 8];
    prefix[0] = first;
    prefix[4..].copy_from_slice(&length.to_le_bytes());
    prefix
}

/// A prefix and the content behind it, if that was kept.
type Unpacked<const N: usize> = ([u8; N], Option<Zeroizing<Vec<u8>>>);

/// Reads an opened body as it comes, chunk by chunk: `N` bytes of a prefix, the content, and zeros to the end.
struct Unpacking<const N: usize> {
    prefix: [u8; N],
    /// Bytes of content that fit into the body.
    room: usize,
    /// Bytes of content that are still to come; `None` before the prefix.
    left: Option<usize>,
    /// The content, if it is kept.
    content: Option<Zeroizing<Vec<u8>>>,
    is_malformed: bool,
}

impl<const N: usize> Unpacking<N> {
    fn new(room: usize) -> Self {
        Self {
            prefix: [0; N],
            room,
            left: None,
            content: None,
            is_malformed: false,
        }
    }

    /// Takes the plaintext of the next chunk; that of the first holds the whole prefix. `keeps` says of the prefix's
    /// first byte how long a content is kept: a longer one is read to its end all the same.
    fn take(&mut self, mut plain: &[u8], keeps: impl FnOnce(u8) -> usize) {
        if self.left.is_none()
            && let Some((prefix, rest)) = plain.split_first_chunk::<N>()
        {
            self.prefix = *prefix;
            let length = prefix[4..]
                .first_chunk()
                .map_or(0, |l| u32::from_le_bytes(*l));
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            self.is_malformed = prefix[1..4] != [0; 3] || length > self.room;
            self.left = Some(length);
            if !self.is_malformed && length <= keeps(prefix[0]) {
                // In one piece: a vector that grows would leave copies of itself behind.
                self.content = Some(Zeroizing::new(Vec::with_capacity(length)));
            }
            plain = rest;
        }
        let left = self.left.get_or_insert_default();
        let (content, zeros) = plain.split_at((*left).min(plain.len()));
        *left -= content.len();
        if let Some(kept) = &mut self.content {
            kept.extend_from_slice(content);
        }
        self.is_malformed |= zeros.iter().any(|byte| *byte != 0);
    }

    /// The prefix and the content, which is `None` if it was too long to be kept.
    fn end(self) -> Result<Unpacked<N>, BadLayout> {
        if self.is_malformed || self.left != Some(0) {
            return Err(BadLayout);
        }
        Ok((self.prefix, self.content))
    }
}

/// Writes an opened body piece by piece: a prefix, the content, and zeros to the end.
struct Packing<const N: usize> {
    prefix: [u8; N],
    content: Zeroizing<Vec<u8>>,
    written: usize,
}

impl<const N: usize> Packing<N> {
    fn new(prefix: [u8; N], content: Zeroizing<Vec<u8>>) -> Self {
        Self {
            prefix,
            content,
            written: 0,
        }
    }

    /// Fills `plain` with what comes next.
    fn fill(&mut self, plain: &mut [u8]) {
        let mut filled = 0;
        let mut start = 0;
        for part in [self.prefix.as_slice(), &self.content] {
            let from = self.written.saturating_sub(start).min(part.len());
            let bytes = (part.len() - from).min(plain.len() - filled);
            plain[filled..filled + bytes].copy_from_slice(&part[from..from + bytes]);
            filled += bytes;
            self.written += bytes;
            start += part.len();
        }
        plain[filled..].fill(0);
    }
}

#[cfg(test)]
mod tests;
