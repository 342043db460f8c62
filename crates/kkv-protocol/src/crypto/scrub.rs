//! Wipes what cryptography leaves on the stack, in frames of calls that have returned: no destructor reaches it there.

use std::hint::black_box;

/// More than the frames below a signature check take: their hashes keep the last block of what they hashed, which may
/// be a text.
const SHALLOW_STACK_BYTES: usize = 16 * 1024;

/// More than all frames of a request or of a command take, whose values leave copies wherever they were moved from.
/// Without optimisation they take several times as much.
const DEEP_STACK_BYTES: usize = if cfg!(debug_assertions) {
    1024 * 1024
} else {
    128 * 1024
};

/// Overwrites the 16 KiB of this thread's stack below the caller.
///
/// kkv/1 hands bare texts to the SHA-512 inside Ed25519, whose buffer can't be wiped from outside. Call this in the
/// frame that called Ed25519, or in one below it.
pub(crate) fn wipe_shallow_stack() {
    overwrite::<SHALLOW_STACK_BYTES>();
}

/// Overwrites this thread's stack below the caller as far as whole requests and commands reach: 128 KiB, or 1 MiB
/// without optimisation. Call it where a thread's work is over: a runtime does so before it waits.
pub fn wipe_deep_stack() {
    overwrite::<DEEP_STACK_BYTES>();
}

/// Runs `work`, then wipes the stack that it used, and returns its result.
///
/// # Examples
///
/// ```
/// use kkv_protocol::crypto::scrub;
///
/// let length = scrub::run_then_wipe_stack(|| String::from("a secret line").len());
/// assert_eq!(length, 13);
/// ```
pub fn run_then_wipe_stack<T>(work: impl FnOnce() -> T) -> T {
    let done = in_own_frame(work);
    wipe_deep_stack();
    done
}

/// Runs `work` in a frame of its own, which is below that of whoever wipes it.
#[inline(never)]
fn in_own_frame<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Writes zeros over the stack below. Whoever is given an array to change must find it filled, so the compiler can't
/// leave that out.
#[inline(never)]
fn overwrite<const BYTES: usize>() {
    let mut dead = [0_u8; BYTES];
    black_box(&mut dead);
}
