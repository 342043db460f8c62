//! The state of one suite's sessions, and when each part of it expires.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::queue::Reservation;
use crate::relay::exchanges::Exchanges;
use crate::relay::invitations::ReservedUse;
use crate::relay::spent::Challenge;
use kkv_pow::Cost;
use kkv_protocol::MessageHeader;
use kkv_protocol::ids::RequestDigest;
use kkv_protocol::v2::invitation::InvitationNumber;

/// A request for a session, with a valid solution.
#[derive(Clone, Copy)]
pub(in crate::relay) struct PaidRequest {
    pub(in crate::relay) challenge: Challenge,
    /// The cost of the solution.
    pub(in crate::relay) cost: Cost,
    /// The invitation that the challenge names: then it isn't the cost that counts.
    pub(in crate::relay) invitation: Option<InvitationNumber>,
    /// Of the whole request.
    pub(in crate::relay) digest: RequestDigest,
}

/// The state of a session.
#[derive(Debug)]
pub(in crate::relay) enum Stage<S> {
    /// It has a slot, and waits for its message.
    Open {
        session: Box<S>,
        slot: Reservation<MessageHeader>,
        invitation: Option<ReservedUse>,
    },
    /// Its message was accepted or came too late, or a newer session of the same sender has replaced it.
    Ended,
}

/// What a session holds until its message has come, and gives back if none comes.
#[derive(Debug)]
pub(in crate::relay) struct Held {
    pub(in crate::relay) slot: Reservation<MessageHeader>,
    /// Of the invitation that its challenge names.
    pub(in crate::relay) invitation: Option<ReservedUse>,
}

impl From<Reservation<MessageHeader>> for Held {
    fn from(slot: Reservation<MessageHeader>) -> Self {
        let invitation = None;
        Self { slot, invitation }
    }
}

/// An entry of the table of sessions.
#[derive(Debug)]
pub(in crate::relay) struct Entry<S> {
    pub(in crate::relay) stage: Mutex<Stage<S>>,
    pub(super) challenge: Challenge,
    pub(super) end: Duration,
}

/// One moment, on both clocks that sessions use.
#[derive(Debug, Clone, Copy)]
pub(in crate::relay) struct Moment {
    /// On the clock of this suite's expiries, in seconds. It never goes back, so an expired challenge stays expired.
    pub(in crate::relay) challenges: u64,
    /// On the steady clock.
    pub(in crate::relay) elapsed: Duration,
}

impl Moment {
    /// When a challenge with this expiry ends, on the steady clock.
    pub(in crate::relay) fn when(self, expiry: u64) -> Duration {
        self.elapsed + Duration::from_secs(expiry.saturating_sub(self.challenges))
    }
}

/// The tables. All of them change together.
pub(super) struct Table<I, S, R> {
    /// Their sessions end with them. `None` for those of sessions that a wipe has ended.
    pub(super) exchanges: Exchanges<Option<I>>,
    pub(super) sessions: HashMap<I, Arc<Entry<S>>>,
    /// Slots of replaced sessions, until those would have ended: who opens session after session with one key holds
    /// slot after slot, as with different keys.
    pub(super) replaced: BTreeMap<(Duration, Challenge), Reservation<MessageHeader>>,
    /// Answers to accepted messages, by the digest of the request: it identifies neither sender nor session.
    pub(super) accepted: HashMap<RequestDigest, R>,
    pub(super) accepted_ends: VecDeque<(Duration, RequestDigest)>,
}

impl<I: Copy + Eq + Hash, S, R> Table<I, S, R> {
    /// No sessions.
    pub(super) fn new() -> Self {
        Self {
            exchanges: Exchanges::new(),
            sessions: HashMap::new(),
            replaced: BTreeMap::new(),
            accepted: HashMap::new(),
            accepted_ends: VecDeque::new(),
        }
    }

    /// Removes the session with this id. Its slot stays reserved until it would have ended.
    pub(super) fn replace(&mut self, id: &I) -> Option<Arc<Entry<S>>> {
        let older = self.sessions.remove(id)?;
        self.exchanges.forget(&older.challenge);
        if let Some(slot) = older.take_slot() {
            self.replaced.insert((older.end, older.challenge), slot);
        }
        Some(older)
    }

    /// Removes and returns what has expired. Dropping it wipes keys and slots; do that outside the lock.
    pub(super) fn purge(&mut self, now: Moment) -> Vec<Arc<Entry<S>>> {
        let mut expired = Vec::new();
        while let Some(session) = self.exchanges.expire(now.elapsed) {
            expired.extend(session.and_then(|id| self.sessions.remove(&id)));
        }
        while let Some(first) = self.replaced.first_entry()
            && first.key().0 <= now.elapsed
        {
            first.remove();
        }
        self.forget_accepted(now.elapsed);
        self.exchanges.forget_spent(now);
        expired
    }

    pub(super) fn next_end(&self, now: Moment) -> Option<Duration> {
        let ends = [
            self.exchanges.next_end(now),
            self.replaced.keys().next().map(|(end, _)| *end),
            self.accepted_ends.front().map(|(end, _)| *end),
        ];
        ends.into_iter().flatten().min()
    }

    pub(super) fn forget_accepted(&mut self, now: Duration) {
        while self
            .accepted_ends
            .front()
            .is_some_and(|(end, _)| *end <= now)
        {
            self.forget_first_accepted();
        }
    }

    pub(super) fn forget_first_accepted(&mut self) {
        if let Some((_, digest)) = self.accepted_ends.pop_front() {
            self.accepted.remove(&digest);
        }
    }

    pub(super) fn take_sessions(&mut self) -> impl Sized + use<I, S, R> {
        let sessions = std::mem::take(&mut self.sessions);
        (sessions, std::mem::take(&mut self.replaced))
    }
}

impl<S> Entry<S> {
    /// Ends the session and returns its slot, for a newer session. `None` if it has ended, or if its message is being
    /// processed.
    pub(in crate::relay) fn take_slot(&self) -> Option<Reservation<MessageHeader>> {
        let mut stage = self.stage.try_lock().ok()?;
        match std::mem::replace(&mut *stage, Stage::Ended) {
            Stage::Open { slot, .. } => Some(slot),
            Stage::Ended => None,
        }
    }
}

impl<I, S, R> std::fmt::Debug for Table<I, S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} sessions, {} spent",
            self.sessions.len(),
            self.exchanges.counts().0
        )
    }
}
