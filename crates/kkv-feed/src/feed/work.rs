//! The budget of work for opening strangers' letters: one for all of them, since keys are free.

use kkv_letters::Minutes;

/// At most so many of strangers' letters are opened at once: at 300 µs each that is 0.3 s.
const MOST_AT_ONCE: u32 = 1000;

/// And so many in each minute from then on.
const EACH_MINUTE: u32 = 200;

/// How many of strangers' letters may be opened. Grows with time, up to a bound.
#[derive(Debug)]
pub struct Work {
    left: u32,
    most: u32,
    each_minute: u32,
    filled: Minutes,
}

impl Work {
    /// A full budget.
    #[must_use]
    pub fn new(now: Minutes) -> Self {
        Self::with(MOST_AT_ONCE, EACH_MINUTE, now)
    }

    /// A full budget of `most` letters, to which `each_minute` come.
    #[must_use]
    pub fn with(most: u32, each_minute: u32, now: Minutes) -> Self {
        Self {
            left: most,
            most,
            each_minute,
            filled: now,
        }
    }

    /// Takes the work for one letter. Returns whether there was any left.
    pub(super) fn take(&mut self, now: Minutes) -> bool {
        let passed = now.0.saturating_sub(self.filled.0);
        self.filled = self.filled.max(now);
        let more = passed.saturating_mul(self.each_minute);
        self.left = self.left.saturating_add(more).min(self.most);
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        self.left = left;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_bounded_at_once_and_grows_with_time_alone() {
        let mut work = Work::with(3, 2, Minutes(10));
        let mut taken = |minute| (0..10).filter(|_| work.take(Minutes(minute))).count();
        assert_eq!(taken(10), 3);
        assert_eq!(taken(11), 2);
        assert_eq!(taken(9), 0, "the clock went back");
        assert_eq!(taken(11), 0);
        assert_eq!(taken(100), 3);
    }
}
