//! The machine's clock is set while a relay runs. What kkv/1 says of a challenge's end is read by its sender's clock as
//! well.

use std::time::Duration;

use kkv_protocol::suite::SuitePolicy;

use super::visit::Visit;
use crate::in_process::{InProcess, START};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn a_challenge_of_kkv_1_follows_the_clock_forward_and_never_comes_back_to_life() {
    let relay = InProcess::new(SuitePolicy::Any, 8, 4);
    // A machine that wakes with a clock of long ago: its senders' clocks are right.
    relay.clock.set(START + DAY);
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    assert_eq!(challenged.parsed().expiry, START + DAY + 60);
    let offer = visit.offer(&challenged);

    // Set back, it lives for its time and no longer.
    relay.clock.set(START);
    relay.clock.advance(Duration::from_secs(59));
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    relay.clock.advance(Duration::from_secs(600));
    relay.relay.purge();
    relay.clock.set(START);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (410, &"expired".into())
    );

    // And new ones are good.
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
