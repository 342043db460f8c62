//! The owner's side: HTTP on a Unix socket that strangers can't reach, its server and its client.

mod absence;
pub mod api;
mod client;
mod run;
mod server;
mod socket;
#[cfg(test)]
pub(crate) mod stage;

pub use absence::Absence;
pub use client::{Client, ClientError};
pub use server::{Host, router};
pub use socket::{OwnerListener, default_path};
