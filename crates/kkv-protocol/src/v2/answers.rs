//! Answers to messages, which wait in a box for whoever has its words (PROTOCOL.md §17).
//!
//! ```text
//! entropy 16 ─┬─ box secret ──── the relay holds it while the box lives
//!             └─ answer root ─┐  never leaves the sender
//!       salt of a message ────┴─ K(0) ─ K(1) ─ K(2) …   the relay holds the newest
//! ```
//!
//! The relay seals an answer under the key of a chain, puts the next key in its place, and can't open the answer any
//! more. The sender derives every key from the words and the salt, which the relay tells whoever has the words.

pub mod ask;
pub mod box_part;
pub mod keys;
pub mod sealed;
pub mod sender;
pub mod status;

/// Answers that wait in one box at most.
pub const MAX_WAITING: usize = 4;
/// Messages that a box remembers.
pub const MAX_ENTRIES: usize = 16;

#[cfg(test)]
mod tests;
