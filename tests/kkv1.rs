//! kkv/1 interoperates: our relay says to a published client, and our sender to a published server, exactly the
//! published bytes.

mod clock_set;
pub(crate) mod delivery;
mod our_relay;
mod our_sender;
mod probes;
pub(crate) mod published;
pub(crate) mod published_server;
pub(crate) mod raw_http;
mod refusals;
mod sessions;
pub(crate) mod visit;
