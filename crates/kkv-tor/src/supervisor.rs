//! Supervises Tor: an instance that is stuck is replaced by a new one.
//!
//! arti backs off exponentially from relays that fail: half a minute, then up to three times as long each time. After
//! an outage of minutes it would notice the network minutes late. A new instance tries all relays at once, with the
//! guards and the directory of the last.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::instance::{Instance, Launcher};
use crate::runtime::Client;
use kkv_base::clock::{Clock, SystemClock};
use kkv_base::limits::{
    CLOCK_CHECK_INTERVAL, CLOCK_STEP, LATER_STUCK_TIMEOUT, MAX_RESTART_DELAY, RESTART_DELAY,
    RESTART_RETRY_DELAY, STUCK_TIMEOUT,
};
use kkv_net::tor::{TorState, TorTrouble};

/// The client of the current instance; `None` between two instances.
pub(crate) type Current = Option<Arc<Client>>;

/// Replaces `instance` whenever it is stuck, for ever.
pub(crate) async fn supervise(
    launcher: Launcher,
    mut instance: Instance,
    current: watch::Sender<Current>,
) {
    let mut restarts = 0;
    loop {
        until_stuck(&launcher, &mut restarts).await;
        current.send_replace(None);
        drop(instance);
        instance = start(&launcher).await;
        current.send_replace(Some(Arc::clone(&instance.client)));
    }
}

/// Starts an instance, and retries and reports failures: the last one takes a moment to release its files, and the disk
/// may be full.
async fn start(launcher: &Launcher) -> Instance {
    let mut pause = RESTART_RETRY_DELAY;
    loop {
        match launcher.start(true).await {
            Ok(instance) => return instance,
            Err(fault) => {
                launcher.not_started(&fault);
                sleep(pause).await;
            }
        }
        pause = MAX_RESTART_DELAY.min(2 * pause);
    }
}

/// A [`TorState`] as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ready,
    Advancing,
    /// Without a network.
    Offline,
    /// With a network, and not ready.
    Stuck,
}

impl Progress {
    fn of(state: TorState) -> Self {
        match state {
            TorState::Connected | TorState::Reachable => Self::Ready,
            TorState::Connecting { trouble: None, .. } => Self::Advancing,
            TorState::Lost { .. }
            | TorState::Connecting {
                trouble: Some(TorTrouble::Offline | TorTrouble::Unreachable),
                ..
            } => Self::Offline,
            TorState::Connecting { .. } | TorState::Publishing { .. } => Self::Stuck,
        }
    }

    /// How long this may last before a restart, after so many restarts in a row.
    fn timeout(self, restarts: u32) -> Option<Duration> {
        match (self, restarts) {
            (Self::Ready | Self::Advancing, _) => None,
            (Self::Offline, _) => {
                let doubled = RESTART_DELAY.saturating_mul(1 << restarts.min(16));
                Some(doubled.min(MAX_RESTART_DELAY))
            }
            (Self::Stuck, 0) => Some(STUCK_TIMEOUT),
            (Self::Stuck, _) => Some(LATER_STUCK_TIMEOUT),
        }
    }

    /// Whether connected clients may still be served.
    fn serves(self) -> bool {
        self != Self::Offline
    }
}

/// Returns when the current instance has been stuck for too long. `restarts` counts how often that has happened since
/// Tor was last ready.
async fn until_stuck(launcher: &Launcher, restarts: &mut u32) {
    let mut state = launcher.state();
    loop {
        let now = Progress::of(*state.borrow_and_update());
        if now == Progress::Ready {
            *restarts = 0;
        }
        let timeout = now.timeout(*restarts);
        let too_long = async {
            match timeout {
                Some(timeout) => tokio::select! {
                    () = sleep(timeout) => {}
                    () = clock_step() => {}
                },
                None => pending().await,
            }
        };
        tokio::select! {
            _ = state.wait_for(|next| Progress::of(*next) != now) => {}
            () = too_long => if !(now.serves() && launcher.is_used()) {
                *restarts += 1;
                return;
            }
        }
    }
}

/// Returns when the machine's clock was set, or the machine was suspended: what failed before may work now.
async fn clock_step() {
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
    fn a_tor_that_is_ready_or_advancing_is_not_restarted() {
        for state in [
            TorState::Connected,
            TorState::Reachable,
            TorState::Connecting {
                percent: 20,
                trouble: None,
            },
        ] {
            assert_eq!(Progress::of(state).timeout(0), None);
        }
    }

    #[test]
    fn the_timeout_grows_with_each_restart_up_to_a_bound() {
        let lost = Progress::of(TorState::Lost {
            trouble: TorTrouble::Offline,
        });
        assert_eq!(lost.timeout(0), Some(RESTART_DELAY));
        assert_eq!(lost.timeout(1), Some(2 * RESTART_DELAY));
        assert_eq!(lost.timeout(u32::MAX), Some(MAX_RESTART_DELAY));
        let publishing = Progress::of(TorState::Publishing { trouble: None });
        assert_eq!(publishing.timeout(0), Some(STUCK_TIMEOUT));
        assert_eq!(publishing.timeout(9), Some(LATER_STUCK_TIMEOUT));
    }
}
