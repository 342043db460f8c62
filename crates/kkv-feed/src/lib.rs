//! The bag of envelopes that a relay holds in memory.
//!
//! No I/O, no clock and no randomness: `now` and seeds are arguments. The [`bag`] opens nothing: a relay without an
//! identity carries envelopes by it.

pub mod bag;
