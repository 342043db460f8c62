//! The frozen vectors of PROTOCOL.md §13. Both sides' steps, driven with the vectors' own randomness, give their
//! bytes.
//!
//! The files were computed by an implementation in another language, written from PROTOCOL.md. Nothing here writes
//! them.

mod asks;
mod boxes;
mod case;
mod contexts;
mod negative;
mod proofs;
mod uploads;
mod v1;
mod v2;
