//! Sessions for asks (PROTOCOL.md §14): small, and bounded in number. Who pays is never refused for want of room; the
//! session that is idle longest ends instead.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::price::ask_cost;
use super::sessions::Moment;
use super::spent::{Challenge, Spent};
use kkv_base::limits::{MAX_LARGE_BEGUN, MAX_SPENT, SESSION_LIFETIME};
use kkv_pow::Cost;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::ids::SessionId;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::ask::MAX_ANSWERS;
use kkv_protocol::v2::ask::relay::{AskSession, Window};
use kkv_protocol::v2::purpose::BodySize;

/// All of them.
#[derive(Debug)]
pub(super) struct Asks {
    table: Mutex<Table>,
    opened: Notify,
}

struct Table {
    /// Of asks alone: no number of them makes a challenge for a message expire early.
    spent: Spent,
    /// How many there may be.
    most: u32,
    sessions: HashMap<SessionId, Entry>,
    /// In the order of their last use; the counter parts those of the same moment.
    by_use: BTreeMap<(Duration, u64), SessionId>,
    uses: u64,
    is_closed: bool,
}

struct Entry {
    session: Arc<AskSession>,
    window: Window,
    answered: u8,
    /// Large bodies that were begun, and whether one of them is being read.
    begun: u8,
    is_reading: bool,
    used: (Duration, u64),
}

/// A large body of a session that is being read: none beside it. Ends when dropped.
#[derive(Debug)]
pub(super) struct ReadingLarge<'a> {
    asks: &'a Asks,
    id: SessionId,
}

impl Drop for ReadingLarge<'_> {
    fn drop(&mut self) {
        if let Some(entry) = crate::lock(&self.asks.table).sessions.get_mut(&self.id) {
            entry.is_reading = false;
        }
    }
}

impl Asks {
    /// None, and place for `most`.
    pub(super) fn new(most: u32) -> Self {
        let table = Table {
            spent: Spent::new(MAX_SPENT),
            most,
            sessions: HashMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            is_closed: false,
        };
        Self {
            table: Mutex::new(table),
            opened: Notify::new(),
        }
    }

    /// What a challenge for a session of this size costs: more, the fewer places are free.
    pub(super) fn cost(&self, size: BodySize) -> Cost {
        let table = crate::lock(&self.table);
        ask_cost(size, table.free(), table.most)
    }

    /// Whether a session of this size can be opened with this challenge and what was paid.
    ///
    /// # Errors
    /// `stopping`, `spent`, `expired` or `price_rose`.
    pub(super) fn check(
        &self,
        challenge: &Challenge,
        size: BodySize,
        paid: Cost,
    ) -> Result<(), Refusal> {
        crate::lock(&self.table).check(challenge, size, paid)
    }

    /// Spends the challenge and opens the session. If there are too many, the one idle longest ends.
    ///
    /// # Errors
    /// As [`check`](Self::check), for what others have done meanwhile.
    pub(super) fn open(
        &self,
        challenge: Challenge,
        session: AskSession,
        paid: Cost,
        now: Moment,
    ) -> Result<(), Refusal> {
        // Declared before the guard and so dropped after it: keys are wiped outside the lock.
        let mut ended = Vec::new();
        let mut table = crate::lock(&self.table);
        ended.extend(table.purge(now));
        table.check(&challenge, session.size(), paid)?;
        table.spent.insert(challenge);
        if table.free() == 0 {
            ended.extend(table.end_first());
        }
        table.insert(session, now.elapsed);
        drop(table);
        self.opened.notify_one();
        Ok(())
    }

    /// The session that a request of this size and number may be for: before it is opened.
    ///
    /// # Errors
    /// Unproven: there is none, its size is below that, it has been answered as often as one is, or the number was
    /// taken.
    pub(super) fn get(
        &self,
        id: &SessionId,
        size: BodySize,
        number: AskNumber,
        now: Duration,
    ) -> Result<Arc<AskSession>, Refusal> {
        let table = crate::lock(&self.table);
        let entry = table.sessions.get(id).ok_or(Refusal::Unproven)?;
        let is_open = now < entry.used.0 + SESSION_LIFETIME;
        if is_open && size <= entry.session.size() && entry.window.is_free(number) {
            Ok(Arc::clone(&entry.session))
        } else {
            Err(Refusal::Unproven)
        }
    }

    /// Begins to read a large body of this session, of which [`MAX_LARGE_BEGUN`] may be begun. A body that never comes
    /// whole takes no number; without this bound it could hold a place again and again for nothing.
    ///
    /// # Errors
    /// Slow down: another one is being read. Unproven: the session is over, with this one at the latest.
    pub(super) fn begin_large(&self, id: &SessionId) -> Result<ReadingLarge<'_>, Refusal> {
        let mut ended = None;
        let mut table = crate::lock(&self.table);
        let entry = table.sessions.get_mut(id).ok_or(Refusal::Unproven)?;
        if entry.is_reading {
            return Err(Refusal::SlowDown);
        }
        let begun = if entry.begun == MAX_LARGE_BEGUN {
            ended = table.end(id);
            Err(Refusal::Unproven)
        } else {
            entry.begun += 1;
            entry.is_reading = true;
            Ok(ReadingLarge {
                asks: self,
                id: *id,
            })
        };
        drop(table);
        drop(ended);
        begun
    }

    /// Takes the number of a request that has been opened. That makes the session the most recently used one. With its
    /// last answer it ends.
    ///
    /// # Errors
    /// Unproven: somebody else has taken it meanwhile, or the session is over.
    pub(super) fn take(
        &self,
        id: &SessionId,
        number: AskNumber,
        now: Duration,
    ) -> Result<(), Refusal> {
        let mut ended = None;
        let mut table = crate::lock(&self.table);
        let entry = table.sessions.get_mut(id).ok_or(Refusal::Unproven)?;
        if now >= entry.used.0 + SESSION_LIFETIME || !entry.window.take(number) {
            return Err(Refusal::Unproven);
        }
        entry.answered += 1;
        if entry.answered == MAX_ANSWERS {
            ended = table.end(id);
        } else {
            table.touch(id, now);
        }
        drop(table);
        drop(ended);
        Ok(())
    }

    /// A chunk of it was opened or sealed: it isn't idle.
    pub(super) fn touch(&self, id: &SessionId, now: Duration) {
        crate::lock(&self.table).touch(id, now);
    }

    /// Removes what has expired. Returns when something expires next, by the steady clock.
    pub(super) fn purge(&self, now: Moment) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.next_end(now);
        drop(table);
        drop(expired);
        next
    }

    /// Ends every session. Spent challenges stay spent.
    pub(super) fn wipe(&self) {
        let mut table = crate::lock(&self.table);
        table.by_use.clear();
        let ended = std::mem::take(&mut table.sessions);
        drop(table);
        drop(ended);
    }

    /// Ends every session, and opens none from now on.
    pub(super) fn close(&self) {
        crate::lock(&self.table).is_closed = true;
        self.wipe();
    }

    /// Waits until a session is opened.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }
}

impl Table {
    fn free(&self) -> u32 {
        let open = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        self.most.saturating_sub(open)
    }

    fn check(&self, challenge: &Challenge, size: BodySize, paid: Cost) -> Result<(), Refusal> {
        if self.is_closed {
            Err(Refusal::Stopping)
        } else if self.spent.is_expired(challenge) {
            Err(Refusal::Expired)
        } else if self.spent.contains(challenge) {
            Err(Refusal::Spent)
        } else if ask_cost(size, self.free() + 1, self.most) > paid {
            Err(Refusal::PriceRose)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, session: AskSession, now: Duration) {
        let id = session.id();
        let used = self.next_use(now);
        let entry = Entry {
            session: Arc::new(session),
            window: Window::default(),
            answered: 0,
            begun: 0,
            is_reading: false,
            used,
        };
        self.by_use.insert(used, id);
        self.sessions.insert(id, entry);
    }

    fn next_use(&mut self, now: Duration) -> (Duration, u64) {
        self.uses += 1;
        (now, self.uses)
    }

    fn touch(&mut self, id: &SessionId, now: Duration) {
        let used = self.next_use(now);
        // One that is over, and was not removed yet, stays so.
        if let Some(entry) = self.sessions.get_mut(id)
            && now < entry.used.0 + SESSION_LIFETIME
        {
            self.by_use.remove(&entry.used);
            entry.used = used;
            self.by_use.insert(used, *id);
        }
    }

    fn end(&mut self, id: &SessionId) -> Option<Entry> {
        let entry = self.sessions.remove(id)?;
        self.by_use.remove(&entry.used);
        Some(entry)
    }

    /// Ends the one idle longest.
    fn end_first(&mut self) -> Option<Entry> {
        let (_, id) = self.by_use.pop_first()?;
        self.sessions.remove(&id)
    }

    /// Removes and returns what has expired. Dropping it wipes keys; do that outside the lock.
    fn purge(&mut self, now: Moment) -> Vec<Entry> {
        let mut expired = Vec::new();
        while let Some(((used, _), _)) = self.by_use.first_key_value()
            && *used + SESSION_LIFETIME <= now.elapsed
        {
            expired.extend(self.end_first());
        }
        self.spent.forget(now.challenges);
        expired
    }

    fn next_end(&self, now: Moment) -> Option<Duration> {
        let idle = self.by_use.first_key_value();
        let expiry = self.spent.next_expiry().map(|unix| now.when(unix));
        let ends = [idle.map(|((used, _), _)| *used + SESSION_LIFETIME), expiry];
        ends.into_iter().flatten().min()
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (open, spent) = (self.sessions.len(), self.spent.len());
        write!(f, "{open} sessions for asks, {spent} spent")
    }
}

#[cfg(test)]
mod tests;
