//! The inner loops of the search, and of finding a key, for every instruction set that the machine may have.

mod instructions;
mod keys;
mod search;

pub use instructions::InstructionSet;
pub use keys::key_of;
pub use search::{Block, GROUP, Words, find};
