//! Wipes what cryptography leaves behind where nothing else can reach it.

use std::hint::black_box;

use zeroize::Zeroize;

/// More than the frames below a signature check take: their hashes keep the last block of what they hashed, which may be a text.
const DEAD_STACK_BYTES: usize = 16 * 1024;

/// Overwrites the part of this thread's stack that calls made before have used and left.
///
/// SHA-512 inside Ed25519 is given bare texts by kkv/1, and its buffer can't be wiped from outside. To be called in the frame that made those calls, or in
/// one below it.
#[inline(never)]
pub fn dead_stack() {
    // In words: wiping writes element by element, which took as long as a tenth of a signature check with bytes.
    let mut dead = [0_u128; DEAD_STACK_BYTES / size_of::<u128>()];
    dead.zeroize(); // a write that is never taken out as useless
    black_box(&dead);
}
