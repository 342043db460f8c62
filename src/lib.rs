//! `kkv`: a person's inbox as a Tor onion service. See ARCHITECTURE.md for the map and docs/PROTOCOL.md for the wire.
//!
//! Both programs, on the crates: the command line ([`cli`]), and the interactive client, which knows nothing of it
//! and is started by it. What they share is in `kkv-ui` and `kkv-terminal`, what they do in `kkv-client` and
//! `kkv-relay`.

pub mod cli;
#[cfg(test)]
mod stage;
mod tor;
mod tui;
