//! What a delivery needs, what is told of it while it goes on, and what it ends with.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::contacts::Invitation;
use kkv_base::clock::Clock;
use kkv_base::limits::{ANSWER_TIMEOUT, MAX_UNASKED_PAYING, MIN_ODDS};
use kkv_net::tor::Target;
use kkv_pow::{Cost, Odds, Puzzle, Search, Solver};
use kkv_protocol::crypto::identity::{PublicKey, Relay, Sender};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::answers::keys::Salt;
use kkv_protocol::v2::sender::Receipted;

/// What a message needs beside its text.
#[derive(Debug)]
pub struct Delivery<'d, D> {
    /// The way there.
    pub dialer: &'d D,
    /// Whom it is for, and what may be done for it.
    pub options: DeliveryOptions,
    /// For the deadline of kkv/1, which is a time of day.
    pub clock: &'d dyn Clock,
    /// Is told how it goes.
    pub observer: &'d dyn Observer,
}

/// Whom a message is for, and what may be done to deliver it.
#[derive(Debug, Clone)]
pub struct DeliveryOptions {
    /// Whom it is for.
    pub target: Target,
    /// By what it is to cost nothing: then it is sent so or not at all.
    pub invitation: Option<Invitation>,
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
    pub timeout: Duration,
}

impl DeliveryOptions {
    /// What is done if nobody says anything else: either suite, all of this machine's cores, and so long as
    /// [`MAX_UNASKED_PAYING`] and [`ANSWER_TIMEOUT`] say.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            invitation: None,
            suites: SuitePolicy::default(),
            solver: Solver::default(),
            max_time: None,
            anyway: false,
            timeout: ANSWER_TIMEOUT,
        }
    }
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
    /// How long the relay gives.
    pub given: Duration,
}

impl Price {
    /// Whether it is likely to be paid in its time, and is only more than is paid without asking.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        self.is_likely_in(self.time)
    }

    /// The same, if it might take so long.
    #[must_use]
    pub fn is_likely_in(&self, time: Duration) -> bool {
        self.odds.by(time) > MIN_ODDS
    }

    pub(super) fn too_dear(&self) -> String {
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
    /// The relay takes the invitation: nothing is paid.
    Invited,
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
    /// The message can be answered. By this salt its own entry is known in what a relay tells of its box, and by no
    /// other try's.
    Answerable(Salt),
    /// The message is on its way: from here on, an interruption leaves the outcome unknown.
    Sending,
    /// So many bytes of a message with files are at the relay, which has said so.
    Uploaded {
        /// Bytes of the pieces that are there.
        bytes: u64,
        /// Bytes of all of them.
        of: u64,
    },
    /// A relay is being asked something; this changes no inbox.
    Asking,
    /// The connection broke; it is tried again.
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
    /// Whether it came by an invitation.
    pub invited: bool,
    /// The relay's word for it (kkv/2 only).
    pub receipt: Option<Receipted>,
}
