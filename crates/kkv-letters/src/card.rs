//! Cards: what a person hands out, signed: keys, machines, a name, and the commitment to a successor
//! (LETTERS-FORMAT.md §14).

mod layout;
mod link;
mod machine;
#[cfg(test)]
mod tests;

use data_encoding::BASE64URL_NOPAD;

use crate::author::{Author, AuthorKey};
use crate::clear::Untimely;
use crate::identity::PublicIdentity;
use crate::labels;
use crate::limits::MAX_AHEAD;
use crate::minutes::Minutes;
use crate::sealing::BadSealingKey;
use crate::successor::Commitment;

pub use link::{BadLink, CardLink};
pub use machine::{BadOnionKey, Machine, OnionKey};

/// Most bytes of a name in a card.
pub const MAX_NAME_BYTES: usize = 64;
/// First characters of a card as a text.
const TEXT_PREFIX: &str = "kkv-card:";

/// What a card says.
#[derive(Clone, PartialEq, Eq)]
pub struct Details {
    /// The person's two keys for good.
    pub person: PublicIdentity,
    /// When it was signed: of two cards the later counts.
    pub issued: Minutes,
    /// From when on it doesn't count.
    pub expires: Minutes,
    /// Who may take the person's place.
    pub successor: Commitment,
    /// What the person is called; may be empty.
    pub name: String,
    /// Where the person is reached, four at most.
    pub machines: Vec<Machine>,
}

/// A card whose signature was checked: as [`Details`] say, by the person whose keys they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    details: Details,
    bytes: Vec<u8>,
}

/// Two cards of one key that contradict each other, which no person makes who keeps the key alone: somebody has stolen
/// it. Both are to be shown, and nothing that the key signs acts by itself any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Theft {
    /// The card that was there first: its commitment counts.
    pub first: Card,
    /// The card that came later.
    pub later: Card,
}

/// Why bytes or details are no card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadCard {
    /// Not text of a card, or not so many bytes as a card has.
    #[error("it is no card, or not all of one")]
    Layout,
    /// A later version.
    #[error("this card is of a newer kkv")]
    Version,
    /// The name is longer than 64 bytes, or has control characters.
    #[error("a name has 64 bytes at most, and no control characters")]
    Name,
    /// It expires before it is issued.
    #[error("the card expires before it is issued")]
    Times,
    /// More than four machines, or two with one address or mailbox.
    #[error("a card lists four machines at most, each once")]
    Machines,
    /// A machine's address is no onion service's.
    #[error(transparent)]
    Address(#[from] BadOnionKey),
    /// A key to seal with is none.
    #[error("a key in the card is unusable")]
    Key,
    /// The signature isn't the person's.
    #[error("the card's signature doesn't fit")]
    Signature,
}

impl From<BadSealingKey> for BadCard {
    fn from(_: BadSealingKey) -> Self {
        Self::Key
    }
}

impl Card {
    /// Signs a card: `key` is that of `details.person`.
    ///
    /// # Errors
    /// The details are no card's.
    pub fn sign(details: Details, key: &AuthorKey) -> Result<Self, BadCard> {
        layout::check(&details)?;
        if key.author() != details.person.author {
            return Err(BadCard::Signature);
        }
        let mut bytes = layout::write(&details);
        let signature = key.sign(labels::CARD, &[&bytes]);
        bytes.extend_from_slice(&signature);
        Ok(Self { details, bytes })
    }

    /// Reads a card, and checks everything but the time.
    ///
    /// # Errors
    /// It is none, or its signature isn't the person's.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadCard> {
        let (signed, signature) = bytes.split_last_chunk().ok_or(BadCard::Layout)?;
        let details = layout::read(signed)?;
        let author = details.person.author;
        author
            .verify(labels::CARD, &[signed], signature)
            .map_err(|_| BadCard::Signature)?;
        let bytes = bytes.to_vec();
        Ok(Self { details, bytes })
    }

    /// Reads a card that was pasted: with any white space in it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_text(text: &str) -> Result<Self, BadCard> {
        let text: String = text.split_whitespace().collect();
        let encoded = text.strip_prefix(TEXT_PREFIX).ok_or(BadCard::Layout)?;
        let bytes = BASE64URL_NOPAD.decode(encoded.as_bytes());
        Self::parse(&bytes.map_err(|_| BadCard::Layout)?)
    }

    /// The card to paste: `kkv-card:` and base64url without padding, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{TEXT_PREFIX}{}", BASE64URL_NOPAD.encode(&self.bytes))
    }

    /// Its bytes, as they are signed and sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says.
    #[must_use]
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The person's signing key.
    #[must_use]
    pub fn author(&self) -> Author {
        self.details.person.author
    }

    /// The person's key and one address, for a QR code. None if the card lists no machine.
    #[must_use]
    pub fn link(&self) -> Option<CardLink> {
        let address = self.details.machines.first()?.address;
        Some(CardLink {
            author: self.author(),
            address,
        })
    }

    /// Whether it counts at this time.
    ///
    /// # Errors
    /// It is over, or from a time that hasn't come yet.
    pub fn check(&self, now: Minutes) -> Result<(), Untimely> {
        if self.details.issued > now.after(MAX_AHEAD) {
            return Err(Untimely::TooEarly);
        }
        if self.details.expires <= now {
            return Err(Untimely::Expired);
        }
        Ok(())
    }

    /// Whether it takes the place of `other`: of the same key, and issued later; of two of one minute the one of the
    /// higher bytes.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        let order = |card: &Self| (card.details.issued, card.bytes.clone());
        self.author() == other.author() && order(self) > order(other)
    }

    /// What `later` proves beside this card, which was there first: a theft, if both are of one key and name another
    /// successor or another exchange key.
    #[must_use]
    pub fn theft(&self, later: &Self) -> Option<Theft> {
        let (first, second) = (&self.details, &later.details);
        let one_key = first.person.author == second.person.author;
        let agree = first.successor == second.successor && first.person == second.person;
        (one_key && !agree).then(|| Theft {
            first: self.clone(),
            later: later.clone(),
        })
    }
}

opaque_debug!(Details, Card, Theft);
