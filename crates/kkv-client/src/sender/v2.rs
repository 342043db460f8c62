//! A delivery in kkv/2.

use std::time::Duration;

use rand::CryptoRng;
use serde::de::DeserializeOwned;

use super::again::Again;
use super::line::{Answer, Ask, Line, Trouble};
use super::pay::Purse;
use super::{Accepted, Delivery, Doubt, Event, Failure, message_refused, refused, undelivered};
use kkv_net::tor::Dial;
use kkv_pow::Solution;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::fault::Fault;
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::wire::object;

pub(super) enum Outcome {
    Accepted(Box<Accepted>),
    /// The relay does not know this suite; the key was not used.
    NotSpoken(Box<SenderKey>),
}

pub(super) async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    line: &mut Line<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Outcome, Failure> {
    let sender = key.public();
    let mut hello = Hello::new(key);
    let mut purse = Purse::new(delivery.max_time, delivery.anyway);
    let (relay, terms, ends, open) = loop {
        let asked = line
            .ask(&Ask::json("/pow", &hello.request()), Again::unpaid(rng))
            .await;
        let answer = asked.result.map_err(undelivered)?;
        // Only at first: who has spoken it, and been paid, can't have forgotten it.
        if purse.is_untouched() && is_foreign(&answer) {
            return Ok(Outcome::NotSpoken(Box::new(hello.into_key())));
        }
        let challenged = hello.challenged(&read(&answer)?)?;
        let (relay, terms) = (*challenged.relay(), *challenged.terms());

        let lifetime = Duration::from_secs(terms.lifetime.into());
        let puzzle = challenged.puzzle();
        let term = delivery
            .agree(&puzzle, &mut purse, answer.asked, lifetime)
            .await?;
        let solution = delivery.search(puzzle, term, rng).await?;
        purse.paid(term);
        let Solution::V2(nonces) = solution else {
            unreachable!("a solver answers in the layout it was asked in");
        };

        delivery.observer.event(Event::Exchanging);
        let exchanging = challenged.solved(&nonces, rng);
        let ask = Ask::json("/exchange_keys", exchanging.request());
        let asked = line.ask(&ask, Again::paid(term.expires, rng)).await;
        let answer = asked.result.map_err(undelivered)?;
        match read(&answer) {
            Err(Failure::Refused(Refusal::PriceRose)) if purse.pays_again() => {
                delivery.observer.event(Event::PriceRose);
                hello = exchanging.again();
            }
            keys => {
                let ends = answer.asked + Duration::from_secs(terms.session_lifetime.into());
                break (relay, terms, ends, exchanging.answered(&keys?)?);
            }
        }
    };

    delivery.observer.event(Event::Sending);
    let sent = open.seal(text);
    let asked = line
        .ask(&Ask::json("/msg", sent.request()), Again::paid(ends, rng))
        .await;
    let receipt = match asked.result {
        Ok(answer) if answer.status == 200 => object(&answer.body)
            .ok_or(Fault::BadReceipt)
            .and_then(|answer| sent.accepted(&answer))
            .map_err(|_| Failure::InDoubt(Doubt::Unclear))?,
        Ok(answer) => return Err(message_refused(&answer, asked.lost)),
        Err(trouble) if !asked.lost => return Err(undelivered(trouble)),
        Err(Trouble::Nonsense) => return Err(Failure::InDoubt(Doubt::Unclear)),
        Err(_) => return Err(Failure::InDoubt(Doubt::Lost)),
    };
    Ok(Outcome::Accepted(Box::new(Accepted {
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
fn is_foreign(answer: &Answer) -> bool {
    match Refused::read(answer.status, &answer.body) {
        Refused::Known(refusal) => refusal == Refusal::UnsupportedSuite,
        Refused::Unknown => false,
        Refused::No => matches!(answer.status, 400 | 404 | 405 | 415 | 422),
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if answer.status != 200 {
        return Err(refused(answer));
    }
    object(&answer.body).ok_or(Failure::Fault(Fault::Malformed))
}
