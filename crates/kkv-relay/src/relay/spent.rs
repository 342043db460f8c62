//! The challenges that have been spent: one opens one session, once (PROTOCOL.md §3).
//!
//! Each is remembered until it expires, in 64 bytes at most. There is room for `MAX_SPENT`; whoever pays is taken all
//! the same. When there is no room left, those that expire first are forgotten, and with them every challenge that
//! expires as early counts as expired, spent or not: none is ever good twice. So a challenge ends before its time only
//! if as many that were made after it have been paid for.

use std::collections::BTreeSet;

/// What a spent challenge is remembered by.
///
/// Eight bytes of the sixteen that the relay has drawn for it: two challenges of one second that share them are one in
/// 2^64. They follow from nothing, where the tag behind them follows from the sender's key; so whoever reads this
/// memory can't test whose challenge it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Challenge {
    /// When it ends, in unix seconds. First, since they are kept in this order.
    expiry: u64,
    random: u64,
}

impl Challenge {
    /// The challenge that ends at `expiry`, with this seed.
    pub(super) fn new(expiry: u64, seed: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *seed;
        let random = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Self { expiry, random }
    }
}

/// The challenges spent of late in one suite.
#[derive(Debug)]
pub(super) struct Spent {
    challenges: BTreeSet<Challenge>,
    most: usize,
    /// Up to which expiry they are forgotten, in unix seconds.
    forgotten: u64,
}

impl Spent {
    /// None yet, and room for so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            challenges: BTreeSet::new(),
            most,
            forgotten: 0,
        }
    }

    /// Whether it has been spent.
    pub(super) fn contains(&self, challenge: &Challenge) -> bool {
        self.challenges.contains(challenge)
    }

    /// Whether it is over: the time has come, or it can't be known any more whether it was spent.
    pub(super) fn is_over(&self, challenge: &Challenge) -> bool {
        challenge.expiry <= self.forgotten
    }

    /// Spends one, and forgets those that expire first if there is no room for it.
    pub(super) fn insert(&mut self, challenge: Challenge) {
        self.challenges.insert(challenge);
        while self.challenges.len() > self.most
            && let Some(first) = self.challenges.first()
        {
            self.forget(first.expiry);
        }
    }

    /// Forgets what has expired at `unix`, and takes it no more: a request may have been checked just before and come
    /// here just after.
    pub(super) fn forget(&mut self, unix: u64) {
        self.forgotten = self.forgotten.max(unix);
        while self
            .challenges
            .first()
            .is_some_and(|first| self.is_over(first))
        {
            self.challenges.pop_first();
        }
    }

    /// When the next one expires, in unix seconds.
    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.challenges.first().map(|first| first.expiry)
    }

    pub(super) fn len(&self) -> usize {
        self.challenges.len()
    }
}

/// Memory of this process, which runs this test [`alone`](kkv_testing::alone), in bytes (proc(5), `status`).
#[cfg(test)]
pub(super) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("as proc(5) says");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .expect("as proc(5) says")
        .trim()
        .trim_end_matches("kB")
        .trim();
    kib.parse::<usize>().expect("as proc(5) says") * 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_base::limits::MAX_SPENT;
    use kkv_testing::alone;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn challenge(expiry: u64, number: u64) -> Challenge {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Challenge::new(expiry, &seed)
    }

    #[test]
    fn with_no_room_the_first_to_expire_goes_and_is_over_for_good() {
        let mut spent = Spent::new(3);
        for number in 0..3 {
            spent.insert(challenge(100 + number / 2, number));
        }
        assert!(!spent.is_over(&challenge(100, 9)));
        spent.insert(challenge(105, 7));
        // Both of its second: one alone could not be told from one that is good.
        for number in 0..2 {
            let gone = challenge(100, number);
            assert!(!spent.contains(&gone) && spent.is_over(&gone));
        }
        assert!(spent.is_over(&challenge(100, 9)), "spent or not");
        assert!(spent.contains(&challenge(101, 2)) && !spent.is_over(&challenge(101, 9)));
        assert_eq!((spent.len(), spent.next_expiry()), (2, Some(101)));
        spent.forget(50); // a clock that was behind brings nothing back
        assert!(spent.is_over(&challenge(100, 9)));
    }

    proptest! {
        /// Whatever is spent, in any order and while time passes: each is spent or over from then on, and there are
        /// never too many.
        #[test]
        fn what_was_spent_is_never_good_again(
            steps in vec((0..20_u64, 0..4_u64, 0..3_u64), 1..60), most in 1..8_usize,
        ) {
            let mut spent = Spent::new(most);
            let (mut now, mut all) = (0, Vec::new());
            for (expiry, random, passed) in steps {
                now += passed;
                spent.forget(now);
                let new = challenge(expiry, random);
                if !spent.is_over(&new) && !spent.contains(&new) {
                    spent.insert(new);
                    all.push(new);
                }
                prop_assert!(spent.len() <= most);
                for one in &all {
                    prop_assert!(spent.contains(one) || spent.is_over(one), "{one:?} in {spent:?}");
                }
            }
        }
    }

    /// Fills a table with challenges that expire when `expiry` says of each. To be run in a process where nothing else
    /// has been: what is given back to the kernel late would be taken off.
    fn each_takes_64_bytes_at_most(expiry: impl Fn(u64) -> u64) {
        let before = resident();
        let mut spent = Spent::new(MAX_SPENT);
        for number in 0..MAX_SPENT as u64 {
            spent.insert(challenge(expiry(number), number));
        }
        assert_eq!(spent.len(), MAX_SPENT);
        let each = (resident() - before) as f64 / MAX_SPENT as f64;
        assert!((8.0..=64.0).contains(&each), "{each} bytes");
    }

    #[test]
    fn each_takes_64_bytes_at_most_if_they_come_in_order() {
        alone(|| each_takes_64_bytes_at_most(|number| 1 + number / 100));
    }

    #[test]
    fn each_takes_64_bytes_at_most_if_they_come_in_any_order() {
        alone(|| each_takes_64_bytes_at_most(|_| rand::rng().random_range(1..1000)));
    }
}
