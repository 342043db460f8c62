//! What the content of a message is. One numbered list; a number is never used again for something else.

use serde::{Deserialize, Serialize};

/// Kind of a message's content (PROTOCOL.md §7). kkv/1 has text only.
///
/// ```
/// use kkv_protocol::kind::{Kind, UnknownKind};
///
/// assert_eq!(Kind::try_from(0), Ok(Kind::Text));
/// assert_eq!(Kind::try_from(9), Err(UnknownKind(9)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Kind {
    /// UTF-8 text of 1 to 3,500 bytes.
    Text = 0,
    /// A text, which may be empty, and files (PROTOCOL.md §16). Large messages have no other kind, and others don't have
    /// it.
    Files = 1,
}

/// A kind that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("kind {0} is not known")]
pub struct UnknownKind(pub u8);

impl TryFrom<u8> for Kind {
    type Error = UnknownKind;

    fn try_from(number: u8) -> Result<Self, UnknownKind> {
        match number {
            0 => Ok(Self::Text),
            1 => Ok(Self::Files),
            unknown => Err(UnknownKind(unknown)),
        }
    }
}
