//! What is to be done with a letter (LETTERS-FORMAT.md §9).

/// Purposes, as in kiki, with two more: data of any kind, and a move to another key. Those that this program doesn't
/// know are carried and not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum Purpose {
    ShareText,
    ShareImage,
    ShareKey,
    ShareData,
    ActionFollow,
    ActionLike,
    ActionName,
    ActionProfile,
    ActionImage,
    ActionBlock,
    ActionErase,
    ActionMove,
    Unknown(u8),
}

/// Codes of actions begin here.
const ACTIONS: u8 = 64;

/// Each with its code and its name in commands and in JSON.
const ALL: [(Purpose, u8, &str); 12] = [
    (Purpose::ShareText, 1, "share-text"),
    (Purpose::ShareImage, 2, "share-image"),
    (Purpose::ShareKey, 3, "share-key"),
    (Purpose::ShareData, 4, "share-data"),
    (Purpose::ActionFollow, ACTIONS, "action-follow"),
    (Purpose::ActionLike, ACTIONS + 1, "action-like"),
    (Purpose::ActionName, ACTIONS + 2, "action-name"),
    (Purpose::ActionProfile, ACTIONS + 3, "action-profile"),
    (Purpose::ActionImage, ACTIONS + 4, "action-image"),
    (Purpose::ActionBlock, ACTIONS + 5, "action-block"),
    (Purpose::ActionErase, ACTIONS + 6, "action-erase"),
    (Purpose::ActionMove, ACTIONS + 7, "action-move"),
];

impl Purpose {
    /// Its code in a letter.
    #[must_use]
    pub fn code(self) -> u8 {
        let found = ALL.iter().find(|(purpose, ..)| *purpose == self);
        match (self, found) {
            (_, Some((_, code, _))) => *code,
            (Self::Unknown(code), None) => code,
            (_, None) => unreachable!("every purpose has a code"),
        }
    }

    /// The purpose that has this code.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        let found = ALL.iter().find(|(_, its, _)| *its == code);
        found.map_or(Self::Unknown(code), |(purpose, ..)| *purpose)
    }

    /// Its name, as kiki writes it. None if this program doesn't know it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let found = ALL.iter().find(|(purpose, ..)| *purpose == self);
        found.map(|(.., name)| *name)
    }

    /// The purpose of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|(.., its)| *its == name);
        found.map(|(purpose, ..)| *purpose)
    }

    /// Whether it is part of its author's state, nothing to be read: as its envelope has to say in the clear.
    #[must_use]
    pub fn is_action(self) -> bool {
        self.code() >= ACTIONS
    }
}
