//! `kkv`: a person's inbox as a Tor onion service. See ARCHITECTURE.md for the map and docs/PROTOCOL.md for the wire.
//!
//! Below all of it are two crates: `kkv-pow`, the proof of work, and `kkv-protocol`, both suites as steps. Lower rooms
//! never import higher ones:
//!
//! ```text
//! limits  clock                 sizes and lifetimes, the time
//! openpgp                       which texts are OpenPGP blocks
//! process  memory  sandbox      who we are to the kernel, what is kept out of others' sight, and what the kernel holds us to
//! places  http  unix_socket     who is let in and who leaves, how HTTP is served, sockets with a name
//! queue                         where messages wait, in memory
//! tor                           the ways onto Tor
//! contacts                      names for addresses
//! relay    owner    sender      strangers' side, owner's side, and who leaves a message
//! cli                           what a person sees
//! ```

#[cfg(test)]
mod alone;
pub mod cli;
pub mod clock;
pub mod contacts;
mod count;
pub mod http;
pub mod limits;
pub mod memory;
pub mod openpgp;
pub mod owner;
pub mod places;
pub mod private;
pub mod process;
pub mod queue;
pub mod relay;
pub mod sandbox;
pub mod sender;
pub mod tor;
mod tui;
pub mod unix_socket;

pub use kkv_pow as pow;
pub use kkv_protocol as protocol;
pub use kkv_protocol::{blank, crypto, onion};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex whose data is whole at every point where a holder could panic, so that a panic in one request touches no other.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
