//! How long a solution takes: known only by its odds.

use std::time::Duration;

use super::Puzzle;

/// The odds of a search for k nonces, found one after the other at random, that takes a certain time on average.
///
/// The time is the sum of k exponential ones (an Erlang distribution): its standard deviation is mean/√k.
#[derive(Debug, Clone, Copy)]
pub struct Odds {
    count: usize,
    /// Seconds. Infinite if nothing is tried at all.
    mean: f64,
}

impl Odds {
    /// Of solving `puzzle` with `rate` hashes a second.
    #[must_use]
    pub fn new(puzzle: &Puzzle, rate: f64) -> Self {
        Self {
            count: puzzle.count(),
            mean: puzzle.cost().expected_hashes() / rate,
        }
    }

    /// How long it takes on average.
    #[must_use]
    pub fn mean(&self) -> Duration {
        duration(self.mean)
    }

    /// The chance to be done after `time`, 0 to 1: 1 − e^(−x) · Σ_(i<k) x^i / i!, with x = k · time / mean.
    #[must_use]
    pub fn by(&self, time: Duration) -> f64 {
        let x = self.count as f64 * time.as_secs_f64() / self.mean;
        let (mut term, mut sum) = ((-x).exp(), 0.0);
        for i in 0..self.count {
            sum += term;
            term *= x / (i + 1) as f64;
        }
        (1.0 - sum).max(0.0) // rounding may have gone below
    }

    /// The time within which the share `chance` (above 0, below 1) of all searches is done.
    #[must_use]
    pub fn within(&self, chance: f64) -> Duration {
        // It grows with time, so halving an interval finds it, to a millionth of the mean.
        let (mut early, mut late) = (0.0, 50.0);
        while late - early > 1e-6 {
            let middle = (early + late) / 2.0;
            if self.by(duration(self.mean * middle)) < chance {
                early = middle;
            } else {
                late = middle;
            }
        }
        duration(self.mean * late)
    }
}

/// The longest there is, if it is longer than that.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, PuzzleKey, Seed};

    fn of(bits: u32, rate: f64) -> [Odds; 2] {
        let cost = Cost::new(bits).unwrap();
        let (seed, key) = (Seed([0; 32]), PuzzleKey([0; 32]));
        [Puzzle::V1 { seed, cost }, Puzzle::V2 { key, cost }].map(|p| Odds::new(&p, rate))
    }

    /// The quantiles of the exponential and of the Erlang distribution with sixteen steps, over their means
    /// (PROTOCOL.md §5).
    #[test]
    fn the_quantiles_are_those_of_the_textbook() {
        let [one, sixteen] = of(10, 1024.0);
        assert_eq!(one.mean(), Duration::from_secs(1));
        for (odds, chance, over_mean) in [
            (one, 0.5, 0.693),
            (one, 0.9, 2.303),
            (one, 0.99, 4.605),
            (sixteen, 0.5, 0.979),
            (sixteen, 0.9, 1.331),
            (sixteen, 0.99, 1.671),
            (sixteen, 0.999, 1.953),
        ] {
            let time = odds.within(chance);
            assert!(
                (time.as_secs_f64() - over_mean).abs() < 0.001,
                "{chance}: {time:?}"
            );
            assert!((odds.by(time) - chance).abs() < 0.001);
        }
    }

    #[test]
    fn a_chance_is_never_below_none() {
        for bits in 0..=60 {
            for rate in [1e3, 1e6, 1e7, 4e8] {
                for seconds in [1, 60, 480, 86_400] {
                    for odds in of(bits, rate) {
                        let chance = odds.by(Duration::from_secs(seconds));
                        assert!(
                            (0.0..=1.0).contains(&chance),
                            "{bits}, {rate}, {seconds}: {chance}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_overflows() {
        for odds in of(60, 0.0).into_iter().chain(of(60, 1.0)) {
            let chance = odds.by(Duration::from_secs(480));
            assert!((0.0..1e-9).contains(&chance), "{chance}");
            assert_eq!(odds.by(Duration::ZERO), 0.0);
        }
        for odds in of(0, 1e12) {
            assert_eq!(odds.by(Duration::from_secs(480)), 1.0);
        }
        assert_eq!(of(60, 0.0)[0].mean(), Duration::MAX);
    }
}
