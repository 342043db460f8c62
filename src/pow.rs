//! Proof of work: what it costs, how it is solved, how it is checked (PROTOCOL.md §5; kkv/1's in §10).

mod cost;
mod odds;
mod puzzle;
mod solve;

pub use cost::{BadCost, Cost};
pub use kkv_kernel::InstructionSet;
pub use odds::Odds;
pub(crate) use puzzle::count_v2;
pub use puzzle::{Puzzle, SUBPUZZLES, Solution, WrongSolution};
pub use solve::{Search, Solver};
