//! What keeps a sender from going on with a relay: an answer that can't be right, or a text that the suite agreed on
//! can't carry.

use super::text::BadText;

/// Why the sender goes no further. The session ends there; nothing was delivered by it unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The answer does not have the shape of this step.
    #[error("the answer isn't what a kkv relay says at this step")]
    Malformed,
    /// The challenge is for another sender, another relay, or on terms out of all bounds.
    #[error("the challenge is not the one that was asked for")]
    WrongChallenge,
    /// A signature of the relay does not fit.
    #[error("the relay's signature doesn't fit")]
    BadSignature,
    /// The relay's exchange key would make the message readable by anyone.
    #[error("the relay's exchange key is not a usable one")]
    BadExchangeKey,
    /// The receipt does not confirm this message.
    #[error("the relay's receipt doesn't confirm this message")]
    BadReceipt,
    /// The suite that was agreed on can't carry this text.
    #[error(transparent)]
    Text(#[from] BadText),
}
