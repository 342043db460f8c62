//! The bag of envelopes that a relay holds in memory, and the feed that its owner sees of it.
//!
//! No I/O, no clock and no randomness: `now` and seeds are arguments. The [`bag`] opens nothing: a relay without an
//! identity carries envelopes by it. The [`feed`] follows a bag with one person's keys.

pub mod bag;
pub mod feed;
