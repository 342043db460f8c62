//! A delivery in kkv/1.

use std::time::Duration;

use rand::CryptoRng;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Accepted, Delivery, Event};
use super::failure::{Failure, Indeterminate};
use super::reading::{message_refused, refused, undelivered};
use super::repeat::RepeatPolicy;
use super::request::{Request, Response, TransportError};
use kkv_base::limits::{DEFAULT_EXPECTED_SECONDS, MAX_EXPECTED_SECONDS, SESSION_LIFETIME};
use kkv_net::tor::Dial;
use kkv_pow::Solution;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v1::sender::Hello;
use kkv_protocol::v1::wire::is_refusal;
use kkv_protocol::wire::object;

pub(super) async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Accepted, Failure> {
    let sender = key.public();
    let mut hello = Hello::new(key);
    let mut budget = TimeBudget::new(delivery.max_time, delivery.anyway);
    let (relay, cost, ends, open) = loop {
        let outcome = connection
            .send(
                &Request::form("/pow", &hello.request()),
                RepeatPolicy::unpaid(rng),
            )
            .await;
        let response = outcome.result.map_err(undelivered)?;
        let challenged = hello.challenged(&read(response)?)?;
        let puzzle = challenged.puzzle();
        let cost = puzzle.cost();

        let time = time_left(challenged.expiry(), delivery.clock.wall());
        let deadline = delivery
            .agree(&puzzle, &mut budget, Instant::now(), time)
            .await?;
        let policy = RepeatPolicy::unpaid(rng);
        // At once: the relay's key is needed only before the solution is sent. A challenge that it did not sign ends
        // the search.
        let search = async {
            let solution = delivery.search(puzzle, deadline, rng).await;
            budget.paid(deadline);
            solution
        };
        let (solution, vouched) = tokio::try_join!(search, async {
            let outcome = connection
                .send(&Request::get("/get_domain_pk"), policy)
                .await;
            let response = successful(outcome.result.map_err(undelivered)?)?;
            Ok(challenged.vouched(&response.body)?)
        })?;
        let relay = *vouched.relay();
        let Solution::V1(nonce) = solution else {
            unreachable!("a solver answers in the layout it was asked in");
        };

        delivery.observer.event(Event::Exchanging);
        let exchanging = vouched.solved(nonce, rng);
        let request = Request::form("/exchange_keys", exchanging.request());
        let outcome = connection
            .send(&request, RepeatPolicy::paid(deadline.expires, rng))
            .await;
        let response = outcome.result.map_err(undelivered)?;
        let ends = response.requested_at + SESSION_LIFETIME; // a published relay doesn't say how long; none gives less
        match read(response) {
            Err(Failure::Refused(Refusal::PriceRose)) if budget.pays_again() => {
                delivery.observer.event(Event::PriceRose);
                hello = exchanging.again();
            }
            keys => break (relay, cost, ends, exchanging.answered(&keys?)?),
        }
    };

    let sent = open.seal(text)?;
    delivery.observer.event(Event::Sending);
    let outcome = connection
        .send(
            &Request::form("/msg", &sent.request),
            RepeatPolicy::paid(ends, rng),
        )
        .await;
    match outcome.result {
        Ok(response) if response.status == 200 && response.body.is_empty() => Ok(Accepted {
            suite: Suite::V1,
            relay,
            sender,
            cost,
            receipt: None,
        }),
        Ok(response) if response.status == 200 => {
            Err(Failure::Indeterminate(Indeterminate::Unclear))
        }
        Ok(response) => Err(message_refused(&response, outcome.answer_lost)),
        Err(error) if !outcome.answer_lost => Err(undelivered(error)),
        Err(TransportError::Malformed) => Err(Failure::Indeterminate(Indeterminate::Unclear)),
        Err(_) => Err(Failure::Indeterminate(Indeterminate::Lost)),
    }
}

/// How long the relay gives, by this machine's clock. Where that makes no sense, one of the two clocks is wrong; the
/// published default is tried then, and the relay has the last word.
fn time_left(expiry: u64, now: u64) -> Duration {
    let left = expiry.saturating_sub(now);
    let sensible = (1..=u64::from(MAX_EXPECTED_SECONDS)).contains(&left);
    Duration::from_secs(if sensible {
        left
    } else {
        DEFAULT_EXPECTED_SECONDS.into()
    })
}

fn successful(response: Response) -> Result<Response, Failure> {
    if response.status == 200 {
        Ok(response)
    } else {
        Err(refused(&response))
    }
}

/// Reads a response in JSON, or the filler that a published relay refuses with.
fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let response = successful(response)?;
    if is_refusal(&response.body) {
        return Err(Failure::RefusedFilled);
    }
    object(&response.body).map_err(|_| Failure::Protocol(ProtocolError::Malformed))
}
