//! What `kkvc` does: a delivery from its start to its end ([`sender`]), what an owner asks of the relay ([`owner`]),
//! names for addresses ([`contacts`]), and the words by which a sender is answered ([`reply_words`]).

pub mod contacts;
pub mod find;
pub mod owner;
pub mod reply_words;
pub mod sender;
