//! Sizes and lifetimes of letters (LETTERS-FORMAT.md §2).

use crate::minutes::Minutes;

/// Largest envelope, its signature included, in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 256 * 1024;
/// Most slots of an envelope, those of circles and of persons together.
pub const MAX_SLOTS: usize = 64;
/// Mailbox tags of a direct envelope: one for each machine of its addressee.
pub const MAILBOXES: usize = 4;
/// Most machines that a card lists.
pub const MAX_MACHINES: usize = MAILBOXES;
/// Least content of an envelope that has any: shorter letters all look alike.
pub const MIN_CONTENT_BYTES: usize = 1024;
/// How long an envelope lives unless told otherwise: a week.
pub const DEFAULT_LIFETIME: Minutes = Minutes(7 * 24 * 60);
/// The longest: 30 days. Tombstones and erases have it always, so that they outlive all that they hide.
pub const MAX_LIFETIME: Minutes = Minutes(30 * 24 * 60);
/// How far ahead of the reader's clock an envelope may have been created.
pub const MAX_AHEAD: Minutes = Minutes(10);
/// Revisions in a minute: a chain that is edited more often runs ahead of the clock, for as long as it may.
pub const REVISIONS_A_MINUTE: u32 = 64;
/// How far a revision may be ahead of its envelope's own time: [`MAX_AHEAD`], and the minute that has begun.
pub const REVISION_AHEAD: Minutes = Minutes(MAX_AHEAD.0 + 1);
