//! Key exchanges, whose answers are cached as long as their sessions are open, or would be but for a wipe: who repeats
//! one is answered the same.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::sessions::{Moment, PaidRequest};
use super::spent::{Challenge, Spent};
use kkv_base::limits::MAX_SPENT;
use kkv_protocol::ids::RequestDigest;
use kkv_protocol::refusal::Refusal;

/// Those of one kind of sessions, by their challenges, which no other kind makes expire early.
pub(super) struct Exchanges<T> {
    spent: Spent,
    cached: HashMap<Challenge, Exchange<T>>,
    ends: BTreeSet<(Duration, Challenge)>,
}

/// One whose answer is cached.
struct Exchange<T> {
    /// Digest of the request.
    digest: RequestDigest,
    /// JSON.
    answer: String,
    /// What finds its session.
    session: T,
    end: Duration,
}

impl<T> Exchanges<T> {
    /// None.
    pub(super) fn new() -> Self {
        Self {
            spent: Spent::new(MAX_SPENT),
            cached: HashMap::new(),
            ends: BTreeSet::new(),
        }
    }

    /// The answer to this request, if it was answered before.
    ///
    /// # Errors
    /// `spent` if its challenge was spent on another request, or on a session that has ended; `expired`.
    pub(super) fn answer(
        &self,
        paid: &PaidRequest,
        now: Duration,
    ) -> Result<Option<String>, Refusal> {
        if self.spent.is_expired(&paid.challenge) {
            return Err(Refusal::Expired);
        }
        if !self.spent.contains(&paid.challenge) {
            return Ok(None);
        }
        match self.cached.get(&paid.challenge) {
            Some(exchange) if now < exchange.end && exchange.digest == paid.digest => {
                Ok(Some(exchange.answer.clone()))
            }
            _ => Err(Refusal::Spent),
        }
    }

    /// Spends the challenge, and keeps the answer until this time.
    pub(super) fn insert(&mut self, paid: &PaidRequest, answer: String, session: T, end: Duration) {
        let exchange = Exchange {
            digest: paid.digest,
            answer,
            session,
            end,
        };
        self.spent.insert(paid.challenge);
        self.cached.insert(paid.challenge, exchange);
        self.ends.insert((end, paid.challenge));
    }

    /// It is kept until this time, if it is there.
    pub(super) fn set_end(&mut self, challenge: &Challenge, end: Duration) {
        if let Some(exchange) = self.cached.get_mut(challenge) {
            self.ends.remove(&(exchange.end, *challenge));
            self.ends.insert((end, *challenge));
            exchange.end = end;
        }
    }

    /// Forgets the answer, and returns what finds its session. The challenge stays spent.
    pub(super) fn forget(&mut self, challenge: &Challenge) -> Option<T> {
        let exchange = self.cached.remove(challenge)?;
        self.ends.remove(&(exchange.end, *challenge));
        Some(exchange.session)
    }

    /// Forgets the next answer whose time is over. `None` if there is none.
    pub(super) fn expire(&mut self, now: Duration) -> Option<T> {
        let (end, challenge) = self.ends.first().copied()?;
        if now < end {
            return None;
        }
        self.forget(&challenge)
    }

    /// Forgets spent challenges that have expired.
    pub(super) fn forget_spent(&mut self, now: Moment) {
        self.spent.forget(now.challenges);
    }

    /// When something expires next.
    pub(super) fn next_end(&self, now: Moment) -> Option<Duration> {
        let expiry = self.spent.next_expiry().map(|unix| now.when(unix));
        let first = self.ends.first().map(|(end, _)| *end);
        [first, expiry].into_iter().flatten().min()
    }

    /// What finds the sessions of all.
    pub(super) fn sessions_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.cached
            .values_mut()
            .map(|exchange| &mut exchange.session)
    }

    /// Forgets every answer. Challenges stay spent.
    pub(super) fn clear(&mut self) {
        self.cached.clear();
        self.ends.clear();
    }

    /// How many challenges are spent, and for how many of them there is an answer.
    pub(super) fn counts(&self) -> (usize, usize) {
        debug_assert_eq!(self.cached.len(), self.ends.len());
        (self.spent.len(), self.cached.len())
    }
}
