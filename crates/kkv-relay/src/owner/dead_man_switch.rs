//! The dead man's switch: wipes everything when the owner has been absent for too long.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::sleep;

use crate::queue::Now;
use kkv_base::limits::PURGE_INTERVAL;

/// The step of the runtime's timers.
const TICK: Duration = Duration::from_millis(1);

/// A timer that every request of the owner resets.
#[derive(Debug)]
pub struct DeadManSwitch {
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When it was last reset, or went off.
    since: Duration,
    /// When it last wiped messages, in unix seconds.
    wiped: Option<u64>,
}

impl DeadManSwitch {
    /// A switch that goes off `timeout` after `now`.
    #[must_use]
    pub fn new(timeout: Duration, now: Now) -> Self {
        let state = State {
            since: now.elapsed,
            wiped: None,
        };
        Self {
            timeout,
            state: Mutex::new(state),
        }
    }

    /// How long the owner may be absent.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The owner is there. If the time was over before, wipes first: after a suspend a request may come sooner than the
    /// timer, and must get no message. `wipe` is as for [`run`](Self::run).
    pub fn reset(&self, now: Now, wipe: impl FnOnce() -> usize) {
        self.wipe_if_due(now, wipe);
        kkv_base::lock(&self.state).since = now.elapsed;
    }

    /// When it last wiped messages, in unix seconds, if ever.
    #[must_use]
    pub fn wiped(&self) -> Option<u64> {
        kkv_base::lock(&self.state).wiped
    }

    /// How much time is left. If that is zero, starts the time anew.
    fn time_left(&self, now: Now) -> Duration {
        let mut state = kkv_base::lock(&self.state);
        let left = state.since.saturating_add(self.timeout);
        let left = left.saturating_sub(now.elapsed);
        if left.is_zero() {
            state.since = now.elapsed;
        }
        left
    }

    /// Calls `wipe` whenever the time is over, until dropped. `wipe` returns how many messages it has wiped.
    pub async fn run(&self, now: impl Fn() -> Now, wipe: impl Fn() -> usize) {
        loop {
            let left = self.wipe_if_due(now(), &wipe);
            // At most that long: while the machine is suspended, the clock goes on and timers stand still. At least a
            // tick, so that other tasks have their turn.
            sleep(left.clamp(TICK, PURGE_INTERVAL)).await;
        }
    }

    /// Calls `wipe` if the time is over. Returns how much time is left then.
    fn wipe_if_due(&self, now: Now, wipe: impl FnOnce() -> usize) -> Duration {
        let left = self.time_left(now);
        if !left.is_zero() {
            return left;
        }
        if wipe() > 0 {
            kkv_base::lock(&self.state).wiped = Some(now.unix);
        }
        self.timeout
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
        let switch = DeadManSwitch::new(HOUR, at(0));
        assert_eq!(switch.time_left(at(3599)), Duration::from_secs(1));
        switch.reset(at(3599), not_over);
        assert_eq!(switch.time_left(at(3600)), Duration::from_secs(3599));
        assert_eq!(switch.time_left(at(7199)), Duration::ZERO);
        assert_eq!(switch.time_left(at(7199)), HOUR);
    }

    #[test]
    fn who_comes_after_it_was_over_finds_nothing_also_before_the_timer_has_seen_it() {
        let switch = DeadManSwitch::new(HOUR, at(0));
        switch.reset(at(3599), not_over);
        // The machine sleeps for a week; the timer has some seconds to go.
        let wiped = Cell::new(0);
        switch.reset(at(WEEK), || wiped.replace(1) + 1);
        assert_eq!(wiped.get(), 1);
        assert_eq!(switch.wiped(), Some(at(WEEK).unix));
        // And what comes now stays, for as long as the owner does.
        switch.reset(at(WEEK + 3599), not_over);
    }

    #[test]
    fn that_nothing_was_there_to_wipe_is_not_worth_telling() {
        let switch = DeadManSwitch::new(HOUR, at(0));
        switch.reset(at(WEEK), || 0);
        assert_eq!(switch.wiped(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn however_short_it_may_last_others_have_their_turn() {
        for longest in [Duration::ZERO, Duration::from_nanos(1)] {
            let switch = DeadManSwitch::new(longest, at(0));
            let wiped = Cell::new(0);
            tokio::select! {
                biased;
                () = switch.run(|| at(1 + wiped.get()), || {
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
        let switch = DeadManSwitch::new(Duration::MAX, at(1));
        assert!(switch.time_left(at(2)) > HOUR);
    }
}
