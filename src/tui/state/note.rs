//! The line about what has just happened.

/// One line about what has just happened, until the next key.
pub(in crate::tui) struct Note {
    pub(in crate::tui) text: String,
    pub(in crate::tui) good: bool,
    pub(in crate::tui) topic: Topic,
}

/// What a note is about, which may make it go before the next key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Topic {
    Anything,
    /// The relay that is there: nothing to say once it has ended.
    Relay,
    /// That none is there: nothing to say once one is.
    Absence,
    /// What was left out of a paste, or of what was typed: nothing to say once there is another paste.
    Hidden,
    /// A paste that goes on: nothing to say once it is over.
    Paste,
}
