//! A wipe, as strangers see it: what they repeat is answered as before, as if the owner had deleted all messages.

use kkv_base::limits::SESSION_LIFETIME;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::SuitePolicy;

use super::talk::{Speaker, exchanges};
use crate::in_process::InProcess;

const SLOTS: u32 = 50;

fn speaker(number: u64) -> Speaker {
    Speaker {
        key: number,
        exchange: number,
    }
}

/// One in each suite who has left a message, and one who hasn't yet. Returns what each of them hears who repeats its
/// last request.
fn strangers(inbox: &InProcess) -> impl Fn() -> Vec<Result<String, Refusal>> {
    let relay = &inbox.relay;
    let waiting = exchanges(speaker(1), relay);
    let who = speaker(2);
    let challenge_v1 = who.challenge_v1(relay);
    let exchanging_v1 = who.exchanging_v1(relay, &challenge_v1);
    let answer = relay.exchange_v1(exchanging_v1.request(), &mut rand::rng());
    let message_v1 = who.message_v1(
        relay,
        &challenge_v1,
        &answer.expect("the exchange is answered"),
        "in kkv/1",
    );
    let challenge_v2 = who.challenge_v2(relay);
    let exchanging_v2 = who.exchanging_v2(&challenge_v2);
    let answer = relay.exchange_v2(exchanging_v2.request(), &mut rand::rng());
    let message_v2 = who.message_v2(
        &challenge_v2,
        &answer.expect("the exchange is answered"),
        "in kkv/2",
    );
    move || {
        let rng = &mut rand::rng();
        let mut heard = waiting().to_vec();
        heard.push(relay.message_v1(&message_v1));
        heard.push(relay.message_v2(message_v2.request()));
        heard.push(relay.exchange_v1(exchanging_v1.request(), rng));
        heard.push(relay.exchange_v2(exchanging_v2.request(), rng));
        heard
    }
}

#[test]
fn whoever_repeats_a_request_hears_the_same_after_a_wipe_until_its_time_is_over() {
    let kept = InProcess::new(SuitePolicy::Any, SLOTS, 0);
    let wiped = InProcess::new(SuitePolicy::Any, SLOTS, 0);
    let (asked, asked_of_wiped) = (strangers(&kept), strangers(&wiped));
    let (before, before_wipe) = (asked(), asked_of_wiped());
    assert_eq!(before.iter().filter(|heard| heard.is_ok()).count(), 4);

    let messages = wiped.relay.wipe();
    assert_eq!(messages.len(), 2);
    assert_eq!(asked_of_wiped(), before_wipe, "the same, byte for byte");
    assert!(wiped.texts().is_empty(), "and nothing is stored by it");
    assert_eq!(wiped.reserved(), 0);

    for relay in [&kept, &wiped] {
        relay.clock.advance(SESSION_LIFETIME);
    }
    for clear_up in [false, true] {
        if clear_up {
            kept.relay.purge();
            wiped.relay.purge();
        }
        let heard = asked_of_wiped();
        assert_eq!(heard, asked());
        assert!(heard.iter().all(Result::is_err), "{heard:?}");
    }
}

#[test]
fn a_message_into_a_session_that_was_wiped_is_refused_as_after_its_end() {
    let inbox = InProcess::new(SuitePolicy::Any, SLOTS, 0);
    let (relay, who) = (&inbox.relay, speaker(1));
    let challenge = who.challenge_v2(relay);
    let exchanging = who.exchanging_v2(&challenge);
    let answer = relay.exchange_v2(exchanging.request(), &mut rand::rng());
    let message = who.message_v2(
        &challenge,
        &answer.expect("the exchange is answered"),
        "too late",
    );
    let first = who.challenge_v1(relay);
    let exchanging = who.exchanging_v1(relay, &first);
    let answer = relay.exchange_v1(exchanging.request(), &mut rand::rng());
    let message_v1 = who.message_v1(
        relay,
        &first,
        &answer.expect("the exchange is answered"),
        "too late",
    );
    relay.wipe();
    assert_eq!(relay.message_v2(message.request()), Err(Refusal::Unproven));
    assert_eq!(relay.message_v1(&message_v1), Err(Refusal::Unproven));
    assert!(inbox.texts().is_empty());
}
