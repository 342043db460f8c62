//! How the tries of a payment are made (PROTOCOL.md §18).

/// A kind of puzzle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A hash a try: the puzzle of kkv/2 (§5).
    Hash = 0,
    /// 1,250 iterations of PBKDF2 a try. Browsers have them compiled, whether they compile script or not.
    Pbkdf2 = 1,
}

impl Class {
    /// All that there are.
    pub const ALL: [Self; 2] = [Self::Hash, Self::Pbkdf2];

    /// As `POST /price` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Pbkdf2 => "pbkdf2",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// As it stands in a challenge.
    pub(crate) fn byte(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.byte() == byte)
    }
}
