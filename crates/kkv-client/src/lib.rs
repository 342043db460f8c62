//! What a sender does: a delivery from its start to its end ([`sender`]), and names for addresses ([`contacts`]).

pub mod contacts;
pub mod sender;
