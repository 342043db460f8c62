//! The same step, or two that exclude each other, taken at the same moment: one outcome, and the same answer to whoever
//! asked the same.

use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::SuitePolicy;

use super::talk::{Speaker, at_once, same};
use crate::in_process::InProcess;

/// Threads of each race, and how often each race is run: the windows are microseconds wide.
const THREADS: usize = 4;
const ROUNDS: u64 = 100;

fn relay(slots: u32) -> InProcess {
    InProcess::new(SuitePolicy::Any, slots, 0)
}

fn speaker(round: u64) -> Speaker {
    Speaker {
        key: round,
        exchange: round,
    }
}

#[test]
fn one_kkv1_exchange_asked_for_twice_at_once_opens_one_session_even_in_the_last_slot() {
    for round in 0..ROUNDS {
        let inbox = relay(1);
        let who = speaker(round);
        let challenge = who.challenge_v1(&inbox.relay);
        let exchanging = who.exchanging_v1(&inbox.relay, &challenge);
        let answer = same(at_once(THREADS, |_| {
            inbox
                .relay
                .exchange_v1(exchanging.request(), &mut rand::rng())
        }));
        assert_eq!(inbox.reserved(), 1);
        let message = who.message_v1(&inbox.relay, &challenge, &answer, "once");
        let answers = at_once(THREADS, |_| inbox.relay.message_v1(&message));
        assert_eq!(same(answers), "");
        assert_eq!(inbox.texts(), ["once"]);
    }
}

#[test]
fn one_kkv2_exchange_asked_for_twice_at_once_opens_one_session_even_in_the_last_slot() {
    for round in 0..ROUNDS {
        let inbox = relay(1);
        let who = speaker(round);
        let challenge = who.challenge_v2(&inbox.relay);
        let exchanging = who.exchanging_v2(&challenge);
        let answer = same(at_once(THREADS, |_| {
            inbox
                .relay
                .exchange_v2(exchanging.request(), &mut rand::rng())
        }));
        assert_eq!(inbox.reserved(), 1);
        let sent = who.message_v2(&challenge, &answer, "once");
        let answers = at_once(THREADS, |_| inbox.relay.message_v2(sent.request()));
        let receipt = serde_json::from_str(&same(answers)).unwrap();
        assert!(sent.accepted(&receipt).is_ok());
        assert_eq!(inbox.texts(), ["once"]);
    }
}

#[test]
fn one_challenge_opens_one_session_however_many_ask_at_once() {
    for round in 0..ROUNDS {
        let inbox = relay(THREADS as u32);
        let who = speaker(round);
        let challenge = who.challenge_v2(&inbox.relay);
        let exchanges: Vec<_> = (0..THREADS as u64)
            .map(|exchange| Speaker { exchange, ..who }.exchanging_v2(&challenge))
            .collect();
        let mut answers = at_once(THREADS, |index| {
            inbox
                .relay
                .exchange_v2(exchanges[index].request(), &mut rand::rng())
        });
        answers.sort_by_key(Result::is_err);
        assert!(answers[0].is_ok());
        assert!(answers[1..].iter().all(|a| *a == Err(Refusal::Spent)));
        assert_eq!(inbox.reserved(), 1, "losers keep no slot");
    }
}

#[test]
fn of_two_messages_sent_at_once_in_one_session_one_is_accepted() {
    for round in 0..ROUNDS {
        let inbox = relay(2);
        let who = speaker(round);
        let challenge = who.challenge_v2(&inbox.relay);
        let exchanging = who.exchanging_v2(&challenge);
        let opened = inbox
            .relay
            .exchange_v2(exchanging.request(), &mut rand::rng())
            .unwrap();
        let texts = ["this one", "that one"];
        let sent = texts.map(|text| who.message_v2(&challenge, &opened, text));
        let answers = at_once(2, |index| inbox.relay.message_v2(sent[index].request()));
        let accepted = answers.iter().position(Result::is_ok).unwrap();
        assert_eq!(answers[1 - accepted], Err(Refusal::Unproven));
        assert_eq!(inbox.texts(), [texts[accepted]]);
    }
}

#[test]
fn of_two_senders_who_have_paid_for_the_last_slot_one_gets_it_and_the_other_is_told() {
    for round in 0..ROUNDS {
        let inbox = relay(1);
        let exchanges = [2 * round, 2 * round + 1].map(|number| {
            let challenge = speaker(number).challenge_v2(&inbox.relay);
            speaker(number).exchanging_v2(&challenge)
        });
        let answers = at_once(2, |index| {
            inbox
                .relay
                .exchange_v2(exchanges[index].request(), &mut rand::rng())
        });
        assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1);
        assert!(answers.contains(&Err(Refusal::Full)));
        assert_eq!(inbox.reserved(), 1);
    }
}

#[test]
fn a_kkv1_exchange_whose_session_gave_way_to_a_newer_one_is_not_answered_with_that_ones_keys() {
    let inbox = relay(2);
    let older = Speaker {
        key: 1,
        exchange: 1,
    };
    let newer = Speaker {
        key: 1,
        exchange: 2,
    };
    let ask = |who: Speaker| {
        let challenge = who.challenge_v1(&inbox.relay);
        who.exchanging_v1(&inbox.relay, &challenge)
    };
    let (first, second) = (ask(older), ask(newer));
    let exchange = |exchanging: &kkv_protocol::v1::sender::Exchanging| {
        inbox
            .relay
            .exchange_v1(exchanging.request(), &mut rand::rng())
    };
    let answered = exchange(&first).unwrap();
    assert_eq!(exchange(&first).as_ref(), Ok(&answered));
    let replaced = exchange(&second).unwrap();
    assert_eq!(
        inbox.reserved(),
        2,
        "the older one's slot waits for its end"
    );
    assert_eq!(exchange(&first), Err(Refusal::Spent));
    assert_eq!(exchange(&second), Ok(replaced));
}
