use super::*;
use crate::queue::Queue;
use crate::relay::spent::resident;
use crate::relay::{Pricing, Relay, RelayConfig};
use kkv_base::clock::ManualClock;
use kkv_base::limits::MAX_ASK_SESSIONS;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::{Terms, v2};
use kkv_testing::alone;

/// A session for asks of the smallest size, and the challenge that it was paid by.
fn session(number: u8) -> (Challenge, AskSession) {
    let rng = &mut rand::rng();
    let keys = RelayKeys::generate(rng);
    let hello = v2::sender::Hello::for_asks(SenderKey::generate(rng), BodySize::Kib4);
    let terms = Terms {
        cost: Cost::new(0).unwrap(),
        lifetime: 60,
        expiry: 1000,
        session_lifetime: 120,
    };
    let request = hello.request();
    let purpose = v2::relay::purpose(&request).unwrap();
    let answer = v2::relay::issue(&keys, &request, purpose, &terms, rng);
    let exchanging = hello.challenged(&answer).unwrap().solved(&[0], rng);
    let admitted = v2::relay::admit(&keys, exchanging.request(), 0).unwrap();
    let mut seed = admitted.seed();
    seed.0[0] = number;
    let challenge = Challenge::new(admitted.expiry(), &seed);
    let (session, _) = admitted.open_asks(&keys, BodySize::Kib4, rng).unwrap();
    (challenge, session)
}

fn at(seconds: u64) -> Moment {
    Moment {
        challenges: seconds,
        elapsed: Duration::from_secs(seconds),
    }
}

fn open(asks: &Asks, now: u64) -> SessionId {
    let (challenge, session) = session(0);
    let id = session.id();
    asks.open(challenge, session, Cost::HIGHEST, at(now))
        .unwrap();
    id
}

fn number(number: u64) -> AskNumber {
    AskNumber::new(number).unwrap()
}

/// Whether a request of this session and number would be opened.
fn is_open(asks: &Asks, id: &SessionId, asked: u64, now: u64) -> bool {
    let found = asks.get(id, BodySize::Kib4, number(asked), at(now).elapsed);
    found.is_ok()
}

#[test]
fn a_session_ends_with_its_sixteenth_answer_or_two_minutes_after_it_was_used() {
    let asks = Asks::new(4);
    let id = open(&asks, 0);
    assert!(is_open(&asks, &id, 0, 119) && !is_open(&asks, &id, 0, 120));
    asks.touch(&id, Duration::from_secs(100));
    assert!(is_open(&asks, &id, 0, 219) && !is_open(&asks, &id, 0, 220));
    for asked in 0..16 {
        assert!(is_open(&asks, &id, asked, 219), "{asked}");
        asks.take(&id, number(asked), at(219).elapsed).unwrap();
        assert!(!is_open(&asks, &id, asked, 219), "each once");
    }
    assert!(!is_open(&asks, &id, 16, 219));
    assert_eq!(
        asks.take(&id, number(16), at(219).elapsed),
        Err(Refusal::Unproven)
    );
    let over = open(&asks, 0);
    asks.touch(&over, Duration::from_secs(120));
    assert!(!is_open(&asks, &over, 0, 120), "it doesn't come back");
    let other = open(&asks, 219);
    assert_eq!(asks.purge(at(338)), Some(Duration::from_secs(339)));
    assert!(is_open(&asks, &other, 0, 338));
    // The challenges' end is what is left.
    assert_eq!(asks.purge(at(339)), Some(Duration::from_secs(1000)));
    assert_eq!(asks.purge(at(1000)), None);
}

#[test]
fn where_there_are_too_many_the_one_idle_longest_ends() {
    let asks = Asks::new(3);
    let first = open(&asks, 0);
    let second = open(&asks, 1);
    let third = open(&asks, 1);
    asks.touch(&first, Duration::from_secs(2));
    let fourth = open(&asks, 3);
    assert!(!is_open(&asks, &second, 0, 3), "it was idle longest");
    let fifth = open(&asks, 3);
    assert!(!is_open(&asks, &third, 0, 3));
    for one in [first, fourth, fifth] {
        assert!(is_open(&asks, &one, 0, 3));
    }
}

#[test]
fn a_challenge_opens_one_session_at_the_price_of_then() {
    let asks = Asks::new(4);
    let paid = Cost::new(16).unwrap();
    let check = |challenge: &Challenge| asks.check(challenge, BodySize::Kib4, paid);
    let (challenge, first) = session(1);
    assert_eq!(check(&challenge), Ok(()));
    asks.open(challenge, first, paid, at(0)).unwrap();
    assert_eq!(check(&challenge), Err(Refusal::Spent));
    let (_, again) = session(1);
    assert_eq!(
        asks.open(challenge, again, paid, at(0)),
        Err(Refusal::Spent)
    );
    // At the price with one more place free than there is, which is the lowest for the first three.
    for number in [2, 3] {
        let (other, session) = session(number);
        asks.open(other, session, paid, at(0)).unwrap();
    }
    assert_eq!(asks.cost(BodySize::Kib4).bits(), 20);
    let (late, fourth) = session(4);
    assert_eq!(check(&late), Err(Refusal::PriceRose));
    assert_eq!(
        asks.open(late, fourth, paid, at(0)),
        Err(Refusal::PriceRose)
    );
    asks.purge(at(120));
    assert_eq!(check(&late), Ok(()), "it falls as they end");
    assert_eq!(check(&challenge), Err(Refusal::Spent));
    asks.purge(at(1000));
    assert_eq!(check(&challenge), Err(Refusal::Expired));
}

#[test]
fn after_a_wipe_none_is_open_and_after_the_close_none_opens() {
    let asks = Asks::new(4);
    let id = open(&asks, 0);
    asks.wipe();
    assert!(!is_open(&asks, &id, 0, 0));
    assert_eq!(
        asks.take(&id, number(0), Duration::ZERO),
        Err(Refusal::Unproven)
    );
    let later = open(&asks, 0);
    assert!(is_open(&asks, &later, 0, 0));
    asks.close();
    let (challenge, session) = session(0);
    let refused = asks.open(challenge, session, Cost::HIGHEST, at(0));
    assert_eq!(refused, Err(Refusal::Stopping));
}

#[test]
fn neither_price_nor_slots_of_messages_depend_on_asks() {
    let rng = &mut rand::rng();
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(4).unwrap(),
            adaptive: true,
        },
        expected_seconds: 60,
        suites: SuitePolicy::Any,
    };
    let queue = Queue::new(0, None).unwrap();
    let relay = Relay::new(
        config,
        queue,
        Arc::new(ManualClock::new(1_800_000_000)),
        rng,
    );
    let key = SenderKey::generate(rng);
    let request = v2::sender::Hello::for_asks(key, BodySize::Mib1).request();
    assert!(
        relay.pow_v2(&request, rng).is_ok(),
        "no slot is free, and none is needed"
    );
    let message = v2::sender::Hello::new(SenderKey::generate(rng)).request();
    assert_eq!(relay.pow_v2(&message, rng).map(drop), Err(Refusal::Full));
}

#[test]
fn each_takes_three_quarters_of_a_kib_at_most() {
    alone(|| {
        let asks = Asks::new(MAX_ASK_SESSIONS);
        let fill = |sessions: u64| {
            for _ in 0..sessions {
                open(&asks, 0);
            }
        };
        fill(64); // what the cryptography takes once
        let before = resident();
        fill(1024);
        let each = (resident() - before) as f64 / 1024.0;
        assert!((128.0..=768.0).contains(&each), "{each} bytes");
    });
}
