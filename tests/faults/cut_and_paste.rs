//! A published relay signs its exchange key alone, so an answer can be cut out of one exchange and pasted into another.
//! In kkv/2 the signature is over the whole exchange.

use kkv_client::sender::Failure;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};

use super::by_hand::{ByHand, solution};
use crate::between::{Between, Say};
use crate::delivery::deliver_to;
use crate::in_process::InProcess;
use crate::published::{OneUse, hex};
use crate::raw_http::Answer;
use crate::visit::Visit;

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 4, 0)
}

/// Puts `value` into the JSON of an answer.
fn with(answer: &Answer, name: &str, value: &serde_json::Value) -> Answer {
    let mut json = answer.json();
    json[name] = value.clone();
    Answer {
        body: json.to_string().into_bytes(),
        ..answer.clone()
    }
}

/// The relay's answer to somebody else's exchange, in kkv/2.
async fn others_v2(relay: &InProcess) -> Answer {
    let mut client = ByHand::new(relay);
    let challenge = client.challenge().await;
    let offer = client.offer(&challenge, &solution(&challenge));
    client.post("/exchange_keys", &offer.body).await
}

async fn failure_v2(
    relay: InProcess,
    change: impl Fn(Answer) -> Answer + Send + Sync + 'static,
) -> (Failure, Between) {
    let between = Between::new(relay, "/exchange_keys", Say::Changed(Box::new(change)));
    let only = SuitePolicy::Only(Suite::V2);
    let failure = deliver_to(&between, only, "text").await.failure();
    (failure, between)
}

#[tokio::test]
async fn the_exchange_answers_key_swapped_under_an_old_signature_is_refused_in_kkv_2() {
    let new_x25519 = hex(OneUse::new().public()).into();
    let new_ciphertext = hex([7; 1088]).into();
    for (name, value) in [("x25519", new_x25519), ("mlkem768", new_ciphertext)] {
        let change = move |answer| with(&answer, name, &value);
        let (failure, between) = failure_v2(relay(), change).await;
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::BadSignature)),
            "{name}: {failure:?}"
        );
        assert_eq!(between.asked(), ["POST /pow", "POST /exchange_keys"]);
    }
}

#[tokio::test]
async fn anything_pasted_from_another_exchange_of_the_same_relay_is_refused_in_kkv_2() {
    for names in [
        &["x25519", "mlkem768", "signature"][..],
        &["x25519"],
        &["mlkem768"],
        &["signature"],
        &["x25519", "signature"],
    ] {
        let relay = relay();
        let others = others_v2(&relay).await.json();
        let change = move |mut answer: Answer| {
            for name in names {
                answer = with(&answer, name, &others[name]);
            }
            answer
        };
        let (failure, between) = failure_v2(relay, change).await;
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::BadSignature)),
            "{names:?}: {failure:?}"
        );
        assert!(between.relay().texts().is_empty());
    }
}

// kkv/1 fixes what is signed: the relay's 32-byte key and nothing of the exchange it belongs to. A pasted pair of key
// and signature is therefore a right answer as far as a sender can see, and no sender that speaks kkv/1 can refuse it.
// What it can do, and does, is not to believe in a delivery that did not happen: the pasted key's secret is not that of
// the relay's session, so the seal does not open.
#[tokio::test]
async fn an_exchange_answer_pasted_in_kkv_1_never_passes_for_a_delivery() {
    let relay = relay();
    let mut other = Visit::new(&relay).await;
    let challenged = other.challenge().await;
    let offer = other.offer(&challenged);
    let pasted = other.post("/exchange_keys", &offer.fields).await;
    let say = Say::Changed(Box::new(move |_| pasted.clone()));
    let between = Between::new(relay, "/exchange_keys", say);
    let only = SuitePolicy::Only(Suite::V1);
    let failure = deliver_to(&between, only, "text").await.failure();
    assert!(
        matches!(failure, Failure::Refused(Refusal::Unproven)),
        "{failure:?}"
    );
    assert!(between.relay().texts().is_empty());
}

#[tokio::test]
async fn the_exchange_answers_key_swapped_under_an_old_signature_is_refused_in_kkv_1_too() {
    let new = hex(OneUse::new().public()).into();
    let say = Say::Changed(Box::new(move |answer| {
        with(&answer, "diffie_hellman", &new)
    }));
    let between = Between::new(relay(), "/exchange_keys", say);
    let only = SuitePolicy::Only(Suite::V1);
    let failure = deliver_to(&between, only, "text").await.failure();
    assert!(
        matches!(failure, Failure::Protocol(ProtocolError::BadSignature)),
        "{failure:?}"
    );
}
