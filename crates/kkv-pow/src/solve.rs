//! The search for a solution: on as many threads as wanted, counted, stoppable at any time.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::bytes::Nonce;
use super::kernel::{Block, GROUP, InstructionSet, find};
use super::puzzle::{Puzzle, Solution, hash_v1, hash_v2, leading_zeros};

/// Nonces between two looks at the stop flag: 0.1 ms with the widest registers, under 1 ms with none. Threads that
/// fetch their next ones every 0.1 ms don't get in each other's way.
const CHUNK: u32 = 1 << 14;

/// A search under way, seen from outside: how far it is, and the way to end it.
#[derive(Debug, Default)]
pub struct Search {
    tried: AtomicU64,
    found: AtomicUsize,
    stop: AtomicBool,
}

impl Search {
    /// Hashes computed so far.
    #[must_use]
    pub fn tried(&self) -> u64 {
        self.tried.load(Relaxed)
    }

    /// Nonces found so far, of [`Puzzle::count`].
    #[must_use]
    pub fn found(&self) -> usize {
        self.found.load(Relaxed)
    }

    /// Ends the search within one chunk of each thread.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

/// What a machine searches with.
#[derive(Debug, Clone, Copy)]
pub struct Solver {
    /// Threads that search.
    pub threads: NonZeroUsize,
    /// What they search with.
    pub instructions: InstructionSet,
}

impl Default for Solver {
    /// One thread for each core, with the widest registers there are.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            instructions: InstructionSet::best(),
        }
    }
}

impl Solver {
    /// Searches until the puzzle is solved (`Some`) or `search` is stopped (`None`). Blocks.
    ///
    /// `prefix` is the random first part of a kkv/1 nonce, whose last 8 bytes are counted; kkv/2 counts from zero,
    /// since its key is new for every challenge.
    #[must_use]
    pub fn solve(&self, puzzle: &Puzzle, prefix: &[u8; 24], search: &Search) -> Option<Solution> {
        let hunt = Hunt {
            puzzle,
            prefix,
            search,
            instructions: self.instructions,
            next: AtomicU64::new(0),
            hits: Mutex::new(Vec::new()),
            gate: RwLock::new(()),
        };
        std::thread::scope(|scope| {
            // They wait until all are there: the kernel puts a thread that it wakes on an idle core, but a new one
            // often on the core of whoever made it, for as long as an easy search takes.
            let gate = hunt.gate.write();
            for _ in 1..self.threads.get() {
                let thread = std::thread::Builder::new();
                if thread.spawn_scoped(scope, || hunt.run()).is_err() {
                    break; // it has no more threads for us: those that there are go on
                }
            }
            drop(gate);
            hunt.run();
        });
        let hits = hunt.hits.into_inner();
        let mut hits = hits.unwrap_or_else(PoisonError::into_inner);
        if hits.len() < puzzle.count() {
            return None;
        }
        Some(match puzzle {
            Puzzle::V1 { .. } => Solution::V1(nonce_v1(prefix, hits[0])),
            Puzzle::V2 { .. } => {
                for hit in &mut hits {
                    *hit = nonce_v2(*hit);
                }
                hits.sort_unstable();
                Solution::V2(hits)
            }
        })
    }

    /// Hashes a second that this solver computes for puzzles of this layout, whatever their cost; above zero. Blocks
    /// for as long as `time`, and longer where none of its threads has had a turn by then.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use kkv_pow::{Cost, Puzzle, PuzzleKey, Solver};
    ///
    /// let puzzle = Puzzle::V2 { key: PuzzleKey([7; 32]), cost: Cost::HIGHEST };
    /// assert!(Solver::default().rate(&puzzle, Duration::from_millis(1)) > 0.0);
    /// ```
    #[must_use]
    pub fn rate(&self, puzzle: &Puzzle, time: Duration) -> f64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "what is measured is this machine, which no test moves"
        )]
        let now = Instant::now;
        let endless = puzzle.at_highest_cost();
        let search = Search::default();
        std::thread::scope(|scope| {
            scope.spawn(|| self.solve(&endless, &[0; 24], &search));
            let start = now();
            #[expect(
                clippy::disallowed_methods,
                reason = "how much is done in that time is what is measured"
            )]
            let tried = loop {
                std::thread::sleep(time);
                match search.tried() {
                    0 => std::thread::yield_now(),
                    tried => break tried,
                }
            };
            let spent = now().saturating_duration_since(start);
            search.stop();
            tried as f64 / spent.as_secs_f64()
        })
    }
}

/// One search, as its threads share it.
struct Hunt<'h> {
    puzzle: &'h Puzzle,
    prefix: &'h [u8; 24],
    search: &'h Search,
    instructions: InstructionSet,
    /// Start of the first chunk that nobody has taken. Its upper half stands still for 2^32 nonces.
    next: AtomicU64,
    hits: Mutex<Vec<u64>>,
    /// Where its threads wait until they may begin.
    gate: RwLock<()>,
}

impl Hunt<'_> {
    /// Tries chunk after chunk until there are enough hits, or somebody stops it.
    fn run(&self) {
        drop(self.gate.read());
        while !self.search.stopped() {
            let start = self.next.fetch_add(CHUNK.into(), Relaxed);
            let tried = self.chunk(start);
            self.search.tried.fetch_add(tried.into(), Relaxed);
        }
    }

    /// Returns how many were tried: all, unless this was the end.
    fn chunk(&self, start: u64) -> u32 {
        let (block, bits, first) = (self.block(start), self.puzzle.bits_each(), start as u32);
        let mut done = 0;
        while done < CHUNK {
            let (from, left) = (first + done, CHUNK - done);
            let Some(group) = find(self.instructions, &block, bits, from, left) else {
                return CHUNK;
            };
            done = group - first;
            for _ in 0..GROUP {
                if self.is_hit(start + u64::from(done)) && self.is_last(start + u64::from(done)) {
                    return done + 1;
                }
                done += 1;
            }
        }
        CHUNK
    }

    /// The block of all nonces that share their upper half with `index`.
    fn block(&self, index: u64) -> Block {
        match self.puzzle {
            Puzzle::V1 { seed, .. } => Block::v1(&nonce_v1(self.prefix, index), seed),
            Puzzle::V2 { key, .. } => Block::v2(key, nonce_v2(index)),
        }
    }

    fn is_hit(&self, index: u64) -> bool {
        let hash = match self.puzzle {
            Puzzle::V1 { seed, .. } => hash_v1(&nonce_v1(self.prefix, index), seed),
            Puzzle::V2 { key, .. } => hash_v2(key, nonce_v2(index)),
        };
        leading_zeros(&hash) >= self.puzzle.bits_each().into()
    }

    /// Keeps a hit; true when there are enough, which also stops the other threads.
    fn is_last(&self, hit: u64) -> bool {
        let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        if hits.len() < self.puzzle.count() {
            hits.push(hit);
            self.search.found.store(hits.len(), Relaxed);
        }
        let enough = hits.len() == self.puzzle.count();
        if enough {
            self.search.stop();
        }
        enough
    }
}

/// Upper half of `index`, then the lower half, which the kernel counts: word 7 of the block.
fn nonce_v1(prefix: &[u8; 24], index: u64) -> Nonce {
    let mut nonce = [0; 32];
    nonce[..24].copy_from_slice(prefix);
    nonce[24..].copy_from_slice(&index.rotate_left(32).to_le_bytes());
    Nonce(nonce)
}

/// Little endian, its upper half is the last word of the block, which the kernel counts.
fn nonce_v2(index: u64) -> u64 {
    index.rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, PuzzleKey, Seed};

    fn two(instructions: InstructionSet) -> Solver {
        Solver {
            threads: NonZeroUsize::new(2).unwrap(),
            instructions,
        }
    }

    fn puzzles(bits: u32) -> [Puzzle; 2] {
        let cost = Cost::new(bits).unwrap();
        let (seed, key) = (Seed([9; 32]), PuzzleKey([9; 32]));
        [Puzzle::V1 { seed, cost }, Puzzle::V2 { key, cost }]
    }

    #[test]
    fn what_is_found_is_a_solution_on_every_instruction_set() {
        for instructions in InstructionSet::all() {
            for puzzle in [0, 1, 3, 4, 5, 10, 14].into_iter().flat_map(puzzles) {
                let search = Search::default();
                let solution = two(instructions).solve(&puzzle, &[3; 24], &search).unwrap();
                assert_eq!(
                    puzzle.verify(&solution),
                    Ok(()),
                    "{instructions}: {puzzle:?}"
                );
                assert_eq!(search.found(), puzzle.count());
                assert!(search.tried() >= puzzle.count() as u64);
            }
        }
    }

    #[test]
    fn no_machine_is_so_busy_that_it_is_measured_to_do_nothing() {
        for puzzle in puzzles(60) {
            let rate = two(InstructionSet::best()).rate(&puzzle, Duration::ZERO);
            assert!(rate > 0.0 && rate.is_finite(), "{rate}");
        }
    }

    #[test]
    fn a_stopped_search_finds_nothing() {
        let [_, puzzle] = puzzles(60);
        let (search, solver) = (Search::default(), two(InstructionSet::best()));
        std::thread::scope(|scope| {
            let solving = scope.spawn(|| solver.solve(&puzzle, &[0; 24], &search));
            while search.tried() == 0 {
                std::thread::yield_now();
            }
            search.stop();
            assert_eq!(solving.join().unwrap(), None);
        });
    }

    /// One thread misses none, so it finds those that a plain loop over the same nonces finds.
    #[test]
    fn no_hit_is_lost_and_every_nonce_is_tried_once_on_every_instruction_set() {
        for instructions in InstructionSet::all() {
            let [_, puzzle] = puzzles(14);
            let Puzzle::V2 { key, .. } = puzzle else {
                unreachable!()
            };
            let all = (0..).map(nonce_v2);
            let hits = all.filter(|nonce| leading_zeros(&hash_v2(&key, *nonce)) >= 10);
            let mut first: Vec<u64> = hits.take(16).collect();
            first.sort_unstable();
            let solver = Solver {
                threads: NonZeroUsize::MIN,
                instructions,
            };
            let found = solver.solve(&puzzle, &[0; 24], &Search::default());
            assert_eq!(found, Some(Solution::V2(first)), "{instructions}");
        }
    }
}
