//! The sessions between strangers and this relay, and the challenges that have been spent on them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::crypto::labels;
use crate::limits::{MAX_SPENT, REQUEST_TIMEOUT, SESSION_LIFETIME};
use crate::protocol::refusal::Refusal;
use crate::protocol::{Envelope, v1, v2};
use crate::queue::{Now, Reservation};

/// By what a message names its session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    /// The sender's key: one session per key.
    V1([u8; 32]),
    /// The digest of the transcript.
    V2([u8; 32]),
}

/// A paid request for a session.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// The challenge's seed, by which it is remembered.
    pub(super) seed: [u8; 32],
    /// When the challenge ends, in unix seconds.
    pub(super) expiry: u64,
    /// Digest of the whole request.
    pub(super) request: [u8; 32],
}

/// A session of either suite that waits for its message.
#[derive(Debug)]
pub(super) enum OpenSession {
    V1(Box<v1::relay::Session>),
    V2(Box<v2::relay::Session>),
}

/// How far a session is.
#[derive(Debug)]
pub(super) enum Stage {
    /// It has a slot and waits for its message.
    Open {
        session: OpenSession,
        slot: Reservation<Envelope>,
    },
    /// Its message is in the queue. Kept for a while, so that the same message is answered the same.
    Accepted { request: [u8; 32], answer: String },
    /// Its message came too late: the relay is stopping.
    Ended,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) stage: Mutex<Stage>,
    /// Digest of the exchange request that opened it.
    request: [u8; 32],
    /// JSON of the exchange's answer, for a request that is repeated.
    answer: String,
}

/// All sessions, each for its time.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    table: Mutex<Table>,
    opened: Notify,
}

#[derive(Default)]
struct Table {
    sessions: HashMap<Name, (Duration, Arc<Entry>)>,
    session_ends: BTreeSet<(Duration, Name)>,
    /// By seed: the session that the challenge has opened.
    spent: HashMap<[u8; 32], Name>,
    spent_ends: BTreeSet<(u64, [u8; 32])>,
}

/// Digest by which a repeated message is known.
pub(super) fn request_digest(fields: &[&[u8]]) -> [u8; 32] {
    labels::REPEAT.digest(fields)
}

impl Sessions {
    /// The answer that this very request has had, if it has had one.
    ///
    /// # Errors
    /// Its challenge was spent on another request, or on a session that has ended.
    pub(super) fn repeated(&self, claim: &Claim) -> Result<Option<String>, Refusal> {
        crate::lock(&self.table).repeated(claim)
    }

    /// Spends the challenge and opens the session in `stage`. Returns the answer to give: if the same request has come twice at once, the
    /// first one's.
    ///
    /// `stage` is made, and its slot reserved, under the lock: a repeated request takes no second slot, not even for a moment.
    ///
    /// # Errors
    /// Spent meanwhile, too many remembered, or what `stage` finds.
    pub(super) fn open(
        &self,
        claim: Claim,
        name: Name,
        answer: String,
        now: Now,
        stage: impl FnOnce() -> Result<Stage, Refusal>,
    ) -> Result<String, Refusal> {
        // Declared before the lock, so that what is replaced or has expired is wiped after the lock is gone.
        let (mut _replaced, mut _expired) = (None, Vec::new());
        let mut table = crate::lock(&self.table);
        _expired = table.purge(now);
        if let Some(first) = table.repeated(&claim)? {
            return Ok(first);
        }
        if table.spent.len() >= MAX_SPENT {
            return Err(Refusal::SlowDown);
        }
        let entry = Entry {
            stage: Mutex::new(stage()?),
            request: claim.request,
            answer: answer.clone(),
        };
        table.spent.insert(claim.seed, name);
        // A little longer than it lives, for a request that was checked just before its end and comes here just after.
        let end = claim.expiry.saturating_add(REQUEST_TIMEOUT.as_secs());
        table.spent_ends.insert((end, claim.seed));
        _replaced = table.insert(name, now.elapsed + SESSION_LIFETIME, Arc::new(entry));
        drop(table);
        self.opened.notify_one();
        Ok(answer)
    }

    /// The session of this name, if it has not ended.
    pub(super) fn find(&self, name: &Name, now: Duration) -> Option<Arc<Entry>> {
        let table = crate::lock(&self.table);
        let (end, entry) = table.sessions.get(name)?;
        (now < *end).then(|| Arc::clone(entry))
    }

    /// Moves a session's end.
    pub(super) fn keep(&self, name: &Name, end: Duration) {
        let mut table = crate::lock(&self.table);
        if let Some((_, entry)) = table.sessions.remove(name) {
            // The old end stays in the index, is found to be out of date when it comes, and does nothing.
            table.insert(*name, end, entry);
        }
    }

    /// Ends what is due; says when the next session ends.
    pub(super) fn purge(&self, now: Now) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.session_ends.first().map(|(end, _)| *end);
        drop(table);
        drop(expired);
        next
    }

    /// Ends every session. Of spent challenges nothing is kept but that they are spent.
    pub(super) fn clear(&self) {
        let mut table = crate::lock(&self.table);
        let sessions = std::mem::take(&mut table.sessions);
        table.session_ends.clear();
        for name in table.spent.values_mut() {
            *name = Name::V2([0; 32]);
        }
        drop(table);
        drop(sessions);
    }

    /// Waits until a session is opened.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }
}

impl Table {
    fn repeated(&self, claim: &Claim) -> Result<Option<String>, Refusal> {
        let Some(name) = self.spent.get(&claim.seed) else {
            return Ok(None);
        };
        match self.sessions.get(name) {
            // In kkv/1 a newer session of the same key has the same name, and another answer.
            Some((_, entry)) if entry.request == claim.request => Ok(Some(entry.answer.clone())),
            _ => Err(Refusal::Spent),
        }
    }

    fn insert(&mut self, name: Name, end: Duration, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        self.session_ends.insert((end, name));
        self.sessions
            .insert(name, (end, entry))
            .map(|(_, replaced)| replaced)
    }

    /// Takes out what is due; dropping it, which wipes keys and slots, is left to the caller, outside the lock.
    fn purge(&mut self, now: Now) -> Vec<Arc<Entry>> {
        let mut expired = Vec::new();
        while let Some((end, name)) = self.session_ends.first().copied() {
            if now.elapsed < end {
                break;
            }
            self.session_ends.pop_first();
            if self.sessions.get(&name).is_some_and(|(e, _)| *e == end) {
                expired.extend(self.sessions.remove(&name).map(|(_, entry)| entry));
            }
        }
        while let Some((expiry, seed)) = self.spent_ends.first().copied() {
            if now.unix < expiry {
                break;
            }
            self.spent_ends.pop_first();
            self.spent.remove(&seed);
        }
        expired
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} sessions, {} spent",
            self.sessions.len(),
            self.spent.len()
        )
    }
}
