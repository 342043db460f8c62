//! A published relay takes one proof of work for any number of messages until its deadline. Here one solution opens one
//! session, once.

use std::time::Duration;

use kkv_protocol::suite::SuitePolicy;
use tokio::task::JoinSet;

use super::by_hand::{ByHand, solution};
use crate::in_process::InProcess;
use crate::published::form;
use crate::raw_http::{Answer, FORM, Wire, post};
use crate::visit::Visit;

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 40, 8)
}

fn assert_spent(answer: &Answer) {
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(answer.json()["error"], "spent");
}

/// As to whoever names a session that isn't there.
fn assert_unproven(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(answer.json()["error"], "unproven");
}

/// Sends every request on a connection of its own, all at once.
async fn at_once(relay: &InProcess, requests: Vec<Vec<u8>>) -> Vec<Answer> {
    let mut asking = JoinSet::new();
    for request in requests {
        let mut wire = Wire::new(relay.connect());
        asking.spawn(async move { wire.ask(&request).await });
    }
    asking.join_all().await
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn one_solution_used_twice_opens_one_session_in_kkv_1() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let nonce = challenged.parsed().solve();
    let first = visit.offer_with(&challenged, &nonce);
    let answer = visit.post("/exchange_keys", &first.fields).await;
    let shared = visit.shared(&first, &answer);

    let second = visit.offer_with(&challenged, &nonce);
    assert_spent(&visit.post("/exchange_keys", &second.fields).await);
    assert_eq!(visit.message(&shared, b"paid").await.status, 200);
    assert_spent(&visit.post("/exchange_keys", &second.fields).await);
    assert_unproven(&visit.message(&shared, b"not paid").await);

    // Another solution of the same challenge, which costs less than another challenge would.
    let third = visit.offer(&challenged);
    assert_spent(&visit.post("/exchange_keys", &third.fields).await);
    relay.clock.advance(Duration::from_secs(59));
    relay.relay.purge();
    assert_spent(&visit.post("/exchange_keys", &second.fields).await);
    relay.clock.advance(Duration::from_secs(1));
    relay.relay.purge();
    // It is forgotten by now, and of no use to anyone.
    let late = visit.post("/exchange_keys", &second.fields).await;
    assert_eq!(late.status, 410);
    assert_eq!(relay.texts(), ["paid"]);
}

#[tokio::test]
async fn one_solution_used_twice_opens_one_session_in_kkv_2() {
    let relay = relay();
    let mut client = ByHand::new(&relay);
    let challenge = client.challenge().await;
    let nonces = solution(&challenge);
    let first = client.offer(&challenge, &nonces);
    let answer = client.post("/exchange_keys", &first.body).await;
    let session = first.open(&answer, challenge.relay());

    let second = client.offer(&challenge, &nonces);
    assert_spent(&client.post("/exchange_keys", &second.body).await);
    let message = session.message(&client.key, 0, b"paid");
    assert_eq!(client.post("/msg", &message).await.status, 200);
    assert_spent(&client.post("/exchange_keys", &second.body).await);
    let mut other = message.clone();
    let sealed = message["sealed"].as_str().unwrap();
    other["sealed"] = format!("{}00", &sealed[..sealed.len() - 2]).into();
    assert_unproven(&client.post("/msg", &other).await);

    relay.clock.advance(Duration::from_secs(59));
    relay.relay.purge();
    assert_spent(&client.post("/exchange_keys", &second.body).await);
    relay.clock.advance(Duration::from_secs(1));
    relay.relay.purge();
    let late = client.post("/exchange_keys", &second.body).await;
    assert_eq!(late.status, 410);
    assert_eq!(relay.texts(), ["paid"]);
}

#[tokio::test]
async fn one_solution_stays_spent_when_the_owner_wipes_the_inbox() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_eq!(answer.status, 200);
    let mut client = ByHand::new(&relay);
    let challenge = client.challenge().await;
    let offer_v2 = client.offer(&challenge, &solution(&challenge));
    let answer = client.post("/exchange_keys", &offer_v2.body).await;
    assert_eq!(answer.status, 200);

    relay.relay.wipe();
    // Not even whoever repeats it, and is answered as before, has a session.
    let repeated = client.post("/exchange_keys", &offer_v2.body).await;
    assert_eq!((repeated.status, repeated.body), (200, answer.body));
    let other = visit.offer(&challenged);
    assert_spent(&visit.post("/exchange_keys", &other.fields).await);
    let other = client.offer(&challenge, &solution(&challenge));
    assert_spent(&client.post("/exchange_keys", &other.body).await);
    assert_eq!(relay.reserved(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_solution_used_by_many_at_once_opens_one_session() {
    let relay = relay();
    let mut one_yes = vec![409; 16];
    one_yes[0] = 200;

    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let nonce = challenged.parsed().solve();
    let bodies = (0..16).map(|_| form(&visit.offer_with(&challenged, &nonce).fields));
    let requests = bodies.map(|body| post("/exchange_keys", FORM, body));
    let answers = at_once(&relay, requests.collect()).await;
    assert_eq!(statuses(&answers), one_yes);
    assert_eq!(relay.reserved(), 1);

    let mut client = ByHand::new(&relay);
    let challenge = client.challenge().await;
    let nonces = solution(&challenge);
    let bodies = (0..16).map(|_| client.offer(&challenge, &nonces).body.to_string());
    let requests = bodies.map(|body| post("/exchange_keys", "application/json", body));
    let answers = at_once(&relay, requests.collect()).await;
    assert_eq!(statuses(&answers), one_yes);
    assert_eq!(relay.reserved(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_repeated_many_times_at_once_opens_one_session_and_is_answered_alike() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    let request = post("/exchange_keys", FORM, form(&offer.fields));
    let answers = at_once(&relay, vec![request; 16]).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(answers[0].status, 200);
    assert_eq!(relay.reserved(), 1);

    let shared = visit.shared(&offer, &answers[0]);
    let message = form(&visit.client.message(&shared, b"once"));
    let answers = at_once(&relay, vec![post("/msg", FORM, message); 16]).await;
    assert_eq!(statuses(&answers), [200; 16]);
    assert_eq!(relay.texts(), ["once"]);
}
