//! 32-byte values, a type for each meaning: two that are swapped don't compile.
//!
//! The bytes say what they claim and were not checked: a [`SenderId`] becomes a key that can verify signatures by
//! [`PublicKey::from_id`](crate::crypto::identity::PublicKey::from_id) only. `Debug` prints the type's name alone: a
//! sender's key can identify a person. In JSON and forms each that goes there is 64 hex characters, in lower case when
//! written and in either when read (PROTOCOL.md §2); the others can't be written at all.
//!
//! ```
//! use kkv_protocol::ids::{BoxDigest, RelayId, SessionId};
//! use kkv_protocol::v2::message;
//!
//! let (relay, session, place) = (RelayId([1; 32]), SessionId([2; 32]), BoxDigest([3; 32]));
//! let statement = message::statement(&relay, &session, 0, &place, b"text");
//! assert_ne!(statement, message::statement(&relay, &session, 0, &place, b"another text"));
//! assert_eq!(session.to_string(), "02".repeat(32));
//! ```
//!
//! Swapped arguments are no program:
//!
//! ```compile_fail,E0308
//! use kkv_protocol::ids::{BoxDigest, RelayId, SessionId};
//! use kkv_protocol::v2::message;
//!
//! let (relay, session, place) = (RelayId([1; 32]), SessionId([2; 32]), BoxDigest([3; 32]));
//! let statement = message::statement(&session, &relay, 0, &place, b"text");
//! ```
//!
//! Nor is one that writes what never leaves the relay:
//!
//! ```compile_fail,E0277
//! use kkv_protocol::ids::RequestDigest;
//!
//! let json = serde_json::to_string(&RequestDigest([1; 32]));
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

use crate::wire::{BadHex, Hex};
pub use kkv_pow::Seed;

macro_rules! bytes32 {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Zeroize)]
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

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

/// As [`Hex`], for those that stand in a form or in JSON.
macro_rules! on_the_wire {
    ($($name:ident),+) => {$(
        impl FromStr for $name {
            type Err = BadHex;

            fn from_str(text: &str) -> Result<Self, BadHex> {
                Hex::parse(text).map(|hex| Self(hex.0))
            }
        }

        /// 64 hex characters in lower case.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Hex(self.0).fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Hex(self.0).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Hex::deserialize(deserializer).map(|hex| Self(hex.0))
            }
        }
    )+};
}

on_the_wire!(
    SenderId,
    RelayId,
    SessionId,
    X25519PublicKey,
    MessageDigest,
    BoxDigest,
    InvitationProof
);

bytes32! {
    /// A sender's Ed25519 public key as it stands in a message (RFC 8032 §5.1.5).
    SenderId;

    /// A relay's Ed25519 public key as it stands in a message. It also names a run of the relay, since the key is new
    /// at each start.
    RelayId;

    /// By what a message of kkv/2 finds its session: the digest of the whole exchange, which both sides compute and the
    /// relay signs (PROTOCOL.md §6).
    SessionId;

    /// By what a relay finds the session of a message of kkv/1: a keyed hash of the sender's key that never leaves the
    /// relay (see [`RelayKeys::session_id_v1`](crate::relay_keys::RelayKeys::session_id_v1)).
    SessionIdV1;

    /// A one-use X25519 public key (RFC 7748 §5).
    X25519PublicKey;

    /// Proves that one sender is invited (PROTOCOL.md §15). To be compared by
    /// [`InvitationKey::fits`](crate::v2::invitation::InvitationKey::fits) alone.
    InvitationProof;

    /// The Ed25519 public key of an onion service: KP_hs_id of Tor's rend-spec-v3.
    ServiceKey;

    /// What a kkv/2 signature is about: a 32-byte digest of some fields under the context that names their meaning
    /// (PROTOCOL.md §2). One is made by [`Context::digest`](crate::crypto::labels::Context::digest).
    Statement;

    /// Digest of a message with its signature, by which a receipt names it (PROTOCOL.md §8).
    MessageDigest;

    /// Digest of what a message says of its box, by which its signature covers that (PROTOCOL.md §7).
    BoxDigest;

    /// Digest by which a relay knows a request that it has answered before (PROTOCOL.md §3). It never leaves the
    /// relay.
    RequestDigest;
}
