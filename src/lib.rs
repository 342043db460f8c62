//! `kkv`: a person's inbox as a Tor onion service. See ARCHITECTURE.md for the map and docs/PROTOCOL.md for the wire.
//!
//! Both programs, on the crates: the command line ([`cli`]), and the interactive client, which knows nothing of it
//! and is started by it. What they share is in `kkv-ui` and `kkv-terminal`, what they do in `kkv-client` and
//! `kkv-relay`.
//!
//! What is passed on from the crates is what tests, benches and fuzzers reach by this name.

pub mod cli;
#[cfg(test)]
mod stage;
pub mod tor;
mod tui;

pub use kkv_base::{clock, limits};
pub(crate) use kkv_base::{count, lock, private};
pub(crate) use kkv_client::contacts;
pub use kkv_client::sender;
pub use kkv_net::http;
pub(crate) use kkv_net::{process, unix_socket};
pub use kkv_pow as pow;
pub use kkv_protocol as protocol;
pub use kkv_protocol::{crypto, onion};
pub use kkv_relay::{memory, queue, relay, sandbox};
