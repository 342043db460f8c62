//! What `kkvc` does: a delivery from its start to its end ([`sender`]), what an owner asks of the relay ([`owner`]),
//! names for addresses ([`contacts`]), and conversations: the words by which a sender is answered ([`reply_words`]),
//! and what it finds by them ([`replies`]).

pub mod contacts;
pub mod find;
pub mod owner;
pub mod replies;
pub mod reply_words;
pub mod sender;
