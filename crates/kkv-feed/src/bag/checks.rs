//! What the bag's tests stand on: made-up envelopes, a watcher that remembers, and a look at every table at once.

use std::collections::{BTreeMap, BTreeSet};

use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};

use super::admission::Admission;
use super::entry::Outside;
use super::lookup::NONE;
use super::standing::{Kind, quota, stub_quota};
use super::{Bag, Place, Refusal, STUB, Stored, Watcher};

/// A day, in minutes.
pub(super) const DAY: u32 = 24 * 60;

/// An hour of some day.
pub(super) const NOON: Minutes = Minutes(3_000_000);

/// A made-up envelope. Its id follows from what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Made {
    pub(super) author: u8,
    pub(super) chain: u8,
    /// How many revisions it is ahead of the least that its time allows.
    pub(super) ahead: u32,
    pub(super) created: u32,
    pub(super) lifetime: u32,
    pub(super) action: bool,
    pub(super) direct: bool,
    pub(super) tombstone: bool,
    pub(super) erase_before: Option<u32>,
    pub(super) bytes: usize,
    pub(super) paid: u8,
    pub(super) salt: u32,
}

impl Made {
    /// A share of `author` in `chain`, written at noon, of 1,400 bytes, kept for a week.
    pub(super) fn share(author: u8, chain: u8) -> Self {
        Self {
            author,
            chain,
            ahead: 0,
            created: NOON.0,
            lifetime: 7 * DAY,
            action: false,
            direct: false,
            tombstone: false,
            erase_before: None,
            bytes: 1400,
            paid: 0,
            salt: 0,
        }
    }

    pub(super) fn outside(&self) -> Outside {
        let described = format!("{self:?}");
        let revision = 64 * self.created + self.ahead;
        Outside {
            id: EnvelopeId(*blake3::hash(described.as_bytes()).as_bytes()),
            author: person(self.author),
            chain: tag(self.chain, self.salt),
            revision,
            created: Minutes(self.created),
            lifetime: Minutes(self.lifetime),
            action: self.action,
            direct: self.direct,
            tombstone: self.tombstone,
            erase_before: self.erase_before.map(Minutes),
        }
    }

    pub(super) fn id(&self) -> EnvelopeId {
        self.outside().id
    }
}

pub(super) fn person(author: u8) -> Fingerprint {
    Fingerprint([author; 20])
}

/// Chains from 128 on are told apart by the salt as well, so that there can be many.
pub(super) fn tag(chain: u8, salt: u32) -> ChainTag {
    let mut tag = [chain; 16];
    if chain >= 128 {
        tag[..4].copy_from_slice(&salt.to_le_bytes());
    }
    ChainTag(tag)
}

impl Bag {
    /// Offers a made-up envelope whose signature is right.
    pub(super) fn offer(
        &mut self,
        made: &Made,
        now: Minutes,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        self.offer_signed(made, now, true, watcher)
    }

    pub(super) fn offer_signed(
        &mut self,
        made: &Made,
        now: Minutes,
        is_signed: bool,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let outside = made.outside();
        let admission = Admission {
            outside: &outside,
            bytes: &vec![0xAB; made.bytes],
            now,
            paid: made.paid,
            sender: None,
            in_region: &|| true,
            is_signed: &|| is_signed,
        };
        let taken = self.admit_outside(&admission, watcher);
        self.check();
        taken
    }

    /// Admits these bytes as an envelope that says this on its outside.
    pub(crate) fn admit_made(
        &mut self,
        outside: &Outside,
        bytes: &[u8],
        now: Minutes,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let admission = Admission {
            outside,
            bytes,
            now,
            paid: 0,
            sender: None,
            in_region: &|| true,
            is_signed: &|| true,
        };
        self.admit_outside(&admission, watcher)
    }

    /// Looks at every table, and panics where one says something else than another.
    pub(crate) fn check(&self) {
        assert!(self.bytes() <= self.budget, "{self:?}");
        let mut sealed = 0;
        let mut chains: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut held: BTreeMap<(u32, Kind), usize> = BTreeMap::new();
        for (slot, entry) in self.entries.iter() {
            sealed += entry.sealed.allocated();
            *held.entry((entry.account, entry.kind)).or_default() += entry.sealed.allocated();
            assert_eq!(self.find_id(&entry.id), Some(slot));
            assert!(self.order.contains(&entry.order(slot)));
            assert!(self.ends.contains(&(entry.expires, slot)));
            let version = (entry.version(), slot, entry.superseded);
            chains
                .entry((entry.author, entry.chain))
                .or_default()
                .push(version);
        }
        assert_eq!(self.order.len(), self.entries.len());
        assert_eq!(self.chains.len(), chains.len());
        for ((author, chain), mut versions) in chains {
            assert!(self.find_ended(&author, &chain).is_none(), "it has ended");
            versions.sort();
            versions.reverse();
            let slots: Vec<u32> = versions.iter().map(|(_, slot, _)| *slot).collect();
            assert_eq!(self.chain_versions(&author, &chain), slots);
            for (at, (_, _, superseded)) in versions.iter().enumerate() {
                assert_eq!(*superseded, at > 0);
            }
        }
        let mut stubs = 0;
        for (slot, stub) in self.stubs.iter() {
            sealed += stub
                .bytes()
                .map_or(0, |bytes| super::lookup::allocated(bytes.len()));
            stubs += stub.charged();
            if let Some(id) = stub.id() {
                assert_eq!(self.find_id(&id), Some(slot | STUB));
            }
        }
        assert_eq!(self.sealed_bytes, sealed);
        assert_eq!(self.stub_bytes, stubs);
        assert!(stubs <= stub_quota(self.budget));
        assert_eq!(self.ends.len(), self.entries.len() + self.stubs.len());
        let carried = self
            .stubs
            .iter()
            .filter(|(_, stub)| stub.id().is_some())
            .count();
        assert_eq!(self.ids.len(), self.entries.len() + carried);
        let mut heads = BTreeSet::new();
        for (place, account) in self.accounts.iter() {
            for kind in [Kind::Share, Kind::Action] {
                let bytes = held.remove(&(place, kind)).unwrap_or(0);
                assert_eq!(account.bytes(kind), bytes);
                heads.extend(account.heads[kind as usize]);
                assert_eq!(account.heads[kind as usize].is_some(), bytes > 0);
            }
            if account.erase != NONE {
                assert!(self.stubs.get(account.erase).is_some());
            }
        }
        assert!(held.is_empty(), "somebody is unknown");
        assert_eq!(self.heads, heads);
    }

    /// That nobody has more than his share, as long as nobody's standing has changed.
    pub(super) fn check_quotas(&self) {
        for (_, account) in self.accounts.iter() {
            for kind in [Kind::Share, Kind::Action] {
                assert!(account.bytes(kind) <= quota(account.class(), kind, self.budget));
            }
        }
    }
}

/// What a feed would know of a bag: the newest of each chain, by its place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) newest: BTreeMap<Place, (EnvelopeId, Minutes)>,
}

impl Watcher for Shown {
    fn newest(&mut self, stored: Stored<'_>, replaced: Option<Place>) {
        if let Some(replaced) = replaced {
            assert!(self.newest.remove(&replaced).is_some(), "it wasn't there");
        }
        let before = self.newest.insert(stored.place, (stored.id, stored.since));
        assert_eq!(before, None);
    }

    fn gone(&mut self, place: Place, _: bool) {
        assert!(self.newest.remove(&place).is_some(), "it wasn't there");
    }
}

impl Shown {
    /// That this is what the bag says, too.
    pub(super) fn check(&self, bag: &Bag) {
        let newest = bag
            .newest()
            .map(|stored| (stored.place, (stored.id, stored.since)));
        assert_eq!(self.newest, newest.collect());
    }

    pub(super) fn ids(&self) -> BTreeSet<EnvelopeId> {
        self.newest.values().map(|(id, _)| *id).collect()
    }
}
