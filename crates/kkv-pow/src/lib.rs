//! Proof of work: what it costs, how it is solved, how it is checked (PROTOCOL.md §5; kkv/1's in §10).
//!
//! Nothing here knows of messages or relays. It is a package of its own also because a build for development doesn't
//! optimise the rest, and without optimisation the search is a thousand times as slow.

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
