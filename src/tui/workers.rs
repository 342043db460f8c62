//! What carries effects out, beside the screen, and tells by events what has come of them.

pub(super) mod answers;
pub(super) mod contacts;
pub(super) mod delivery;
pub(super) mod launch;
pub(super) mod relay;
