//! The search for a solution: all cores, counted, stoppable at any time.
//!
//! The loop hashes with the `blake3` crate itself. A faster search only has to say which chunks are worth a look.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::puzzle::{Puzzle, Solution, hash_v1, hash_v2, leading_zeros};

/// Nonces between two looks at the stop flag: about 1.5 ms at 11 million hashes a second.
const CHUNK: u64 = 1 << 14;

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

    /// Ends the search within one chunk.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

/// Searches on `threads` threads until the puzzle is solved (`Some`) or `search` is stopped (`None`). Blocks.
///
/// `prefix` is the random first part of a kkv/1 nonce, whose last 8 bytes are counted; kkv/2 counts from zero, since its key is new for
/// every challenge.
#[must_use]
pub fn solve(
    puzzle: &Puzzle,
    prefix: &[u8; 24],
    threads: NonZeroUsize,
    search: &Search,
) -> Option<Solution> {
    let next = AtomicU64::new(0);
    let hits = Mutex::new(Vec::new());
    let bits = u32::from(puzzle.bits_each());
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                while !search.stopped() {
                    let start = next.fetch_add(CHUNK, Relaxed);
                    for index in start..start + CHUNK {
                        if leading_zeros(&hash(puzzle, prefix, index)) < bits {
                            continue;
                        }
                        if full(puzzle, search, &hits, index) {
                            search.tried.fetch_add(index - start + 1, Relaxed);
                            return;
                        }
                    }
                    search.tried.fetch_add(CHUNK, Relaxed);
                }
            });
        }
    });
    let mut hits = crate::lock(&hits).split_off(0);
    if hits.len() < puzzle.count() {
        return None;
    }
    hits.sort_unstable();
    Some(match puzzle {
        Puzzle::V1 { .. } => Solution::V1(nonce_v1(prefix, hits[0])),
        Puzzle::V2 { .. } => Solution::V2(hits),
    })
}

/// Keeps a hit; true when there are enough, which also stops the other threads.
fn full(puzzle: &Puzzle, search: &Search, hits: &Mutex<Vec<u64>>, index: u64) -> bool {
    let mut hits = crate::lock(hits);
    if hits.len() < puzzle.count() {
        hits.push(index);
        search.found.store(hits.len(), Relaxed);
    }
    let full = hits.len() == puzzle.count();
    if full {
        search.stop();
    }
    full
}

fn hash(puzzle: &Puzzle, prefix: &[u8; 24], index: u64) -> [u8; 32] {
    match puzzle {
        Puzzle::V1 { seed, .. } => hash_v1(&nonce_v1(prefix, index), seed),
        Puzzle::V2 { key, .. } => hash_v2(key, index),
    }
}

fn nonce_v1(prefix: &[u8; 24], index: u64) -> [u8; 32] {
    let mut nonce = [0; 32];
    nonce[..24].copy_from_slice(prefix);
    nonce[24..].copy_from_slice(&index.to_le_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pow::Cost;

    fn two() -> NonZeroUsize {
        NonZeroUsize::new(2).unwrap()
    }

    #[test]
    fn what_is_found_is_a_solution() {
        for bits in [0, 1, 3, 4, 5, 12, 16] {
            let cost = Cost::new(bits).unwrap();
            let seed = [9; 32];
            for puzzle in [Puzzle::V1 { seed, cost }, Puzzle::V2 { key: seed, cost }] {
                let search = Search::default();
                let solution = solve(&puzzle, &[3; 24], two(), &search).unwrap();
                assert_eq!(puzzle.verify(&solution), Ok(()), "{puzzle:?}");
                assert_eq!(search.found(), puzzle.count());
                assert!(search.tried() >= puzzle.count() as u64);
            }
        }
    }

    #[test]
    fn a_stopped_search_finds_nothing() {
        let cost = Cost::new(60).unwrap();
        let search = Search::default();
        let puzzle = Puzzle::V2 { key: [0; 32], cost };
        std::thread::scope(|scope| {
            let solver = scope.spawn(|| solve(&puzzle, &[0; 24], two(), &search));
            while search.tried() == 0 {
                std::thread::yield_now();
            }
            search.stop();
            assert_eq!(solver.join().unwrap(), None);
        });
    }
}
