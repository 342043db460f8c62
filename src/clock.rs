//! The only reader of the clock. Everything else takes a [`Clock`], so that expiry, replay and retry are tested without sleeping.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Two readings of time, for two purposes.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Unix time in seconds, for what goes on the wire or to a person. Never goes back while the process lives, so a challenge that has
    /// expired once can't come back to life when the machine's clock is set back.
    fn unix(&self) -> u64;

    /// Time since an arbitrary start, for lifetimes kept inside the process. Steady when the machine's clock is set; goes on while
    /// the machine sleeps, so that a message's time to live means what its owner takes it to mean.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest_unix: AtomicU64,
}

impl Clock for SystemClock {
    fn unix(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let now = std::time::SystemTime::now();
        let seconds = now
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        self.latest_unix
            .fetch_max(seconds, Ordering::Relaxed)
            .max(seconds)
    }

    fn elapsed(&self) -> Duration {
        // CLOCK_BOOTTIME, not std's CLOCK_MONOTONIC, because the latter stands still during suspend.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(now.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    start_unix: u64,
    elapsed: Mutex<Duration>,
}

impl ManualClock {
    /// A clock that stands at `start_unix` seconds.
    #[must_use]
    pub fn new(start_unix: u64) -> Self {
        Self {
            start_unix,
            elapsed: Mutex::new(Duration::ZERO),
        }
    }

    /// Lets `time` pass.
    pub fn advance(&self, time: Duration) {
        *crate::lock(&self.elapsed) += time;
    }
}

impl Clock for ManualClock {
    fn unix(&self) -> u64 {
        self.start_unix + self.elapsed().as_secs()
    }

    fn elapsed(&self) -> Duration {
        *crate::lock(&self.elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_time_never_goes_back() {
        let clock = SystemClock::default();
        let ahead = clock.unix() + 3600;
        clock.latest_unix.store(ahead, Ordering::Relaxed);
        assert_eq!(clock.unix(), ahead);
    }

    #[test]
    fn manual_clock_moves_both_readings() {
        let clock = ManualClock::new(1000);
        clock.advance(Duration::from_millis(2500));
        assert_eq!(clock.unix(), 1002);
        assert_eq!(clock.elapsed(), Duration::from_millis(2500));
    }
}
