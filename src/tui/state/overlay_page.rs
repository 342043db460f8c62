//! A page that stands over the screen until one goes back.

use kkv_owner::MessageId;

/// What it shows, and its first line on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct OverlayPage {
    pub(in crate::tui) subject: Subject,
    pub(in crate::tui) top: usize,
}

/// What a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Subject {
    /// All keys of the screen.
    Keys,
    /// All that is known of a message here.
    Message(MessageId),
    /// The words of a conversation that was begun here.
    Words(u64),
}

impl OverlayPage {
    /// From its beginning.
    pub(in crate::tui) fn of(subject: Subject) -> Self {
        Self { subject, top: 0 }
    }
}
