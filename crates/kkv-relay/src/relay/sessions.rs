//! Open sessions, and the cached answers that make requests idempotent.
//!
//! Nothing the owner does changes a cached answer, so strangers can't tell whether messages were deleted or wiped.

mod table;

use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use kkv_base::limits::{MAX_ACCEPTED, SESSION_LIFETIME};
use kkv_protocol::ids::RequestDigest;
use kkv_protocol::refusal::Refusal;
use table::Table;
pub(super) use table::{Entry, Held, Moment, PaidRequest, Stage};

/// All sessions of one suite. `I` is by what a message of the suite finds its session, `S` the state of an open one,
/// `R` the answer to an accepted message.
#[derive(Debug)]
pub(super) struct Sessions<I, S, R> {
    table: Mutex<Table<I, S, R>>,
    opened: Notify,
}

impl<I: Copy + Eq + Hash, S, R: Copy> Sessions<I, S, R> {
    /// No sessions.
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::new(Table::new()),
            opened: Notify::new(),
        }
    }

    /// The answer to this request, if it was answered before.
    ///
    /// # Errors
    /// `spent` if its challenge was spent on another request, or on a session that has ended; `expired`.
    pub(super) fn cached_answer(
        &self,
        paid: &PaidRequest,
        now: Duration,
    ) -> Result<Option<String>, Refusal> {
        crate::lock(&self.table).exchanges.answer(paid, now)
    }

    /// Spends the challenge and opens `session` with what `reserve` gives it. Returns the answer to send: of two
    /// concurrent copies of a request, that of the first.
    ///
    /// `reserve` runs under the lock, so that a repeated request never holds a second slot. Its argument is the session
    /// that this one replaces, whose slot it may take over. Otherwise that slot stays reserved until the old session
    /// would have ended: opening session after session with one key reserves and pays for slot after slot, as with
    /// different keys.
    ///
    /// # Errors
    /// `spent` or `expired` meanwhile, or what `reserve` refuses.
    pub(super) fn open(
        &self,
        paid: PaidRequest,
        id: I,
        session: Box<S>,
        answer: String,
        now: Moment,
        reserve: impl FnOnce(Option<&Entry<S>>) -> Result<Held, Refusal>,
    ) -> Result<String, Refusal> {
        // Declared before the guard and so dropped after it: sessions are wiped outside the lock.
        let mut ended = Vec::new();
        let mut table = crate::lock(&self.table);
        ended.extend(table.purge(now));
        if let Some(first) = table.exchanges.answer(&paid, now.elapsed)? {
            return Ok(first);
        }
        let held = reserve(table.sessions.get(&id).map(|older| &**older))?;
        ended.extend(table.replace(&id));
        let (challenge, end) = (paid.challenge, now.elapsed + SESSION_LIFETIME);
        let entry = Entry {
            stage: Mutex::new(Stage::Open {
                session,
                slot: held.slot,
                invitation: held.invitation,
            }),
            challenge,
            end,
        };
        let exchanges = &mut table.exchanges;
        exchanges.insert(&paid, answer.clone(), Some(id), end);
        table.sessions.insert(id, Arc::new(entry));
        drop(table);
        self.opened.notify_one();
        Ok(answer)
    }

    /// The session with this id, if it has not ended.
    pub(super) fn get(&self, id: &I, now: Duration) -> Option<Arc<Entry<S>>> {
        let table = crate::lock(&self.table);
        let entry = table.sessions.get(id)?;
        (now < entry.end).then(|| Arc::clone(entry))
    }

    /// Records that the message with this digest is in the queue: the session ends, and `answer` is cached. Call it
    /// with the session's lock held, so that a repetition always finds either the session or the answer.
    pub(super) fn record_accepted(
        &self,
        id: &I,
        entry: &Arc<Entry<S>>,
        digest: RequestDigest,
        answer: R,
        now: Duration,
    ) {
        let mut table = crate::lock(&self.table);
        let current = table.sessions.get(id);
        if current.is_some_and(|current| Arc::ptr_eq(current, entry)) {
            table.sessions.remove(id);
        }
        table.exchanges.forget(&entry.challenge);
        table.accepted.insert(digest, answer);
        table
            .accepted_ends
            .push_back((now + SESSION_LIFETIME, digest));
        if table.accepted_ends.len() > MAX_ACCEPTED {
            table.forget_first_accepted();
        }
    }

    /// The cached answer to the message with this digest, if it was accepted and not too long ago.
    pub(super) fn accepted_answer(&self, digest: &RequestDigest, now: Duration) -> Option<R> {
        let mut table = crate::lock(&self.table);
        table.forget_accepted(now);
        table.accepted.get(digest).copied()
    }

    /// Removes what has expired. Returns when something expires next.
    pub(super) fn purge(&self, now: Moment) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.next_end(now);
        drop(table);
        drop(expired);
        next
    }

    /// Ends every session. Spent challenges and cached answers stay, so that strangers can't tell; but nothing in them
    /// identifies a session or sender any more.
    pub(super) fn wipe(&self) {
        let mut table = crate::lock(&self.table);
        for session in table.exchanges.sessions_mut() {
            *session = None;
        }
        let ended = table.take_sessions();
        drop(table);
        drop(ended);
    }

    /// Ends every session and drops every cached answer. Spent challenges stay spent.
    pub(super) fn close(&self) {
        let mut table = crate::lock(&self.table);
        table.exchanges.clear();
        table.accepted.clear();
        table.accepted_ends.clear();
        let ended = table.take_sessions();
        drop(table);
        drop(ended);
    }

    /// Waits until a session is opened.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }
}

#[cfg(test)]
mod tests;
