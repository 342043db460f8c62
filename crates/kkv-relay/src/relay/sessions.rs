//! The sessions between strangers and this relay, and what is remembered of them so that a repeated request is answered
//! the same.
//!
//! What is remembered for strangers doesn't depend on what the owner does: a deletion or a wipe changes no answer to a
//! repetition.

mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::spent::{Challenge, Spent};
use crate::queue::Reservation;
use kkv_base::limits::{MAX_ACCEPTED, MAX_SPENT, SESSION_LIFETIME};
use kkv_pow::Cost;
use kkv_protocol::Envelope;
use kkv_protocol::crypto::labels;
use kkv_protocol::refusal::Refusal;
use table::{Exchange, Table};

/// By what a message finds its session among those of its suite: in kkv/1 a keyed hash of the sender's key, in kkv/2
/// the digest of the transcript.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(pub(super) [u8; 32]);

/// A paid request for a session.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// What was paid for.
    pub(super) challenge: Challenge,
    /// What was paid.
    pub(super) paid: Cost,
    /// Digest of the whole request.
    pub(super) request: [u8; 32],
}

/// How far a session is.
#[derive(Debug)]
pub(super) enum Stage<S> {
    /// It has a slot and waits for its message.
    Open {
        session: Box<S>,
        slot: Reservation<Envelope>,
    },
    /// Its message has been taken, or has come too late; or a newer session of the same sender has taken its place.
    Ended,
}

/// A session that waits for its message.
#[derive(Debug)]
pub(super) struct Entry<S> {
    pub(super) stage: Mutex<Stage<S>>,
    challenge: Challenge,
    end: Duration,
}

/// A point in time, by both of the readings that sessions know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// As expiries of this suite's challenges count: they never go back, so what has been forgotten as expired stays
    /// so.
    pub(super) challenges: u64,
    /// Of the steady clock.
    pub(super) elapsed: Duration,
}

/// All sessions of one suite, each for its time. `S` is what the suite knows of a session that waits for its message,
/// `R` what it answers when that is in the queue.
#[derive(Debug)]
pub(super) struct Sessions<S, R> {
    table: Mutex<Table<S, R>>,
    opened: Notify,
}

/// Digest by which a repeated message is known.
pub(super) fn request_digest(fields: &[&[u8]]) -> [u8; 32] {
    labels::REPEAT.digest(fields)
}

impl<S, R: Copy> Sessions<S, R> {
    /// None yet.
    pub(super) fn new() -> Self {
        let table = Table {
            spent: Spent::new(MAX_SPENT),
            exchanges: HashMap::new(),
            ends: BTreeSet::new(),
            sessions: HashMap::new(),
            held: BTreeMap::new(),
            accepted: HashMap::new(),
            accepted_ends: VecDeque::new(),
        };
        Self {
            table: Mutex::new(table),
            opened: Notify::new(),
        }
    }

    /// The answer that this very request has had, if it has had one.
    ///
    /// # Errors
    /// Its challenge was spent on another request, or on a session that has ended; or it is over.
    pub(super) fn repeated(&self, claim: &Claim, now: Duration) -> Result<Option<String>, Refusal> {
        crate::lock(&self.table).repeated(claim, now)
    }

    /// Spends the challenge and opens `session` in the slot that `reserve` gives. Returns the answer to give: if the
    /// same request has come twice at once, the first one's.
    ///
    /// `reserve` is called under the lock: a repeated request takes no second slot, not even for a moment. It is given
    /// the session that this one replaces, whose slot it may take. Otherwise that slot stays taken for as long as it
    /// would have been: who opens session after session with one key takes slot after slot, and pays for them as
    /// everyone else does.
    ///
    /// # Errors
    /// Spent or over meanwhile, or what `reserve` finds.
    pub(super) fn open(
        &self,
        claim: Claim,
        name: Name,
        session: Box<S>,
        answer: String,
        now: Moment,
        reserve: impl FnOnce(Option<&Entry<S>>) -> Result<Reservation<Envelope>, Refusal>,
    ) -> Result<String, Refusal> {
        // Declared before the lock, so that what ends here is wiped after the lock is gone.
        let mut ended = Vec::new();
        let mut table = crate::lock(&self.table);
        ended.extend(table.purge(now));
        if let Some(first) = table.repeated(&claim, now.elapsed)? {
            return Ok(first);
        }
        let slot = reserve(table.sessions.get(&name).map(|older| &**older))?;
        ended.extend(table.replace(&name));
        let (challenge, end) = (claim.challenge, now.elapsed + SESSION_LIFETIME);
        let exchange = Exchange {
            request: claim.request,
            answer: answer.clone(),
            session: Some(name),
            end,
        };
        let entry = Entry {
            stage: Mutex::new(Stage::Open { session, slot }),
            challenge,
            end,
        };
        table.spent.insert(challenge);
        table.exchanges.insert(challenge, exchange);
        table.ends.insert((end, challenge));
        table.sessions.insert(name, Arc::new(entry));
        drop(table);
        self.opened.notify_one();
        Ok(answer)
    }

    /// The session of this name, if it has not ended.
    pub(super) fn find(&self, name: &Name, now: Duration) -> Option<Arc<Entry<S>>> {
        let table = crate::lock(&self.table);
        let entry = table.sessions.get(name)?;
        (now < entry.end).then(|| Arc::clone(entry))
    }

    /// The message of this session, with this digest, is in the queue: the session is over, and `answer` is given to
    /// the same message again. To be called before the session's own lock is let go of, so that there is no moment in
    /// which neither of the two knows the message.
    pub(super) fn accept(
        &self,
        name: &Name,
        entry: &Arc<Entry<S>>,
        digest: [u8; 32],
        answer: R,
        now: Duration,
    ) {
        let mut table = crate::lock(&self.table);
        let held = table.sessions.get(name);
        if held.is_some_and(|held| Arc::ptr_eq(held, entry)) {
            table.sessions.remove(name);
        }
        table.end_exchange(&entry.challenge);
        table.accepted.insert(digest, answer);
        table
            .accepted_ends
            .push_back((now + SESSION_LIFETIME, digest));
        if table.accepted_ends.len() > MAX_ACCEPTED {
            table.forget_first_accepted();
        }
    }

    /// What was answered to the message of this digest when it was put into the queue, if that was not long ago.
    pub(super) fn accepted(&self, digest: &[u8; 32], now: Duration) -> Option<R> {
        let mut table = crate::lock(&self.table);
        table.forget_accepted(now);
        table.accepted.get(digest).copied()
    }

    /// Ends what is due; says when there is something to end again.
    pub(super) fn purge(&self, now: Moment) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.next_end(now);
        drop(table);
        drop(expired);
        next
    }

    /// Ends every session. Spent challenges stay spent, and what is repeated is answered as before, so that no stranger
    /// sees this; but what it is answered by tells nothing of sessions or senders any more.
    pub(super) fn wipe(&self) {
        let mut table = crate::lock(&self.table);
        for exchange in table.exchanges.values_mut() {
            exchange.session = None;
        }
        let ended = table.take_sessions();
        drop(table);
        drop(ended);
    }

    /// Ends every session and forgets every answer. Spent challenges stay spent.
    pub(super) fn close(&self) {
        let mut table = crate::lock(&self.table);
        table.exchanges.clear();
        table.ends.clear();
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

impl<S> Entry<S> {
    /// Ends it for a newer session and gives its slot away. `None` if it has none, or if its message is being looked at
    /// in this moment: then that is decided first.
    pub(super) fn give_way(&self) -> Option<Reservation<Envelope>> {
        let mut stage = self.stage.try_lock().ok()?;
        match std::mem::replace(&mut *stage, Stage::Ended) {
            Stage::Open { slot, .. } => Some(slot),
            Stage::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests;
