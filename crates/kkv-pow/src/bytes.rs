//! The 32-byte values of a puzzle, a type for each meaning, so that swapping two of them doesn't compile.

use std::fmt;

/// The seed of a challenge, 32 bytes: 16 random ones and a tag by which the relay knows its own (PROTOCOL.md §4, and
/// §10 for kkv/1). No two challenges share one. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub [u8; 32]);

/// The key of a kkv/2 puzzle, 32 bytes: BLAKE3 derive_key over the whole challenge (PROTOCOL.md §5). It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PuzzleKey(pub [u8; 32]);

/// The solution of a kkv/1 puzzle, 32 bytes (PROTOCOL.md §10).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 32]);

impl From<[u8; 32]> for PuzzleKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
opaque_debug!(Seed, PuzzleKey, Nonce);
