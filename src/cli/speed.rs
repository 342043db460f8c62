//! What paying means on this machine: its rate, measured, and that in words.

use std::time::Duration;

use tokio::task::spawn_blocking;

use kkv_pow::{Cost, Odds, Puzzle, PuzzleKey, Seed, Solver};
use kkv_protocol::suite::Suite;
use kkv_ui::estimate::roughly;

/// Hashes a second that this machine computes for a suite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    pub(super) suite: Suite,
    pub(super) rate: f64,
}

impl Speed {
    /// Measures it for as long as `time`, beside what else is done. Must be called within a runtime.
    pub(super) fn measure(
        solver: Solver,
        suite: Suite,
        time: Duration,
    ) -> impl Future<Output = Self> {
        let measuring = spawn_blocking(move || Self {
            suite,
            rate: solver.rate(&puzzle(suite, Cost::HIGHEST), time),
        });
        async { measuring.await.expect("nothing in it panics") }
    }

    /// How long a cost takes here.
    pub(super) fn odds(&self, cost: Cost) -> Odds {
        Odds::new(&puzzle(self.suite, cost), self.rate)
    }

    /// A cost, and what it means here.
    pub(super) fn says(&self, cost: Cost) -> String {
        let time = roughly(self.odds(cost).mean());
        format!("2^{cost} hashes: {time} on this machine")
    }
}

fn puzzle(suite: Suite, cost: Cost) -> Puzzle {
    match suite {
        Suite::V1 => Puzzle::V1 {
            seed: Seed([0; 32]),
            cost,
        },
        Suite::V2 => Puzzle::V2 {
            key: PuzzleKey([0; 32]),
            cost,
        },
    }
}

/// A rate to two digits or so, as people say it: `290 million`.
pub(super) fn in_words(rate: f64) -> String {
    match rate {
        ..0.9995e6 => format!("{:.0} thousand", rate / 1e3),
        ..9.95e6 => format!("{:.1} million", rate / 1e6),
        ..999.5e6 => format!("{:.0} million", rate / 1e6),
        _ => format!("{:.1} billion", rate / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_well() {
        for (rate, said) in [
            (12_345.0, "12 thousand"),
            (999_700.0, "1.0 million"),
            (9.96e6, "10 million"),
            (463.2e6, "463 million"),
            (999.7e6, "1.0 billion"),
            (28e9, "28.0 billion"),
        ] {
            assert_eq!(in_words(rate), said);
        }
    }
}
