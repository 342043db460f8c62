//! Wipes what cryptography leaves behind where nothing else can reach it: on the stack, in frames of calls that have
//! returned.

use std::hint::black_box;

/// More than the frames below a signature check take: their hashes keep the last block of what they hashed, which may
/// be a text.
const DEAD_STACK_BYTES: usize = 16 * 1024;

/// More than all frames of a request or of a command take, whose values leave copies wherever they were moved from.
/// Without optimisation they take several times as much.
const DEEP_STACK_BYTES: usize = if cfg!(debug_assertions) {
    1024 * 1024
} else {
    128 * 1024
};

/// Overwrites the part of this thread's stack that calls made before have used and left.
///
/// SHA-512 inside Ed25519 is given bare texts by kkv/1, and its buffer can't be wiped from outside. To be called in the
/// frame that made those calls, or in one below it.
pub fn dead_stack() {
    zeros::<DEAD_STACK_BYTES>();
}

/// The same, down to where whole requests and commands get. To be called where a thread's work is over: by a runtime
/// before it waits.
pub fn deep_stack() {
    zeros::<DEEP_STACK_BYTES>();
}

/// Does `work`, on a thread that does nothing else, and wipes what is left of it there.
pub fn after<T>(work: impl FnOnce() -> T) -> T {
    let done = framed(work);
    deep_stack();
    done
}

/// In a frame of its own, which is below that of whoever wipes it.
#[inline(never)]
fn framed<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Lays zeros over the stack below. Whoever is given an array to change must find it filled, so the compiler can't
/// leave that out.
#[inline(never)]
fn zeros<const BYTES: usize>() {
    let mut dead = [0_u8; BYTES];
    black_box(&mut dead);
}
