//! A delivery in kkv/1.

use std::time::Duration;

use rand::CryptoRng;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Accepted, Delivery, Event};
use super::failure::{Failure, Indeterminate};
use super::reading::{self, successful};
use super::repeat::RepeatPolicy;
use super::request::{Request, Response};
use kkv_base::limits::{DEFAULT_EXPECTED_SECONDS, MAX_EXPECTED_SECONDS, SESSION_LIFETIME};
use kkv_net::tor::Dial;
use kkv_pow::Solution;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v1::sender::Hello;
use kkv_protocol::v1::wire::is_refusal;

pub(super) async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Accepted, Failure> {
    let sender = key.public();
    let mut hello = Hello::new(key);
    let mut budget = TimeBudget::new(delivery.options.max_time, delivery.options.anyway);
    let (relay, cost, ends, open) = loop {
        let request = Request::form("/pow", &hello.request());
        let response = connection.ask(&request, RepeatPolicy::unpaid(rng)).await?;
        let challenged = hello.challenged(&read(&response)?)?;
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
            let response = connection
                .ask(&Request::get("/get_domain_pk"), policy)
                .await?;
            Ok(challenged.vouched(successful(&response)?)?)
        })?;
        let relay = *vouched.relay();
        let Solution::V1(nonce) = solution else {
            unreachable!("a solver answers in the layout it was asked in");
        };

        delivery.observer.event(Event::Exchanging);
        let exchanging = vouched.solved(nonce, rng);
        let request = Request::form("/exchange_keys", exchanging.request());
        let response = connection
            .ask(&request, RepeatPolicy::paid(deadline.expires, rng))
            .await?;
        let ends = response.requested_at + SESSION_LIFETIME; // a published relay doesn't say how long; none gives less
        match read(&response) {
            Err(Failure::Refused(Refusal::PriceRose)) if budget.pays_again() => {
                delivery.observer.event(Event::PriceRose);
                hello = exchanging.again();
            }
            keys => break (relay, cost, ends, exchanging.answered(&keys?)?),
        }
    };

    let sent = open.seal(text)?;
    delivery.observer.event(Event::Sending);
    let request = Request::form("/msg", &sent.request);
    let response = connection
        .send_message(&request, RepeatPolicy::paid(ends, rng))
        .await?;
    if !response.body.is_empty() {
        return Err(Failure::Indeterminate(Indeterminate::Unclear));
    }
    Ok(Accepted {
        suite: Suite::V1,
        relay,
        sender,
        cost,
        invited: false,
        receipt: None,
    })
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

/// Reads a response in JSON, or the filler that a published relay refuses with.
fn read<T: DeserializeOwned>(response: &Response) -> Result<T, Failure> {
    if is_refusal(successful(response)?) {
        return Err(Failure::RefusedFilled);
    }
    reading::read(response)
}
