//! kkv/2, specified in docs/PROTOCOL.md §2–§9 and §14–§17.

pub mod answers;
pub mod ask;
pub mod challenge;
pub mod invitation;
pub mod message;
pub mod purpose;
pub mod receipt;
pub mod relay;
pub mod sender;
pub mod transcript;
pub mod upload;
pub mod wire;
