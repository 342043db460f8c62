//! What has become of a delivery, in words.

use kkv_client::sender::Accepted;
use kkv_protocol::suite::Suite;

use crate::error::{CliError, Exit};

/// Who has it, who signed it, what was paid: three lines. `kept`: whether the key that signed it is.
#[must_use]
pub fn accepted_words(accepted: &Accepted, kept: bool) -> String {
    let key = if kept {
        "your identity"
    } else {
        "a key for this message only"
    };
    let word = match accepted.suite {
        Suite::V2 => "and has signed for it",
        Suite::V1 => "(kkv/1 has no signed receipts)",
    };
    let paid = if accepted.invited {
        "nothing, by invitation".to_owned()
    } else {
        format!("2^{} hashes", accepted.cost)
    };
    format!(
        "  relay   {} {word}\n  sender  {}, {key}\n  paid    {paid}, {}\n",
        accepted.relay.fingerprint(),
        accepted.sender.fingerprint(),
        accepted.suite,
    )
}

/// Cancelled, when the message `was_sending` or was not yet.
#[must_use]
pub fn cancelled(was_sending: bool) -> CliError {
    if was_sending {
        CliError::new(
            Exit::Cancelled,
            "cancelled while the message was on its way: whether it arrived can't be known",
        )
        .hint("Sending it again may leave it there twice.")
    } else {
        CliError::new(Exit::Cancelled, "cancelled; nothing was delivered")
    }
}
