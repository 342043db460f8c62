//! The dead man's switch: when the owner has not been there for too long, everything is wiped.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::sleep;

use crate::queue::Now;
use kkv_base::limits::PURGE_INTERVAL;

/// The step of the runtime's timers.
const TICK: Duration = Duration::from_millis(1);

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

    /// The owner is there. What was over before is over: whoever comes after a suspend may be sooner than the timer,
    /// and gets no message. `wipe` is as for [`wipe_when_over`](Self::wipe_when_over).
    pub fn end(&self, now: Now, wipe: impl FnOnce() -> usize) {
        self.wipe_if_over(now, wipe);
        kkv_base::lock(&self.state).since = now.elapsed;
    }

    /// When messages were last wiped for it, in unix seconds, if ever.
    #[must_use]
    pub fn wiped(&self) -> Option<u64> {
        kkv_base::lock(&self.state).wiped
    }

    /// How much longer it may last; zero if it is over. Then the next one begins.
    fn left(&self, now: Now) -> Duration {
        let mut state = kkv_base::lock(&self.state);
        let left = state.since.saturating_add(self.longest);
        let left = left.saturating_sub(now.elapsed);
        if left.is_zero() {
            state.since = now.elapsed;
        }
        left
    }

    /// Has everything wiped whenever it has lasted too long, until dropped. `wipe` returns how many messages there
    /// were.
    pub async fn wipe_when_over(&self, now: impl Fn() -> Now, wipe: impl Fn() -> usize) {
        loop {
            let left = self.wipe_if_over(now(), &wipe);
            // No longer than this at a time: while the machine sleeps, the clock goes on and a timer stands still.
            // And no shorter than a timer can: whatever the time is, others have their turn.
            sleep(left.clamp(TICK, PURGE_INTERVAL)).await;
        }
    }

    /// Returns how much longer this one may last, or the next one if this one was over.
    fn wipe_if_over(&self, now: Now, wipe: impl FnOnce() -> usize) -> Duration {
        let left = self.left(now);
        if !left.is_zero() {
            return left;
        }
        if wipe() > 0 {
            kkv_base::lock(&self.state).wiped = Some(now.unix);
        }
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const WEEK: u64 = 7 * 24 * 3600;

    fn at(seconds: u64) -> Now {
        Now {
            unix: 1_800_000_000 + seconds,
            elapsed: Duration::from_secs(seconds),
        }
    }

    fn not_over() -> usize {
        unreachable!("it was not over")
    }

    #[test]
    fn it_is_over_after_its_time_unless_the_owner_was_there_and_then_begins_anew() {
        let absence = Absence::new(HOUR, at(0));
        assert_eq!(absence.left(at(3599)), Duration::from_secs(1));
        absence.end(at(3599), not_over);
        assert_eq!(absence.left(at(3600)), Duration::from_secs(3599));
        assert_eq!(absence.left(at(7199)), Duration::ZERO);
        assert_eq!(absence.left(at(7199)), HOUR);
    }

    #[test]
    fn who_comes_after_it_was_over_finds_nothing_also_before_the_timer_has_seen_it() {
        let absence = Absence::new(HOUR, at(0));
        absence.end(at(3599), not_over);
        // The machine sleeps for a week; the timer has some seconds to go.
        let wiped = Cell::new(0);
        absence.end(at(WEEK), || wiped.replace(1) + 1);
        assert_eq!(wiped.get(), 1);
        assert_eq!(absence.wiped(), Some(at(WEEK).unix));
        // And what comes now stays, for as long as the owner does.
        absence.end(at(WEEK + 3599), not_over);
    }

    #[test]
    fn that_nothing_was_there_to_wipe_is_not_worth_telling() {
        let absence = Absence::new(HOUR, at(0));
        absence.end(at(WEEK), || 0);
        assert_eq!(absence.wiped(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn however_short_it_may_last_others_have_their_turn() {
        for longest in [Duration::ZERO, Duration::from_nanos(1)] {
            let absence = Absence::new(longest, at(0));
            let wiped = Cell::new(0);
            tokio::select! {
                biased;
                () = absence.wipe_when_over(|| at(1 + wiped.get()), || {
                    wiped.set(wiped.get() + 1);
                    1
                }) => {}
                () = sleep(100 * TICK) => {}
            }
            assert!(wiped.get() > 0);
        }
    }

    #[test]
    fn a_century_is_no_overflow() {
        let absence = Absence::new(Duration::MAX, at(1));
        assert!(absence.left(at(2)) > HOUR);
    }
}
