//! Keys by purpose, key derivation, sealing and the hybrid exchange. Everything here is a thin, typed layer over
//! audited crates.

pub mod chunks;
pub mod exchange;
pub mod identity;
pub mod labels;
pub mod random;
pub mod scrub;
pub mod seal;
