//! What is remembered of the sessions of one suite, and until when.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::{Claim, Entry, Moment, Name};
use crate::queue::Reservation;
use crate::relay::spent::{Challenge, Spent};
use kkv_protocol::Envelope;
use kkv_protocol::refusal::Refusal;

/// An exchange whose answer is given again to the same request: until its session has taken a message or its time is
/// over.
pub(super) struct Exchange {
    pub(super) request: [u8; 32],
    /// JSON.
    pub(super) answer: String,
    /// `None` after a wipe: then there is no such session any more.
    pub(super) session: Option<Name>,
    pub(super) end: Duration,
}

/// All of it.
pub(super) struct Table<S, R> {
    pub(super) spent: Spent,
    pub(super) exchanges: HashMap<Challenge, Exchange>,
    /// Ends of exchanges, and of their sessions with them.
    pub(super) ends: BTreeSet<(Duration, Challenge)>,
    pub(super) sessions: HashMap<Name, Arc<Entry<S>>>,
    /// Slots of sessions that newer ones have replaced, until these would have ended: see [`super::Sessions::open`].
    pub(super) held: BTreeMap<(Duration, Challenge), Reservation<Envelope>>,
    /// By the digest of its request: what was answered to a message that is in the queue, or was. It names neither
    /// sender nor session.
    pub(super) accepted: HashMap<[u8; 32], R>,
    pub(super) accepted_ends: VecDeque<(Duration, [u8; 32])>,
}

impl<S, R> Table<S, R> {
    pub(super) fn repeated(&self, claim: &Claim, now: Duration) -> Result<Option<String>, Refusal> {
        if self.spent.is_over(&claim.challenge) {
            return Err(Refusal::Expired);
        }
        if !self.spent.contains(&claim.challenge) {
            return Ok(None);
        }
        match self.exchanges.get(&claim.challenge) {
            Some(exchange) if now < exchange.end && exchange.request == claim.request => {
                Ok(Some(exchange.answer.clone()))
            }
            _ => Err(Refusal::Spent),
        }
    }

    /// Takes out the session of this name, whose slot is held until the session would have ended.
    pub(super) fn replace(&mut self, name: &Name) -> Option<Arc<Entry<S>>> {
        let older = self.sessions.remove(name)?;
        self.end_exchange(&older.challenge);
        if let Some(slot) = older.give_way() {
            self.held.insert((older.end, older.challenge), slot);
        }
        Some(older)
    }

    pub(super) fn end_exchange(&mut self, challenge: &Challenge) -> Option<Exchange> {
        let exchange = self.exchanges.remove(challenge)?;
        self.ends.remove(&(exchange.end, *challenge));
        Some(exchange)
    }

    /// Takes out what is due; dropping it, which wipes keys and slots, is left to the caller, outside the lock.
    pub(super) fn purge(&mut self, now: Moment) -> Vec<Arc<Entry<S>>> {
        let mut expired = Vec::new();
        while let Some((end, challenge)) = self.ends.first().copied() {
            if now.elapsed < end {
                break;
            }
            self.ends.pop_first();
            let session = self.end_exchange(&challenge).and_then(|it| it.session);
            expired.extend(session.and_then(|name| self.sessions.remove(&name)));
        }
        while let Some(first) = self.held.first_entry()
            && first.key().0 <= now.elapsed
        {
            first.remove();
        }
        self.forget_accepted(now.elapsed);
        self.spent.forget(now.challenges);
        expired
    }

    pub(super) fn next_end(&self, now: Moment) -> Option<Duration> {
        let expiry = self.spent.next_expiry().map(|unix| {
            let left = Duration::from_secs(unix.saturating_sub(now.challenges));
            now.elapsed + left
        });
        let ends = [
            self.ends.first().map(|(end, _)| *end),
            self.held.keys().next().map(|(end, _)| *end),
            self.accepted_ends.front().map(|(end, _)| *end),
            expiry,
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

    pub(super) fn take_sessions(&mut self) -> impl Sized + use<S, R> {
        let sessions = std::mem::take(&mut self.sessions);
        (sessions, std::mem::take(&mut self.held))
    }
}

impl<S, R> std::fmt::Debug for Table<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} sessions, {} spent",
            self.sessions.len(),
            self.spent.len()
        )
    }
}
