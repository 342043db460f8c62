//! Which screens there are.

/// A screen with keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Screen {
    Inbox,
    /// The same, while one types what is looked for.
    Search,
    Message,
    /// The same, while one types where its files are saved.
    Saving,
    Composer,
    Outbox,
    Contacts,
    /// One of them, being written down.
    ContactForm,
}

impl Screen {
    /// Whether letters are text here.
    pub(in crate::tui) fn is_for_writing(self) -> bool {
        matches!(
            self,
            Self::Composer | Self::ContactForm | Self::Search | Self::Saving
        )
    }
}
