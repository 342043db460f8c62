//! Sizes and lifetimes that both ends must agree on, each with its reason.

/// Longest text that kkv/2 carries, in bytes (PROTOCOL.md §2): what the published relay promises in its help and
/// cannot take.
pub const MAX_TEXT_BYTES: usize = 3500;

/// Longest text that kkv/1 carries, in bytes: 6,000 hex characters hold 3,000 bytes, less the tag (16) and the
/// signature (64).
pub const MAX_TEXT_BYTES_V1: usize = 2920;

/// Longest kkv/1 ciphertext, in bytes (kkv/1: 6,000 hex characters).
pub const MAX_CIPHERTEXT_BYTES_V1: usize = 3000;

/// Longest time to solve a challenge that an owner can set: a day. Spent challenges are remembered for as long.
pub const MAX_EXPECTED_SECONDS: u32 = 24 * 60 * 60;

/// Bytes of what a relay decrypts a message into: a page of memory, which a slot shares with nothing else. The largest
/// opened message takes 3,652.
pub const SLOT_BYTES: usize = 4096;
