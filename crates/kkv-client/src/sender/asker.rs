//! Asks a relay, over the ways and at the prices of a delivery (PROTOCOL.md §14).
//!
//! Whatever can be asked may be asked twice. So an answer that was lost costs the next number and nothing else, and a
//! session that is over a new one.

use std::fmt;
use std::time::Duration;

use rand::CryptoRng;
use tokio::time::Instant;

use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Delivery, Event};
use super::failure::Failure;
use super::reading::{refusal, successful, undelivered};
use super::repeat::RepeatPolicy;
use super::request::{Request, TransportError};
use super::session::{self, Negotiated};
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::{PublicKey, Relay, SenderKey};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::ask::sender::{AskAnswer, AskRequest, Asking, BadAsk};
use kkv_protocol::v2::purpose::BodySize;
use kkv_protocol::v2::sender::{ForAsks, Hello};

/// How many sessions that turn out to be over one request is made in: the one that there was, and one that the relay
/// ended for others.
const MAX_LOST: u32 = 2;

/// Asks one relay. Dropped while it asks, it stops; what was asked may have been done.
pub struct Asker<'d, D: Dial> {
    delivery: &'d Delivery<'d, D>,
    connection: Connection<'d, D>,
    size: BodySize,
    session: Option<AskSession>,
}

struct AskSession {
    asking: Asking,
    relay: PublicKey<Relay>,
    /// How long it stays open after each answer.
    lifetime: Duration,
    ends: Instant,
}

/// What came of a request.
#[derive(Debug)]
pub struct Answered {
    /// Who has answered.
    pub relay: PublicKey<Relay>,
    /// The request that it is the answer to: of those that were sent, the last.
    pub request: AskRequest,
    /// The answer.
    pub answer: AskAnswer,
}

/// What came of a session.
enum Turn {
    Answered(Box<Answered>),
    /// The session is over, or was never there.
    Over,
}

impl<'d, D: Dial> Asker<'d, D> {
    /// Asks where `delivery` leads, with bodies of up to `size`. Nothing is dialled yet.
    #[must_use]
    pub fn new(delivery: &'d Delivery<'d, D>, size: BodySize) -> Self {
        Self {
            delivery,
            connection: Connection::new(delivery),
            size,
            session: None,
        }
    }

    /// Asks what `seal` makes of the session, and repeats it until it is answered: each time `seal` is called anew,
    /// since no number is used twice. A session is paid for if none is open.
    ///
    /// # Errors
    /// See [`Failure`]; none of it says that something was delivered, and [`Failure::Indeterminate`] does not happen.
    ///
    /// # Panics
    /// `seal` asks for more than fits into the size.
    pub async fn ask(
        &mut self,
        mut seal: impl FnMut(&mut Asking) -> Result<AskRequest, BadAsk> + Send,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Answered, Failure> {
        let options = &self.delivery.options;
        if !options.suites.allows(Suite::V2) {
            return Err(Failure::NoCommonSuite(Suite::V2));
        }
        let mut budget = TimeBudget::new(options.max_time, options.anyway);
        for _ in 0..MAX_LOST {
            // Taken: one in which something went wrong is given up.
            let mut session = match self.session.take().filter(AskSession::is_open) {
                Some(session) => session,
                None => self.opened(&mut budget, rng).await?,
            };
            self.delivery.observer.event(Event::Asking);
            match self.ask_in(&mut session, &mut seal, rng).await? {
                Turn::Answered(answered) => {
                    session.ends = Instant::now() + session.lifetime;
                    self.session = Some(session);
                    return Ok(*answered);
                }
                Turn::Over => {}
            }
        }
        Err(Failure::Refused(Refusal::Unproven))
    }

    async fn opened(
        &mut self,
        budget: &mut TimeBudget,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<AskSession, Failure> {
        // A key for this session alone: nothing is signed with it but the exchange.
        let hello = Hello::<ForAsks>::for_asks(SenderKey::generate(rng), self.size);
        let (delivery, connection) = (self.delivery, &mut self.connection);
        // The answer to an exchange may be lost, and is given once.
        let again = [Refusal::Spent];
        let opened = session::open(delivery, connection, hello, budget, &again, rng).await?;
        let Negotiated::Done(session) = opened else {
            return Err(Failure::NoCommonSuite(Suite::V2));
        };
        Ok(AskSession {
            asking: session.open,
            relay: session.relay,
            lifetime: Duration::from_secs(session.terms.session_lifetime.into()),
            ends: session.ends,
        })
    }

    async fn ask_in(
        &mut self,
        session: &mut AskSession,
        seal: &mut (impl FnMut(&mut Asking) -> Result<AskRequest, BadAsk> + Send),
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Turn, Failure> {
        let policy = RepeatPolicy::paid(session.ends, rng);
        let size = self.size;
        let mut last = None;
        let asking = &mut session.asking;
        let mut next = || match seal(asking) {
            Ok(request) => {
                let wire = Request::bytes("/ask", request.body(), size.bytes());
                last = Some(request);
                Some(wire)
            }
            Err(BadAsk::UsedUp) => None,
            Err(too_large) => panic!("{too_large}"),
        };
        let result = self.connection.send(&mut next, policy).await.result;
        let response = match result {
            Ok(response) => response,
            Err(TransportError::NoneLeft) => return Ok(Turn::Over),
            Err(error) => return Err(undelivered(error)),
        };
        if refusal(&response) == Some(Refusal::Unproven) {
            return Ok(Turn::Over);
        }
        let body = successful(&response)?.to_vec();
        let request = last.expect("it has been answered");
        let answer = session.asking.answer(&request, body)?;
        let relay = session.relay;
        Ok(Turn::Answered(Box::new(Answered {
            relay,
            request,
            answer,
        })))
    }
}

impl AskSession {
    fn is_open(&self) -> bool {
        Instant::now() < self.ends
    }
}

impl<D: Dial> fmt::Debug for Asker<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asker({:?}, ..)", self.size)
    }
}
