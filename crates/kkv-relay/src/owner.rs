//! The owner's side: HTTP on a Unix socket that strangers can't reach. What is said there is in `kkv-owner`.

mod dead_man_switch;
mod server;
mod socket;
#[cfg(any(test, feature = "test-util"))]
pub mod stage;

pub use dead_man_switch::DeadManSwitch;
pub use server::{Host, router};
pub use socket::OwnerListener;
