//! Answers to messages, which wait in a box for whoever has its words (PROTOCOL.md §7, §15).

pub mod box_part;
pub mod keys;
