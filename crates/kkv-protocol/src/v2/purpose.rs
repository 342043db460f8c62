//! What a session of kkv/2 is for, and how large what is carried in it may be (PROTOCOL.md §4).

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
    /// Asks, with answers of this size and requests of it or a smaller one.
    Ask(BodySize),
}

impl Purpose {
    /// Purpose and size, as in a challenge.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::Message => [0, 0],
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
    fn six_of_all_pairs_are_purposes_and_each_reads_back() {
        let all = (0..=u8::MAX).flat_map(|purpose| (0..=u8::MAX).map(move |size| [purpose, size]));
        let known: Vec<_> = all
            .filter_map(|bytes| Some((bytes, Purpose::from_bytes(bytes).ok()?)))
            .collect();
        assert_eq!(known.len(), 6);
        assert!(
            known
                .iter()
                .all(|(bytes, purpose)| purpose.to_bytes() == *bytes)
        );
    }

    #[test]
    fn each_size_is_four_times_the_last() {
        let sizes = BodySize::ALL.map(BodySize::bytes);
        assert_eq!(sizes, [4096, 16_384, 65_536, 262_144, 1_048_576]);
        assert_eq!(sizes.map(BodySize::of), BodySize::ALL.map(Some));
    }
}
