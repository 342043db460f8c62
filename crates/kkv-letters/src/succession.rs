//! Moves and revokes: how a person goes on under another key, and how a stolen key ends (LETTERS-FORMAT.md §15).

use crate::author::{Author, AuthorKey, SIGNATURE_BYTES};
use crate::card::{BadCard, Card};
use crate::identity::Identity;
use crate::labels;
use crate::minutes::Minutes;
use crate::successor::Commitment;

/// The version that is written.
const VERSION: u8 = 1;
const MOVE_BYTES: usize = SIGNED_MOVE_BYTES + 2 * SIGNATURE_BYTES;
/// Version, both keys, time.
const SIGNED_MOVE_BYTES: usize = 1 + 32 + 32 + 4;
/// Version, the successor's key.
const REVOKE_HEAD_BYTES: usize = 1 + 32;

/// A person goes on under another key: both keys have signed it. After it nothing of the old key counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Move {
    old: Author,
    new: Author,
    at: Minutes,
    bytes: [u8; MOVE_BYTES],
}

/// A key ends: the successor alone has signed it, and the ended key's own card names that successor. It has no time
/// and no lifetime: once said, it stays.
#[derive(Clone, PartialEq, Eq)]
pub struct Revoke {
    successor: Author,
    card: Card,
    bytes: Vec<u8>,
}

/// Why bytes are no move and no revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSuccession {
    /// Too many bytes, too few, or of a later version.
    #[error("it is not all of it, or of a newer kkv")]
    Layout,
    /// A signature doesn't fit.
    #[error("a signature doesn't fit")]
    Signature,
    /// The key that takes over isn't the one that the other has committed to.
    #[error("the key isn't the one that the card names as successor")]
    NotCommitted,
    /// The card that it carries is none.
    #[error(transparent)]
    Card(#[from] BadCard),
}

impl Move {
    /// Signs with both keys.
    #[must_use]
    pub fn sign(old: &AuthorKey, new: &AuthorKey, at: Minutes) -> Self {
        let (from, to) = (old.author(), new.author());
        let mut bytes = [0; MOVE_BYTES];
        let (signed, signatures) = bytes.split_at_mut(SIGNED_MOVE_BYTES);
        signed[0] = VERSION;
        signed[1..33].copy_from_slice(&from.0);
        signed[33..65].copy_from_slice(&to.0);
        signed[65..].copy_from_slice(&at.0.to_le_bytes());
        signatures[..SIGNATURE_BYTES].copy_from_slice(&old.sign(labels::MOVE, &[signed]));
        signatures[SIGNATURE_BYTES..].copy_from_slice(&new.sign(labels::MOVE, &[signed]));
        Self {
            old: from,
            new: to,
            at,
            bytes,
        }
    }

    /// Reads a move, and checks that it goes to the key of the first commitment that was seen of the old one.
    ///
    /// # Errors
    /// It is none, lacks a signature, or goes elsewhere.
    pub fn parse(bytes: &[u8], first: &Commitment) -> Result<Self, BadSuccession> {
        let bytes: [u8; MOVE_BYTES] = bytes.try_into().map_err(|_| BadSuccession::Layout)?;
        let (signed, signatures) = bytes.split_at(SIGNED_MOVE_BYTES);
        if signed[0] != VERSION {
            return Err(BadSuccession::Layout);
        }
        let [old, new] = [1, 33].map(|at| Author(part(signed, at)));
        for (key, at) in [(old, 0), (new, SIGNATURE_BYTES)] {
            key.verify(labels::MOVE, &[signed], &part(signatures, at))
                .map_err(|_| BadSuccession::Signature)?;
        }
        if Commitment::to(&new) != *first {
            return Err(BadSuccession::NotCommitted);
        }
        let at = Minutes(u32::from_le_bytes(part(signed, 65)));
        Ok(Self {
            old,
            new,
            at,
            bytes,
        })
    }

    /// Whose place is taken.
    #[must_use]
    pub fn moved(&self) -> Author {
        self.old
    }

    /// Who takes it.
    #[must_use]
    pub fn successor(&self) -> Author {
        self.new
    }

    /// When it was signed.
    #[must_use]
    pub fn at(&self) -> Minutes {
        self.at
    }

    /// As it is sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Revoke {
    /// Ends the key of `card`.
    ///
    /// # Errors
    /// The card doesn't commit to this successor.
    pub fn sign(card: &Card, successor: &Identity) -> Result<Self, BadSuccession> {
        let author = successor.public().author;
        if card.details().successor != Commitment::to(&author) {
            return Err(BadSuccession::NotCommitted);
        }
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&author.0);
        let signature = (successor.signing()).sign(labels::REVOKE, &[&bytes, card.bytes()]);
        bytes.extend_from_slice(&signature);
        bytes.extend_from_slice(card.bytes());
        Ok(Self {
            successor: author,
            card: card.clone(),
            bytes,
        })
    }

    /// Reads a revoke, and checks that it is by the key of the first commitment that was seen of the one that ends.
    ///
    /// # Errors
    /// It is none, or by another.
    pub fn parse(bytes: &[u8], first: &Commitment) -> Result<Self, BadSuccession> {
        let revoke = Self::parse_unseen(bytes)?;
        if revoke.card.details().successor != *first {
            return Err(BadSuccession::NotCommitted);
        }
        Ok(revoke)
    }

    /// Reads a revoke of a key of which no card was seen yet. The commitment in it is then the first one.
    ///
    /// # Errors
    /// It is none, or by another than the card in it names.
    pub fn parse_unseen(bytes: &[u8]) -> Result<Self, BadSuccession> {
        let layout = BadSuccession::Layout;
        let (head, rest) = bytes
            .split_first_chunk::<REVOKE_HEAD_BYTES>()
            .ok_or(layout)?;
        let (signature, card) = rest.split_first_chunk().ok_or(layout)?;
        if head[0] != VERSION {
            return Err(layout);
        }
        let successor = Author(part(head, 1));
        let card = Card::parse(card)?;
        if card.details().successor != Commitment::to(&successor) {
            return Err(BadSuccession::NotCommitted);
        }
        successor
            .verify(labels::REVOKE, &[head, card.bytes()], signature)
            .map_err(|_| BadSuccession::Signature)?;
        Ok(Self {
            successor,
            card,
            bytes: bytes.to_vec(),
        })
    }

    /// Whose key ends.
    #[must_use]
    pub fn ended(&self) -> Author {
        self.card.author()
    }

    /// Who says so, and may be offered in its place; nobody follows by itself.
    #[must_use]
    pub fn successor(&self) -> Author {
        self.successor
    }

    /// The card by which the ended key has committed to its successor.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// As it is sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let chunk = bytes[at..].first_chunk();
    *chunk.expect("the callers' lengths are fixed")
}

opaque_debug!(Move, Revoke);

#[cfg(test)]
mod tests;
