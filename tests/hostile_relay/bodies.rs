//! Bodies of the right type and status that are not what a relay says at this step.

use std::sync::{Arc, Mutex};

use kkv_base::limits::MAX_PAYMENTS;
use kkv_client::sender::Failure;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use serde_json::Value;

use super::between::{Between, Say};
use super::{Expected, at_each_step};
use crate::delivery::deliver_to;
use crate::in_process::InProcess;
use crate::raw_http::{Answer, answer};

fn ok(body: impl AsRef<[u8]>) -> Say {
    Say::Bytes(answer(200, "application/json", body))
}

#[tokio::test]
async fn an_empty_body_is_no_answer() {
    at_each_step("empty", Expected::Nonsense, |suite, path| {
        // In kkv/1 this is what the published relay says when it has stored the message: the one yes there is.
        let yes = (suite, path) == (Suite::V1, "/msg");
        (!yes).then(|| ok(""))
    })
    .await;
}

#[tokio::test]
async fn json_that_is_cut_off_nested_or_of_another_shape_is_no_answer() {
    let deep = "[".repeat(8000);
    let deeper = "{\"challenge\":".repeat(1000);
    let long = format!("\"{}\"", "0".repeat(16_000));
    for body in [
        "{",
        "{\"",
        "{\"bytes\":\"00",
        "{\"challenge\":\"00",
        "[]",
        "{}",
        "null",
        "0",
        "\"\"",
        "1e999999",
        "{\"bytes\":1,\"signature\":2}",
        "{\"challenge\":null,\"signature\":[]}",
        "{\"receipt\":{}}",
        "\u{feff}{}",
        "\0",
        "\n",
        &deep,
        &deeper,
        &long,
    ] {
        at_each_step(body, Expected::Nonsense, |_, _| Some(ok(body))).await;
    }
    at_each_step("not UTF-8", Expected::Nonsense, |_, _| {
        Some(ok(b"\xff\xfe"))
    })
    .await;
}

/// Makes a wrong value of a right one.
type Change = fn(&str) -> String;

/// Changes each string of an answer in turn; the answer of kkv/1 to step 1 is one string.
fn each_value(answer: &Answer, field: usize, change: Change) -> Answer {
    let body = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(Value::Object(mut fields)) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = &names[field % names.len()];
            let value = fields[name].as_str().expect("every value is a string");
            fields[name] = change(value).into();
            Value::Object(fields).to_string()
        }
        _ => change(answer.text()),
    };
    Answer {
        body: body.into_bytes(),
        ..answer.clone()
    }
}

#[tokio::test]
async fn a_field_of_the_wrong_length_or_alphabet_is_no_answer() {
    let ways: [(&str, Change); 7] = [
        ("a byte less", |value| value[2..].to_owned()),
        ("a character less", |value| value[1..].to_owned()),
        ("a byte more", |value| format!("{value}00")),
        ("a line end", |value| format!("{value}\n")),
        ("0x", |value| format!("0x{}", &value[2..])),
        ("no hex", |value| format!("{}g", &value[1..])),
        ("other letters", |value| format!("é{}", &value[2..])),
    ];
    for (case, way) in ways {
        for field in 0..3 {
            at_each_step(case, Expected::Nonsense, |suite, path| {
                let change = move |answer: Answer| match (suite, path) {
                    // Of the six fields of kkv/1, four are filler that a sender does not read.
                    (Suite::V1, "/exchange_keys") => {
                        let name = ["diffie_hellman", "diffie_hellman_sig"][field % 2];
                        let mut json = answer.json();
                        let value = way(json[name].as_str().expect("a string"));
                        json[name] = value.into();
                        let body = json.to_string().into_bytes();
                        Answer { body, ..answer }
                    }
                    _ => each_value(&answer, field, way),
                };
                // An accepted message has no field in kkv/1.
                let yes = (suite, path) == (Suite::V1, "/msg");
                (!yes).then(|| Say::Changed(Box::new(change)))
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_missing_or_doubled_field_is_no_answer() {
    at_each_step("missing", Expected::Nonsense, |suite, path| {
        let change = |answer: Answer| {
            let mut json = answer.json();
            let fields = json.as_object_mut().expect("an object");
            for name in ["signature", "diffie_hellman_sig", "receipt"] {
                fields.remove(name);
            }
            let body = json.to_string().into_bytes();
            Answer { body, ..answer }
        };
        let object = suite == Suite::V2 || ["/pow", "/exchange_keys"].contains(&path);
        object.then(|| Say::Changed(Box::new(change)))
    })
    .await;
    at_each_step("doubled", Expected::Nonsense, |suite, path| {
        let change = |answer: Answer| {
            let inner = answer.text().trim_matches(['{', '}']).to_owned();
            let body = format!("{{{inner},{inner}}}").into_bytes();
            Answer { body, ..answer }
        };
        let object = suite == Suite::V2 || ["/pow", "/exchange_keys"].contains(&path);
        object.then(|| Say::Changed(Box::new(change)))
    })
    .await;
}

#[tokio::test]
async fn an_array_of_the_right_values_is_no_answer() {
    at_each_step("an array", Expected::Nonsense, |suite, path| {
        let names: &[&str] = match (suite, path) {
            (Suite::V1, "/pow") => &["bytes", "signature"],
            (Suite::V1, "/exchange_keys") => &["diffie_hellman", "diffie_hellman_sig"],
            (Suite::V1, _) => return None, // no JSON
            (Suite::V2, "/pow") => &["challenge", "signature"],
            (Suite::V2, "/exchange_keys") => &["x25519", "mlkem768", "signature"],
            (Suite::V2, _) => &["receipt"],
        };
        let change = |answer: Answer| {
            let json = answer.json();
            let values = names.iter().map(|name| json[name].clone());
            let body = Value::from_iter(values).to_string().into_bytes();
            Answer { body, ..answer }
        };
        Some(Say::Changed(Box::new(change)))
    })
    .await;
    at_each_step("a refusal as an array", Expected::Status(503), |_, _| {
        let body = "[\"stopping\",\"the relay is stopping\"]";
        Some(Say::Bytes(answer(503, "application/json", body)))
    })
    .await;
}

#[tokio::test]
async fn the_answer_to_another_step_is_no_answer() {
    let zeros = |bytes: usize| "00".repeat(bytes);
    let challenge = format!("{{\"challenge\":\"{}\"}}", zeros(128));
    let key = zeros(32);
    let keys = format!(
        "{{\"diffie_hellman\":\"{}\",\"x25519\":\"{}\"}}",
        zeros(32),
        zeros(32)
    );
    for body in [challenge, keys] {
        at_each_step(&body, Expected::Nonsense, |_, _| Some(ok(&body))).await;
    }
    at_each_step("a key", Expected::Nonsense, |_, path| {
        (path != "/get_domain_pk").then(|| ok(&key))
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_is_never_paid_enough_is_paid_a_few_times_and_no_more() {
    for suite in [Suite::V1, Suite::V2] {
        let say = Say::Bytes(answer(402, "application/json", Refusal::PriceRose.body()));
        let between = Between::new(
            InProcess::new(SuitePolicy::Any, 4, 0),
            "/exchange_keys",
            say,
        );
        let only = SuitePolicy::Only(suite);
        let failure = deliver_to(&between, only, "text").await.failure();
        assert!(
            matches!(failure, Failure::Refused(Refusal::PriceRose)),
            "{failure:?}"
        );
        let asked = between.asked();
        let payments = asked.iter().filter(|line| line.ends_with("/exchange_keys"));
        assert_eq!(payments.count(), MAX_PAYMENTS as usize);
    }
}

#[tokio::test]
async fn a_relay_that_was_paid_in_kkv2_cannot_have_forgotten_it() {
    let relay = InProcess::new(SuitePolicy::Any, 50, 0);
    let (full, held) = (Arc::clone(&relay.relay), Mutex::new(Vec::new()));
    // It makes a challenge, lets the price rise, and then says that it has never heard of kkv/2.
    let say = Say::Changed(Box::new(move |honest| {
        let mut held = held.lock().expect("nobody panics here");
        if !held.is_empty() {
            let body = b"What?".to_vec();
            return Answer {
                status: 415,
                body,
                ..honest
            };
        }
        let now = full.now().elapsed;
        held.extend((0..16).map(|_| full.queue().reserve(now).expect("there is room")));
        honest
    }));
    let between = Between::new(relay, "/pow", say);
    let failure = deliver_to(&between, SuitePolicy::Any, "text")
        .await
        .failure();
    assert!(
        matches!(failure, Failure::RefusedUnread(415)),
        "{failure:?}"
    );
    let asked = ["POST /pow", "POST /exchange_keys", "POST /pow"];
    assert_eq!(between.asked(), asked);
}
