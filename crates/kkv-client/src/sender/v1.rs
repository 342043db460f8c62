//! A delivery in kkv/1.

use std::time::Duration;

use rand::CryptoRng;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::again::Again;
use super::line::{Answer, Ask, Line, Trouble};
use super::pay::Purse;
use super::{Accepted, Delivery, Doubt, Event, Failure, message_refused, refused, undelivered};
use kkv_base::limits::{DEFAULT_EXPECTED_SECONDS, MAX_EXPECTED_SECONDS, SESSION_LIFETIME};
use kkv_net::tor::Dial;
use kkv_pow::Solution;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::fault::Fault;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v1::sender::Hello;
use kkv_protocol::v1::wire::is_refusal;
use kkv_protocol::wire::object;

pub(super) async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    line: &mut Line<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Accepted, Failure> {
    let sender = key.public();
    let mut hello = Hello::new(key);
    let mut purse = Purse::new(delivery.max_time, delivery.anyway);
    let (relay, cost, ends, open) = loop {
        let asked = line
            .ask(&Ask::form("/pow", &hello.request()), Again::unpaid(rng))
            .await;
        let answer = asked.result.map_err(undelivered)?;
        let challenged = hello.challenged(&read(answer)?)?;
        let puzzle = challenged.puzzle();
        let cost = puzzle.cost();

        let time = time_left(challenged.expiry(), delivery.clock.wall());
        let term = delivery
            .agree(&puzzle, &mut purse, Instant::now(), time)
            .await?;
        let again = Again::unpaid(rng);
        // At once: the relay's key is needed only before the solution is sent. A challenge that it did not sign ends
        // the search.
        let search = async {
            let solution = delivery.search(puzzle, term, rng).await;
            purse.paid(term);
            solution
        };
        let (solution, vouched) = tokio::try_join!(search, async {
            let asked = line.ask(&Ask::get("/get_domain_pk"), again).await;
            let answer = successful(asked.result.map_err(undelivered)?)?;
            Ok(challenged.vouched(&answer.body)?)
        })?;
        let relay = *vouched.relay();
        let Solution::V1(nonce) = solution else {
            unreachable!("a solver answers in the layout it was asked in");
        };

        delivery.observer.event(Event::Exchanging);
        let exchanging = vouched.solved(nonce, rng);
        let ask = Ask::form("/exchange_keys", exchanging.request());
        let asked = line.ask(&ask, Again::paid(term.expires, rng)).await;
        let answer = asked.result.map_err(undelivered)?;
        let ends = answer.asked + SESSION_LIFETIME; // a published relay doesn't say how long; none gives less
        match read(answer) {
            Err(Failure::Refused(Refusal::PriceRose)) if purse.pays_again() => {
                delivery.observer.event(Event::PriceRose);
                hello = exchanging.again();
            }
            keys => break (relay, cost, ends, exchanging.answered(&keys?)?),
        }
    };

    let sent = open.seal(text)?;
    delivery.observer.event(Event::Sending);
    let asked = line
        .ask(&Ask::form("/msg", &sent.request), Again::paid(ends, rng))
        .await;
    match asked.result {
        Ok(answer) if answer.status == 200 && answer.body.is_empty() => Ok(Accepted {
            suite: Suite::V1,
            relay,
            sender,
            cost,
            receipt: None,
        }),
        Ok(answer) if answer.status == 200 => Err(Failure::InDoubt(Doubt::Unclear)),
        Ok(answer) => Err(message_refused(&answer, asked.lost)),
        Err(trouble) if !asked.lost => Err(undelivered(trouble)),
        Err(Trouble::Nonsense) => Err(Failure::InDoubt(Doubt::Unclear)),
        Err(_) => Err(Failure::InDoubt(Doubt::Lost)),
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

fn successful(answer: Answer) -> Result<Answer, Failure> {
    if answer.status == 200 {
        Ok(answer)
    } else {
        Err(refused(&answer))
    }
}

/// Reads an answer in JSON, or the filler that a published relay refuses with.
fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Failure> {
    let answer = successful(answer)?;
    if is_refusal(&answer.body) {
        return Err(Failure::RefusedFilled);
    }
    object(&answer.body).ok_or(Failure::Fault(Fault::Malformed))
}
