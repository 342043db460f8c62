//! kkv/2, specified in docs/PROTOCOL.md §2–§9.

pub mod challenge;
pub mod message;
pub mod receipt;
pub mod relay;
pub mod sender;
pub mod transcript;
pub mod wire;
