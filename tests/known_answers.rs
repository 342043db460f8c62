//! Published answers for every primitive, through our own types where they let it out, else from the crate that they use.
#![allow(
    clippy::unwrap_used,
    reason = "a constant that can't be read is a failed test"
)]

#[path = "known_answers/blake3.rs"]
mod blake3_modes;
#[path = "known_answers/ed25519.rs"]
mod ed25519;
#[path = "known_answers/ed25519_strict.rs"]
mod ed25519_strict;
#[path = "known_answers/hex.rs"]
mod hex;
#[path = "known_answers/ml_kem.rs"]
mod ml_kem_768;
#[path = "vectors/replay.rs"]
mod replay;
#[path = "known_answers/seal.rs"]
mod seal;
#[path = "known_answers/x25519.rs"]
mod x25519;
