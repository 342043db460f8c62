//! Repetitions, ends and what is remembered of them.

use super::*;
use crate::queue::Queue;
use crate::relay::spent::{Challenge, resident};
use crate::relay::{Pricing, Relay, RelayConfig};
use kkv_base::clock::ManualClock;
use kkv_pow::{Cost, Nonce};
use kkv_protocol::MessageHeader;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::ids::{Seed, SessionId};
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::{v1, v2};
use kkv_testing::alone;

const SESSION: SessionId = SessionId([7; 32]);
const START: Moment = Moment {
    challenges: 1_800_000_000,
    elapsed: Duration::ZERO,
};
const DIGEST: RequestDigest = RequestDigest([9; 32]);

/// Some time after the start.
fn after(time: Duration) -> Moment {
    Moment {
        challenges: START.challenges + time.as_secs(),
        elapsed: time,
    }
}

fn paid(seed: u8) -> PaidRequest {
    let expiry = START.challenges + 10 * SESSION_LIFETIME.as_secs();
    PaidRequest {
        challenge: Challenge::new(expiry, &Seed([seed; 32])),
        cost: Cost::HIGHEST,
        invitation: None,
        digest: RequestDigest([seed; 32]),
    }
}

/// As long as one of kkv/2.
fn receipt(number: u8) -> [u8; 64] {
    [number; 64]
}

fn queue(slots: u32) -> Queue<MessageHeader> {
    Queue::new(slots, None).unwrap()
}

/// A session of [`SESSION`], opened at the start by a challenge that outlives it.
fn open(
    sessions: &Sessions<SessionId, (), [u8; 64]>,
    queue: &Queue<MessageHeader>,
    seed: u8,
) -> Arc<Entry<()>> {
    let answer = format!("answer {seed}");
    let reserve = |_: Option<&_>| {
        let slot = queue.reserve(START.elapsed);
        slot.map(Held::from).map_err(|_| Refusal::Full)
    };
    let opened = sessions.open(
        paid(seed),
        SESSION,
        Box::new(()),
        answer.clone(),
        START,
        reserve,
    );
    assert_eq!(opened, Ok(answer));
    sessions.get(&SESSION, START.elapsed).unwrap()
}

#[test]
fn a_repetition_that_comes_after_its_session_has_ended_is_spent_before_anyone_has_cleared_up() {
    let (sessions, queue) = (Sessions::new(), queue(1));
    open(&sessions, &queue, 1);
    let before = SESSION_LIFETIME - Duration::from_nanos(1);
    assert_eq!(
        sessions.cached_answer(&paid(1), before),
        Ok(Some("answer 1".to_owned()))
    );
    assert_eq!(
        sessions.cached_answer(&paid(1), SESSION_LIFETIME),
        Err(Refusal::Spent)
    );
}

#[test]
fn a_session_is_found_until_its_time_is_over() {
    let (sessions, queue) = (Sessions::new(), queue(1));
    open(&sessions, &queue, 1);
    let before = SESSION_LIFETIME - Duration::from_nanos(1);
    assert!(sessions.get(&SESSION, before).is_some());
    assert!(sessions.get(&SESSION, SESSION_LIFETIME).is_none());
}

#[test]
fn the_slot_of_a_session_that_was_replaced_is_free_when_that_would_have_ended() {
    let (sessions, queue) = (Sessions::new(), queue(2));
    open(&sessions, &queue, 1);
    open(&sessions, &queue, 2);
    let reserved = |now| queue.occupancy(now).reserved;
    sessions.purge(after(SESSION_LIFETIME - Duration::from_secs(1)));
    assert_eq!(reserved(START.elapsed), 2);
    sessions.purge(after(SESSION_LIFETIME));
    assert_eq!(reserved(START.elapsed), 0);
}

#[test]
fn a_wipe_ends_sessions_and_keeps_answers_and_the_close_keeps_neither() {
    let (sessions, queue) = (Sessions::new(), queue(2));
    open(&sessions, &queue, 1);
    sessions.wipe();
    assert!(sessions.get(&SESSION, START.elapsed).is_none());
    assert_eq!(queue.occupancy(START.elapsed).reserved, 0);
    let answer = |seed| sessions.cached_answer(&paid(seed), START.elapsed);
    assert_eq!(answer(1), Ok(Some("answer 1".to_owned())));
    let entry = open(&sessions, &queue, 2);
    sessions.record_accepted(&SESSION, &entry, DIGEST, receipt(1), START.elapsed);
    sessions.close();
    assert!(sessions.get(&SESSION, START.elapsed).is_none());
    assert_eq!(
        (answer(1), answer(2)),
        (Err(Refusal::Spent), Err(Refusal::Spent))
    );
    assert_eq!(sessions.accepted_answer(&DIGEST, START.elapsed), None);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_session_is_told_of_one() {
    let (sessions, queue) = (Sessions::new(), queue(1));
    let waits = async || tokio::time::timeout(SESSION_LIFETIME, sessions.opened()).await;
    assert!(waits().await.is_err(), "none was opened");
    open(&sessions, &queue, 1);
    assert!(waits().await.is_ok());
    assert!(waits().await.is_err(), "once");
}

#[test]
fn a_session_that_was_replaced_while_its_message_was_taken_ends_no_other() {
    let (sessions, queue) = (Sessions::new(), queue(2));
    let older = open(&sessions, &queue, 1);
    let newer = open(&sessions, &queue, 2);
    sessions.record_accepted(&SESSION, &older, DIGEST, receipt(1), START.elapsed);
    let found = sessions.get(&SESSION, START.elapsed).unwrap();
    assert!(Arc::ptr_eq(&found, &newer));
    assert_eq!(
        sessions.accepted_answer(&DIGEST, START.elapsed),
        Some(receipt(1))
    );
    sessions.record_accepted(
        &SESSION,
        &newer,
        RequestDigest([8; 32]),
        receipt(2),
        START.elapsed,
    );
    assert!(sessions.get(&SESSION, START.elapsed).is_none());
}

#[test]
fn a_message_that_is_taken_while_it_is_refused_is_answered_as_it_was_taken() {
    let (relay, sessions, queue) = (relay(), Sessions::new(), queue(2));
    let older = open(&sessions, &queue, 1);
    let refused = |digest| {
        relay.accept_message(&sessions, SESSION, digest, |(), _| {
            // Of the session after it, which doesn't open it; meanwhile another thread is done with it.
            sessions.record_accepted(&SESSION, &older, DIGEST, receipt(1), START.elapsed);
            Err(Refusal::Unproven)
        })
    };
    open(&sessions, &queue, 2);
    assert_eq!(refused(DIGEST), Ok(receipt(1)));
    assert_eq!(
        refused(RequestDigest([8; 32])),
        Err(Refusal::Unproven),
        "another message"
    );
}

#[test]
fn a_session_whose_message_is_looked_at_in_this_moment_gives_nothing_away() {
    let (sessions, queue) = (Sessions::new(), queue(1));
    let entry = open(&sessions, &queue, 1);
    let stage = crate::lock(&entry.stage);
    assert!(entry.take_slot().is_none());
    drop(stage);
    assert!(entry.take_slot().is_some());
    assert!(entry.take_slot().is_none(), "it has given it away");
}

#[test]
fn whatever_is_remembered_goes_when_it_is_due_though_nobody_comes() {
    let (sessions, queue) = (Sessions::new(), queue(3));
    let older = open(&sessions, &queue, 1);
    open(&sessions, &queue, 2);
    let accepted_at = SESSION_LIFETIME / 2;
    sessions.record_accepted(&SESSION, &older, DIGEST, receipt(1), accepted_at);
    let expiry = 10 * SESSION_LIFETIME;
    for (due, next) in [
        (Duration::ZERO, Some(SESSION_LIFETIME)),
        (SESSION_LIFETIME, Some(accepted_at + SESSION_LIFETIME)),
        (accepted_at + SESSION_LIFETIME, Some(expiry)),
        (expiry, None),
    ] {
        assert_eq!(sessions.purge(after(due)), next, "{due:?}");
    }
    let table = crate::lock(&sessions.table);
    assert_eq!(table.exchanges.counts(), (0, 0));
    assert_eq!(table.sessions.len() + table.replaced.len(), 0);
    assert_eq!(table.accepted.len() + table.accepted_ends.len(), 0);
    assert_eq!(queue.occupancy(expiry).free(), 3);
    drop(table);
    assert_eq!(
        sessions.cached_answer(&paid(1), expiry),
        Err(Refusal::Expired),
        "nor is it good again"
    );
}

#[test]
fn more_accepted_messages_than_are_remembered_push_out_the_oldest() {
    alone(|| {
        let (sessions, queue) = (Sessions::new(), queue(1));
        let entry = open(&sessions, &queue, 1);
        let before = resident();
        let digest = |number: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            RequestDigest(digest)
        };
        for number in 0..=MAX_ACCEPTED {
            sessions.record_accepted(&SESSION, &entry, digest(number), receipt(3), START.elapsed);
        }
        assert_eq!(sessions.accepted_answer(&digest(0), START.elapsed), None);
        assert_eq!(
            sessions.accepted_answer(&digest(1), START.elapsed),
            Some(receipt(3))
        );
        assert_eq!(
            sessions.accepted_answer(&digest(MAX_ACCEPTED), START.elapsed),
            Some(receipt(3))
        );
        let each = (resident() - before) as f64 / MAX_ACCEPTED as f64;
        assert!(each <= 450.0, "{each} bytes");
    });
}

/// Leaves a message in kkv/1.
fn deliver(relay: &Relay, key: SenderKey) {
    let rng = &mut rand::rng();
    let hello = v1::sender::Hello::new(key);
    let challenge = relay.pow_v1(&hello.request(), rng).unwrap();
    let domain_key = relay.keys().public().id().to_string();
    let challenged = hello.challenged(&challenge).unwrap();
    let vouched = challenged.vouched(domain_key.as_bytes()).unwrap();
    let exchanging = vouched.solved(Nonce([0; 32]), rng);
    let answer = relay.exchange_v1(exchanging.request(), rng).unwrap();
    let answer = serde_json::from_str(&answer).unwrap();
    let text = Text::new("text".to_owned().into()).unwrap();
    let sent = exchanging.answered(&answer).unwrap().seal(&text).unwrap();
    assert_eq!(relay.message_v1(&sent.request), Ok(String::new()));
}

/// A relay with one slot, in kkv/1 and for nothing.
fn relay() -> Relay {
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(0).unwrap(),
            adaptive: false,
        },
        expected_seconds: 60,
        suites: SuitePolicy::Any,
    };
    let clock = Arc::new(ManualClock::new(START.challenges));
    Relay::new(config, queue(1), clock, &mut rand::rng())
}

#[test]
fn of_a_sender_whose_message_was_taken_no_table_holds_the_key_or_the_session() {
    let relay = relay();
    let key = SenderKey::generate(&mut rand::rng());
    let public = key.public().id();
    let name = relay.keys().session_id_v1(&public);
    assert_ne!(name.0, public.0);
    let other = RelayKeys::generate(&mut rand::rng());
    assert_ne!(
        name,
        other.session_id_v1(&public),
        "no other relay knows it"
    );
    deliver(&relay, key);
    let table = crate::lock(&relay.sessions_v1.table);
    assert!(table.sessions.is_empty());
    assert_eq!(
        (table.exchanges.counts(), table.accepted.len()),
        ((1, 0), 1)
    );
    let digest = *table.accepted.keys().next().unwrap();
    assert!(digest.0 != name.0 && digest.0 != public.0);
}

#[test]
fn a_message_that_fits_no_box_leaves_nothing_in_its_slot_and_its_session_open() {
    let (relay, rng) = (relay(), &mut rand::rng());
    let hello = v2::sender::Hello::new(SenderKey::generate(rng));
    let challenge = relay.pow_v2(&hello.request(), rng).unwrap();
    let exchanging = hello.challenged(&challenge).unwrap().solved(&[0], rng);
    let answer = relay.exchange_v2(exchanging.request(), rng).unwrap();
    let open = exchanging.answered(&serde_json::from_str(&answer).unwrap());
    let open = open.unwrap();
    let session = open.session();
    let box_part = ReplySecrets::new(&[5; 16]).follows_up(&session, rng);
    let text = Text::new("a text that nobody keeps".to_owned().into()).unwrap();
    let sent = open.seal(&text, &box_part);
    for _ in 0..2 {
        assert_eq!(relay.message_v2(sent.request()), Err(Refusal::NoBox));
        let entry = relay.sessions_v2.get(&session, START.elapsed).unwrap();
        let mut stage = crate::lock(&entry.stage);
        let Stage::Open { slot, .. } = &mut *stage else {
            panic!("it is open");
        };
        assert!(slot.bytes_mut().iter().all(|byte| *byte == 0));
    }
    assert_eq!(relay.queue.occupancy(START.elapsed).stored, 0);
}
