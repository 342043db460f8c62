//! The owner's side: HTTP on a Unix socket that strangers can't reach. What is said there is in `kkv-owner`.

mod absence;
mod server;
mod socket;
#[cfg(any(test, feature = "test-util"))]
pub mod stage;

pub use absence::Absence;
pub use server::{Host, router};
pub use socket::OwnerListener;
