//! The frozen vectors of PROTOCOL.md §13: both sides' steps, driven with the vectors' own randomness, give the vectors' bytes.
//!
//! The files were computed by an implementation in another language, written from PROTOCOL.md. Nothing here writes them.
#![allow(
    clippy::unwrap_used,
    reason = "a vector that can't be read is a failed test"
)]

#[path = "vectors/case.rs"]
mod case;
#[path = "vectors/negative.rs"]
mod negative;
#[path = "vectors/replay.rs"]
mod replay;
#[path = "vectors/v1.rs"]
mod v1;
#[path = "vectors/v2.rs"]
mod v2;
