//! Stubs: tombstones and erases, under a quota of their own that nothing purges before their time.
//!
//! A tombstone ends its chain, whatever the revision. It is carried as a whole until it expires; then what it says is
//! kept for two days longer, for clocks that are slow, and in all at least as long as anything that it hides. An erase
//! hides what its author wrote before a time t: all with a revision below 64 t, since a revision is never below
//! 64 times the minute in which it was written. So whatever supersedes what is erased, and is older, is erased as well.

use kkv_letters::limits::{MAX_LIFETIME, REVISIONS_A_MINUTE};
use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};

use super::accounts::{DIRECT, Turn};
use super::admission::Admission;
use super::entry::Sealed;
use super::lookup::{NONE, allocated};
use super::removal::Why;
use super::standing::{Class, stub_quota, stub_quota_of};
use super::{Bag, Change, Refusal, STUB, Watcher};

/// How much longer than its time what it says is kept: two days.
const LONGER: Minutes = Minutes(2 * 24 * 60);

/// What a stub counts for beside its envelope, in bytes: its place, and its part of the tables.
const STUB_BYTES: usize = 160;

/// A tombstone or an erase, or what it says.
pub(super) struct Stub {
    author: Fingerprint,
    chain: ChainTag,
    account: u32,
    /// Until when it hides.
    until: Minutes,
    /// Until when at least one of those lives that it hides.
    hidden_until: Minutes,
    /// `None` of a tombstone.
    erase_before: Option<Minutes>,
    /// Its envelope, until that expires, if there was room for it.
    kept: Option<Kept>,
}

struct Kept {
    id: EnvelopeId,
    sealed: Sealed,
    expires: Minutes,
}

impl Stub {
    pub(super) fn id(&self) -> Option<EnvelopeId> {
        self.kept.as_ref().map(|kept| kept.id)
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.kept.as_ref().map(|kept| kept.sealed.bytes())
    }

    /// What it counts for.
    pub(super) fn charged(&self) -> usize {
        STUB_BYTES + self.kept.as_ref().map_or(0, |kept| kept.sealed.allocated())
    }

    fn ends(&self) -> Minutes {
        self.kept.as_ref().map_or(self.until, |kept| kept.expires)
    }
}

impl Bag {
    /// The stub by which a chain has ended.
    pub(super) fn find_ended(&self, author: &Fingerprint, chain: &ChainTag) -> Option<u32> {
        let same = |slot: &u32| {
            let stub = self.stubs.get(*slot);
            stub.is_some_and(|stub| (stub.author, stub.chain) == (*author, *chain))
        };
        let found = self.ended.find(self.hash_chain(author, chain), same);
        found.copied()
    }

    /// Before which time a sender's letters are erased.
    pub(super) fn erased_before(&self, account: u32) -> Option<Minutes> {
        self.stubs
            .get(self.accounts.get(account)?.erase)?
            .erase_before
    }

    /// The chains of this author that have ended by tombstones that expire before something that they hide.
    pub fn outlived(&self, author: &Fingerprint) -> impl Iterator<Item = ChainTag> {
        let stubs = self.stubs.iter().map(|(_, stub)| stub);
        let ended = stubs.filter(move |stub| stub.author == *author && stub.erase_before.is_none());
        let is_outlived = |stub: &&Stub| {
            let until = stub.kept.as_ref().map_or(Minutes(0), |kept| kept.expires);
            stub.hidden_until > until
        };
        ended.filter(is_outlived).map(|stub| stub.chain)
    }

    /// Lets a stub hide at least as long as what it hides lives, and two days longer.
    pub(super) fn extend_stub(&mut self, slot: u32, hidden_until: Minutes) {
        self.prolong(slot, hidden_until.after(LONGER), hidden_until);
    }

    fn prolong(&mut self, slot: u32, until: Minutes, hidden_until: Minutes) {
        let Some(stub) = self.stubs.get_mut(slot) else {
            return;
        };
        let before = stub.ends();
        stub.until = stub.until.max(until);
        stub.hidden_until = stub.hidden_until.max(hidden_until);
        let ends = stub.ends();
        if before != ends {
            self.ends.remove(&(before, slot | STUB));
            self.ends.insert((ends, slot | STUB));
        }
    }

    /// Ends a chain: `existing` is the stub by which it has ended before.
    pub(super) fn admit_tombstone(
        &mut self,
        admission: &Admission<'_>,
        existing: Option<u32>,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let outside = admission.outside;
        let versions = self.chain_versions(&outside.author, &outside.chain);
        let hidden = versions.iter().filter_map(|slot| self.entries.get(*slot));
        let hidden_until = hidden
            .map(|entry| entry.expires)
            .max()
            .unwrap_or(Minutes(0));
        let until = hides_until(outside.created, outside.expires()).max(hidden_until.after(LONGER));
        // Of two tombstones the one that is carried for longer is kept.
        let rank = |stub: &Stub| stub.kept.as_ref().map(|kept| (kept.expires, kept.id));
        let is_better = |stub: &Stub| rank(stub) < Some((outside.expires(), outside.id));
        let stub = Stub {
            author: outside.author,
            chain: outside.chain,
            account: DIRECT,
            until,
            hidden_until,
            erase_before: None,
            kept: None,
        };
        self.admit_stub(admission, stub, existing, is_better, &versions, watcher)?;
        Ok(())
    }

    /// Erases what its author wrote before `before`.
    pub(super) fn admit_erase(
        &mut self,
        admission: &Admission<'_>,
        before: Minutes,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let outside = admission.outside;
        if outside.direct {
            return Err(Refusal::Form);
        }
        let account = self.accounts.find(&outside.author);
        let existing = account
            .and_then(|account| self.accounts.get(account))
            .map(|found| found.erase);
        let existing = existing.filter(|slot| *slot != NONE);
        // Before all that is here is looked through for what it hides.
        if !(admission.is_signed)() {
            return Err(Refusal::Signature);
        }
        let erased = self.erased(&outside.author, revisions_before(before));
        let rank = |stub: &Stub| (stub.erase_before, stub.id());
        let is_better = |stub: &Stub| rank(stub) < (Some(before), Some(outside.id));
        let stub = Stub {
            author: outside.author,
            chain: outside.chain,
            account: DIRECT,
            until: hides_until(outside.created, outside.expires()),
            hidden_until: Minutes(0),
            erase_before: Some(before),
            kept: None,
        };
        self.admit_stub(admission, stub, existing, is_better, &erased, watcher)
    }

    /// Stores a stub, and removes the entries that it hides. With `existing` it is stored in its place if it is better.
    fn admit_stub(
        &mut self,
        admission: &Admission<'_>,
        mut stub: Stub,
        existing: Option<u32>,
        is_better: impl Fn(&Stub) -> bool,
        hidden: &[u32],
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let outside = admission.outside;
        let before = existing.and_then(|slot| self.stubs.get(slot));
        if let Some(slot) = existing
            && !before.is_some_and(is_better)
        {
            self.refuse_for_good(admission)?;
            self.prolong(slot, stub.until, stub.hidden_until);
            return Err(Refusal::Superseded);
        }
        let charged_before = before.map_or(0, Stub::charged);
        if let Some(before) = before {
            stub.until = stub.until.max(before.until);
            stub.hidden_until = stub.hidden_until.max(before.hidden_until);
        }
        let account = match admission.sender {
            Some(sender) => self.accounts.find(&sender),
            None if outside.direct => Some(DIRECT),
            None => self.accounts.find(&outside.author),
        };
        let size = allocated(admission.bytes.len());
        let is_kept = if self.has_stub_room(account, charged_before, STUB_BYTES + size) {
            true
        } else if self.has_stub_room(account, charged_before, STUB_BYTES) {
            false
        } else {
            return Err(Refusal::Quota);
        };
        let change = Change {
            stored: if is_kept { size } else { 0 },
            growth: self.stub_growth(account.is_some()),
            ..Change::default()
        };
        let mut victims = hidden.to_vec();
        self.room_in_all(change, Turn::LAST, &mut victims)?;
        if !(admission.is_signed)() {
            return Err(Refusal::Signature);
        }
        if is_kept {
            stub.kept = Some(Kept {
                id: outside.id,
                sealed: Sealed::new(admission.bytes),
                expires: outside.expires(),
            });
        } else {
            self.ring.insert(&self.key, &outside.id);
        }
        let erases = stub.erase_before.map(revisions_before);
        if let Some(slot) = existing {
            self.remove_stub(slot, Why::Deleted);
        }
        let account = self.account_of(admission);
        stub.account = account;
        self.enter_stub(stub, &outside.author);
        match erases {
            Some(limit) => self.erase(&outside.author, limit, watcher),
            None => {
                for slot in hidden {
                    self.remove(*slot, Why::Deleted, watcher);
                }
            }
        }
        let others = victims.iter().filter(|slot| !hidden.contains(slot));
        for slot in others {
            self.remove(*slot, Why::Purged, watcher);
        }
        debug_assert!(self.bytes() <= self.budget, "{self:?}");
        Ok(())
    }

    /// Whether this sender's stubs may count for `more` bytes more, once `less` are given back.
    fn has_stub_room(&self, account: Option<u32>, less: usize, more: usize) -> bool {
        let account = account.and_then(|account| self.accounts.get(account));
        let (class, held) = account.map_or((Class::Stranger, 0), |found| {
            (found.class(), found.stub_bytes)
        });
        (held + more).saturating_sub(less) <= stub_quota_of(class, self.budget)
            && (self.stub_bytes + more).saturating_sub(less) <= stub_quota(self.budget)
    }

    fn enter_stub(&mut self, stub: Stub, author: &Fingerprint) {
        let (account, charged, ends, id) = (stub.account, stub.charged(), stub.ends(), stub.id());
        let (chain, is_erase) = (stub.chain, stub.erase_before.is_some());
        self.sealed_bytes += stub.kept.as_ref().map_or(0, |kept| kept.sealed.allocated());
        self.stub_bytes += charged;
        let slot = self.stubs.insert(stub);
        self.ends.insert((ends, slot | STUB));
        if let Some(id) = id {
            self.insert_id(&id, slot | STUB);
        }
        if let Some(found) = self.accounts.get_mut(account) {
            found.stub_bytes += charged;
            found.stubs += 1;
            if is_erase {
                found.erase = slot;
            }
        }
        if !is_erase {
            let hash = self.hash_chain(author, &chain);
            let (stubs, key) = (&self.stubs, &self.key);
            self.ended.insert_unique(hash, slot, |slot| {
                let stub = stubs.get(*slot);
                stub.map_or(0, |stub| key.hash(&[&stub.author.0, &stub.chain.0]))
            });
        }
    }

    /// A stub's envelope has expired, or its own time is over.
    pub(super) fn end_stub(&mut self, slot: u32, now: Minutes) {
        let is_over = self.stubs.get(slot).is_none_or(|stub| stub.until <= now);
        if is_over {
            self.remove_stub(slot, Why::Expired);
            return;
        }
        self.drop_kept(slot);
        if let Some(stub) = self.stubs.get(slot) {
            self.ends.insert((stub.ends(), slot | STUB));
        }
    }

    /// Overwrites a stub's envelope; what it says stays.
    fn drop_kept(&mut self, slot: u32) -> Option<EnvelopeId> {
        let id = self.stubs.get(slot)?.id()?;
        let hash = self.hash_id(&id);
        if let Ok(found) = self.ids.find_entry(hash, |at| *at == slot | STUB) {
            found.remove();
        }
        let stub = self.stubs.get_mut(slot)?;
        let ends = stub.ends();
        let freed = stub.kept.take().map_or(0, |kept| kept.sealed.allocated());
        self.ends.remove(&(ends, slot | STUB));
        self.sealed_bytes -= freed;
        self.stub_bytes -= freed;
        if let Some(account) = self.accounts.get_mut(stub.account) {
            account.stub_bytes -= freed;
        }
        Some(id)
    }

    fn remove_stub(&mut self, slot: u32, why: Why) {
        if let Some(id) = self.drop_kept(slot)
            && why == Why::Deleted
        {
            self.ring.insert(&self.key, &id);
        }
        let Some(stub) = self.stubs.get(slot) else {
            return;
        };
        let (account, charged) = (stub.account, stub.charged());
        let hash = self.hash_chain(&stub.author, &stub.chain);
        if let Ok(found) = self.ended.find_entry(hash, |at| *at == slot) {
            found.remove();
        }
        self.ends.remove(&(stub.until, slot | STUB));
        self.stubs.remove(slot);
        self.stub_bytes -= charged;
        if let Some(found) = self.accounts.get_mut(account) {
            found.stub_bytes -= charged;
            found.stubs -= 1;
            if found.erase == slot {
                found.erase = NONE;
            }
        }
        self.accounts.tidy(account);
    }
}

/// Until when a tombstone or an erase hides that was written and expires then: at least as long as any letter lives.
fn hides_until(created: Minutes, expires: Minutes) -> Minutes {
    created.after(MAX_LIFETIME).max(expires).after(LONGER)
}

/// All revisions of what was written before then are below this.
pub(super) fn revisions_before(time: Minutes) -> u64 {
    u64::from(REVISIONS_A_MINUTE) * u64::from(time.0)
}
