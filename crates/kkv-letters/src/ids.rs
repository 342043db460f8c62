//! Ids and tags, a type for each meaning. `Debug` prints the type's name alone: whose and which is nobody's business.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// A text is not so many bytes in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHex {
    /// It has another number of characters.
    #[error("it has another number of characters")]
    Length {
        /// How many it should have.
        wanted: usize,
        /// How many it has.
        found: usize,
    },
    /// A character that is no hex digit.
    #[error("{0:?} is no hex digit")]
    Digit(char),
}

/// Reads hex in either case.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], BadHex> {
    let digit = |c: &char| !c.is_ascii_hexdigit();
    if let Some(wrong) = text.chars().find(digit) {
        return Err(BadHex::Digit(wrong));
    }
    let wrong = BadHex::Length {
        wanted: 2 * N,
        found: text.len(),
    };
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|_| wrong)?;
    bytes.try_into().map_err(|_| wrong)
}

macro_rules! bytes {
    ($($(#[$doc:meta])* $name:ident [$bytes:literal];)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        /// Hex in lower case.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        /// Hex in either case.
        impl FromStr for $name {
            type Err = BadHex;

            fn from_str(text: &str) -> Result<Self, BadHex> {
                from_hex(text).map(Self)
            }
        }
    )+};
}

bytes! {
    /// Names an envelope: BLAKE3 of its body. It is recomputed wherever an envelope is read, and never taken from
    /// elsewhere.
    EnvelopeId [32];

    /// Names a chain among those of its author. Random, or for actions a keyed hash of purpose and target.
    ChainTag [16];

    /// By which a carrier knows envelopes of a region that it is in. Every member of the region can make it.
    RegionTag [16];

    /// By which a carrier knows whom a direct envelope is for: a hash of a mailbox key and the ephemeral key.
    MailboxTag [16];

    /// A person's address: the first 20 bytes of BLAKE3 of the Ed25519 public key.
    Fingerprint [20];
}

/// A chain: a letter with all of its versions. Another's envelope with the same tag is of another chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainRef {
    /// Who wrote it.
    pub author: Fingerprint,
    /// Which of theirs.
    pub chain: ChainTag,
}
