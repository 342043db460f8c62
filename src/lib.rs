//! `kkv`: a person's inbox as a Tor onion service. See ARCHITECTURE.md for the map and docs/PROTOCOL.md for the wire.
//!
//! Below all of it are the crates: of the protocol (`kkv-pow`, `kkv-protocol`), of connections (`kkv-base`, `kkv-net`),
//! of the relay (`kkv-owner`, `kkv-relay`), of `kkvc` (`kkv-client`), of terminals (`kkv-terminal`), and what
//! both faces of `kkvc` share (`kkv-ui`). Lower rooms never import
//! higher ones:
//!
//! ```text
//! tor        the way onto Tor that is taken, and the embedded Tor
//! cli        what a person sees
//! ```

pub mod cli;
#[cfg(test)]
mod stage;
pub mod tor;
mod tui;

pub(crate) use kkv_base::lock;
pub use kkv_base::{clock, count, limits, private};
pub use kkv_client::{contacts, sender};
pub use kkv_net::{admission, http, process, unix_socket};
pub use kkv_pow as pow;
pub use kkv_protocol as protocol;
pub use kkv_protocol::{crypto, onion};
pub use kkv_relay::{memory, queue, relay, sandbox};
