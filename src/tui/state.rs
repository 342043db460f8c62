//! What each screen shows, and what is done to it. Nothing here knows of keys, of the terminal or of what is outside.

pub(super) mod areas;
pub(super) mod composer;
pub(super) mod contact_form;
pub(super) mod contact_list;
pub(super) mod field;
pub(super) mod inbox;
pub(super) mod note;
pub(super) mod outbox;
pub(super) mod question;
pub(super) mod reading;
pub(super) mod relay;
pub(super) mod screen;
pub(super) mod search;
pub(super) mod undo;
