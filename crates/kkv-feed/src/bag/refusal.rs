//! Why an envelope isn't taken, and whether it is worth asking for again.

use kkv_letters::Minutes;

/// Why an envelope wasn't taken into the bag. Nothing was stored, and nothing changed but what is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is larger than an envelope may be, or than the bag.
    #[error("it is too large")]
    TooLarge,
    /// It belongs to no region that is carried here.
    #[error("it belongs to another region")]
    Region,
    /// It was written later than it is here. It can be offered again; nothing of it is remembered.
    #[error("it is from the future by this clock")]
    TooEarly {
        /// What time it is here.
        clock: Minutes,
    },
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It is here.
    #[error("it is here already")]
    Known,
    /// It was here, and was purged, superseded, deleted or erased.
    #[error("it was here and is gone")]
    Gone,
    /// Its sender is blocked.
    #[error("its sender is blocked")]
    Blocked,
    /// Its sender is muted. Whoever offers it is told that it was taken.
    #[error("its sender is muted")]
    Muted,
    /// Its chain has ended: it was deleted. It is remembered as gone.
    #[error("it was deleted by its sender")]
    Deleted,
    /// Its sender has erased all that was written before some later time. It is remembered as gone.
    #[error("it was erased by its sender")]
    Erased,
    /// There are newer versions. It is remembered as gone.
    #[error("it has been replaced")]
    Superseded,
    /// Its sender's share is full of what goes after it.
    #[error("its sender's share is full")]
    Quota,
    /// The bag is full of what goes after it.
    #[error("there is no room for it")]
    NoRoom,
    /// Its signature isn't its sender's.
    #[error("its signature is wrong")]
    Signature,
    /// A direct letter that erases: its key signs nothing else, so there is nothing to erase.
    #[error("a direct letter can't erase")]
    Form,
}

impl Refusal {
    /// Whether it may be taken at another time, so that it is worth asking for again.
    #[must_use]
    pub fn is_for_now(&self) -> bool {
        matches!(self, Self::TooEarly { .. } | Self::Quota | Self::NoRoom)
    }
}
