//! Why a relay did not do what its owner asked for.

use std::error::Error;
use std::iter;
use std::path::PathBuf;

use kkv_base::limits::MAX_INVITATIONS;
use kkv_owner::{CantPost, CantReply, MessageId};

/// Why the relay did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error("no kkv is running for you (nobody answers at {0})")]
    NotRunning(PathBuf),
    /// What is there is no socket.
    #[error("{0} is no socket, so no kkv answers there")]
    NotASocket(PathBuf),
    /// There is only the machine's service, whose socket is root's to use.
    #[error("no kkv is running for you, but one for this machine ({0})")]
    ServiceOnly(PathBuf),
    /// The socket is another user's.
    #[error("{0} belongs to another user")]
    NotYours(PathBuf),
    /// It took the request and did not answer in time.
    #[error("kkv doesn't answer; what was asked for may have been done or not")]
    Silent,
    /// It took the request and ended the connection before its answer was complete.
    #[error("kkv hung up; what was asked for may have been done or not")]
    HungUp,
    /// It is another run of the relay than the one that was meant.
    #[error(
        "kkv has been started anew meanwhile: the messages that were there are gone, and others may have their numbers"
    )]
    AnotherRun,
    /// There is no such message.
    #[error("there is no message {0}")]
    NoMessage(MessageId),
    /// It can't be answered.
    #[error("message {0} can't be answered: {1}")]
    CantReply(MessageId, CantReply),
    /// The relay is of a version that knows no invitations.
    #[error("this kkv is of a version that knows no invitations")]
    TooOldToInvite,
    /// The relay speaks kkv/1 alone.
    #[error("this kkv speaks kkv/1 alone, which knows no invitations")]
    InvitesNobody,
    /// There are as many as there can be.
    #[error("there are {MAX_INVITATIONS} invitations already, and no more at one time")]
    TooManyInvitations,
    /// There is no identity in the relay, or it is of a version that knows none.
    #[error("there is no identity in this kkv")]
    NoIdentity,
    /// The relay is of a version that knows no identities.
    #[error("this kkv is of a version that knows no identities")]
    TooOldForIdentities,
    /// It was not done with an identity or a post.
    #[error("{0}")]
    CantPost(CantPost),
    /// The relay answered with something else than it should, as another version might.
    #[error("kkv answered with something unexpected ({0}); it may be of another version than kkvc")]
    Unexpected(String),
}

/// What it comes to that a request was on its way and its answer is not there, or not whole.
pub(super) fn unanswered(fault: &reqwest::Error) -> ClientError {
    let no_http = |cause: &(dyn Error + 'static)| {
        let cause = cause.downcast_ref::<hyper::Error>();
        cause.is_some_and(hyper::Error::is_parse)
    };
    if fault.is_timeout() {
        ClientError::Silent
    } else if causes(fault).any(no_http) {
        ClientError::Unexpected("an answer that is no HTTP".to_owned())
    } else {
        ClientError::HungUp
    }
}

/// A fault, what caused it, and so on.
pub(super) fn causes(fault: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = fault;
    iter::successors(Some(first), |&cause| cause.source())
}

/// The first cause: what the library says of it names an address that is none (`http://kkv/…`).
pub(super) fn at_bottom(fault: &reqwest::Error) -> String {
    causes(fault)
        .last()
        .map_or_else(String::new, ToString::to_string)
}
