//! Letters of kkv, byte for byte: who writes them, for whom they are sealed, and the signed envelopes in which they
//! travel. The specification is docs/LETTERS-FORMAT.md; `§` means one of its sections.
//!
//! No I/O, no async and no clock: bytes and times come in, bytes go out, and randomness is an argument.

#[macro_use]
mod opaque;

mod author;
mod card;
mod circle;
mod clear;
mod direct;
mod envelope;
mod fingerprint;
mod identity;
pub mod ids;
mod keyring;
mod labels;
mod letter;
pub mod limits;
mod lookup;
mod minutes;
mod padding;
mod seal;
mod sealing;
mod slot;
mod succession;
mod successor;

pub use author::{Author, AuthorKey, BadSignature};
pub use card::{
    BadCard, BadLink, BadOnionKey, Card, CardLink, Details, MAX_NAME_BYTES, Machine, OnionKey,
    Theft,
};
pub use circle::{CircleKey, RegionKey};
pub use clear::{BadClear, Clear, Reach, Untimely};
pub use envelope::{BadEnvelope, Envelope};
pub use fingerprint::CheckNumber;
pub use identity::{ChainTagKey, ExchangeSecret, Identity, PublicIdentity, Seed, SelfCircleKey};
pub use ids::{ChainRef, ChainTag, EnvelopeId, Fingerprint, MailboxTag, RegionTag};
pub use keyring::{CannotOpen, Keyring, Membership, Opened, OpenedBy};
pub use letter::{Count, Letter, NoLetter, Purpose, Target, TooLong};
pub use lookup::{BadTable, CELL_BYTES, Difference, LookUp, Salt, ShortId, TableSize, TooMany};
pub use minutes::Minutes;
pub use seal::{Addressee, CannotSeal, Nobody, Outside, Pen, Readers};
pub use sealing::{BadSealingKey, Recipient, SEALING_KEY_BYTES, SealingKey, SealingSecret};
pub use succession::{BadSuccession, Move, Revoke};
pub use successor::{Commitment, SuccessorSeed};
