//! Letters of kkv, byte for byte: so far the signed envelopes in which they travel, as a carrier without keys reads
//! them. The specification is docs/LETTERS-FORMAT.md; `§` means one of its sections.
//!
//! No I/O, no async and no clock: bytes and times come in, bytes go out, and randomness is an argument.

mod author;
mod clear;
mod envelope;
mod fingerprint;
mod identity;
pub mod ids;
mod labels;
pub mod limits;
mod minutes;
mod padding;
mod successor;

pub use author::{Author, AuthorKey, BadSignature};
pub use clear::{BadClear, Clear, Reach, Untimely};
pub use envelope::{BadEnvelope, Envelope};
pub use fingerprint::CheckNumber;
pub use identity::{ChainTagKey, ExchangeSecret, Identity, PublicIdentity, Seed, SelfCircleKey};
pub use ids::{ChainTag, EnvelopeId, Fingerprint, MailboxTag, RegionTag};
pub use minutes::Minutes;
pub use successor::{Commitment, SuccessorSeed};
