//! Opens a session of kkv/2, for a message or for asks: a challenge, its price, the exchange of keys.

use std::time::Duration;

use rand::CryptoRng;
use tokio::time::Instant;

use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Delivery, Event};
use super::failure::Failure;
use super::reading::read;
use super::repeat::RepeatPolicy;
use super::request::{Request, Response};
use kkv_net::tor::Dial;
use kkv_pow::Solution;
use kkv_protocol::Terms;
use kkv_protocol::crypto::identity::{PublicKey, Relay, SenderKey};
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::v2::sender::{Hello, SessionKind};

/// A session that is open, and was paid for.
pub(super) struct Session<K: SessionKind> {
    pub(super) relay: PublicKey<Relay>,
    pub(super) terms: Terms,
    /// When it will be over, if nothing is done in it.
    pub(super) ends: Instant,
    pub(super) open: K::Open,
}

pub(super) enum Negotiated<T> {
    Done(T),
    /// The relay does not know this suite; the key was not used.
    NotSpoken(Box<SenderKey>),
}

/// Opens one. It is begun again at step 1, and paid anew, where the exchange is refused with `price_rose` or one of
/// `again`, as far as `budget` allows.
pub(super) async fn open<K: SessionKind, D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    mut hello: Hello<K>,
    budget: &mut TimeBudget,
    again: &[Refusal],
    rng: &mut (impl CryptoRng + Send),
) -> Result<Negotiated<Session<K>>, Failure> {
    loop {
        let request = Request::json("/pow", &hello.request());
        let response = connection.ask(&request, RepeatPolicy::unpaid(rng)).await?;
        // Only at first: who has spoken it, and been paid, can't have forgotten it.
        if budget.is_untouched() && is_foreign(&response) {
            return Ok(Negotiated::NotSpoken(Box::new(hello.into_key())));
        }
        let challenged = hello.challenged(&read(&response)?)?;
        let (relay, terms) = (*challenged.relay(), *challenged.terms());

        let lifetime = Duration::from_secs(terms.lifetime.into());
        let puzzle = challenged.puzzle();
        let deadline = delivery
            .agree(&puzzle, budget, response.requested_at, lifetime)
            .await?;
        let is_invited = challenged.is_invited();
        let nonces = if is_invited {
            delivery.observer.event(Event::Invited);
            vec![0] // any one solves what costs nothing
        } else {
            let solution = delivery.search(puzzle, deadline, rng).await?;
            budget.paid(deadline);
            let Solution::V2(nonces) = solution else {
                unreachable!("a solver answers in the layout it was asked in");
            };
            nonces
        };

        delivery.observer.event(Event::Exchanging);
        let exchanging = challenged.solved(&nonces, rng);
        let request = Request::json("/exchange_keys", exchanging.request());
        let response = connection
            .ask(&request, RepeatPolicy::paid(deadline.expires, rng))
            .await?;
        match read(&response) {
            Err(Failure::Refused(Refusal::PriceRose)) if budget.pays_again() && !is_invited => {
                delivery.observer.event(Event::PriceRose);
                hello = exchanging.again();
            }
            Err(Failure::Refused(refusal)) if again.contains(&refusal) && budget.pays_again() => {
                hello = exchanging.again();
            }
            keys => {
                let lifetime = Duration::from_secs(terms.session_lifetime.into());
                return Ok(Negotiated::Done(Session {
                    relay,
                    terms,
                    ends: response.requested_at + lifetime,
                    open: exchanging.answered(&keys?)?,
                }));
            }
        }
    }
}

/// Whether this is how a server answers that has never heard of kkv/2: a published one says 415 to JSON, others may say
/// what they say to a page they don't have. A kkv/2 relay gives a reason, if only one of a later day: then it is no
/// reason to make do with less.
fn is_foreign(response: &Response) -> bool {
    match Refused::read(response.status, &response.body) {
        Refused::Known(refusal) => refusal == Refusal::UnsupportedSuite,
        Refused::Unknown => false,
        Refused::No => matches!(response.status, 400 | 404 | 405 | 415 | 422),
    }
}
