//! Spent challenges: each opens one session, once (PROTOCOL.md §3).
//!
//! A spent challenge is remembered until it expires, in at most 64 bytes; at most `MAX_SPENT` are. At the limit nobody
//! who pays is refused. Instead the table moves its horizon: it forgets the challenges that expire first, and from then
//! on treats every challenge with such an early expiry as expired, spent or not. So no challenge is accepted twice, and
//! one ends early only after `MAX_SPENT` later ones have been paid.

use std::collections::BTreeSet;

use kkv_protocol::ids::Seed;

/// What a spent challenge is recognised by: its expiry and eight of its sixteen random bytes. Two challenges of the
/// same second share these with probability 2^-64.
///
/// The random bytes are independent of the sender. The tag after them is a function of the sender's key, so keeping it
/// would let whoever reads this memory test whose challenge it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Challenge {
    /// In unix seconds. The first field, as the table is ordered by it.
    expiry: u64,
    random: u64,
}

impl Challenge {
    /// The challenge with this expiry, in unix seconds, and seed.
    pub(super) fn new(expiry: u64, seed: &Seed) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = seed.0;
        let random = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Self { expiry, random }
    }

    /// In unix seconds.
    pub(super) fn expiry(&self) -> u64 {
        self.expiry
    }
}

/// The spent challenges of one suite.
#[derive(Debug)]
pub(super) struct Spent {
    challenges: BTreeSet<Challenge>,
    most: usize,
    /// The horizon, in unix seconds: challenges that expire by then are forgotten, and count as expired.
    horizon: u64,
}

impl Spent {
    /// An empty table for at most `most` challenges.
    pub(super) fn new(most: usize) -> Self {
        Self {
            challenges: BTreeSet::new(),
            most,
            horizon: 0,
        }
    }

    /// Whether `challenge` is remembered as spent.
    pub(super) fn contains(&self, challenge: &Challenge) -> bool {
        self.challenges.contains(challenge)
    }

    /// Whether `challenge` has expired, or lies below the horizon, where it is unknown whether it was spent.
    pub(super) fn is_expired(&self, challenge: &Challenge) -> bool {
        challenge.expiry <= self.horizon
    }

    /// Spends `challenge`. At the limit, forgets those that expire first.
    pub(super) fn insert(&mut self, challenge: Challenge) {
        self.challenges.insert(challenge);
        while self.challenges.len() > self.most
            && let Some(first) = self.challenges.first()
        {
            self.forget(first.expiry);
        }
    }

    /// Moves the horizon up to `unix`: a request whose expiry was checked just before is checked against it again.
    pub(super) fn forget(&mut self, unix: u64) {
        self.horizon = self.horizon.max(unix);
        while self
            .challenges
            .first()
            .is_some_and(|first| self.is_expired(first))
        {
            self.challenges.pop_first();
        }
    }

    /// When the next of them expires, in unix seconds.
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
        Challenge::new(expiry, &Seed(seed))
    }

    #[test]
    fn at_the_limit_the_first_to_expire_are_forgotten_and_stay_expired() {
        let mut spent = Spent::new(3);
        for number in 0..3 {
            spent.insert(challenge(100 + number / 2, number));
        }
        assert!(!spent.is_expired(&challenge(100, 9)));
        spent.insert(challenge(105, 7));
        // Both of that second: the horizon can't tell one from the other.
        for number in 0..2 {
            let gone = challenge(100, number);
            assert!(!spent.contains(&gone) && spent.is_expired(&gone));
        }
        assert!(spent.is_expired(&challenge(100, 9)), "spent or not");
        assert!(spent.contains(&challenge(101, 2)) && !spent.is_expired(&challenge(101, 9)));
        assert_eq!((spent.len(), spent.next_expiry()), (2, Some(101)));
        spent.forget(50); // a clock that was behind brings nothing back
        assert!(spent.is_expired(&challenge(100, 9)));
    }

    proptest! {
        /// In any order and while time passes: what is spent stays spent or expired, and the table stays bounded.
        #[test]
        fn what_was_spent_is_never_accepted_again(
            steps in vec((0..20_u64, 0..4_u64, 0..3_u64), 1..60), most in 1..8_usize,
        ) {
            let mut spent = Spent::new(most);
            let (mut now, mut all) = (0, Vec::new());
            for (expiry, random, passed) in steps {
                now += passed;
                spent.forget(now);
                let new = challenge(expiry, random);
                if !spent.is_expired(&new) && !spent.contains(&new) {
                    spent.insert(new);
                    all.push(new);
                }
                prop_assert!(spent.len() <= most);
                for one in &all {
                    prop_assert!(spent.contains(one) || spent.is_expired(one), "{one:?} in {spent:?}");
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
