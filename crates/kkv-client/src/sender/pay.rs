//! Pays: has a solution searched for, in the time there is, and not without consent where that will hardly do.

use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::budget::{Deadline, TimeBudget};
use super::delivery::{Delivery, Event, Price};
use super::failure::Failure;
use kkv_base::limits::{MIN_ODDS, RATE_SAMPLE_TIME, SLOWEST_RATE};
use kkv_net::tor::Dial;
use kkv_pow::{Odds, Puzzle, Search, Solution};

/// Ends a search when dropped, so that a cancelled delivery leaves no thread working.
struct StopOnDrop(Arc<Search>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl<D: Dial> Delivery<'_, D> {
    /// Settles how long may be paid for a challenge for which the relay gives `given` since it was `asked`. Where it is
    /// in doubt, measures whether this machine is fast enough, and asks if it is hardly so, or takes longer than is
    /// paid without asking. The time is running meanwhile.
    pub(super) async fn agree(
        &self,
        puzzle: &Puzzle,
        budget: &mut TimeBudget,
        asked: Instant,
        given: Duration,
    ) -> Result<Deadline, Failure> {
        let begins = Instant::now();
        let deadline = budget.deadline(begins, asked, given);
        if Odds::new(puzzle, SLOWEST_RATE).by(deadline.time) > MIN_ODDS {
            return Ok(deadline);
        }
        let (solver, measured) = (self.options.solver, puzzle.clone());
        let rate = spawn_blocking(move || solver.rate(&measured, RATE_SAMPLE_TIME)).await;
        let odds = Odds::new(puzzle, rate.expect("nothing in it panics"));
        if odds.by(deadline.time) > MIN_ODDS {
            return Ok(deadline);
        }
        let price = Price {
            cost: puzzle.cost(),
            odds,
            time: if deadline.capped {
                given
            } else {
                deadline.time
            },
            given,
        };
        if self.observer.consents(price).await {
            budget.agreed(given);
            Ok(budget.deadline(begins, asked, given))
        } else {
            Err(Failure::TooDear(price))
        }
    }

    /// Searches until found, or until `deadline` is over: a day at most.
    pub(super) async fn search(
        &self,
        puzzle: Puzzle,
        deadline: Deadline,
        rng: &mut impl CryptoRng,
    ) -> Result<Solution, Failure> {
        let mut prefix = [0; 24];
        rng.fill_bytes(&mut prefix);
        let search = Arc::new(Search::default());
        let guard = StopOnDrop(Arc::clone(&search));
        self.observer.event(Event::Solving {
            search: Arc::clone(&search),
            puzzle: puzzle.clone(),
            time: deadline.ends.saturating_duration_since(Instant::now()),
        });
        let solver = self.options.solver;
        let searching = spawn_blocking(move || solver.solve(&puzzle, &prefix, &search));
        let found = timeout_at(deadline.ends, searching).await;
        drop(guard);
        match found {
            Ok(found) => found.expect("nothing in it panics"),
            Err(_) => None,
        }
        .ok_or(if deadline.capped {
            Failure::UnaskedTimeOver
        } else {
            Failure::NotInTime(deadline.time)
        })
    }
}
