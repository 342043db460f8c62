//! The owner's relay, as it was told last.

use kkv_owner::Status;

pub(in crate::tui) enum RelayState {
    /// It has not answered yet.
    Unknown,
    Running(Box<Status>),
    /// It isn't there: in words, and what may help.
    Unreachable {
        what: String,
        hint: String,
        can_start: bool,
    },
}
