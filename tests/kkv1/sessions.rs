//! The life of a kkv/1 session at our relay: what opens it, what ends it, what is answered when a step is asked again.

use std::time::Duration;

use kkv_base::limits::SESSION_LIFETIME;
use kkv_protocol::suite::SuitePolicy;

use super::published::{Client, with};
use super::visit::Visit;
use crate::in_process::InProcess;

fn relay(slots: u32) -> InProcess {
    InProcess::new(SuitePolicy::Any, slots, 8)
}

#[tokio::test]
async fn the_nonce_comes_before_the_seed() {
    let relay = relay(4);
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let challenge = challenged.parsed();
    // Solves BLAKE3(seed ‖ nonce), which is not what is asked for.
    let swapped = loop {
        let nonce = super::published::random();
        let other_way = super::published::zero_bits(&[challenge.seed, nonce]);
        if other_way >= challenge.cost && !challenge.is_solved_by(&nonce) {
            break nonce;
        }
    };
    let offer = visit.offer_with(&challenged, &swapped);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(answer.status, 401);
    let offer = visit.offer(&challenged);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn every_step_asked_again_word_for_word_is_answered_the_same_and_the_message_is_stored_once()
{
    let relay = relay(4);
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    let first = visit.post("/exchange_keys", &offer.fields).await;
    let again = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(first, again);
    assert_eq!(relay.reserved(), 1);

    let shared = visit.shared(&offer, &first);
    let first = visit.message(&shared, b"once").await;
    let again = visit.message(&shared, b"once").await;
    assert_eq!(first.status, 200);
    assert_eq!(first, again);
    assert_eq!(relay.texts(), ["once"]);
    assert_eq!(relay.reserved(), 0);
}

#[tokio::test]
async fn one_key_has_one_session_the_newest() {
    let relay = relay(4);
    let mut visit = Visit::new(&relay).await;
    let old = visit.session().await;
    let new = visit.session().await;
    assert_eq!(
        relay.reserved(),
        2,
        "the old session's slot waits for its end"
    );
    assert_eq!(visit.message(&old, b"old").await.status, 401);
    assert_eq!(visit.message(&new, b"new").await.status, 200);
    assert_eq!(relay.texts(), ["new"]);
}

#[tokio::test]
async fn sessions_that_replace_each_other_take_slots_and_raise_the_price_as_others_do() {
    let relay = relay(8);
    let mut visit = Visit::new(&relay).await;
    let cheap = relay.relay.cost();
    for taken in 1..=4 {
        visit.session().await;
        assert_eq!(relay.reserved(), taken);
    }
    assert_eq!(
        relay.relay.cost().bits(),
        cheap.bits() + 2,
        "half are taken"
    );
    relay.clock.advance(SESSION_LIFETIME);
    relay.relay.purge();
    assert_eq!(relay.reserved(), 0);
    assert_eq!(relay.relay.cost(), cheap);
}

#[tokio::test]
async fn with_no_slot_free_one_key_replaces_its_own_session_at_the_price_of_the_last() {
    let relay = relay(2);
    let mut visit = Visit::new(&relay).await;
    let mut rival = Visit::new(&relay).await;
    let cheap = visit.challenge().await;
    let shared = rival.session().await;
    let mut dear = Vec::new();
    for _ in 0..2 {
        dear.push(visit.challenge().await);
    }
    let rivals = rival.challenge().await;
    let old = visit.session().await;
    assert_eq!(relay.reserved(), 2, "none is free");

    let offer = visit.offer(&dear[0]);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    let new = visit.shared(&offer, &answer);
    assert_eq!(relay.reserved(), 2);
    assert_eq!(visit.message(&old, b"old").await.status, 401);

    let offer = visit.offer(&cheap);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(answer.json()["error"], "full", "not at an older price");

    assert_eq!(visit.message(&new, b"new").await.status, 200);
    assert_eq!(rival.message(&shared, b"rival").await.status, 200);
    // Nobody has a session to give up.
    for (who, challenged) in [(&mut visit, dear[1]), (&mut rival, rivals)] {
        let offer = who.offer(&challenged);
        let answer = who.post("/exchange_keys", &offer.fields).await;
        assert_eq!(answer.json()["error"], "full");
    }
    assert_eq!(relay.texts(), ["new", "rival"]);
}

#[tokio::test]
async fn an_exchange_asked_again_never_gets_another_sessions_answer() {
    let relay = relay(4);
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let replaced = visit.offer(&challenged);
    let first = visit.post("/exchange_keys", &replaced.fields).await;
    assert_eq!(first.status, 200);
    visit.session().await;
    // The session this request opened has given way to a newer one of the same key. The newer one's X25519 key, signed
    // as it is, would let the client seal its message with a key that nobody shares.
    let again = visit.post("/exchange_keys", &replaced.fields).await;
    assert_eq!(again.status, 409, "{}", again.text());
    assert_eq!(again.json()["error"], "spent");
}

#[tokio::test]
async fn sessions_of_two_clients_do_not_touch() {
    let relay = relay(4);
    let (mut one, mut other) = (Visit::new(&relay).await, Visit::new(&relay).await);
    let (ones, others) = (one.session().await, other.session().await);
    assert_eq!(one.message(&others, b"wrong key").await.status, 401);
    assert_eq!(other.message(&others, b"2").await.status, 200);
    assert_eq!(one.message(&ones, b"1").await.status, 200);
    assert_eq!(relay.texts(), ["2", "1"]);
}

#[tokio::test]
async fn a_refused_message_leaves_the_session_open_for_the_right_one() {
    let relay = relay(4);
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    let fields = visit.client.message(&shared, b"right");
    let forged = with(&fields, "signature", "00".repeat(64));
    assert_eq!(visit.post("/msg", &forged).await.status, 401);
    assert_eq!(visit.post("/msg", &fields).await.status, 200);
    assert_eq!(relay.texts(), ["right"]);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over_and_gives_its_slot_back() {
    let relay = relay(1);
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    let mut rival = Visit::new(&relay).await;
    let refused = rival.post("/pow", &rival.client.pow()).await;
    assert_eq!(refused.status, 507, "the one slot is spoken for");

    relay
        .clock
        .advance(SESSION_LIFETIME - Duration::from_secs(1));
    relay.relay.purge();
    assert_eq!(relay.reserved(), 1);
    relay.clock.advance(Duration::from_secs(1));
    let late = visit.message(&shared, b"late").await;
    assert_eq!(late.status, 401, "there is no such session any more");
    relay.relay.purge();
    assert_eq!(relay.reserved(), 0);

    let shared = rival.session().await;
    assert_eq!(rival.message(&shared, b"in time").await.status, 200);
    assert_eq!(relay.texts(), ["in time"]);
}

#[tokio::test]
async fn one_named_key_leaves_one_message_after_another() {
    let relay = relay(4);
    let mut visit = Visit::of(&relay, Client::new()).await;
    for text in ["first", "second", "third"] {
        let shared = visit.session().await;
        let answer = visit.message(&shared, text.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(relay.texts(), ["first", "second", "third"]);
}
