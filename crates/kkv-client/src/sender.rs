//! Carries a message to a relay: dials, asks step by step, pays, and says exactly what has become of the message.
//!
//! Every step may be asked again, word for word, so a broken line costs a new connection and nothing else. Only when
//! the whole message was on its way and no answer came is the outcome unknown, and then that is what the sender is
//! told.

mod connection;
pub mod counted;
mod pay;
mod repeat;
mod v1;
mod v2;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;

use connection::{Connection, Response, TransportError};
use kkv_base::clock::Clock;
use kkv_base::count::counted;
use kkv_base::limits::{MAX_UNASKED_PAYING, MIN_ODDS};
use kkv_net::tor::{Dial, DialError, Target};
use kkv_pow::{Cost, Odds, Puzzle, Search, Solver};
use kkv_protocol::crypto::identity::{PublicKey, Relay, Sender, SenderKey};
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::{BadText, Text};
use kkv_protocol::v2::sender::Receipted;

/// What a message needs beside its text.
#[derive(Debug)]
pub struct Delivery<'d, D> {
    /// The way there.
    pub dialer: &'d D,
    /// Whom it is for.
    pub target: Target,
    /// Which suites may be spoken.
    pub suites: SuitePolicy,
    /// What searches for a solution.
    pub solver: Solver,
    /// The longest that it may search in all. If nobody has said: each time as long as the relay gives, but in all not
    /// beyond [`MAX_UNASKED_PAYING`] without the observer's consent.
    pub max_time: Option<Duration>,
    /// Whether it may search for as long as the relay gives without asking.
    pub anyway: bool,
    /// The longest that it waits for one response.
    pub patience: Duration,
    /// For the deadline of kkv/1, which is a time of day.
    pub clock: &'d dyn Clock,
    /// Is told how it goes.
    pub observer: &'d dyn Observer,
}

/// Is told how a delivery goes, step by step.
pub trait Observer: std::fmt::Debug + Sync {
    /// Something happened.
    fn event(&self, event: Event);

    /// Whether to try all the same to pay a price that this machine will hardly pay in time. Its time is running
    /// meanwhile.
    fn consents(&self, _: Price) -> Consent<'_> {
        Box::pin(std::future::ready(true))
    }
}

/// An answer that somebody may have to think about.
pub type Consent<'o> = Pin<Box<dyn Future<Output = bool> + Send + 'o>>;

/// What a challenge means for this machine.
#[derive(Debug, Clone, Copy)]
pub struct Price {
    /// What is asked.
    pub cost: Cost,
    /// How long paying takes here.
    pub odds: Odds,
    /// How long it may take.
    pub time: Duration,
}

impl Price {
    /// Whether it is likely to be paid in its time, and is only more than is paid without asking.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        self.odds.by(self.time) > MIN_ODDS
    }

    fn too_dear(&self) -> String {
        let cost = self.cost;
        if self.is_likely() {
            let minutes = MAX_UNASKED_PAYING.as_secs() / 60;
            format!(
                "2^{cost} hashes take this machine beyond the {minutes} minutes that are paid without asking"
            )
        } else {
            format!("2^{cost} hashes would hardly be computed in time on this machine")
        }
    }
}

/// What happens during a delivery.
#[derive(Debug, Clone)]
pub enum Event {
    /// A connection is being made.
    Dialling,
    /// There is a connection.
    Connected,
    /// The relay has no kkv/2; the sender goes on in kkv/1.
    FellBack,
    /// A solution is being searched for.
    Solving {
        /// The search, to look at.
        search: Arc<Search>,
        /// What is searched for.
        puzzle: Puzzle,
        /// How long it may take.
        time: Duration,
    },
    /// Found; keys are being exchanged.
    Exchanging,
    /// The price has risen meanwhile: another challenge has to be paid for.
    PriceRose,
    /// The message is on its way: from here on, an interruption leaves the outcome unknown.
    Sending,
    /// The line broke; it is tried again.
    Retrying,
    /// The relay refused for a reason that may pass; the same request is sent again after a pause.
    Refused {
        /// The reason.
        refusal: Refusal,
        /// Whether the sender has paid already.
        paid: bool,
        /// How long it goes on so, at most.
        left: Duration,
    },
}

/// The relay has the message in its queue and has said so.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// Which suite was spoken.
    pub suite: Suite,
    /// Whose inbox it is in.
    pub relay: PublicKey<Relay>,
    /// The key that signed it.
    pub sender: PublicKey<Sender>,
    /// What was paid.
    pub cost: Cost,
    /// The relay's word for it (kkv/2 only).
    pub receipt: Option<Receipted>,
}

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

/// Why it can't be known whether a message has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Indeterminate {
    /// The line broke after the message was sent, and every attempt to ask again failed.
    #[error("the relay's answer to the message didn't arrive")]
    Lost,
    /// The first answer was lost, and a refusal came to the repetition: the session may have ended meanwhile, with the
    /// message or without.
    #[error("the relay's answer was lost; asked again, it said: {0}")]
    Refused(Refusal),
    /// The relay answered with something that says neither yes nor no.
    #[error("the relay's answer to the message makes no sense")]
    Unclear,
}

/// Leaves `text` with the relay at `delivery.target`, signed by `key`.
///
/// # Errors
/// See [`Failure`]: the message is not there, except that [`Failure::Indeterminate`] can't say.
pub async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Accepted, Failure> {
    let mut connection = Connection::new(delivery);
    let key = match delivery.suites {
        SuitePolicy::Only(Suite::V1) => key,
        SuitePolicy::Any | SuitePolicy::Only(Suite::V2) => {
            match v2::deliver(delivery, &mut connection, key, text, rng).await? {
                v2::Negotiated::Accepted(accepted) => return Ok(*accepted),
                v2::Negotiated::NotSpoken(key) if delivery.suites.allows(Suite::V1) => {
                    delivery.observer.event(Event::FellBack);
                    *key
                }
                v2::Negotiated::NotSpoken(_) => return Err(Failure::NoCommonSuite(Suite::V2)),
            }
        }
    };
    text.fits(Suite::V1)?;
    v1::deliver(delivery, &mut connection, key, text, rng).await
}

/// What it comes to that no answer came, where no message can have been delivered: it was not sent yet, or never left
/// whole.
fn undelivered(error: TransportError) -> Failure {
    match error {
        TransportError::Dial(fault) => Failure::Unreachable(fault),
        TransportError::Closed => Failure::Broken,
        TransportError::TimedOut(patience) => Failure::Silent(patience),
        TransportError::Malformed => Failure::Protocol(ProtocolError::Malformed),
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
fn message_refused(response: &Response, answer_lost: bool) -> Failure {
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
