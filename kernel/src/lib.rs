//! The inner loop of kkv's proof of work, for every instruction set that the machine may have.
//!
//! It is a package of its own for one reason: a build for development does not optimise the rest, and without optimisation this is a thousand
//! times as slow.

mod instructions;
mod search;

pub use instructions::InstructionSet;
pub use search::{Block, GROUP, Words, find};
