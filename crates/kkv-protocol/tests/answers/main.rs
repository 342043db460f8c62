//! Answers that others have computed: published ones for every primitive, and the frozen vectors of both suites.
#![allow(
    clippy::unwrap_used,
    reason = "an answer that can't be read is a failed test"
)]

mod known_answers;
mod replay;
mod vectors;
