//! How our relay refuses kkv/1 requests: a status that says what happened, and one line of JSON that says it in words.

use std::time::Duration;

use kkv_base::limits::MAX_BODY_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use tokio::io::AsyncWriteExt;

use super::published::{Client, Fields, form, hex, random, seal, with, without};
use super::raw_http::{Answer, FORM, Wire, get, post};
use super::visit::Visit;
use crate::in_process::{InProcess, send};

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 2, 8)
}

/// Exactly the body `{"error": …, "reason": …}` with the status that belongs to it.
fn assert_refused(answer: &Answer, refusal: Refusal, status: u16, case: &str) {
    assert_eq!(answer.status, status, "{case}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("date"), None);
    assert_eq!(answer.header("server"), None);
    let json = answer.json();
    let object = json.as_object().expect("an object");
    assert_eq!(object.len(), 2, "{case}: {json}");
    assert_eq!(json["error"], refusal.code(), "{case}");
    assert_eq!(json["reason"], refusal.to_string(), "{case}");
    assert!(!answer.text().contains('\n'), "one line");
}

/// Every way in which a field of hex can be wrong, with a name for it.
fn wrong_ways(fields: &Fields) -> Vec<(String, Fields)> {
    let mut ways = vec![("nothing".to_owned(), Fields::new())];
    for (name, value) in fields {
        ways.push((format!("{name} missing"), without(fields, name)));
        let mut twice = fields.clone();
        twice.push((name, value.clone()));
        ways.push((format!("{name} twice"), twice));
        for (what, wrong) in [
            ("odd", value[1..].to_owned()),
            ("short", value[2..].to_owned()),
            ("no hex", format!("zz{}", &value[2..])),
            ("prefixed", format!("0x{}", &value[2..])),
            ("spaced", format!("+{}", &value[1..])),
            ("escaped", format!("%00{}", &value[1..])),
            ("not UTF-8", format!("%ff%fe{}", &value[2..])),
            ("empty", String::new()),
            ("long", format!("{value}00")),
        ] {
            ways.push((format!("{name} {what}"), with(fields, name, wrong)));
        }
    }
    ways
}

#[tokio::test]
async fn a_malformed_field_is_400_at_every_step() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    for (case, fields) in wrong_ways(&visit.client.pow()) {
        let answer = visit.post("/pow", &fields).await;
        assert_refused(&answer, Refusal::Malformed, 400, &case);
    }
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    for (case, fields) in wrong_ways(&offer.fields) {
        let answer = visit.post("/exchange_keys", &fields).await;
        assert_refused(&answer, Refusal::Malformed, 400, &case);
    }
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    let shared = visit.shared(&offer, &answer);
    for (case, fields) in wrong_ways(&visit.client.message(&shared, b"text")) {
        // A ciphertext of another length is well formed, and wrong for another reason.
        if ["short", "empty", "long"]
            .map(|way| format!("chiphertext {way}"))
            .contains(&case)
        {
            continue;
        }
        let answer = visit.post("/msg", &fields).await;
        assert_refused(&answer, Refusal::Malformed, 400, &case);
    }
    assert_eq!(visit.message(&shared, b"text").await.status, 200);
    assert_eq!(relay.texts(), ["text"]);
}

#[tokio::test]
async fn bodies_that_are_no_form_are_400() {
    let relay = relay();
    let mut wire = Wire::new(relay.connect());
    for path in ["/pow", "/exchange_keys", "/msg"] {
        for body in [&b""[..], b"&&&", b"=", b"\0", b"\xff\xfe", b"{}", b"%"] {
            let answer = wire.ask(&post(path, FORM, body)).await;
            assert_refused(&answer, Refusal::Malformed, 400, path);
        }
    }
}

#[tokio::test]
async fn a_challenge_whose_cost_nobody_could_ask_for_is_400() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let mut challenged = visit.challenge().await;
    challenged.bytes[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let offer = visit.offer_with(&challenged, &random());
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_refused(&answer, Refusal::Malformed, 400, "cost");
}

#[tokio::test]
async fn what_is_not_paid_for_is_401() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let unpaid = async |visit: &mut Visit, fields: &Fields, case: &str| {
        let answer = visit.post("/exchange_keys", fields).await;
        assert_refused(&answer, Refusal::Unpaid, 401, case);
    };
    let offer = visit.offer_with(&challenged, &challenged.parsed().fail());
    unpaid(&mut visit, &offer.fields, "a nonce that solves nothing").await;

    // One bit of any field of the challenge changed: easier, longer, or for somebody else.
    for position in [0, 31, 32, 36, 67, 68] {
        let mut changed = challenged;
        changed.bytes[position] ^= 1;
        let offer = visit.offer(&changed);
        unpaid(&mut visit, &offer.fields, &format!("byte {position}")).await;
    }

    let mut thief = Visit::new(&relay).await;
    let stolen = thief.offer(&challenged);
    unpaid(&mut thief, &stolen.fields, "another client's challenge").await;

    let elsewhere = InProcess::new(SuitePolicy::Any, 2, 8);
    let mut other = Visit::of(
        &elsewhere,
        Client {
            key: visit.client.key.clone(),
        },
    )
    .await;
    let foreign = other.challenge().await;
    let offer = visit.offer(&foreign);
    unpaid(&mut visit, &offer.fields, "another relay's challenge").await;
}

#[tokio::test]
async fn what_is_not_proved_is_401() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    let stranger = Client::new();
    let forged = hex(stranger.sign(b"something"));
    let fields = with(&offer.fields, "diffie_hellman_sig", forged);
    let answer = visit.post("/exchange_keys", &fields).await;
    assert_refused(&answer, Refusal::Unproven, 401, "someone else's signature");

    let answer = visit.message(&[7; 32], b"no session").await;
    assert_refused(&answer, Refusal::Unproven, 401, "no session");

    let shared = visit.session().await;
    let right = visit.client.message(&shared, b"text");
    let broken_seal = visit.client.message_of(&[9; 200]);
    let inner = [&stranger.sign(b"text")[..], b"text"].concat();
    let forged_inside = visit.client.message_of(&seal(&shared, &inner));
    let resigned = with(&right, "signature", hex(stranger.sign(b"text")));
    for (case, fields) in [
        ("a seal of another key", broken_seal),
        ("a text signed by somebody else", forged_inside),
        ("a ciphertext signed by somebody else", resigned),
    ] {
        let answer = visit.post("/msg", &fields).await;
        // Word for word the same, so that nobody learns which of the checks it was.
        assert_refused(&answer, Refusal::Unproven, 401, case);
    }
    assert!(relay.texts().is_empty());
}

#[tokio::test]
async fn what_has_been_used_is_409() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    let shared = visit.shared(&offer, &answer);
    let second = visit.offer(&challenged);
    let refused = visit.post("/exchange_keys", &second.fields).await;
    assert_refused(&refused, Refusal::Spent, 409, "the challenge");

    assert_eq!(visit.message(&shared, b"one").await.status, 200);
    let refused = visit.post("/exchange_keys", &offer.fields).await;
    assert_refused(&refused, Refusal::Spent, 409, "its session has its message");
    let refused = visit.message(&shared, b"two").await;
    assert_refused(&refused, Refusal::Unproven, 401, "the session is over");
    assert_eq!(relay.texts(), ["one"]);
}

#[tokio::test]
async fn what_comes_after_its_deadline_is_410() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    let offer = visit.offer(&challenged);
    relay.clock.advance(Duration::from_secs(60));
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_refused(&answer, Refusal::Expired, 410, "at the second it ends");
}

#[tokio::test]
async fn what_is_too_large_is_413() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    for length in [2921, 3500] {
        let answer = visit.message(&shared, &vec![b'x'; length]).await;
        assert_refused(&answer, Refusal::TooLarge, 413, "a longer ciphertext");
    }
    for path in ["/pow", "/exchange_keys", "/msg"] {
        let body = form(&[("bytes", "0".repeat(20_000))]);
        let answer = Wire::new(relay.connect())
            .ask(&post(path, FORM, body))
            .await;
        assert_refused(&answer, Refusal::TooLarge, 413, path);
    }
    assert_eq!(visit.message(&shared, &[b'x'; 2920]).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_large_by_its_own_word_is_413_before_any_of_it_comes() {
    let relay = relay();
    for path in ["/pow", "/exchange_keys", "/msg"] {
        for length in [MAX_BODY_BYTES as u64 + 1, u64::MAX >> 1] {
            let mut wire = Wire::new(relay.connect());
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\ncontent-type: {FORM}\r\ncontent-length: {length}\r\n\r\n"
            );
            let answer = wire.ask(head.as_bytes()).await;
            assert_refused(&answer, Refusal::TooLarge, 413, path);
        }
    }
}

#[tokio::test]
async fn a_ciphertext_is_too_large_by_its_characters_whatever_they_are() {
    let relay = relay();
    for (character, times, refusal) in [
        ("g", 6000, Refusal::Malformed),
        ("é", 6000, Refusal::Malformed),
        ("%ff", 5000, Refusal::Malformed), // read as U+FFFD
        ("g", 6001, Refusal::TooLarge),
        ("é", 6001, Refusal::TooLarge),
    ] {
        let body = form(&[("chiphertext", character.repeat(times))]);
        let mut line = Wire::new(relay.connect());
        let answer = line.ask(&post("/msg", FORM, body)).await;
        let case = format!("{times} times {character}");
        assert_refused(&answer, refusal, refusal.status(), &case);
    }
}

#[tokio::test]
async fn another_type_of_body_is_415() {
    let relay = relay();
    let mut wire = Wire::new(relay.connect());
    let body = form(&Client::new().pow());
    for path in ["/pow", "/exchange_keys", "/msg"] {
        for content_type in ["text/plain", "multipart/form-data", "", "form", "\u{e9}"] {
            let answer = wire.ask(&post(path, content_type, &body)).await;
            assert_refused(&answer, Refusal::UnsupportedMediaType, 415, content_type);
        }
        let untyped = format!(
            "POST {path} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\ncontent-length: 0\r\n\r\n"
        );
        let answer = wire.ask(untyped.as_bytes()).await;
        assert_refused(&answer, Refusal::UnsupportedMediaType, 415, "no type");
    }
}

#[tokio::test]
async fn a_text_that_is_none_is_422() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    for text in [&b""[..], b"\xff", b"\xc3\x28", b"abc\xed\xa0\x80"] {
        let answer = visit.message(&shared, text).await;
        assert_refused(&answer, Refusal::BadContent, 422, &hex(text));
    }
    let empty = visit.client.message_of(b"");
    let answer = visit.post("/msg", &empty).await;
    assert_refused(&answer, Refusal::BadContent, 422, "no ciphertext");
    assert_eq!(visit.message(&shared, b"text").await.status, 200);
}

#[tokio::test]
async fn a_full_inbox_is_507_before_the_sender_pays_and_after() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let challenged = visit.challenge().await;
    for text in ["one", "two"] {
        send(&relay, SuitePolicy::Any, text).await.unwrap();
    }
    let answer = visit.post("/pow", &visit.client.pow()).await;
    assert_refused(&answer, Refusal::Full, 507, "before");
    let offer = visit.offer(&challenged);
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    assert_refused(&answer, Refusal::Full, 507, "after");

    // What was paid is not lost: once there is room, the same request opens a session.
    relay.relay.wipe();
    let answer = visit.post("/exchange_keys", &offer.fields).await;
    let shared = visit.shared(&offer, &answer);
    assert_eq!(visit.message(&shared, b"three").await.status, 200);
    assert_eq!(relay.texts(), ["three"]);
}

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405() {
    let relay = relay();
    let mut wire = Wire::new(relay.connect());
    for path in [
        "/",
        "/pow/",
        "/POW",
        "//pow",
        "/msg?x=1/../..",
        "/favicon.ico",
    ] {
        let answer = wire.ask(&get(path)).await;
        match path {
            "/msg?x=1/../.." => assert_refused(&answer, Refusal::MethodNotAllowed, 405, path),
            _ => assert_refused(&answer, Refusal::NotFound, 404, path),
        }
    }
    for path in ["/pow", "/exchange_keys", "/msg"] {
        let answer = wire.ask(&get(path)).await;
        assert_refused(&answer, Refusal::MethodNotAllowed, 405, path);
    }
    for path in ["/get_domain_pk", "/status"] {
        let answer = wire.ask(&post(path, FORM, "")).await;
        assert_refused(&answer, Refusal::MethodNotAllowed, 405, path);
    }
}

#[tokio::test]
async fn a_relay_of_kkv_2_alone_says_so_to_every_kkv_1_step() {
    let relay = InProcess::new(SuitePolicy::Only(Suite::V2), 2, 8);
    let mut visit = Visit::new(&relay).await;
    let challenged = super::visit::Challenged {
        bytes: [0; 76],
        signature: [0; 64],
    };
    let exchange = visit.offer_with(&challenged, &random()).fields;
    let message = visit.client.message(&random(), b"text");
    let pow = visit.client.pow();
    for (path, fields) in [
        ("/pow", pow),
        ("/exchange_keys", exchange),
        ("/msg", message),
    ] {
        let answer = visit.post(path, &fields).await;
        assert_refused(&answer, Refusal::UnsupportedSuite, 415, path);
    }
    let mut wire = Wire::new(relay.connect());
    let answer = wire.ask(&get("/get_domain_pk")).await;
    assert_refused(&answer, Refusal::UnsupportedSuite, 415, "/get_domain_pk");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_408() {
    let relay = relay();
    let mut wire = Wire::new(relay.connect());
    let whole = post("/pow", FORM, form(&Client::new().pow()));
    wire.stream
        .write_all(&whole[..whole.len() - 1])
        .await
        .unwrap();
    let answer = wire.answer().await.expect("it is told");
    assert_refused(&answer, Refusal::TimedOut, 408, "one byte is missing");
}
