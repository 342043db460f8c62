//! Reads the machine's clock. Whatever is dated or expires takes a [`Clock`], so that it is tested without sleeping.
//! Waits, and how far apart retries are, are by tokio's `Instant`, which a test can stop.
//!
//! What takes real time, which no test moves, is measured by the standard library's `Instant`, in two places that say
//! so by an `#[expect]`: the speed of a search (`crates/kkv-pow/src/solve.rs`) and the patience with an output
//! (`crates/kkv-terminal/src/writer/patience.rs`).

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// Readings of time, each for a purpose.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Unix time in seconds, for people: what the machine's clock shows, which may be set at any moment.
    fn wall(&self) -> u64;

    /// Unix time in seconds, for challenges whose expiry others read as such (kkv/1). Never goes back while the process
    /// lives, so a challenge that has expired once can't come back to life when the machine's clock is set back; nor
    /// does it stand still then, so every challenge expires.
    fn unix(&self) -> u64;

    /// Time since an arbitrary start, for lifetimes kept inside the process. Steady when the machine's clock is set;
    /// goes on while the machine sleeps, so that a message's time to live means what its owner takes it to mean.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock {
    /// The most by which unix time was ever seen ahead of the steady one. After the machine's clock is set back, time
    /// goes on from here.
    lead: Mutex<Duration>,
}

impl SystemClock {
    /// max(`system`, last answer + what has passed since by the steady clock); see [`Clock::unix`].
    fn read(&self, system: Duration, elapsed: Duration) -> u64 {
        let mut lead = crate::lock(&self.lead);
        *lead = (*lead).max(system.saturating_sub(elapsed));
        (elapsed + *lead).as_secs()
    }
}

/// Since 1970, by the machine's clock.
fn system() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing else in the programs does"
    )]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default()
}

impl Clock for SystemClock {
    fn wall(&self) -> u64 {
        system().as_secs()
    }

    fn unix(&self) -> u64 {
        self.read(system(), self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        // CLOCK_BOOTTIME, not std's CLOCK_MONOTONIC, because the latter stands still during suspend.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(now.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }
}

/// A clock that moves only when told to, and is set only when told to; by the same rule as the machine's.
#[derive(Debug)]
pub struct ManualClock {
    readings: Mutex<Readings>,
    rule: SystemClock,
}

#[derive(Debug, Clone, Copy)]
struct Readings {
    wall: Duration,
    elapsed: Duration,
}

impl ManualClock {
    /// A clock that stands at `start_unix` seconds.
    #[must_use]
    pub fn new(start_unix: u64) -> Self {
        Self {
            readings: Mutex::new(Readings {
                wall: Duration::from_secs(start_unix),
                elapsed: Duration::ZERO,
            }),
            rule: SystemClock::default(),
        }
    }

    /// Lets `time` pass.
    pub fn advance(&self, time: Duration) {
        let mut readings = crate::lock(&self.readings);
        readings.wall += time;
        readings.elapsed += time;
    }

    /// Sets it, as a person does or the network's time.
    pub fn set(&self, unix: u64) {
        crate::lock(&self.readings).wall = Duration::from_secs(unix);
    }

    fn readings(&self) -> Readings {
        *crate::lock(&self.readings)
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> u64 {
        self.readings().wall.as_secs()
    }

    fn unix(&self) -> u64 {
        let Readings { wall, elapsed } = self.readings();
        self.rule.read(wall, elapsed)
    }

    fn elapsed(&self) -> Duration {
        self.readings().elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);
    const UNIX: Duration = Duration::from_secs(1_800_000_000);
    const BOOT: Duration = Duration::from_secs(1000);

    #[test]
    fn unix_time_is_the_machines_while_its_clock_is_right() {
        let clock = SystemClock::default();
        for passed in [Duration::ZERO, MINUTE, MINUTE, HOUR] {
            let unix = clock.read(UNIX + passed, BOOT + passed);
            assert_eq!(unix, (UNIX + passed).as_secs());
        }
        #[expect(clippy::disallowed_methods, reason = "it is what this clock reads")]
        let before = std::time::SystemTime::now();
        let before = before.duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!(SystemClock::default().unix() >= before.as_secs());
    }

    #[test]
    fn after_the_machines_clock_was_set_back_unix_time_goes_on_and_does_not_stand_still() {
        let clock = SystemClock::default();
        let ahead = UNIX + HOUR;
        assert_eq!(clock.read(ahead, BOOT), ahead.as_secs());
        for passed in [Duration::ZERO, MINUTE, 2 * MINUTE, 2 * HOUR] {
            let corrected = clock.read(UNIX + passed, BOOT + passed);
            assert_eq!(corrected, (ahead + passed).as_secs());
        }
        let again = clock.read(UNIX + 9 * HOUR, BOOT + 3 * HOUR);
        assert_eq!(again, (UNIX + 9 * HOUR).as_secs(), "set forward it follows");
    }

    proptest! {
        #[test]
        fn unix_time_moves_at_least_as_the_steady_clock_does_whatever_the_machines_clock_says(
            steps in vec((0..4_000_000_000_u64, 0..100_000_u64), 1..20),
        ) {
            let clock = SystemClock::default();
            let mut elapsed = BOOT;
            let mut last = 0;
            for (system, passed) in steps {
                let system = Duration::from_secs(system);
                let passed = Duration::from_secs(passed);
                elapsed += passed;
                let unix = clock.read(system, elapsed);
                prop_assert!(unix >= last + passed.as_secs() && unix >= system.as_secs());
                last = unix;
            }
        }
    }

    #[test]
    fn manual_clock_moves_all_readings_and_is_set_as_the_machines_is() {
        let clock = ManualClock::new(1000);
        clock.advance(Duration::from_millis(2500));
        assert_eq!((clock.wall(), clock.unix()), (1002, 1002));
        clock.set(5000);
        assert_eq!((clock.wall(), clock.unix()), (5000, 5000));
        clock.set(1000);
        assert_eq!((clock.wall(), clock.unix()), (1000, 5000));
        assert_eq!(clock.elapsed(), Duration::from_millis(2500));
    }
}
