//! Senders: what each has in the bag, and which of it goes first.

use std::collections::BTreeMap;

use kkv_letters::{Fingerprint, Minutes};

use super::entry::Order;
use super::lookup::{NONE, Slab, tree_bytes, tree_growth};
use super::standing::{Class, Kind, Standing};

/// The account of all direct letters whose sender nobody can tell.
pub(super) const DIRECT: u32 = 0;

/// What one sender has in the bag.
pub(super) struct Account {
    /// `None` of [`DIRECT`].
    fingerprint: Option<Fingerprint>,
    pub(super) standing: Standing,
    /// Bytes of shares and of actions.
    bytes: [usize; 2],
    /// Bytes of stubs.
    pub(super) stub_bytes: usize,
    pub(super) entries: u32,
    pub(super) stubs: u32,
    /// What goes first of its shares and of its actions.
    pub(super) heads: [Option<Head>; 2],
    /// The stub of its erase, or [`NONE`].
    pub(super) erase: u32,
}

impl Account {
    fn new(fingerprint: Option<Fingerprint>) -> Self {
        Self {
            fingerprint,
            standing: Standing::Stranger,
            bytes: [0; 2],
            stub_bytes: 0,
            entries: 0,
            stubs: 0,
            heads: [None; 2],
            erase: NONE,
        }
    }

    pub(super) fn class(&self) -> Class {
        match self.fingerprint {
            Some(_) => Class::of(self.standing),
            None => Class::Direct,
        }
    }

    pub(super) fn bytes(&self, kind: Kind) -> usize {
        self.bytes[kind as usize]
    }

    pub(super) fn bytes_mut(&mut self, kind: Kind) -> &mut usize {
        &mut self.bytes[kind as usize]
    }

    fn is_needed(&self) -> bool {
        let known = self.fingerprint.is_none() || self.standing != Standing::Stranger;
        known || self.entries > 0 || self.stubs > 0
    }
}

/// What goes first of one sender's shares or actions, and when it is its turn among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Head {
    pub(super) turn: Turn,
    pub(super) account: u32,
    pub(super) kind: Kind,
}

/// When it is an envelope's turn to be purged: what is superseded first, whoever sent it; then strangers before
/// friends, oneself last; of one class the cheapest, of those large ones, of those the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    stage: u8,
    rank: u8,
    time: Minutes,
}

impl Turn {
    pub(super) fn of(class: Class, order: &Order) -> Self {
        let stage = match order.rank {
            0 => 0,
            _ => 1 + 2 * class as u8 + order.kind as u8,
        };
        Self {
            stage,
            rank: order.rank,
            time: order.time,
        }
    }

    /// The last of all turns: nothing is spared for it.
    pub(super) const LAST: Self = Self {
        stage: u8::MAX,
        rank: u8::MAX,
        time: Minutes(u32::MAX),
    };
}

/// All senders who have something in the bag, or whom the owner knows.
pub(super) struct Accounts {
    slab: Slab<Account>,
    places: BTreeMap<Fingerprint, u32>,
}

const PLACE_BYTES: usize = size_of::<(Fingerprint, u32)>();

impl Accounts {
    pub(super) fn new() -> Self {
        let mut slab = Slab::new();
        slab.insert(Account::new(None));
        Self {
            slab,
            places: BTreeMap::new(),
        }
    }

    pub(super) fn find(&self, fingerprint: &Fingerprint) -> Option<u32> {
        self.places.get(fingerprint).copied()
    }

    pub(super) fn find_or_add(&mut self, fingerprint: &Fingerprint) -> u32 {
        if let Some(place) = self.find(fingerprint) {
            return place;
        }
        let place = self.slab.insert(Account::new(Some(*fingerprint)));
        self.places.insert(*fingerprint, place);
        place
    }

    pub(super) fn get(&self, place: u32) -> Option<&Account> {
        self.slab.get(place)
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Account> {
        self.slab.get_mut(place)
    }

    /// Forgets an account that has nothing in the bag and whose sender nobody knows.
    pub(super) fn tidy(&mut self, place: u32) {
        if let Some(account) = self.slab.get(place)
            && !account.is_needed()
            && let Some(fingerprint) = account.fingerprint
        {
            self.places.remove(&fingerprint);
            self.slab.remove(place);
        }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Account)> {
        self.slab.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// What they take of memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.slab.bytes() + tree_bytes(self.places.len(), PLACE_BYTES)
    }

    /// How much more one more takes at most.
    pub(super) fn growth(&self) -> usize {
        self.slab.growth() + tree_growth(1, PLACE_BYTES)
    }
}
