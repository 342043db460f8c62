//! The inner loop of the search, for every instruction set that the machine may have.

mod instructions;
mod search;

pub use instructions::InstructionSet;
pub use search::{Block, GROUP, Words, find};
