//! A card's short form, for a QR code: a person's key and one address, from which the card is fetched.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;

use super::{BadOnionKey, Card, OnionKey};
use crate::author::Author;
use crate::labels;

/// First characters: of those that a QR code packs most densely.
const PREFIX: &str = "KKV:";
/// Bytes that find a typing mistake.
const CHECK_BYTES: usize = 4;
const BYTES: usize = 32 + 32 + CHECK_BYTES;

/// Whose card to fetch, and where: 113 characters of a QR code's alphanumeric mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CardLink {
    /// Whose card it must be.
    pub author: Author,
    /// Where it is.
    pub address: OnionKey,
}

/// Why a text is no short form of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadLink {
    /// It doesn't begin with `KKV:`, or is too short or too long.
    #[error("it is no short form of a card, or not all of one")]
    Layout,
    /// A character is wrong.
    #[error("a character in it is wrong: copy it again")]
    Check,
    /// The address is no onion service's.
    #[error(transparent)]
    Address(#[from] BadOnionKey),
}

impl CardLink {
    /// Whether the card that was fetched is the one that was meant.
    #[must_use]
    pub fn is_of(&self, card: &Card) -> bool {
        card.author() == self.author
    }

    fn check(keys: &[u8]) -> [u8; CHECK_BYTES] {
        let digest = labels::CARD_LINK.digest(&[keys]);
        *digest.first_chunk().expect("32 bytes have 4")
    }
}

/// `KKV:` and base32 of key ‖ address ‖ D("card link", key ‖ address)[..4].
impl fmt::Display for CardLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; BYTES];
        bytes[..32].copy_from_slice(&self.author.0);
        bytes[32..64].copy_from_slice(self.address.bytes());
        let check = Self::check(&bytes[..64]);
        bytes[64..].copy_from_slice(&check);
        write!(f, "{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
    }
}

/// In either case.
impl FromStr for CardLink {
    type Err = BadLink;

    fn from_str(text: &str) -> Result<Self, BadLink> {
        let text = text.trim().to_ascii_uppercase();
        let encoded = text.strip_prefix(PREFIX).ok_or(BadLink::Layout)?;
        if encoded.len() != BASE32_NOPAD.encode_len(BYTES) {
            return Err(BadLink::Layout);
        }
        let bytes = BASE32_NOPAD.decode(encoded.as_bytes());
        let bytes = bytes.map_err(|_| BadLink::Check)?;
        let (author, rest) = bytes.split_first_chunk().ok_or(BadLink::Layout)?;
        let (address, check) = rest.split_first_chunk().ok_or(BadLink::Layout)?;
        if check != Self::check(&bytes[..64]) {
            return Err(BadLink::Check);
        }
        Ok(Self {
            author: Author(*author),
            address: OnionKey::new(*address)?,
        })
    }
}

opaque_debug!(CardLink);
