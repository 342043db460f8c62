//! What the tests of several crates stand on. No program has it in it.

mod alone;

pub use alone::alone;
