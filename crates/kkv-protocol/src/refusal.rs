//! How a relay says no: one status and one reason for each fault, the same in both suites (PROTOCOL.md §9).

use serde::{Deserialize, Serialize};

use super::wire;

/// Why a relay refuses a request.
///
/// Which of several secret checks failed is not told: a seal, an inner signature and padding are all
/// [`Unproven`](Self::Unproven).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body does not have the shape of this step.
    #[error("the request is malformed")]
    Malformed,
    /// The solution does not solve the challenge, or the challenge is not this relay's.
    #[error("the proof of work doesn't hold")]
    Unpaid,
    /// The price has risen since the challenge was made.
    #[error("the price has risen since; another challenge has to be paid for")]
    PriceRose,
    /// The invitation can't be used: spent, expired, revoked, never made here, or in use at this moment.
    #[error("this invitation can't be used (any more), or is being used at this moment")]
    Uninvited,
    /// A signature or seal does not fit, or there is no such session.
    #[error(
        "the request isn't proved: a signature or seal doesn't fit, or no such session is open"
    )]
    Unproven,
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path exists, for another method.
    #[error("this path takes another method")]
    MethodNotAllowed,
    /// The request took too long to arrive.
    #[error("the request took too long to arrive")]
    TimedOut,
    /// The challenge has opened a session already, or the session has taken another message.
    #[error("this challenge or session has been used")]
    Spent,
    /// The challenge's time is over.
    #[error("the challenge has expired")]
    Expired,
    /// The body or the message is larger than can be taken.
    #[error("the request is too large")]
    TooLarge,
    /// A body that is neither JSON nor a form.
    #[error(
        "the body must be application/json (kkv/2) or application/x-www-form-urlencoded (kkv/1)"
    )]
    UnsupportedMediaType,
    /// A suite that this relay does not speak.
    #[error("this relay doesn't speak that suite")]
    UnsupportedSuite,
    /// The content is of a kind that this relay does not know.
    #[error("the message is of a kind this relay doesn't know")]
    UnknownKind,
    /// A session for a purpose, or of a size, that this relay does not have.
    #[error("this relay has no sessions for that purpose and size")]
    UnknownPurpose,
    /// The content is not what its kind says: empty, no UTF-8, or in kkv/1 with a NUL.
    #[error("the message is empty or isn't text: UTF-8, in kkv/1 without NUL")]
    BadContent,
    /// Too much at once from everybody together.
    #[error("too many requests now; try again in a minute")]
    SlowDown,
    /// The message goes on with a conversation that isn't here, or says again what it has said before.
    #[error("the conversation that the message goes on with isn't here (any more)")]
    NoBox,
    /// The relay is shutting down.
    #[error("the relay is stopping")]
    Stopping,
    /// No slot is free.
    #[error("the inbox is full")]
    Full,
}

impl Refusal {
    /// Every refusal there is.
    pub const ALL: [Self; 20] = [
        Self::Malformed,
        Self::Unpaid,
        Self::PriceRose,
        Self::Uninvited,
        Self::Unproven,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TimedOut,
        Self::Spent,
        Self::Expired,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedSuite,
        Self::UnknownKind,
        Self::UnknownPurpose,
        Self::BadContent,
        Self::NoBox,
        Self::SlowDown,
        Self::Stopping,
        Self::Full,
    ];

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unpaid | Self::Unproven => 401,
            Self::PriceRose => 402,
            Self::Uninvited => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TimedOut => 408,
            Self::Spent | Self::NoBox => 409,
            Self::Expired => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType | Self::UnsupportedSuite => 415,
            Self::UnknownKind | Self::UnknownPurpose | Self::BadContent => 422,
            Self::SlowDown => 429,
            Self::Stopping => 503,
            Self::Full => 507,
        }
    }

    /// The word that stands for it in the answer's `error` field. Never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unpaid => "unpaid",
            Self::PriceRose => "price_rose",
            Self::Uninvited => "uninvited",
            Self::Unproven => "unproven",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TimedOut => "timed_out",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::UnsupportedSuite => "unsupported_suite",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownPurpose => "unknown_purpose",
            Self::BadContent => "bad_content",
            Self::NoBox => "no_box",
            Self::SlowDown => "slow_down",
            Self::Stopping => "stopping",
            Self::Full => "full",
        }
    }

    /// The body of the answer: one line of JSON.
    #[must_use]
    pub fn body(self) -> String {
        let body = RefusalBody {
            error: self.code().into(),
            reason: self.to_string(),
        };
        serde_json::to_string(&body).expect("two strings are always JSON")
    }
}

/// What an answer says whose status is not 200 (PROTOCOL.md §9).
///
/// ```
/// use kkv_protocol::refusal::{Refusal, Refused};
///
/// let body = Refusal::Full.body();
/// let read = Refused::read(Refusal::Full.status(), body.as_bytes());
/// assert_eq!(read.known(), Some(Refusal::Full));
/// assert!(body.contains(Refusal::Full.code()));
/// assert_eq!(Refused::read(404, b"<html>"), Refused::No);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A refusal of the list: its code, under its status.
    Known(Refusal),
    /// A refusal of another kind: a code that is not on the list, or one under a status that is not its own.
    Unknown,
    /// No refusal of PROTOCOL.md §9: what a server says that isn't a kkv relay, or an older one.
    No,
}

impl Refused {
    /// Reads an answer. Its `reason` and its content type are not looked at.
    ///
    /// What comes back holds no text that the relay wrote, so nothing of it can steer a terminal.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        let Ok(Code { error }) = wire::object(body) else {
            return Self::No;
        };
        Refusal::ALL
            .into_iter()
            .find(|refusal| refusal.code() == error && refusal.status() == status)
            .map_or(Self::Unknown, Self::Known)
    }

    /// The refusal, if it is one of the list.
    #[must_use]
    pub fn known(self) -> Option<Refusal> {
        match self {
            Self::Known(refusal) => Some(refusal),
            Self::Unknown | Self::No => None,
        }
    }
}

#[derive(Serialize)]
struct RefusalBody {
    error: String,
    reason: String,
}

#[derive(Deserialize)]
struct Code {
    error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_one_line_that_reads_back() {
        for refusal in Refusal::ALL {
            let body = refusal.body();
            assert!(!body.contains('\n'));
            let read = |status| Refused::read(status, body.as_bytes());
            assert_eq!(read(refusal.status()), Refused::Known(refusal));
            assert_eq!(read(refusal.status()).known(), Some(refusal));
            assert_eq!(read(418), Refused::Unknown);
            assert!((400..600).contains(&refusal.status()));
        }
        let read = |body: &[u8]| Refused::read(401, body);
        assert_eq!(read(b"{\"error\":\"else\"}"), Refused::Unknown);
        assert_eq!(read(b"{\"error\":null}"), Refused::No);
        assert_eq!(read(b"Unauthorized"), Refused::No);
    }
}
