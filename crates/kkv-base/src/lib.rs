//! What every crate of kkv above the protocol stands on: the clock, every size and lifetime, what `{:?}` doesn't print,
//! counts in words, and which directories are in memory.

pub mod clock;
pub mod count;
pub mod in_memory;
pub mod limits;
pub mod private;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex whose data is whole at every point where a holder could panic, so that a panic in one request touches
/// no other.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
