//! The dead man's switch: when the owner has not been there for too long, everything is wiped.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::sleep;

use super::Host;
use crate::limits::PURGE_INTERVAL;
use crate::queue::Now;

/// How long the owner has been away. Whatever an owner asks for ends it.
#[derive(Debug)]
pub struct Absence {
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the owner was last there, or an absence was over.
    since: Duration,
    wiped: Option<u64>,
}

impl Absence {
    /// It begins `now`, and may last for `longest`.
    #[must_use]
    pub fn new(longest: Duration, now: Now) -> Self {
        let state = State {
            since: now.elapsed,
            wiped: None,
        };
        Self {
            longest,
            state: Mutex::new(state),
        }
    }

    /// How long it may last.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The owner is there.
    pub fn end(&self, now: Now) {
        crate::lock(&self.state).since = now.elapsed;
    }

    /// When messages were last wiped for it, in unix seconds, if ever.
    #[must_use]
    pub fn wiped(&self) -> Option<u64> {
        crate::lock(&self.state).wiped
    }

    /// How much longer it may last; zero if it is over. Then the next one begins.
    fn left(&self, now: Now) -> Duration {
        let mut state = crate::lock(&self.state);
        let left = state.since.saturating_add(self.longest);
        let left = left.saturating_sub(now.elapsed);
        if left.is_zero() {
            state.since = now.elapsed;
        }
        left
    }

    /// Wipes everything whenever it has lasted too long, and tells of how many messages, if there were any, until dropped.
    pub async fn wipe_when_over(&self, host: &dyn Host, tell: impl Fn(usize)) {
        loop {
            let now = host.now();
            let left = self.left(now);
            if left.is_zero() {
                let wiped = host.wipe();
                if !wiped.is_empty() {
                    crate::lock(&self.state).wiped = Some(now.unix);
                    tell(wiped.len());
                }
            } else {
                // No longer than this at a time: while the machine sleeps, the clock goes on and a timer stands still.
                sleep(left.min(PURGE_INTERVAL)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: u64) -> Now {
        Now {
            unix: 1_800_000_000 + seconds,
            elapsed: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn it_is_over_after_its_time_unless_the_owner_was_there_and_then_begins_anew() {
        let absence = Absence::new(HOUR, at(0));
        assert_eq!(absence.left(at(3599)), Duration::from_secs(1));
        absence.end(at(3599));
        assert_eq!(absence.left(at(3600)), Duration::from_secs(3599));
        assert_eq!(absence.left(at(7199)), Duration::ZERO);
        assert_eq!(absence.left(at(7199)), HOUR);
    }

    #[test]
    fn a_century_is_no_overflow() {
        let absence = Absence::new(Duration::MAX, at(1));
        assert!(absence.left(at(2)) > HOUR);
    }
}
