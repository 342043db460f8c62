//! What paying means on this machine: its rate, measured, and that in words.

use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use super::estimate::roughly;
use crate::pow::{Cost, Odds, Puzzle, Solver};
use crate::protocol::suite::Suite;

/// Hashes a second that this machine computes for each suite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    v1: f64,
    v2: f64,
}

impl Speed {
    /// Measures it, `time` for each suite, beside what else is done. Must be called within a runtime.
    pub(super) fn measure(solver: Solver, time: Duration) -> impl Future<Output = Self> {
        let rate = move |suite| solver.rate(&puzzle(suite, Cost::HIGHEST), time);
        let measuring: JoinHandle<Self> = spawn_blocking(move || Self {
            v1: rate(Suite::V1),
            v2: rate(Suite::V2),
        });
        async { measuring.await.expect("nothing in it panics") }
    }

    /// Hashes a second.
    pub(super) fn rate(&self, suite: Suite) -> f64 {
        match suite {
            Suite::V1 => self.v1,
            Suite::V2 => self.v2,
        }
    }

    /// How long a cost takes here.
    pub(super) fn odds(&self, suite: Suite, cost: Cost) -> Odds {
        Odds::new(&puzzle(suite, cost), self.rate(suite))
    }

    /// A cost, and what it means here.
    pub(super) fn says(&self, suite: Suite, cost: Cost) -> String {
        let time = roughly(self.odds(suite, cost).mean());
        format!("2^{cost} hashes: {time} on this machine")
    }
}

fn puzzle(suite: Suite, cost: Cost) -> Puzzle {
    match suite {
        Suite::V1 => Puzzle::V1 {
            seed: [0; 32],
            cost,
        },
        Suite::V2 => Puzzle::V2 { key: [0; 32], cost },
    }
}

/// A rate to two digits or so, as people say it: `290 million`.
pub(super) fn in_words(rate: f64) -> String {
    match rate {
        ..1e6 => format!("{:.0} thousand", rate / 1e3),
        ..1e7 => format!("{:.1} million", rate / 1e6),
        ..1e9 => format!("{:.0} million", rate / 1e6),
        _ => format!("{:.1} billion", rate / 1e9),
    }
}
