//! Large messages (PROTOCOL.md §16): a message with files on its way, in pieces that are sealed and acknowledged each
//! by itself.
//!
//! ```text
//! piece             session 32 | index u64 | ciphertext | tag 16
//! query             session 32 | 2^64 - 1 | tag 16
//! acknowledgement   number u64 | sealed: pieces u16, accepted u8, zero 5, receipt 64 | tag 16
//! ```
//!
//! A piece without its head and tag is one part of the opened message, so that a relay opens each where it belongs.

pub mod kept;
pub mod relay;
pub mod sender;

use super::purpose::LargeSize;
use crate::crypto::chunks::{AskNumber, ChunkPosition};
use crate::crypto::seal::TAG_BYTES;
use crate::ids::SessionId;
use crate::refusal::Refusal;

/// Bytes before the chunk of a piece or query.
pub const HEAD_BYTES: usize = 40;
/// Bytes of a query.
pub const QUERY_BYTES: usize = HEAD_BYTES + TAG_BYTES;
/// Bytes of the largest piece.
pub const MAX_PIECE_BYTES: usize = 65_536;
/// Bytes of an acknowledgement.
pub const ACKNOWLEDGEMENT_BYTES: usize = 8 + OPENED_ACKNOWLEDGEMENT_BYTES + TAG_BYTES;
/// Most pieces that a relay reads at once of a session, and most connections over which a sender sends some.
pub const MAX_AT_ONCE: usize = 3;

const OPENED_ACKNOWLEDGEMENT_BYTES: usize = 72;
/// Of a query, in the place of an index.
const QUERY_INDEX: u64 = u64::MAX;

/// One piece of a message of a certain size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PieceIndex(u8);

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A piece.
    Piece(PieceIndex),
    /// It asks for an acknowledgement alone.
    Query,
}

/// Some of the pieces of a message.
///
/// ```
/// use kkv_protocol::v2::purpose::LargeSize;
/// use kkv_protocol::v2::upload::Pieces;
///
/// let mut here = Pieces::NONE;
/// for index in Pieces::all(LargeSize::Kib256).iter() {
///     assert!(!here.contains(index));
///     here.insert(index);
/// }
/// assert_eq!(here, Pieces::all(LargeSize::Kib256));
/// assert_eq!(here.count(), 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces(u16);

impl PieceIndex {
    /// That of a message of this size with this number; `None` if it has none.
    #[must_use]
    pub fn of(size: LargeSize, number: u64) -> Option<Self> {
        let index = u8::try_from(number).ok().map(Self)?;
        (index.get() < size.pieces()).then_some(index)
    }

    /// Its number, from 0.
    #[must_use]
    pub fn get(self) -> usize {
        self.0.into()
    }

    /// Where its part of the opened message begins, in a message of this size.
    #[must_use]
    pub fn offset(self, size: LargeSize) -> usize {
        self.get() * size.part_bytes()
    }

    fn position(self, size: LargeSize) -> ChunkPosition {
        ChunkPosition {
            number: AskNumber::FIRST,
            index: self.0.into(),
            is_last: self.get() + 1 == size.pieces(),
        }
    }
}

impl Pieces {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Every piece of a message of this size.
    #[must_use]
    pub fn all(size: LargeSize) -> Self {
        Self(u16::MAX >> (16 - size.pieces()))
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(self, index: PieceIndex) -> bool {
        self.0 & (1 << index.0) != 0
    }

    /// Adds one.
    pub fn insert(&mut self, index: PieceIndex) {
        self.0 |= 1 << index.0;
    }

    /// Those of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of these that the others lack.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Each of them, the first first.
    pub fn iter(self) -> impl Iterator<Item = PieceIndex> {
        (0..16)
            .map(PieceIndex)
            .filter(move |index| self.contains(*index))
    }
}

/// Reads the head of a piece or query: in which session it is, and its index.
#[must_use]
pub fn head(head: &[u8; HEAD_BYTES]) -> (SessionId, u64) {
    let (mut session, mut index) = ([0; 32], [0; 8]);
    session.copy_from_slice(&head[..32]);
    index.copy_from_slice(&head[32..]);
    (SessionId(session), u64::from_le_bytes(index))
}

impl Part {
    /// What a body of this length and with this index is, in a session of this size.
    ///
    /// # Errors
    /// Unproven: nothing.
    pub fn of(size: LargeSize, index: u64, bytes: usize) -> Result<Self, Refusal> {
        match (index, bytes) {
            (QUERY_INDEX, QUERY_BYTES) => Ok(Self::Query),
            (index, bytes) if bytes == size.piece_bytes() => {
                let index = PieceIndex::of(size, index);
                index.map(Self::Piece).ok_or(Refusal::Unproven)
            }
            _ => Err(Refusal::Unproven),
        }
    }
}

/// Of the empty chunk of a query.
fn query_position() -> ChunkPosition {
    ChunkPosition {
        number: AskNumber::FIRST,
        index: u32::MAX,
        is_last: false,
    }
}

/// Of the only chunk of an acknowledgement.
fn acknowledgement_position(number: AskNumber) -> ChunkPosition {
    ChunkPosition {
        number,
        index: 0,
        is_last: true,
    }
}

/// session ‖ index
fn write_head(session: &SessionId, index: u64) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..32].copy_from_slice(&session.0);
    head[32..].copy_from_slice(&index.to_le_bytes());
    head
}

#[cfg(test)]
mod tests;
