//! The bag: the bounded set of envelopes that a relay holds in memory, within a budget of bytes that counts its index
//! too, after every operation.
//!
//! An envelope is a share or an action, of one sender, in one chain. The bag opens nothing: what it has to know stands
//! in the clear part ([`Outside`]). Each operation takes `now`, ends what has expired by then, and tells a [`Watcher`]
//! what it changed, so that a feed can follow. What leaves the bag is overwritten at once.
//!
//! - `admission`: what is checked, in which order, before anything is stored.
//! - `room`: quotas, and what goes for a newcomer.
//! - `versions`: the chains; `removal`: how an envelope leaves.
//! - `stubs`: tombstones and erases, which nothing purges before their time.
//! - `ring`: what isn't taken again.

mod accounts;
mod admission;
mod entry;
mod lookup;
mod read;
mod refusal;
mod removal;
mod ring;
mod room;
mod standing;
mod stubs;
mod versions;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod deletions;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;

use std::collections::BTreeSet;
use std::fmt;

use hashbrown::HashTable;
use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};

use accounts::{Accounts, Head};
use entry::{Entry, Order};
use lookup::{Keyed, Slab, table_growth, tree_bytes, tree_growth};
use ring::Ring;
use stubs::Stub;

pub use admission::Offer;
pub use entry::{Outside, Place, Stored};
pub use refusal::Refusal;
pub use standing::Standing;
pub use versions::MAX_VERSIONS;

/// The least budget of a bag: below that its fixed parts and a letter of the largest size have no room. 512 KiB.
pub const MIN_BUDGET_BYTES: usize = 512 << 10;

/// Marks, in the table of ids and among what ends, a stub's place.
const STUB: u32 = 1 << 31;

/// Follows what changes in a bag. `()` follows nothing.
pub trait Watcher {
    /// This envelope is now the newest of its chain, or the chain is now known to have begun earlier. `replaced` was
    /// the newest before.
    fn newest(&mut self, stored: Stored<'_>, replaced: Option<Place>);

    /// What was the newest of its chain at this place is gone, and with it all of the chain: deleted or erased by its
    /// sender or the owner, or else by time, for want of room, or with its sender.
    fn gone(&mut self, place: Place, is_deleted: bool);
}

impl Watcher for () {
    fn newest(&mut self, _: Stored<'_>, _: Option<Place>) {}
    fn gone(&mut self, _: Place, _: bool) {}
}

/// The bounded set of envelopes. `Debug` prints how many, and nothing of them.
pub struct Bag {
    budget: usize,
    key: Keyed,
    entries: Slab<Entry>,
    stubs: Slab<Stub>,
    accounts: Accounts,
    /// By id: the place of an entry, or of a stub with [`STUB`].
    ids: HashTable<u32>,
    /// By author and tag: the newest of each chain.
    chains: HashTable<u32>,
    /// By author and tag: the stub of each chain that has ended.
    ended: HashTable<u32>,
    order: BTreeSet<Order>,
    heads: BTreeSet<Head>,
    /// When each entry or stub ends, and its place.
    ends: BTreeSet<(Minutes, u32)>,
    ring: Ring,
    /// Bytes of all envelopes, as allocated.
    sealed_bytes: usize,
    /// Bytes that stubs count for, of all senders.
    stub_bytes: usize,
}

impl Bag {
    /// An empty bag of `budget` bytes, or of [`MIN_BUDGET_BYTES`] if that is more. `seed` is random, and keys its
    /// tables, so that nobody outside knows what falls into the same bucket.
    #[must_use]
    pub fn new(budget: usize, seed: [u8; 32]) -> Self {
        let budget = budget.max(MIN_BUDGET_BYTES);
        Self {
            budget,
            key: Keyed(seed),
            entries: Slab::new(),
            stubs: Slab::new(),
            accounts: Accounts::new(),
            ids: HashTable::new(),
            chains: HashTable::new(),
            ended: HashTable::new(),
            order: BTreeSet::new(),
            heads: BTreeSet::new(),
            ends: BTreeSet::new(),
            ring: Ring::new(budget),
            sealed_bytes: 0,
            stub_bytes: 0,
        }
    }

    /// What it may take of memory, in bytes.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// What it takes of memory, in bytes, with its index: never more than [`budget`](Self::budget).
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes_with(&Change::default())
    }

    /// The bytes of all envelopes, without the index.
    #[must_use]
    pub fn envelope_bytes(&self) -> usize {
        self.sealed_bytes
    }

    /// What it would take of memory after `change`.
    fn bytes_with(&self, change: &Change) -> usize {
        let ends = self.ends.len() - change.removed + change.added;
        let order = self.order.len() - change.removed + change.added;
        let heads = self.heads.len() + change.added;
        size_of::<Self>()
            + self.ring.bytes()
            + self.entries.bytes()
            + self.stubs.bytes()
            + self.accounts.bytes()
            + self.ids.allocation_size()
            + self.chains.allocation_size()
            + self.ended.allocation_size()
            + tree_bytes(order, size_of::<Order>())
            + tree_bytes(heads, size_of::<Head>())
            + tree_bytes(ends, size_of::<(Minutes, u32)>())
            + self.sealed_bytes
            - change.freed
            + change.stored
            + change.growth
    }

    /// How much more its tables take at most for one more entry, by a sender who is known here or not.
    fn entry_growth(&self, known: bool) -> usize {
        self.entries.growth()
            + table_growth(&self.ids)
            + table_growth(&self.chains)
            + if known { 0 } else { self.accounts.growth() }
    }

    /// How much more its tables take at most for one more stub.
    fn stub_growth(&self, known: bool) -> usize {
        self.stubs.growth()
            + table_growth(&self.ids)
            + table_growth(&self.ended)
            + tree_growth(1, size_of::<(Minutes, u32)>())
            + if known { 0 } else { self.accounts.growth() }
    }

    fn hash_id(&self, id: &EnvelopeId) -> u64 {
        self.key.hash(&[&id.0])
    }

    fn hash_chain(&self, author: &Fingerprint, chain: &ChainTag) -> u64 {
        self.key.hash(&[&author.0, &chain.0])
    }

    /// Deletes and overwrites everything, and forgets what was ever here and who is who.
    pub fn wipe(&mut self) {
        let seed = std::mem::take(&mut self.key.0);
        *self = Self::new(self.budget, seed);
    }
}

/// What an operation would do to the memory taken.
#[derive(Debug, Default)]
struct Change {
    /// Entries that leave.
    removed: usize,
    /// Their bytes.
    freed: usize,
    /// Entries that come: one or none.
    added: usize,
    /// Bytes that come.
    stored: usize,
    /// By how much tables grow.
    growth: usize,
}

impl fmt::Debug for Bag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bag")
            .field("budget", &self.budget)
            .field("bytes", &self.bytes())
            .field("envelopes", &self.entries.len())
            .field("stubs", &self.stubs.len())
            .field("senders", &self.accounts.len())
            .finish_non_exhaustive()
    }
}
