//! Why bytes from the other side are not taken. What a caller of this crate gets wrong is not here: see
//! [`BadText`](crate::text::BadText).
//!
//! [`BadChallenge`], [`BadSolutionLength`] and those beside what they are about ([`BadHex`](crate::wire::BadHex),
//! [`BadBody`](crate::wire::BadBody), [`WrongSolution`](kkv_pow::WrongSolution)) are for whoever embeds this crate: a
//! sender takes each for a [`ProtocolError`], and a relay for a [`Refusal`](crate::refusal::Refusal), which say less on
//! purpose.

/// Why a sender goes no further with a relay: it is the relay's fault, or that of whoever is in between. The session
/// ends there. Nothing was delivered by it, except that [`BadReceipt`](Self::BadReceipt) can't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The answer does not have the shape of this step (PROTOCOL.md §3).
    #[error("the answer isn't what a kkv relay says at this step")]
    Malformed,
    /// The challenge is for another sender, another relay, or on terms out of all bounds (§4).
    #[error("the challenge is not the one that was asked for")]
    WrongChallenge,
    /// It asks for work, and the sender has shown an invitation (§3, §15).
    #[error("the relay doesn't honour the invitation: it asks for work")]
    NotFree,
    /// A signature of the relay does not fit (§2).
    #[error("the relay's signature doesn't fit")]
    BadSignature,
    /// The relay's exchange key would make the message readable by anyone (§6).
    #[error("the relay's exchange key is not a usable one")]
    BadExchangeKey,
    /// An answer to an ask can't be opened (§14).
    #[error("the relay's answer can't be opened")]
    BadSeal,
    /// The receipt does not confirm this message (§8).
    #[error("the relay's receipt doesn't confirm this message")]
    BadReceipt,
}

/// Why bytes are no challenge (PROTOCOL.md §4, §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadChallenge {
    /// Its first byte is that of another suite; kkv/2's is 2.
    #[error("a challenge of kkv/2 begins with 2, and this with {0}")]
    Suite(u8),
    /// It asks for more zero bits than anyone may.
    #[error("its cost is {0}, and 60 is the highest")]
    Cost(u32),
    /// It is for a session that this version doesn't know (kkv/2 only).
    #[error("{0}")]
    Purpose(#[from] UnknownPurpose),
    /// Bytes 18 to 23 of one of kkv/2 aren't zero.
    #[error("its bytes 18 to 23 aren't zero")]
    NotZero,
}

/// Why bytes are no request or answer of asks (PROTOCOL.md §14): zero bytes, length or padding are not as they should
/// be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not laid out as an ask is")]
pub struct BadLayout;

/// Why two bytes are no purpose and size (PROTOCOL.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no session for purpose {purpose} of size {size}")]
pub struct UnknownPurpose {
    /// The first byte.
    pub purpose: u8,
    /// The second.
    pub size: u8,
}

/// Why bytes are no solution of a challenge of kkv/2 (PROTOCOL.md §5): their number does not follow from its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a solution has {wanted} bytes at this cost, and this has {found}")]
pub struct BadSolutionLength {
    /// Bytes of all nonces: 8 or 128.
    pub wanted: usize,
    /// Bytes that there are.
    pub found: usize,
}
