//! `kkv`: a person's inbox as a Tor onion service. See ARCHITECTURE.md for the map and docs/PROTOCOL.md for the wire.
//!
//! Below all of it are the crates of the protocol (`kkv-pow`, `kkv-protocol`) and of connections (`kkv-base`, `kkv-net`).
//! Lower rooms never import higher ones:
//!
//! ```text
//! openpgp             which texts are OpenPGP blocks
//! memory  sandbox     what is kept out of others' sight, and what the kernel holds us to
//! queue               where messages wait, in memory
//! tor                 the way onto Tor that is taken, and the Tor inside
//! contacts            names for addresses
//! relay  owner  sender    strangers' side, owner's side, and who leaves a message
//! cli                 what a person sees
//! ```

#[cfg(test)]
mod alone;
pub mod cli;
pub mod contacts;
pub mod memory;
pub mod openpgp;
pub mod owner;
pub mod queue;
pub mod relay;
pub mod sandbox;
pub mod sender;
pub mod tor;
mod tui;

pub(crate) use kkv_base::lock;
pub use kkv_base::{clock, count, limits, private};
pub use kkv_net::{http, places, process, unix_socket};
pub use kkv_pow as pow;
pub use kkv_protocol as protocol;
pub use kkv_protocol::{blank, crypto, onion};
