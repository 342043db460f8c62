//! Proof of work: what it costs, how it is solved, how it is checked (PROTOCOL.md §5; kkv/1's in §10).
//!
//! Nothing here knows of messages or relays. It is a package of its own also because a build for development doesn't
//! optimise the rest, and without optimisation the search is a thousand times as slow.
//!
//! ```
//! use std::time::Duration;
//!
//! use kkv_pow::{Cost, Odds, Puzzle, PuzzleKey, Search, Solver};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let puzzle = Puzzle::V2 { key: PuzzleKey([7; 32]), cost: Cost::new(8)? };
//! let search = Search::default(); // another thread may look at it, or stop it
//! let solution = Solver::default().solve(&puzzle, &[0; 24], &search);
//! puzzle.verify(&solution.expect("nobody stops it"))?;
//! assert_eq!((search.found(), puzzle.count()), (16, 16));
//!
//! // At a million hashes a second, half of all searches are done within this time.
//! let odds = Odds::new(&puzzle, 1e6);
//! assert!(odds.within(0.5) < Duration::from_millis(1));
//! assert_eq!(odds.mean(), Duration::from_micros(256));
//! assert!(odds.by(odds.mean()) > 0.5);
//! assert!(search.tried() >= 16);
//! # Ok(())
//! # }
//! ```
//!
//! A seed is no key of a puzzle:
//!
//! ```compile_fail,E0308
//! use kkv_pow::{Cost, Puzzle, Seed};
//!
//! let puzzle = Puzzle::V2 { key: Seed([7; 32]), cost: Cost::HIGHEST };
//! ```

mod bytes;
mod cost;
pub mod kernel;
mod odds;
mod puzzle;
mod solve;

pub use bytes::{Nonce, PuzzleKey, Seed};
pub use cost::{BadCost, Cost};
pub use kernel::InstructionSet;
pub use odds::Odds;
pub use puzzle::{Puzzle, SUBPUZZLES, Solution, WrongSolution};
pub use solve::{Search, Solver};
