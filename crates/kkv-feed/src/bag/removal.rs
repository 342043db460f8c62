//! How an envelope leaves the bag: by expiry, by its sender's word, by its owner's, or for want of room. Its bytes are
//! overwritten at once.

use kkv_letters::{EnvelopeId, Fingerprint, Minutes};

use super::entry::{Entry, Stored};
use super::lookup::NONE;
use super::standing::Kind;
use super::{Bag, Place, STUB, Standing, Watcher};

/// Why an envelope leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its time is over, which its clear part says for ever: nothing has to be remembered.
    Expired,
    /// For want of room: it isn't taken again.
    Purged,
    /// Deleted or erased: it isn't taken again.
    Deleted,
    /// Its sender is blocked or muted. It may come again once he isn't.
    Dropped,
}

impl Bag {
    /// Ends what has expired.
    pub fn expire(&mut self, now: Minutes, watcher: &mut impl Watcher) {
        while let Some((ends, slot)) = self.ends.first().copied()
            && ends <= now
        {
            if slot & STUB == 0 {
                self.remove(slot, Why::Expired, watcher);
            } else {
                self.end_stub(slot & !STUB, now);
            }
            // Whatever it was, this moment of its is over.
            self.ends.remove(&(ends, slot));
        }
    }

    /// When the next one ends, if any does.
    #[must_use]
    pub fn next_end(&self) -> Option<Minutes> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    /// Deletes and overwrites an envelope, and all of its chain if it is the newest. It isn't taken again. Returns
    /// false if it isn't here, or is a tombstone or an erase, which stay for their time.
    pub fn delete(&mut self, id: &EnvelopeId, watcher: &mut impl Watcher) -> bool {
        let Some(slot) = self.find_id(id).filter(|slot| slot & STUB == 0) else {
            return false;
        };
        self.remove(slot, Why::Deleted, watcher);
        true
    }

    /// As [`delete`](Self::delete), of what isn't wanted: its sender is told nothing by it, nor is it as if he had
    /// deleted it.
    pub(crate) fn discard(&mut self, id: &EnvelopeId, watcher: &mut impl Watcher) {
        if let Some(slot) = self.find_id(id).filter(|slot| slot & STUB == 0) {
            self.remove(slot, Why::Purged, watcher);
        }
    }

    /// Says who a sender is from now on. What a blocked one has sent is dropped and overwritten, and the shares of a
    /// muted one; tombstones and erases stay, so that nothing comes back with the next change of mind.
    pub fn set_standing(
        &mut self,
        sender: &Fingerprint,
        standing: Standing,
        watcher: &mut impl Watcher,
    ) {
        if standing == Standing::Stranger && self.accounts.find(sender).is_none() {
            return;
        }
        let account = self.accounts.find_or_add(sender);
        if let Some(found) = self.accounts.get_mut(account) {
            found.standing = standing;
        }
        match standing {
            Standing::Blocked => {
                self.drop_all(account, Kind::Share, watcher);
                self.drop_all(account, Kind::Action, watcher);
            }
            Standing::Muted => self.drop_all(account, Kind::Share, watcher),
            _ => {}
        }
        for kind in [Kind::Share, Kind::Action] {
            self.update_head(account, kind);
        }
        self.accounts.tidy(account);
        self.fit(watcher);
    }

    fn drop_all(&mut self, account: u32, kind: Kind, watcher: &mut impl Watcher) {
        for slot in self.slots_of(account, kind) {
            self.remove(slot, Why::Dropped, watcher);
        }
    }

    /// All places of one sender's envelopes of a kind.
    pub(super) fn slots_of(&self, account: u32, kind: Kind) -> Vec<u32> {
        let first = super::room::first(account, kind);
        let of = self.order.range(first..);
        of.take_while(|order| (order.account, order.kind) == (account, kind))
            .map(|order| order.slot)
            .collect()
    }

    /// Removes the entry at `slot`. If it is the newest of its chain, all of the chain goes with it: older versions
    /// don't come to light by the end of a newer one.
    pub(super) fn remove(&mut self, slot: u32, why: Why, watcher: &mut impl Watcher) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        let mut versions = self.chain_versions(&entry.author, &entry.chain);
        if versions.first() != Some(&slot) {
            versions = vec![slot];
        } else {
            watcher.gone(Place(slot), why == Why::Deleted);
        }
        // From the oldest on, so that each is taken off the end of the chain.
        for version in versions.into_iter().rev() {
            let why = if version == slot { why } else { why.of_older() };
            self.unlink(version, why);
        }
    }

    /// Takes an entry out of its chain and of everything else.
    pub(super) fn unlink(&mut self, slot: u32, why: Why) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        let (author, chain, older) = (entry.author, entry.chain, entry.older);
        let versions = self.chain_versions(&author, &chain);
        let at = versions.iter().position(|version| *version == slot);
        match at {
            Some(0) if older == NONE => {
                let hash = self.hash_chain(&author, &chain);
                if let Ok(found) = self.chains.find_entry(hash, |at| *at == slot) {
                    found.remove();
                }
            }
            Some(0) => self.enter_chain(&author, &chain, Some(slot), older),
            Some(at) => {
                if let Some(newer) = self.entries.get_mut(versions[at - 1]) {
                    newer.older = older;
                }
            }
            None => {}
        }
        if let Some(entry) = self.take_out(slot)
            && matches!(why, Why::Purged | Why::Deleted)
        {
            self.ring.insert(&self.key, &entry.id);
        }
    }

    /// Takes an entry out of everything but its chain.
    fn take_out(&mut self, slot: u32) -> Option<Entry> {
        let id = self.entries.get(slot)?.id;
        let hash = self.hash_id(&id);
        if let Ok(found) = self.ids.find_entry(hash, |at| *at == slot) {
            found.remove();
        }
        let entry = self.entries.remove(slot)?;
        let size = entry.sealed.allocated();
        self.sealed_bytes -= size;
        self.ends.remove(&(entry.expires, slot));
        self.order.remove(&entry.order(slot));
        if let Some(account) = self.accounts.get_mut(entry.account) {
            *account.bytes_mut(entry.kind) -= size;
            account.entries -= 1;
        }
        self.update_head(entry.account, entry.kind);
        self.accounts.tidy(entry.account);
        Some(entry)
    }

    /// Removes all that this author has written with a revision below `limit`: see `stubs`.
    pub(super) fn erase(&mut self, author: &Fingerprint, limit: u64, watcher: &mut impl Watcher) {
        for slot in self.erased(author, limit) {
            // With the newest of a chain its older ones have gone.
            let Some(entry) = self.entries.get(slot) else {
                continue;
            };
            let newest = self.find_chain(&entry.author, &entry.chain);
            self.remove(slot, Why::Deleted, watcher);
            if let Some(newest) = newest.filter(|newest| *newest != slot) {
                self.begin_later(newest, watcher);
            }
        }
    }

    /// What an erase hides. Whose account it counts for doesn't matter, so every entry is looked at.
    pub(super) fn erased(&self, author: &Fingerprint, limit: u64) -> Vec<u32> {
        let all = self.entries.iter();
        let erased =
            all.filter(|(_, entry)| entry.author == *author && u64::from(entry.revision) < limit);
        erased.map(|(slot, _)| slot).collect()
    }

    /// A chain began when the first of the versions that are left did.
    fn begin_later(&mut self, newest: u32, watcher: &mut impl Watcher) {
        let Some(entry) = self.entries.get(newest) else {
            return;
        };
        let versions = self.chain_versions(&entry.author, &entry.chain);
        let began = versions.iter().filter_map(|slot| self.entries.get(*slot));
        let Some(began) = began.map(|entry| entry.created.min(entry.arrived)).min() else {
            return;
        };
        for slot in &versions {
            if let Some(entry) = self.entries.get_mut(*slot) {
                entry.since = began;
            }
        }
        if let Some(entry) = self.entries.get(newest) {
            watcher.newest(
                Stored::new(newest, entry, &self.accounts),
                Some(Place(newest)),
            );
        }
    }
}

impl Why {
    /// Why an older version goes when its newest goes for this.
    fn of_older(self) -> Self {
        match self {
            Self::Expired | Self::Purged | Self::Deleted => Self::Purged,
            Self::Dropped => Self::Dropped,
        }
    }
}
