//! Randomness for keys.

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

/// The kernel's generator.
///
/// A generator in our memory (`rand::rng()`) would do as well for anyone outside, but it keeps its state for 64 KiB of
/// output: whoever reads the memory of a running relay could recompute the keys of hundreds of sessions that are long
/// over. The kernel erases its own key after each call.
///
/// # Panics
/// Drawing from it does when the kernel has no randomness to give, which Linux says at boot or never.
///
/// ```
/// use kkv_protocol::crypto::{identity::SenderKey, random};
///
/// let key = SenderKey::generate(&mut random::kernel());
/// ```
#[must_use]
pub fn kernel() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
