//! What somebody learns who knows a lasting key and can't sign with it: nothing, whatever its owner has done.

use kkv_protocol::suite::SuitePolicy;

use super::published::{Client, Fields, hex, with};
use super::raw_http::Answer;
use super::visit::Visit;
use crate::in_process::InProcess;

const SLOTS: u32 = 4;

/// A message that its sender has shown around, with its signature: long enough to pass for a ciphertext.
const SHOWN: &[u8] =
    b"what this key has signed in kkv/1 can be shown to anyone, and so be sent by anyone";

/// What can be sent in the name of a key without having it.
fn probes(known: &Client) -> Vec<(&'static str, Fields)> {
    let shown = known.message_of(SHOWN);
    vec![
        ("zeros", with(&shown, "signature", "00".repeat(64))),
        (
            "another's",
            with(&shown, "signature", hex(Client::new().sign(SHOWN))),
        ),
        ("too short", with(&shown, "chiphertext", "00".repeat(80))),
        ("shown", shown),
    ]
}

/// What each of them is answered.
async fn answers(relay: &InProcess, known: &Client) -> Vec<(&'static str, Answer)> {
    let mut stranger = Visit::new(relay).await;
    let mut answers = Vec::new();
    for (what, fields) in probes(known) {
        answers.push((what, stranger.post("/msg", &fields).await));
    }
    answers
}

#[tokio::test]
async fn a_known_key_tells_nobody_whether_it_has_a_session_or_has_left_a_message() {
    let relay = InProcess::new(SuitePolicy::Any, SLOTS, 8);
    let mut sender = Visit::new(&relay).await;
    let known = Client {
        key: sender.client.key.clone(),
    };
    let at_first = answers(&relay, &known).await;
    assert!(at_first.iter().all(|(_, answer)| answer.status >= 400));

    let shared = sender.session().await;
    assert_eq!(answers(&relay, &known).await, at_first, "a session is open");
    let message = sender.client.message(&shared, b"text");
    assert_eq!(sender.post("/msg", &message).await.status, 200);
    assert_eq!(
        answers(&relay, &known).await,
        at_first,
        "a message was left"
    );
    assert_eq!(sender.post("/msg", &message).await.status, 200);
    sender.session().await;
    assert_eq!(answers(&relay, &known).await, at_first, "and another begun");
    assert_eq!(relay.texts(), ["text"]);
}

#[tokio::test]
async fn in_a_full_inbox_a_known_key_tells_nobody_whether_it_has_a_session() {
    let mut told = Vec::new();
    for has_a_session in [false, true] {
        let relay = InProcess::new(SuitePolicy::Any, 1, 8);
        let mut owner = Visit::new(&relay).await;
        let mut stranger = Visit::of(
            &relay,
            Client {
                key: owner.client.key.clone(),
            },
        )
        .await;
        // The stranger pays in the owner's name, and can't sign.
        let challenged = stranger.challenge().await;
        let offer = stranger.offer(&challenged);
        let forged = with(&offer.fields, "diffie_hellman_sig", "00".repeat(64));
        if has_a_session {
            owner.session().await;
        } else {
            Visit::new(&relay).await.session().await;
        }
        let asked = stranger.post("/exchange_keys", &forged).await;
        let hello = stranger.post("/pow", &stranger.client.pow()).await;
        told.push((asked, hello));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!((told[0].0.status, told[0].1.status), (401, 507));
}
