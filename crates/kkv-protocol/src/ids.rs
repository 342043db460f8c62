//! 32-byte values, a type for each meaning: two that are swapped don't compile.
//!
//! The bytes say what they claim and were not checked: a [`SenderId`] becomes a key that can verify signatures by
//! [`PublicKey::from_id`](crate::crypto::identity::PublicKey::from_id) only. In JSON and forms each is 64 hex
//! characters, in lower case when written and in either when read (PROTOCOL.md §2). `Debug` prints the type's name
//! alone: a sender's key can identify a person.
//!
//! ```
//! use kkv_protocol::ids::{RelayId, SessionId};
//! use kkv_protocol::v2::message;
//!
//! let (relay, session) = (RelayId([1; 32]), SessionId([2; 32]));
//! let statement = message::statement(&relay, &session, 0, b"text");
//! assert_eq!(statement.as_ref().len(), 32);
//! ```
//!
//! Swapped arguments are no program:
//!
//! ```compile_fail,E0308
//! use kkv_protocol::ids::{RelayId, SessionId};
//! use kkv_protocol::v2::message;
//!
//! let (relay, session) = (RelayId([1; 32]), SessionId([2; 32]));
//! let statement = message::statement(&session, &relay, 0, b"text");
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::wire::{BadHex, Hex};
pub use kkv_pow::Seed;

macro_rules! bytes32 {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Zeroize, Serialize, Deserialize,
        )]
        #[serde(from = "Hex<32>", into = "Hex<32>")]
        pub struct $name(pub [u8; 32]);

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl From<$name> for [u8; 32] {
            fn from(bytes: $name) -> Self {
                bytes.0
            }
        }

        impl From<Hex<32>> for $name {
            fn from(hex: Hex<32>) -> Self {
                Self(hex.0)
            }
        }

        impl From<$name> for Hex<32> {
            fn from(bytes: $name) -> Self {
                Self(bytes.0)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadHex;

            fn from_str(text: &str) -> Result<Self, BadHex> {
                Hex::parse(text).map(Self::from)
            }
        }

        /// 64 hex characters in lower case.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Hex(self.0).fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

bytes32! {
    /// A sender's Ed25519 public key as it stands in a message (RFC 8032 §5.1.5).
    SenderId;

    /// A relay's Ed25519 public key as it stands in a message. It also names a run of the relay, since the key is new
    /// at each start.
    RelayId;

    /// By what a message finds its session among those of its suite.
    ///
    /// kkv/2: the digest of the whole exchange, which both sides compute and the relay signs (PROTOCOL.md §6). kkv/1:
    /// a keyed hash of the sender's key that never leaves the relay (see
    /// [`RelayKeys::session_id_v1`](crate::relay_keys::RelayKeys::session_id_v1)).
    SessionId;

    /// A one-use X25519 public key (RFC 7748 §5).
    X25519PublicKey;

    /// The Ed25519 public key of an onion service: KP_hs_id of Tor's rend-spec-v3.
    ServiceKey;

    /// What a kkv/2 signature is about: a 32-byte digest of some fields under the context that names their meaning
    /// (PROTOCOL.md §2). One is made by [`Context::digest`](crate::crypto::labels::Context::digest).
    Statement;

    /// Digest of a message with its signature, by which a receipt names it (PROTOCOL.md §8).
    MessageDigest;

    /// Digest by which a relay knows a request that it has answered before (PROTOCOL.md §3). It never leaves the
    /// relay.
    RequestDigest;
}
