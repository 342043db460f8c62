//! An envelope in the bag: its bytes, and what has to be known of it without opening it.

use std::fmt;

use kkv_letters::{ChainTag, Envelope, EnvelopeId, Fingerprint, Minutes, Reach};
use zeroize::Zeroize;

use super::accounts::Accounts;
use super::lookup::{NONE, allocated};
use super::standing::{Kind, Standing};

/// Larger envelopes are purged before smaller ones of their class. kiki's bound.
pub(super) const LARGE_BYTES: usize = 5_000;

/// Where an envelope is in the bag, for as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub(super) u32);

impl Place {
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(u32::MAX);

    /// Its number: small, and given again once it is free.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    /// The place with this number.
    pub(crate) fn at(number: u32) -> Self {
        Self(number)
    }
}

/// What the clear part of an envelope says, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside {
    /// BLAKE3 of the body.
    pub id: EnvelopeId,
    /// Of the key that signed it. A direct letter's is a one-use key's.
    pub author: Fingerprint,
    /// The chain it belongs to, of those of its author.
    pub chain: ChainTag,
    /// Its number in the chain.
    pub revision: u32,
    /// When it was written, by its author's clock.
    pub created: Minutes,
    /// How long it is to be kept.
    pub lifetime: Minutes,
    /// Whether it is an action, which counts for the small share.
    pub action: bool,
    /// Whether it is for one person, and given to nobody else.
    pub direct: bool,
    /// Whether it ends its chain.
    pub tombstone: bool,
    /// All of its author's that was written before goes.
    pub erase_before: Option<Minutes>,
}

impl Outside {
    /// What an envelope says on its outside.
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        let clear = envelope.clear();
        Self {
            id: envelope.id(),
            author: clear.author.fingerprint(),
            chain: clear.chain,
            revision: clear.revision,
            created: clear.created,
            lifetime: clear.lifetime,
            action: clear.action,
            direct: clear.reach == Reach::Direct,
            tombstone: clear.tombstone,
            erase_before: clear.erase_before,
        }
    }

    /// When it ends.
    #[must_use]
    pub fn expires(&self) -> Minutes {
        Minutes(self.created.0.saturating_add(self.lifetime.0))
    }

    pub(super) fn kind(&self) -> Kind {
        if self.action {
            Kind::Action
        } else {
            Kind::Share
        }
    }
}

/// The bytes of an envelope, overwritten on drop.
pub(super) struct Sealed(Box<[u8]>);

impl Sealed {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What it takes of memory, in bytes.
    pub(super) fn allocated(&self) -> usize {
        allocated(self.0.len())
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("bytes", &self.0.len())
            .finish()
    }
}

/// An envelope that is shown or is an older version of one.
pub(super) struct Entry {
    pub(super) sealed: Sealed,
    pub(super) id: EnvelopeId,
    pub(super) author: Fingerprint,
    pub(super) chain: ChainTag,
    pub(super) account: u32,
    pub(super) revision: u32,
    pub(super) created: Minutes,
    pub(super) expires: Minutes,
    pub(super) arrived: Minutes,
    /// When the chain began, clamped to arrival: the least of what all its versions say that were ever admitted. Kept
    /// right in its newest.
    pub(super) since: Minutes,
    /// The next older version, or [`NONE`].
    pub(super) older: u32,
    pub(super) kind: Kind,
    pub(super) direct: bool,
    pub(super) superseded: bool,
    /// Bits of work that were paid for it.
    pub(super) paid: u8,
}

impl Entry {
    pub(super) fn new(
        outside: &Outside,
        bytes: &[u8],
        account: u32,
        paid: u8,
        now: Minutes,
    ) -> Self {
        Self {
            sealed: Sealed::new(bytes),
            id: outside.id,
            author: outside.author,
            chain: outside.chain,
            account,
            revision: outside.revision,
            created: outside.created,
            expires: outside.expires(),
            arrived: now,
            since: outside.created.min(now),
            older: NONE,
            kind: outside.kind(),
            direct: outside.direct,
            superseded: false,
            paid: paid.min(MOST_PAID),
        }
    }

    /// By what versions of a chain are ordered.
    pub(super) fn version(&self) -> (u32, EnvelopeId) {
        (self.revision, self.id)
    }

    /// Where it stands in the order of purging.
    pub(super) fn order(&self, slot: u32) -> Order {
        Order {
            account: self.account,
            kind: self.kind,
            rank: rank(self.superseded, self.paid, self.sealed.bytes().len()),
            time: self.created.min(self.arrived),
            slot,
        }
    }
}

/// More bits than that count as that many.
const MOST_PAID: u8 = 100;

/// What goes first of one sender: superseded, then cheapest, of those large ones.
pub(super) fn rank(superseded: bool, paid: u8, bytes: usize) -> u8 {
    if superseded {
        return 0;
    }
    1 + 2 * paid.min(MOST_PAID) + u8::from(bytes <= LARGE_BYTES)
}

/// The order in which one sender's envelopes of a kind are purged: by rank, then the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    pub(super) account: u32,
    pub(super) kind: Kind,
    pub(super) rank: u8,
    pub(super) time: Minutes,
    pub(super) slot: u32,
}

/// An envelope in the bag, borrowed.
#[derive(Clone, Copy)]
pub struct Stored<'b> {
    /// Where it is.
    pub place: Place,
    /// Its id.
    pub id: EnvelopeId,
    /// Of the key that signed it.
    pub author: Fingerprint,
    /// Its chain.
    pub chain: ChainTag,
    /// Its number in the chain.
    pub revision: u32,
    /// When it was written, by its author's clock.
    pub created: Minutes,
    /// When it ends.
    pub expires: Minutes,
    /// When it came.
    pub arrived: Minutes,
    /// When the first known version of its chain was written, clamped to its arrival: by this, posts are ordered.
    pub since: Minutes,
    /// Whether it is an action.
    pub action: bool,
    /// Whether it is for one person.
    pub direct: bool,
    /// Who the sender is for whose share it counts.
    pub standing: Standing,
    /// The whole envelope.
    pub bytes: &'b [u8],
}

impl<'b> Stored<'b> {
    pub(super) fn new(slot: u32, entry: &'b Entry, accounts: &Accounts) -> Self {
        let account = accounts.get(entry.account);
        Self {
            place: Place(slot),
            id: entry.id,
            author: entry.author,
            chain: entry.chain,
            revision: entry.revision,
            created: entry.created,
            expires: entry.expires,
            arrived: entry.arrived,
            since: entry.since,
            action: entry.kind == Kind::Action,
            direct: entry.direct,
            standing: account.map_or(Standing::Stranger, |account| account.standing),
            bytes: entry.sealed.bytes(),
        }
    }
}

impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("place", &self.place)
            .field("revision", &self.revision)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
