//! The machine's clock is set while a relay runs: it was wrong at start and the network's time mends it, or a person
//! gets it wrong. Messages are dated by it, and lifetimes don't depend on it.

use std::time::Duration;

use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::v2::sender::{Exchanging, Hello};

use crate::in_process::{EACH_SUITE, InProcess, START, send};

const DAY: u64 = 24 * 60 * 60;

fn inbox() -> InProcess {
    InProcess::new(SuitePolicy::Any, 8, 0)
}

/// A challenge of kkv/2, paid for.
fn paid(inbox: &InProcess) -> Exchanging {
    let rng = &mut rand::rng();
    let hello = Hello::new(SenderKey::generate(rng));
    let challenge = inbox
        .relay
        .pow_v2(&hello.request(), rng)
        .expect("a slot is free");
    let challenged = hello.challenged(&challenge).expect("a challenge");
    challenged.solved(&[3], rng) // at cost 0 any number solves it
}

fn exchange(inbox: &InProcess, paid: &Exchanging) -> Result<String, Refusal> {
    inbox.relay.exchange_v2(paid.request(), &mut rand::rng())
}

#[tokio::test]
async fn a_message_is_dated_by_the_clock_as_it_is_also_after_that_was_ahead() {
    for suite in EACH_SUITE {
        let inbox = inbox();
        let times = [START, START + 30 * DAY, START + 60, START - DAY];
        for time in times {
            inbox.clock.set(time);
            send(&inbox, suite, "dated").await.expect("there is room");
        }
        let elapsed = inbox.relay.now().elapsed;
        let dates = inbox
            .relay
            .queue()
            .list(elapsed, |message| message.received);
        assert_eq!(dates, times, "{suite:?}");
    }
}

#[test]
fn a_challenge_of_kkv_2_lives_for_its_time_however_the_clock_is_set() {
    for set in [START - DAY, START, START + DAY, START + 1000 * DAY] {
        let inbox = inbox();
        let (in_time, late) = (paid(&inbox), paid(&inbox));
        inbox.clock.set(set);
        inbox.clock.advance(Duration::from_secs(59));
        exchange(&inbox, &in_time).expect("a minute is not over");
        inbox.clock.set(START - 1000 * DAY);
        inbox.clock.advance(Duration::from_secs(1));
        let refused = exchange(&inbox, &late).map(drop);
        assert_eq!(refused, Err(Refusal::Expired), "set to {set}");
        // Also the one that was spent does not come back to life, whatever was forgotten.
        inbox.clock.advance(Duration::from_secs(600));
        inbox.relay.purge();
        inbox.clock.set(START);
        assert_eq!(exchange(&inbox, &in_time).map(drop), Err(Refusal::Expired));
        exchange(&inbox, &paid(&inbox)).expect("a new one is good");
    }
}

#[test]
fn a_machine_that_sleeps_is_no_younger_when_it_wakes() {
    let inbox = inbox();
    let before = paid(&inbox);
    inbox.clock.advance(Duration::from_secs(8 * 60 * 60)); // the steady clock goes on meanwhile
    assert_eq!(exchange(&inbox, &before).map(drop), Err(Refusal::Expired));
    exchange(&inbox, &paid(&inbox)).expect("a new one is good");
}
