//! Checks of payments that take long: those of class `pbkdf2` (PROTOCOL.md §18), half a millisecond or more each.
//!
//! They have a thread of their own, so nobody else waits for one. It checks one at a time and rests after each for as
//! long as it took: it never takes more than half of a processor. Few wait for it, and who comes when all places are
//! taken is refused and keeps what he has paid. What is wrong spends its challenge, and to send another costs a search
//! for hashes that fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::payments::{plausible, spendable};
use super::{NotTaken, Offers, Payment};
use crate::relay::Relay;
use crate::relay::spent::{self, Spent};
use kkv_base::limits::{MAX_CHECKS, MAX_RIGHT, MAX_WRONG};
use kkv_page::challenge::Challenge;
use kkv_page::derived::Claim;

/// Places for checks.
#[derive(Debug)]
pub(super) struct Checks {
    waiting: Arc<Semaphore>,
    turn: Semaphore,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(MAX_CHECKS)),
            turn: Semaphore::new(1),
        }
    }
}

/// What was found, until the challenges expire.
#[derive(Debug)]
pub(super) struct Verdicts {
    wrong: Spent,
    /// Digests of the nonces that solve a challenge.
    right: BTreeMap<spent::Challenge, blake3::Hash>,
}

impl Default for Verdicts {
    fn default() -> Self {
        Self {
            wrong: Spent::new(MAX_WRONG),
            right: BTreeMap::new(),
        }
    }
}

impl Verdicts {
    /// Whether a wrong solution of it has come, or may have come.
    pub(super) fn is_wrong(&self, challenge: &spent::Challenge) -> bool {
        self.wrong.contains(challenge) || self.wrong.is_expired(challenge)
    }

    pub(super) fn is_right(&self, challenge: &Challenge, payment: &Payment) -> bool {
        self.right.get(&spendable(challenge)) == Some(&digest(payment))
    }

    fn note(&mut self, challenge: &Challenge, payment: &Payment, holds: bool) {
        let challenge = spendable(challenge);
        if !holds {
            self.wrong.insert(challenge);
            return;
        }
        self.right.insert(challenge, digest(payment));
        if self.right.len() > MAX_RIGHT {
            self.right.pop_first(); // it would have expired first; it can be checked once more
        }
    }

    /// Forgets what has expired. Returns when something is next, in seconds.
    pub(super) fn forget(&mut self, now: u64) -> Option<u64> {
        self.wrong.forget(now);
        while let Some(first) = self.right.first_entry()
            && first.key().expiry() <= now
        {
            first.remove();
        }
        let right = self.right.keys().next().map(spent::Challenge::expiry);
        [self.wrong.next_expiry(), right]
            .into_iter()
            .flatten()
            .min()
    }
}

fn digest(payment: &Payment) -> blake3::Hash {
    blake3::hash(payment.nonces.as_bytes())
}

impl Relay {
    /// Has a payment checked that would let its message in if it is good, before [`take_form`](Self::take_form),
    /// [`check_form`](Self::check_form) or [`begin_upload`](Self::begin_upload) judges it, and remembers what was
    /// found. Nothing to do for others.
    ///
    /// # Errors
    /// Too many are being checked, or the relay is about to stop.
    pub(in crate::relay) async fn confirm(
        self: &Arc<Self>,
        offers: &Offers<'_>,
    ) -> Result<(), NotTaken> {
        let Some(page) = self.page() else {
            return Ok(());
        };
        let Some((challenge, claim)) = self.unconfirmed(offers) else {
            return Ok(());
        };
        let waiting = Arc::clone(&page.checks.waiting).try_acquire_owned();
        let place = waiting.map_err(|_| NotTaken::Busy)?;
        let (tell, told) = oneshot::channel();
        let payment = offers.payment.clone();
        // A task of its own: who hangs up meanwhile is checked all the same, and what was wrong is spent.
        tokio::spawn(Arc::clone(self).check(challenge, claim, payment, place, tell));
        told.await.map_err(|_| NotTaken::Stopping)
    }

    fn unconfirmed(&self, offers: &Offers<'_>) -> Option<(Challenge, Claim)> {
        let (page, now) = (self.page()?, self.clock.elapsed());
        if !offers.invitation.trim().is_empty() || self.must_have_room(offers.wants, now).is_err() {
            return None;
        }
        let state = page.state();
        let (challenge, claim) = plausible(page, &state, offers.payment, now)?;
        let is_open = !state.verdicts.is_right(&challenge, offers.payment)
            && self.buys(challenge.cost(), offers.wants, now);
        claim.filter(|_| is_open).map(|claim| (challenge, claim))
    }

    async fn check(
        self: Arc<Self>,
        challenge: Challenge,
        claim: Claim,
        payment: Payment,
        place: OwnedSemaphorePermit,
        tell: oneshot::Sender<()>,
    ) {
        let Some(page) = self.page() else {
            return;
        };
        let Ok(_turn) = page.checks.turn.acquire().await else {
            return;
        };
        // Another solution of it may have been wrong while this one waited.
        if page.state().is_spent(&challenge) {
            let _ = tell.send(());
            return;
        }
        let began = Instant::now();
        let Ok(holds) = spawn_blocking(move || claim.holds()).await else {
            return; // the runtime ends
        };
        page.state().verdicts.note(&challenge, &payment, holds);
        let _ = tell.send(());
        sleep(began.elapsed()).await;
        drop(place);
    }
}
