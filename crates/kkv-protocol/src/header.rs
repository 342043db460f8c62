//! What is kept of a message beside its content.

use std::fmt;

use kkv_pow::Cost;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::crypto::identity::Signature;
use crate::ids::{BoxDigest, SenderId, SessionId};
use crate::kind::Kind;
use crate::suite::Suite;
use crate::v2::invitation::InvitationNumber;

/// By what a message came: a suite, or the relay's page for browsers, where nobody signs and no suite seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Via {
    /// [`Suite::V1`].
    #[serde(rename = "kkv/1")]
    V1,
    /// [`Suite::V2`].
    #[serde(rename = "kkv/2")]
    V2,
    /// The page.
    #[serde(rename = "web")]
    Web,
}

impl From<Suite> for Via {
    fn from(suite: Suite) -> Self {
        match suite {
            Suite::V1 => Self::V1,
            Suite::V2 => Self::V2,
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1 => Suite::V1.fmt(f),
            Self::V2 => Suite::V2.fmt(f),
            Self::Web => f.write_str("web"),
        }
    }
}

/// The header of an accepted message: what the relay keeps of it beside its content, which stays in its slot. Wiped on
/// drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MessageHeader {
    /// By what it came.
    #[zeroize(skip)]
    pub via: Via,
    /// What the content is (PROTOCOL.md §7).
    #[zeroize(skip)]
    pub kind: Kind,
    /// What the sender paid.
    #[zeroize(skip)]
    pub cost: Cost,
    /// Which invitation it came by, if by one (PROTOCOL.md §15).
    pub invitation: Option<InvitationNumber>,
    /// The sender's Ed25519 public key; zero in what came by the page, which nobody signs.
    pub sender: SenderId,
    /// The session it came in (PROTOCOL.md §6); zero in kkv/1, whose messages name none. What came by the page has a
    /// random one.
    pub session: SessionId,
    /// Digest of what the message said of its box (PROTOCOL.md §7), which itself is not kept; zero in kkv/1.
    pub box_digest: BoxDigest,
    /// The sender's signature of the content: see [`v1::content_signed`](crate::v1::content_signed) and
    /// [`v2::message::statement`](crate::v2::message::statement).
    pub signature: Signature,
}

impl fmt::Debug for MessageHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageHeader(..)")
    }
}
