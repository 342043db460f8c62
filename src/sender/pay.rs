//! Pays: has a solution searched for, in the time there is, and not without consent where that will hardly do.

use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::{Delivery, Event, Failure, Price};
use crate::limits::{LIKELY, MAX_PAYMENTS, RATE_TIME, SLOWEST_RATE};
use crate::pow::{Odds, Puzzle, Search, Solution};
use crate::tor::Dial;

/// Ends a search when dropped, so that a cancelled delivery leaves no thread working.
struct StopOnDrop(Arc<Search>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The time that a sender is ready to spend on payments, which it may have to make again.
#[derive(Debug)]
pub(super) struct Purse {
    left: Duration,
    payments: u32,
}

impl Purse {
    pub(super) fn new(left: Duration) -> Self {
        Self { left, payments: 0 }
    }

    /// Whether another payment for the same message makes sense.
    pub(super) fn pays_again(&self) -> bool {
        self.payments < MAX_PAYMENTS && !self.left.is_zero()
    }
}

impl<D: Dial> Delivery<'_, D> {
    /// Searches until found or `time` since it was `asked` is over, the purse's at most.
    pub(super) async fn pay(
        &self,
        puzzle: Puzzle,
        asked: Instant,
        time: Duration,
        purse: &mut Purse,
        rng: &mut impl CryptoRng,
    ) -> Result<Solution, Failure> {
        let time = time.min(purse.left); // a day at most, so that no instant overflows
        self.agree(&puzzle, time).await?;
        let mut prefix = [0; 24];
        rng.fill_bytes(&mut prefix);
        let search = Arc::new(Search::default());
        let guard = StopOnDrop(Arc::clone(&search));
        self.observer.event(Event::Solving {
            search: Arc::clone(&search),
            puzzle: puzzle.clone(),
            time: time.saturating_sub(asked.elapsed()),
        });
        let solver = self.solver;
        let solving = spawn_blocking(move || solver.solve(&puzzle, &prefix, &search));
        let found = timeout_at(asked + time, solving).await;
        drop(guard);
        purse.left = purse.left.saturating_sub(asked.elapsed());
        purse.payments += 1;
        match found {
            Ok(Ok(Some(solution))) => Ok(solution),
            _ => Err(Failure::NotInTime(time)),
        }
    }

    /// Where it is in doubt, measures whether this machine is fast enough, and asks if it is hardly so.
    async fn agree(&self, puzzle: &Puzzle, time: Duration) -> Result<(), Failure> {
        if Odds::new(puzzle, SLOWEST_RATE).by(time) > LIKELY {
            return Ok(());
        }
        let (solver, measured) = (self.solver, puzzle.clone());
        let rate = spawn_blocking(move || solver.rate(&measured, RATE_TIME)).await;
        let price = Price {
            cost: puzzle.cost(),
            odds: Odds::new(puzzle, rate.unwrap_or(SLOWEST_RATE)),
            time,
        };
        if price.odds.by(price.time) > LIKELY || self.observer.consents(price).await {
            Ok(())
        } else {
            Err(Failure::TooDear(price))
        }
    }
}
