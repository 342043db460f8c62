//! What a session costs.

use kkv_pow::Cost;

/// What a relay asks of whoever wants to leave a message (PROTOCOL.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The price of a session.
    pub cost: Cost,
    /// Seconds to pay it in.
    pub lifetime: u32,
    /// The same as a unix time: when the challenge ends.
    pub expiry: u64,
    /// Seconds that a session stays open.
    pub session_lifetime: u16,
}
