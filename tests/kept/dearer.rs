//! The price rises while a sender pays: it pays again, or is told, and its message is there once or not at all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use kkv_base::limits::{MAX_PAYMENTS, MAX_SURCHARGE};
use kkv_client::sender::{Accepted, Event, Failure};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};

use super::sweep::{AtEvent, TEXT};
use super::talk::{Speaker, exchanges};
use crate::in_process::{InProcess, send_observed};

const BOTH: [Suite; 2] = [Suite::V1, Suite::V2];
const SLOTS: u32 = 50;
/// How many are free, the last taker aside, when the price has risen by a step.
const STEPS: [u32; 7] = [34, 24, 16, 11, 7, 5, 5];

/// Sends while others take slots each time that it has paid, so that as many are free as the list says. Returns how
/// often it paid.
async fn send_while_it_fills(
    relay: &InProcess,
    suite: Suite,
    free: &[u32],
) -> (Result<Accepted, Failure>, usize) {
    let held = Mutex::new(Vec::new());
    let payments = AtomicUsize::new(0);
    let observer = AtEvent(|event| {
        if !matches!(event, Event::Exchanging) {
            return;
        }
        let payment = payments.fetch_add(1, Relaxed);
        let (queue, now) = (relay.relay.queue(), relay.relay.now().elapsed);
        while queue.occupancy(now).free() > free[payment] {
            let slot = queue.reserve(now).expect("one is free");
            held.lock().expect("no holder panics").push(slot);
        }
    });
    let sent = send_observed(relay, SuitePolicy::Only(suite), TEXT, &observer).await;
    (sent, payments.into_inner())
}

#[tokio::test]
async fn one_other_who_was_quicker_is_no_reason_to_pay_again() {
    for suite in BOTH {
        let relay = InProcess::new(SuitePolicy::Only(suite), SLOTS, 0);
        // The next costs twice as much.
        let (sent, payments) = send_while_it_fills(&relay, suite, &[35]).await;
        assert!(sent.is_ok() && payments == 1, "{sent:?} after {payments}");
        assert_eq!(relay.texts(), [TEXT]);
    }
}

#[tokio::test]
async fn a_price_that_has_risen_is_paid_again_and_the_message_is_there_once() {
    for suite in BOTH {
        let relay = InProcess::new(SuitePolicy::Only(suite), SLOTS, 0);
        let (sent, payments) = send_while_it_fills(&relay, suite, &[34, 34]).await;
        assert!(sent.is_ok() && payments == 2, "{sent:?} after {payments}");
        assert_eq!(relay.texts(), [TEXT]);
    }
}

#[tokio::test]
async fn however_fast_it_fills_the_last_payment_that_makes_sense_is_enough() {
    for suite in BOTH {
        let relay = InProcess::new(SuitePolicy::Only(suite), SLOTS, 0);
        let (sent, payments) = send_while_it_fills(&relay, suite, &STEPS).await;
        let cost = sent.expect("the highest price is paid").cost;
        assert_eq!(u32::from(cost.bits()), MAX_SURCHARGE);
        assert_eq!(payments, MAX_PAYMENTS as usize);
        assert_eq!(relay.texts(), [TEXT]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_has_filled_up_meanwhile_is_told_and_holds_nothing_of_it() {
    for suite in BOTH {
        let relay = InProcess::new(SuitePolicy::Only(suite), SLOTS, 0);
        let (sent, payments) = send_while_it_fills(&relay, suite, &[0]).await;
        assert!(
            matches!(sent, Err(Failure::StillRefused(Refusal::Full, _))),
            "{sent:?}"
        );
        assert!(payments == 1 && relay.texts().is_empty());
    }
}

#[test]
fn a_payment_that_was_not_enough_counts_when_the_price_falls_again() {
    let relay = InProcess::new(SuitePolicy::Any, SLOTS, 0).relay;
    let who = Speaker {
        key: 1,
        exchange: 1,
    };
    let ask = exchanges(who, &relay);
    let now = relay.now().elapsed;
    let others: Vec<_> = (0..SLOTS - STEPS[0])
        .map(|_| relay.queue().reserve(now).expect("one is free"))
        .collect();
    assert_eq!(ask(), [Err(Refusal::PriceRose), Err(Refusal::PriceRose)]);
    drop(others);
    let opened = ask();
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
}
