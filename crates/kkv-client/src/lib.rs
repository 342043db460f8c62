//! What `kkvc` does: a delivery from its start to its end ([`sender`]), what an owner asks of the relay ([`owner`]),
//! names for addresses ([`contacts`]), and what is found by the words of a conversation ([`replies`]).

pub mod contacts;
pub mod find;
pub mod owner;
pub mod replies;
pub mod sender;
