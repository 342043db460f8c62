//! Chains: the versions of one letter, which are all of one sender, ordered by revision and then id.

use kkv_letters::{ChainTag, Fingerprint, Minutes};

use super::entry::{Outside, Stored};
use super::lookup::NONE;
use super::{Bag, Place, Watcher};

/// How many versions of a share are kept, the newest among them. Of an action it is one.
pub const MAX_VERSIONS: usize = 16;

/// What becomes of a chain by one more version.
pub(super) struct Plan {
    /// How many of its versions are newer.
    newer: usize,
    /// Versions that leave for it: the oldest.
    dropped: Vec<u32>,
    /// When the chain began.
    since: Minutes,
    /// The newest so far.
    newest: Option<Place>,
}

impl Plan {
    pub(super) fn is_superseded(&self) -> bool {
        self.newer > 0
    }

    pub(super) fn dropped(&self) -> &[u32] {
        &self.dropped
    }
}

impl Bag {
    /// The newest version of a chain.
    pub(super) fn find_chain(&self, author: &Fingerprint, chain: &ChainTag) -> Option<u32> {
        let same = |slot: &u32| {
            let entry = self.entries.get(*slot);
            entry.is_some_and(|entry| (entry.author, entry.chain) == (*author, *chain))
        };
        let found = self.chains.find(self.hash_chain(author, chain), same);
        found.copied()
    }

    /// All versions of a chain, the newest first: at most [`MAX_VERSIONS`].
    pub(super) fn chain_versions(&self, author: &Fingerprint, chain: &ChainTag) -> Vec<u32> {
        let newest = self.find_chain(author, chain);
        let older = |slot: &u32| self.entries.get(*slot).map(|entry| entry.older);
        let next = |slot: &u32| older(slot).filter(|older| *older != NONE);
        std::iter::successors(newest, next).collect()
    }

    /// What becomes of a chain of these `versions` by this one. `None` if there are enough newer ones.
    pub(super) fn plan_version(
        &self,
        outside: &Outside,
        versions: &[u32],
        now: Minutes,
    ) -> Option<Plan> {
        let most = if outside.action { 1 } else { MAX_VERSIONS };
        let entries = || versions.iter().filter_map(|slot| self.entries.get(*slot));
        let version = (outside.revision, outside.id);
        let newer = entries().filter(|entry| entry.version() > version).count();
        if newer >= most {
            return None;
        }
        let began = entries().map(|entry| entry.since).min();
        let own = outside.created.min(now);
        Some(Plan {
            newer,
            dropped: versions.get(most - 1..).unwrap_or_default().to_vec(),
            since: began.map_or(own, |began| began.min(own)),
            newest: versions.first().map(|slot| Place(*slot)),
        })
    }

    /// Puts the entry at `slot` into its chain.
    pub(super) fn link(&mut self, slot: u32, plan: &Plan, watcher: &mut impl Watcher) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        let (author, chain, version) = (entry.author, entry.chain, entry.version());
        let mut versions = self.chain_versions(&author, &chain);
        let was_newest = versions.first().copied();
        let is_newer = |other: &u32| {
            let other = self.entries.get(*other);
            other.is_some_and(|other| other.version() > version)
        };
        let at = versions.partition_point(is_newer);
        versions.insert(at, slot);
        for (at, version) in versions.iter().enumerate() {
            let older = versions.get(at + 1).copied().unwrap_or(NONE);
            self.set_version(*version, older, at > 0);
        }
        let newest = versions[0];
        self.enter_chain(&author, &chain, was_newest, newest);
        let Some(entry) = self.entries.get_mut(newest) else {
            return;
        };
        let began_earlier = plan.since < entry.since;
        entry.since = entry.since.min(plan.since);
        if newest == slot {
            // An action's newest was dropped for it. Of what was purged for it the watcher knows.
            let dropped = plan
                .newest
                .filter(|newest| plan.dropped.contains(&newest.0));
            let replaced = was_newest.map(Place).or(dropped);
            watcher.newest(Stored::new(newest, entry, &self.accounts), replaced);
        } else if began_earlier {
            watcher.newest(
                Stored::new(newest, entry, &self.accounts),
                Some(Place(newest)),
            );
        }
    }

    /// Sets what follows a version, and whether it is superseded, and keeps the order of purging right.
    fn set_version(&mut self, slot: u32, older: u32, superseded: bool) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        entry.older = older;
        let before = entry.order(slot);
        entry.superseded = superseded;
        let order = entry.order(slot);
        if before != order {
            self.order.remove(&before);
        }
        if self.order.insert(order) {
            self.update_head(order.account, order.kind);
        }
    }

    /// Makes `newest` the newest of its chain, where `before` was.
    pub(super) fn enter_chain(
        &mut self,
        author: &Fingerprint,
        chain: &ChainTag,
        before: Option<u32>,
        newest: u32,
    ) {
        let hash = self.hash_chain(author, chain);
        if let Some(before) = before
            && let Some(found) = self.chains.find_mut(hash, |slot| *slot == before)
        {
            *found = newest;
            return;
        }
        let (entries, key) = (&self.entries, &self.key);
        self.chains.insert_unique(hash, newest, |slot| {
            let entry = entries.get(*slot);
            entry.map_or(0, |entry| key.hash(&[&entry.author.0, &entry.chain.0]))
        });
    }

    /// What has been refused as superseded tells when its chain began, all the same.
    pub(super) fn began(&mut self, newest: u32, since: Minutes, watcher: &mut impl Watcher) {
        if let Some(entry) = self.entries.get_mut(newest)
            && since < entry.since
        {
            entry.since = since;
            watcher.newest(
                Stored::new(newest, entry, &self.accounts),
                Some(Place(newest)),
            );
        }
    }
}
