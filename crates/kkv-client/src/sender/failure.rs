//! Why a message was not delivered, or why it can't be known whether it was.

use std::time::Duration;

use super::delivery::Price;
use kkv_base::count::counted;
use kkv_base::limits::{MAX_UNASKED_PAYING, UPLOAD_IDLE};
use kkv_net::tor::DialError;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::BadText;

/// The message was not delivered, or, for [`Failure::Indeterminate`] alone, may have been.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No connection came about.
    #[error(transparent)]
    Unreachable(DialError),
    /// Connections came about and broke, again and again.
    #[error("the connection broke {} times", kkv_base::limits::ATTEMPTS)]
    Broken,
    /// The relay accepted the connection and then said nothing.
    #[error("the relay didn't answer within {}", humantime::format_duration(*.0))]
    Silent(Duration),
    /// The relay said no, and why.
    #[error("{0}")]
    Refused(Refusal),
    /// The relay said no, to the same request, again and again, for so long and always for this reason.
    #[error("{0}, for {time} and longer", time = humantime::format_duration(Duration::from_secs(.1.as_secs())))]
    StillRefused(Refusal, Duration),
    /// The relay said no without a reason that could be read.
    #[error("it answered with status {0} and no reason")]
    RefusedUnread(u16),
    /// The relay said no for a reason that is not known here, as a later one may.
    #[error("it refused with status {0} for a reason that this kkvc doesn't know")]
    RefusedUnknown(u16),
    /// The relay said no in the way of published ones, which give no reason.
    #[error("the relay refused without saying why")]
    RefusedFilled,
    /// It has no kkv/2, and nothing else was allowed.
    #[error("the relay doesn't speak {0}, and no other suite was allowed")]
    NoCommonSuite(Suite),
    /// It has no kkv/2, and the message was to come by an invitation.
    #[error(
        "the relay doesn't speak {}, and there are no invitations without it",
        Suite::V2
    )]
    NoInvitations,
    /// The time was over before a solution was found.
    #[error("no solution was found within {}", counted(.0.as_secs(), "second"))]
    NotInTime(Duration),
    /// Nothing was found for as long as is searched without asking, in all payments for the message together.
    #[error("no solution was found within the {} minutes that are paid without asking", MAX_UNASKED_PAYING.as_secs() / 60)]
    UnaskedTimeOver,
    /// This machine would hardly have paid in time, and was not to try all the same.
    #[error("{}", .0.too_dear())]
    TooDear(Price),
    /// The relay's answer can't be right.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The suite that was agreed on can't carry this text.
    #[error(transparent)]
    Text(#[from] BadText),
    /// The message was sent, and whether it has arrived can't be known.
    #[error("{0}")]
    Indeterminate(Indeterminate),
}

impl Failure {
    /// Whether another run may go on with an upload that has failed so: the relay may have its session still, and
    /// didn't say that anything is wrong with it.
    #[must_use]
    pub fn leaves_upload(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken | Self::Silent(_) => true,
            Self::Indeterminate(Indeterminate::Lost | Indeterminate::Unclear) => true,
            Self::Refused(refusal)
            | Self::StillRefused(refusal, _)
            | Self::Indeterminate(Indeterminate::Refused(refusal)) => {
                matches!(refusal, Refusal::TimedOut | Refusal::SlowDown)
            }
            _ => false,
        }
    }
}

/// Why it can't be known whether a message has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Indeterminate {
    /// The connection broke after the message was sent, and every attempt to ask again failed.
    #[error("the relay's answer to the message didn't arrive")]
    Lost,
    /// The first answer was lost, and a refusal came to the repetition: the session may have ended meanwhile, with the
    /// message or without.
    #[error("the relay's answer was lost; asked again, it said: {0}")]
    Refused(Refusal),
    /// Another run had sent some of the message or all of it, and the relay has no such session any more.
    #[error(
        "what was begun is over there ({} passed, or the inbox was wiped or started anew)",
        counted(UPLOAD_IDLE.as_secs() / 60, "minute")
    )]
    Over,
    /// The relay answered with something that says neither yes nor no.
    #[error("the relay's answer to the message makes no sense")]
    Unclear,
}
