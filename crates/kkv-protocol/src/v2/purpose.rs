//! What a session of kkv/2 is for, and how large what is carried in it may be (PROTOCOL.md §4).

use super::message::HEAD_BYTES;
use super::upload::{MAX_PIECE_BYTES, QUERY_BYTES};
use crate::error::UnknownPurpose;

/// How many bytes a body of `POST /ask` has (PROTOCOL.md §14): 4,096 · 4^size.
///
/// ```
/// use kkv_protocol::v2::purpose::BodySize;
///
/// assert_eq!(BodySize::Kib16.bytes(), 16_384);
/// assert_eq!(BodySize::of(1_048_576), Some(BodySize::Mib1));
/// assert_eq!(BodySize::of(5_000), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BodySize {
    /// 4 KiB.
    Kib4 = 0,
    /// 16 KiB.
    Kib16 = 1,
    /// 64 KiB.
    Kib64 = 2,
    /// 256 KiB.
    Kib256 = 3,
    /// 1 MiB.
    Mib1 = 4,
}

impl BodySize {
    /// All of them, the smallest first.
    pub const ALL: [Self; 5] = [
        Self::Kib4,
        Self::Kib16,
        Self::Kib64,
        Self::Kib256,
        Self::Mib1,
    ];

    /// 4,096 to 1,048,576.
    #[must_use]
    pub const fn bytes(self) -> usize {
        4096 << (2 * self as u8)
    }

    /// The size of exactly so many bytes, if there is one.
    #[must_use]
    pub fn of(bytes: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.bytes() == bytes)
    }
}

/// How many bytes a message with files takes, all pieces together (PROTOCOL.md §16): 4,096 · 4^size.
///
/// ```
/// use kkv_protocol::v2::purpose::LargeSize;
///
/// assert_eq!(LargeSize::for_content(16_176), Some(LargeSize::Kib16));
/// assert_eq!(LargeSize::for_content(16_177), Some(LargeSize::Kib64));
/// assert_eq!(LargeSize::for_content(LargeSize::MAX_CONTENT_BYTES + 1), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LargeSize {
    /// 16 KiB, one piece.
    Kib16 = 1,
    /// 64 KiB, one piece.
    Kib64 = 2,
    /// 256 KiB, four pieces.
    Kib256 = 3,
    /// 1 MiB, sixteen pieces.
    Mib1 = 4,
}

impl LargeSize {
    /// All of them, the smallest first.
    pub const ALL: [Self; 4] = [Self::Kib16, Self::Kib64, Self::Kib256, Self::Mib1];

    /// Longest content of any message with files, in bytes.
    pub const MAX_CONTENT_BYTES: usize = Self::Mib1.content_room();

    /// 16,384 to 1,048,576.
    #[must_use]
    pub const fn bytes(self) -> usize {
        4096 << (2 * self as u8)
    }

    /// In how many pieces it is sent: 1, 1, 4 or 16.
    #[must_use]
    pub const fn pieces(self) -> usize {
        self.bytes() / self.piece_bytes()
    }

    /// Bytes of each piece.
    #[must_use]
    pub const fn piece_bytes(self) -> usize {
        match self {
            Self::Kib16 => self.bytes(),
            Self::Kib64 | Self::Kib256 | Self::Mib1 => MAX_PIECE_BYTES,
        }
    }

    /// Bytes of the opened message in each piece.
    #[must_use]
    pub const fn part_bytes(self) -> usize {
        self.piece_bytes() - QUERY_BYTES
    }

    /// Bytes of the opened message.
    #[must_use]
    pub const fn opened_bytes(self) -> usize {
        self.pieces() * self.part_bytes()
    }

    /// Bytes of content that fit.
    #[must_use]
    pub const fn content_room(self) -> usize {
        self.opened_bytes() - HEAD_BYTES
    }

    /// The smallest size that a content of so many bytes fits into, if there is one.
    #[must_use]
    pub fn for_content(bytes: usize) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|size| bytes <= size.content_room())
    }
}

impl TryFrom<u8> for LargeSize {
    type Error = u8;

    /// # Errors
    /// The byte, which is no size.
    fn try_from(byte: u8) -> Result<Self, u8> {
        let mut all = Self::ALL.into_iter();
        all.find(|size| *size as u8 == byte).ok_or(byte)
    }
}

/// What a session is for. It stands in the challenge, so it is what was paid for.
///
/// ```
/// use kkv_protocol::v2::purpose::{BodySize, Purpose};
///
/// let purpose = Purpose::Ask(BodySize::Kib16);
/// assert_eq!(purpose.to_bytes(), [1, 1]);
/// assert_eq!(Purpose::from_bytes([1, 1]), Ok(purpose));
/// assert!(Purpose::from_bytes([1, 5]).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// One message, for which a slot is reserved.
    Message,
    /// One message with files, for which this much memory is reserved.
    Large(LargeSize),
    /// Asks, with answers of this size and requests of it or a smaller one.
    Ask(BodySize),
}

impl Purpose {
    /// Purpose and size, as in a challenge.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::Message => [0, 0],
            Self::Large(size) => [0, size as u8],
            Self::Ask(size) => [1, size as u8],
        }
    }

    /// Reads both.
    ///
    /// # Errors
    /// It is none of those that this version knows.
    pub fn from_bytes(bytes: [u8; 2]) -> Result<Self, UnknownPurpose> {
        let [purpose, size] = bytes;
        let unknown = UnknownPurpose { purpose, size };
        match purpose {
            0 if size == 0 => Ok(Self::Message),
            0 => LargeSize::try_from(size)
                .map(Self::Large)
                .map_err(|_| unknown),
            1 => BodySize::ALL
                .get(usize::from(size))
                .map(|size| Self::Ask(*size))
                .ok_or(unknown),
            _ => Err(unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_all_pairs_are_purposes_and_each_reads_back() {
        let all = (0..=u8::MAX).flat_map(|purpose| (0..=u8::MAX).map(move |size| [purpose, size]));
        let known: Vec<_> = all
            .filter_map(|bytes| Some((bytes, Purpose::from_bytes(bytes).ok()?)))
            .collect();
        assert_eq!(known.len(), 10);
        assert!(
            known
                .iter()
                .all(|(bytes, purpose)| purpose.to_bytes() == *bytes)
        );
    }

    #[test]
    fn large_messages_are_cut_as_the_specification_says() {
        let all = LargeSize::ALL;
        assert_eq!(
            all.map(LargeSize::bytes),
            [16_384, 65_536, 262_144, 1_048_576]
        );
        assert_eq!(all.map(LargeSize::pieces), [1, 1, 4, 16]);
        let opened = all.map(LargeSize::opened_bytes);
        assert_eq!(opened, [16_328, 65_480, 261_920, 1_047_680]);
        let rooms = all.map(LargeSize::content_room);
        assert_eq!(rooms, [16_176, 65_328, 261_768, 1_047_528]);
        assert_eq!(rooms.map(LargeSize::for_content), all.map(Some));
        let next = rooms.map(|room| LargeSize::for_content(room + 1));
        assert_eq!(next[..3], [1, 2, 3].map(|size| Some(all[size])));
        assert_eq!(next[3], None);
    }

    #[test]
    fn each_size_is_four_times_the_last() {
        let sizes = BodySize::ALL.map(BodySize::bytes);
        assert_eq!(sizes, [4096, 16_384, 65_536, 262_144, 1_048_576]);
        assert_eq!(sizes.map(BodySize::of), BodySize::ALL.map(Some));
    }
}
