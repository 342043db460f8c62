//! A delivery in kkv/2.

use std::time::Duration;

use rand::CryptoRng;

use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Accepted, Delivery, Event};
use super::failure::{Failure, Indeterminate};
use super::reading::read;
use super::repeat::RepeatPolicy;
use super::request::{Request, Response};
use kkv_net::tor::Dial;
use kkv_pow::Solution;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::wire::object;

pub(super) enum Negotiated {
    Accepted(Box<Accepted>),
    /// The relay does not know this suite; the key was not used.
    NotSpoken(Box<SenderKey>),
}

pub(super) async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Negotiated, Failure> {
    let sender = key.public();
    let mut hello = Hello::new(key);
    let mut budget = TimeBudget::new(delivery.options.max_time, delivery.options.anyway);
    let (relay, terms, ends, open) = loop {
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
            .agree(&puzzle, &mut budget, response.requested_at, lifetime)
            .await?;
        let solution = delivery.search(puzzle, deadline, rng).await?;
        budget.paid(deadline);
        let Solution::V2(nonces) = solution else {
            unreachable!("a solver answers in the layout it was asked in");
        };

        delivery.observer.event(Event::Exchanging);
        let exchanging = challenged.solved(&nonces, rng);
        let request = Request::json("/exchange_keys", exchanging.request());
        let response = connection
            .ask(&request, RepeatPolicy::paid(deadline.expires, rng))
            .await?;
        match read(&response) {
            Err(Failure::Refused(Refusal::PriceRose)) if budget.pays_again() => {
                delivery.observer.event(Event::PriceRose);
                hello = exchanging.again();
            }
            keys => {
                let ends =
                    response.requested_at + Duration::from_secs(terms.session_lifetime.into());
                break (relay, terms, ends, exchanging.answered(&keys?)?);
            }
        }
    };

    delivery.observer.event(Event::Sending);
    let sent = open.seal(text);
    let request = Request::json("/msg", sent.request());
    let response = connection
        .send_message(&request, RepeatPolicy::paid(ends, rng))
        .await?;
    let receipt = object(&response.body)
        .map_err(|_| ProtocolError::BadReceipt)
        .and_then(|answer| sent.accepted(&answer))
        .map_err(|_| Failure::Indeterminate(Indeterminate::Unclear))?;
    Ok(Negotiated::Accepted(Box::new(Accepted {
        suite: Suite::V2,
        relay,
        sender,
        cost: terms.cost,
        receipt: Some(receipt),
    })))
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
