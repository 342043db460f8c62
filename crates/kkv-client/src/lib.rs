//! What `kkvc` does: a delivery from its start to its end ([`sender`]), what an owner asks of the relay ([`owner`]),
//! and names for addresses ([`contacts`]).

pub mod contacts;
pub mod find;
pub mod owner;
pub mod sender;
