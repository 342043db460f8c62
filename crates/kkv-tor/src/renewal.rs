//! Keeps Tor going: a run that is stuck is replaced by a new one.
//!
//! arti tries a relay that has failed again after half a minute, then after up to three times as long, and so on. So a
//! network that comes back after it was away for minutes would not be noticed for minutes more. A new run tries all at
//! once, with the guards and the directory of the last.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::run::{Client, Plan, Run};
use kkv_base::clock::{Clock, SystemClock};
use kkv_base::limits::{
    CLOCK_CHECK_INTERVAL, CLOCK_STEP, LATER_STUCK_TIMEOUT, MAX_RESTART_DELAY, RESTART_DELAY,
    RESTART_RETRY_DELAY, STUCK_TIMEOUT,
};
use kkv_net::tor::{TorState, TorTrouble};

/// The client of the present run; none while one run ends and the next begins.
pub(super) type Present = Option<Arc<Client>>;

/// Replaces `run` by another of `plan`, and that by another, whenever it is stuck.
pub(super) async fn keep_going(plan: Plan, mut run: Run, present: watch::Sender<Present>) {
    let mut renewals = 0;
    loop {
        stuck(&plan, &mut renewals).await;
        present.send_replace(None);
        drop(run);
        run = another(&plan).await;
        present.send_replace(Some(Arc::clone(&run.client)));
    }
}

/// Starts another run, however often that fails, which is told: the last one takes a moment to let go of its files, and
/// the disk may be full.
async fn another(plan: &Plan) -> Run {
    let mut pause = RESTART_RETRY_DELAY;
    loop {
        match plan.start(true).await {
            Ok(run) => return run,
            Err(fault) => {
                plan.not_started(&fault);
                sleep(pause).await;
            }
        }
        pause = MAX_RESTART_DELAY.min(2 * pause);
    }
}

/// How a run is doing, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Done,
    Moving,
    /// Without a network.
    Cut,
    /// With a network, and no nearer.
    Stuck,
}

impl Progress {
    fn of(state: TorState) -> Self {
        match state {
            TorState::Connected | TorState::Reachable => Self::Done,
            TorState::Connecting { trouble: None, .. } => Self::Moving,
            TorState::Lost { .. }
            | TorState::Connecting {
                trouble: Some(TorTrouble::Offline | TorTrouble::Unreachable),
                ..
            } => Self::Cut,
            TorState::Connecting { .. } | TorState::Publishing { .. } => Self::Stuck,
        }
    }

    /// How long this may last before Tor is begun anew, which it was that many times already.
    fn patience(self, renewals: u32) -> Option<Duration> {
        match (self, renewals) {
            (Self::Done | Self::Moving, _) => None,
            (Self::Cut, _) => {
                let doubled = RESTART_DELAY.saturating_mul(1 << renewals.min(16));
                Some(doubled.min(MAX_RESTART_DELAY))
            }
            (Self::Stuck, 0) => Some(STUCK_TIMEOUT),
            (Self::Stuck, _) => Some(LATER_STUCK_TIMEOUT),
        }
    }

    /// Whether a visitor who is there may yet get what he came for.
    fn serves(self) -> bool {
        self != Self::Cut
    }
}

/// Returns when the present run has been stuck for too long; `renewals` counts how often that has happened since all
/// was well.
async fn stuck(plan: &Plan, renewals: &mut u32) {
    let mut state = plan.state();
    loop {
        let now = Progress::of(*state.borrow_and_update());
        if now == Progress::Done {
            *renewals = 0;
        }
        let patience = now.patience(*renewals);
        let too_long = async {
            match patience {
                Some(patience) => tokio::select! {
                    () = sleep(patience) => {}
                    () = clock_set() => {}
                },
                None => pending().await,
            }
        };
        tokio::select! {
            _ = state.wait_for(|next| Progress::of(*next) != now) => {}
            () = too_long => if !(now.serves() && plan.is_used()) {
                *renewals += 1;
                return;
            }
        }
    }
}

/// Returns when the machine's clock has been set, or the machine was asleep: whatever was tried before may well work
/// now.
async fn clock_set() {
    let wall = || SystemClock::default().wall();
    let (began, start) = (Instant::now(), wall());
    loop {
        sleep(CLOCK_CHECK_INTERVAL).await;
        let expected = start + began.elapsed().as_secs();
        if wall().abs_diff(expected) > CLOCK_STEP.as_secs() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_works_or_moves_is_begun_anew() {
        for state in [
            TorState::Connected,
            TorState::Reachable,
            TorState::Connecting {
                percent: 20,
                trouble: None,
            },
        ] {
            assert_eq!(Progress::of(state).patience(0), None);
        }
    }

    #[test]
    fn who_is_stuck_again_waits_longer_up_to_a_bound() {
        let lost = Progress::of(TorState::Lost {
            trouble: TorTrouble::Offline,
        });
        assert_eq!(lost.patience(0), Some(RESTART_DELAY));
        assert_eq!(lost.patience(1), Some(2 * RESTART_DELAY));
        assert_eq!(lost.patience(u32::MAX), Some(MAX_RESTART_DELAY));
        let publishing = Progress::of(TorState::Publishing { trouble: None });
        assert_eq!(publishing.patience(0), Some(STUCK_TIMEOUT));
        assert_eq!(publishing.patience(9), Some(LATER_STUCK_TIMEOUT));
    }
}
