//! kkv's protocol (docs/PROTOCOL.md): both suites as steps that consume themselves, for sender and relay alike, with
//! the cryptography below them and the onion addresses beside them.
//!
//! No I/O, no async and no clock: bytes and times come in, bytes go out. The steps take their randomness as an
//! argument; `crypto::random` has the kernel's for who calls them.
//! Each side's steps are types; a step is taken by calling its one method, which consumes it and returns the next.
//!
//! ```text
//! v2::sender: Hello → Challenged → Exchanging → Open → Sent
//! v1::sender: Hello → Challenged → Vouched → Exchanging → Open → Sent
//! v1::relay  / v2::relay:  (issue) → Request → Admitted → Session
//! ```

pub mod blank;
pub mod crypto;
pub mod fault;
pub mod kind;
pub mod limits;
pub mod onion;
pub mod openpgp;
pub mod proof;
pub mod refusal;
pub mod relay_keys;
pub mod suite;
pub mod text;
pub mod v1;
pub mod v2;
pub mod wire;

use crypto::identity::Signature;
use kind::Kind;
use kkv_pow::Cost;
use suite::Suite;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What the relay knows of an accepted message beside its content, which stays in its slot.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Envelope {
    /// Which suite it came by.
    #[zeroize(skip)]
    pub suite: Suite,
    /// What the content is.
    #[zeroize(skip)]
    pub kind: Kind,
    /// What the sender paid.
    #[zeroize(skip)]
    pub cost: Cost,
    /// The sender's Ed25519 public key.
    pub sender: [u8; 32],
    /// The session it came in (PROTOCOL.md §6); zero in kkv/1, which has no name for one.
    pub session: [u8; 32],
    /// The sender's signature of the content: see [`v1::content_signed`] and [`v2::message::statement`].
    pub signature: [u8; 64],
}

impl Envelope {
    /// The sender's signature, typed.
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature(self.signature)
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Envelope(..)")
    }
}

/// What a relay asks of whoever wants to leave a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The price of a session.
    pub cost: Cost,
    /// Seconds to pay it in.
    pub lifetime: u32,
    /// The same as a unix time: when the challenge ends.
    pub expiry: u64,
    /// Seconds that a session stays open.
    pub session_lifetime: u16,
}
