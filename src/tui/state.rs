//! What each screen shows, and what is done to it. Nothing here knows which keys are commands, or
//! reaches the terminal or what is outside.

pub(super) mod areas;
pub(super) mod awaited;
pub(super) mod composer;
pub(super) mod contact_form;
pub(super) mod contact_list;
pub(super) mod conversation;
pub(super) mod field;
pub(super) mod inbox;
pub(super) mod note;
pub(super) mod outbox;
pub(super) mod overlay_page;
pub(super) mod question;
pub(super) mod reading;
pub(super) mod relay;
pub(super) mod saving;
pub(super) mod screen;
pub(super) mod search;
pub(super) mod undo;
