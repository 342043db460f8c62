//! What the feed has to know of a letter, once it is opened.

use std::fmt;

use kkv_letters::{ChainTag, Fingerprint};
use zeroize::Zeroizing;

/// What is to be done with a letter. Purposes that this program doesn't know are carried and not shown.
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

impl Purpose {
    /// Whether it is part of its author's state, nothing to be read: as its envelope has to say in the clear.
    #[must_use]
    pub fn is_action(self) -> bool {
        !matches!(
            self,
            Self::ShareText
                | Self::ShareImage
                | Self::ShareKey
                | Self::ShareData
                | Self::Unknown(_)
        )
    }
}

/// A chain: a letter with all of its versions. Another's envelope with the same tag is of another chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainRef {
    /// Who wrote it.
    pub author: Fingerprint,
    /// Which of theirs.
    pub chain: ChainTag,
}

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A letter, to be liked.
    Letter(ChainRef),
    /// A person, to be followed or blocked.
    Person(Fingerprint),
}

/// A letter. Its texts are overwritten on drop.
#[derive(PartialEq, Eq)]
pub struct Letter {
    /// What is to be done with it.
    pub purpose: Purpose,
    /// For whom, as the author calls them: what a reader is told of it.
    pub audience: Vec<Zeroizing<String>>,
    /// The content's media type (RFC 6838). Empty if the purpose says it.
    pub media_type: Zeroizing<String>,
    /// A file's name. Empty if it has none.
    pub name: Zeroizing<String>,
    /// What it answers.
    pub replies_to: Option<ChainRef>,
    /// What an action is about.
    pub target: Option<Target>,
    /// What it says. Of an action that can be undone, nothing means that it is.
    pub content: Zeroizing<Vec<u8>>,
}

impl Letter {
    /// One without anything but its purpose and content.
    #[must_use]
    pub fn new(purpose: Purpose, content: Vec<u8>) -> Self {
        Self {
            purpose,
            audience: Vec::new(),
            media_type: Zeroizing::default(),
            name: Zeroizing::default(),
            replies_to: None,
            target: None,
            content: Zeroizing::new(content),
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("purpose", &self.purpose)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .finish_non_exhaustive()
    }
}
