//! What it means that a relay refused, or that no response came.

use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::wire::object;
use serde::de::DeserializeOwned;

use super::failure::{Failure, Indeterminate};
use super::request::{Outcome, Response, TransportError};

/// What it comes to that no answer came, where no message can have been delivered: it was not sent yet, or never left
/// whole.
pub(super) fn undelivered(error: TransportError) -> Failure {
    match error {
        TransportError::Dial(fault) => Failure::Unreachable(fault),
        TransportError::Closed | TransportError::NoneLeft => Failure::Broken,
        TransportError::TimedOut(timeout) => Failure::Silent(timeout),
        TransportError::Malformed => Failure::Protocol(ProtocolError::Malformed),
    }
}

/// The body of a response, unless it is a refusal.
pub(super) fn successful(response: &Response) -> Result<&[u8], Failure> {
    if response.status == 200 {
        Ok(&response.body)
    } else {
        Err(refused(response))
    }
}

/// Reads a response in JSON.
pub(super) fn read<T: DeserializeOwned>(response: &Response) -> Result<T, Failure> {
    object(successful(response)?).map_err(|_| Failure::Protocol(ProtocolError::Malformed))
}

/// The response to the message if it says 200; else what has become of the message.
pub(super) fn message_response(outcome: Outcome) -> Result<Response, Failure> {
    match outcome.result {
        Ok(response) if response.status == 200 => Ok(response),
        Ok(response) => Err(message_refused(&response, outcome.answer_lost)),
        Err(error) if !outcome.answer_lost => Err(undelivered(error)),
        Err(TransportError::Malformed) => Err(Failure::Indeterminate(Indeterminate::Unclear)),
        Err(_) => Err(Failure::Indeterminate(Indeterminate::Lost)),
    }
}

/// Reads a refusal.
fn refused(response: &Response) -> Failure {
    match (reason(response), response.refused_for) {
        (Failure::Refused(refusal), Some(time)) => Failure::StillRefused(refusal, time),
        (failure, _) => failure,
    }
}

/// Reads a refusal, as if it were the first.
fn reason(response: &Response) -> Failure {
    match (
        Refused::read(response.status, &response.body),
        response.status,
    ) {
        (Refused::Known(refusal), _) => Failure::Refused(refusal),
        (Refused::Unknown, status) => Failure::RefusedUnknown(status),
        (Refused::No, 507) => Failure::Refused(Refusal::Full), // a published relay says it without a reason
        (Refused::No, status) => Failure::RefusedUnread(status),
    }
}

/// Reads what a relay said to the message when it did not say 200.
///
/// After an answer was lost, no refusal proves that the message is not there: its session may have taken it and ended
/// since.
pub(super) fn message_refused(response: &Response, answer_lost: bool) -> Failure {
    match refused(response) {
        Failure::Refused(refusal) | Failure::StillRefused(refusal, _) if answer_lost => {
            Failure::Indeterminate(Indeterminate::Refused(refusal))
        }
        Failure::RefusedUnread(status) | Failure::RefusedUnknown(status)
            if answer_lost || !(400..500).contains(&status) =>
        {
            Failure::Indeterminate(Indeterminate::Unclear)
        }
        failure => failure,
    }
}

/// The refusal that a response is, if its reason is known.
pub(super) fn refusal(response: &Response) -> Option<Refusal> {
    if response.status == 200 {
        return None;
    }
    match reason(response) {
        Failure::Refused(refusal) => Some(refusal),
        _ => None,
    }
}
