//! The searches that are compared to each other, and how fast each is, as its users call it.
#![allow(
    dead_code,
    reason = "a library to benchmarks, each of which uses a part of it"
)]

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use kkv_base::clock::{Clock, SystemClock};
use kkv_pow::{Cost, InstructionSet, Puzzle, PuzzleKey, Seed, Solver};
use kkv_protocol::suite::Suite;

/// Zero bits that the published loop is asked for.
///
/// It tries random nonces until one fits, so only the mean of its tries is known: 2^bits. After T tries in all the mean
/// is met to √(2^bits / T), so a low cost measures it best: here to three quarters of a percent in the two million
/// tries of 0.2 s. One lower still would count the start of each search, some nanoseconds, against it.
const PUBLISHED_BITS: u32 = 7;

/// Searches of the published loop between two looks at the clock: ten milliseconds.
const PUBLISHED_BATCH: u32 = 1000;

const BYTES: [u8; 32] = [7; 32];

/// Who searches.
#[derive(Clone, Copy)]
pub(crate) enum Searcher {
    /// `blake3-pow`, which the published client calls. It has one thread.
    Published,
    /// Ours, its threads, counts and looks at the stop flag included, on a puzzle that nobody solves.
    Ours {
        suite: Suite,
        threads: usize,
        instructions: InstructionSet,
    },
}

/// The published one, ours on one thread with each instruction set in both layouts, widest first, and ours on two
/// threads.
pub(crate) fn searchers() -> Vec<Searcher> {
    let ours = |suite, threads, instructions| Searcher::Ours {
        suite,
        threads,
        instructions,
    };
    let mut all = vec![Searcher::Published];
    for instructions in InstructionSet::all() {
        all.push(ours(Suite::V1, 1, instructions));
        all.push(ours(Suite::V2, 1, instructions));
    }
    all.push(ours(Suite::V2, 2, InstructionSet::best()));
    all
}

impl Searcher {
    /// Hashes a second, measured for `time`.
    pub(crate) fn rate(self, time: Duration) -> f64 {
        match self {
            Self::Published => published(time),
            Self::Ours {
                suite,
                threads,
                instructions,
            } => {
                let solver = Solver {
                    threads: NonZeroUsize::new(threads).expect("at least one"),
                    instructions,
                };
                solver.rate(&puzzle(suite, Cost::HIGHEST), time)
            }
        }
    }
}

fn published(time: Duration) -> f64 {
    let clock = SystemClock::default();
    let (start, mut searches) = (clock.elapsed(), 0.0);
    loop {
        for _ in 0..PUBLISHED_BATCH {
            let nonce = blake3_pow::search(std::hint::black_box(&BYTES), PUBLISHED_BITS);
            std::hint::black_box(nonce).expect("2^32 tries are enough");
        }
        searches += f64::from(PUBLISHED_BATCH);
        let spent = clock.elapsed().saturating_sub(start);
        if spent >= time {
            return searches * 2f64.powi(PUBLISHED_BITS as i32) / spent.as_secs_f64();
        }
    }
}

fn puzzle(suite: Suite, cost: Cost) -> Puzzle {
    match suite {
        Suite::V1 => Puzzle::V1 {
            seed: Seed(BYTES),
            cost,
        },
        Suite::V2 => Puzzle::V2 {
            key: PuzzleKey(BYTES),
            cost,
        },
    }
}

impl fmt::Display for Searcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published => write!(f, "the published loop"),
            Self::Ours {
                suite,
                threads,
                instructions,
            } => {
                let threads = if *threads == 1 {
                    "one thread"
                } else {
                    "two threads"
                };
                write!(f, "{suite} search, {threads}, {instructions}")
            }
        }
    }
}
