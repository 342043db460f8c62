//! What criterion can't measure, since it is no mean or median of one thing: searches that take turns, the spread of
//! solves, the slowest end.

use std::thread;
use std::time::Duration;

use kkv_base::clock::{Clock, SystemClock};
use kkv_pow::{Cost, Puzzle, PuzzleKey, Search, Solver};

use crate::programs::until;
use crate::searches::{Searcher, searchers};

/// Of what is solved: a few milliseconds of work, so that starting threads is little of it and a thousand take seconds.
pub(crate) const COST: u32 = 20;
pub(crate) const SOLVES: usize = 1000;
/// Times that all of these are solved.
const SERIES: usize = 5;
pub(crate) const CANCELS: usize = 200;

/// Turns of each searcher, and the time of one.
const TURNS: usize = 15;
const TURN: Duration = Duration::from_millis(200);

/// The best rate of each searcher, in hashes a second.
///
/// They take turns, so that whatever else happens on the machine happens to all; and the best is taken of each, since
/// all of it can only make them slower. The published loop's tries are partly luck, so its best is above its rate by a
/// percent or so.
pub(crate) fn rates() -> Vec<(Searcher, f64)> {
    let mut rates: Vec<(Searcher, f64)> = searchers().into_iter().map(|who| (who, 0.0)).collect();
    for _ in 0..TURNS {
        for (searcher, best) in &mut rates {
            *best = best.max(searcher.rate(TURN));
        }
    }
    rates
}

/// What solves took.
pub(crate) struct Solves {
    /// Seconds.
    pub(crate) time: Spread,
    /// Hashes, which are luck alone, whatever else the machine had to do.
    pub(crate) hashes: Spread,
}

pub(crate) struct Spread {
    pub(crate) mean: f64,
    pub(crate) p99: f64,
}

/// The series of solves whose times spread least: what else runs on the machine can only spread them more. (How many
/// hashes they take is hardly different.)
pub(crate) fn solving() -> Solves {
    let series = (0..SERIES).map(|_| series());
    let ratio = |solves: &Solves| solves.time.p99 / solves.time.mean;
    series
        .min_by(|one, other| ratio(one).total_cmp(&ratio(other)))
        .expect("there are some")
}

/// How long [`SOLVES`] different kkv/2 puzzles take, each from its start to its solution, with all that this machine
/// has.
fn series() -> Solves {
    let clock = SystemClock::default();
    let cost = Cost::new(COST).expect("in range");
    let solve = |number: usize| {
        let key = PuzzleKey(*blake3::hash(&number.to_le_bytes()).as_bytes()); // the same luck in each run
        let (puzzle, search) = (Puzzle::V2 { key, cost }, Search::default());
        let start = clock.elapsed();
        let solution = Solver::default().solve(&puzzle, &[0; 24], &search);
        let spent = clock.elapsed().saturating_sub(start);
        let solution = solution.expect("nobody stops it");
        puzzle.verify(&solution).expect("it was just found");
        (spent.as_secs_f64(), search.tried() as f64)
    };
    let (times, hashes): (Vec<f64>, Vec<f64>) = (0..SOLVES).map(solve).unzip();
    Solves {
        time: spread(times),
        hashes: spread(hashes),
    }
}

fn spread(mut values: Vec<f64>) -> Spread {
    Spread {
        mean: values.iter().sum::<f64>() / values.len() as f64,
        p99: quantile(&mut values, 0.99),
    }
}

/// The longest that a search under way took from its cancellation until it had returned, of [`CANCELS`]. Seconds.
pub(crate) fn cancelling() -> f64 {
    let puzzle = Puzzle::V2 {
        key: PuzzleKey([0; 32]),
        cost: Cost::HIGHEST,
    };
    (0..CANCELS)
        .map(|_| cancelled(&puzzle).as_secs_f64())
        .fold(0.0, f64::max)
}

fn cancelled(puzzle: &Puzzle) -> Duration {
    let clock = SystemClock::default();
    let search = Search::default();
    thread::scope(|scope| {
        let searching = scope.spawn(|| {
            let solution = Solver::default().solve(puzzle, &[0; 24], &search);
            assert_eq!(solution, None, "nobody solves it");
            clock.elapsed()
        });
        until("the search to begin", || search.tried() > 0);
        let start = clock.elapsed();
        search.stop();
        let end = searching
            .join()
            .expect("it panics only if the puzzle was solved");
        end.saturating_sub(start)
    })
}

/// The smallest value that the share `share` of all values don't exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}
