//! What our relay answers to a published client, byte for byte.

use kkv_protocol::suite::{Suite, SuitePolicy};

use super::published::{Challenge, Client, OneUse, form, hex, unhex, verifies};
use super::raw_http::{Answer, FORM, Wire, get, post};
use crate::in_process::{InProcess, START};

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 4, 8)
}

/// Every header there is, so that one that says more about the relay than it should shows here.
fn headers(content_type: &str, length: usize) -> Vec<(String, String)> {
    vec![
        ("content-type".to_owned(), content_type.to_owned()),
        ("content-length".to_owned(), length.to_string()),
        ("x-content-type-options".to_owned(), "nosniff".to_owned()),
        (
            "cross-origin-resource-policy".to_owned(),
            "same-origin".to_owned(),
        ),
    ]
}

fn is_lower_hex(text: &str, characters: usize) -> bool {
    text.len() == characters && text.bytes().all(|b| b"0123456789abcdef".contains(&b))
}

fn field<'j>(json: &'j serde_json::Value, name: &str) -> &'j str {
    json[name].as_str().expect("a string")
}

fn assert_ok(answer: &Answer, content_type: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (mut headers, mut want) = (
        answer.headers.clone(),
        headers(content_type, answer.body.len()),
    );
    headers.sort(); // their order means nothing
    want.sort();
    assert_eq!(headers, want);
}

#[tokio::test]
async fn all_four_answers_have_the_published_shape_to_the_byte() {
    let relay = relay();
    let client = Client::new();
    let mut wire = Wire::new(relay.connect());

    let answer = wire.ask(&get("/get_domain_pk")).await;
    assert_ok(&answer, "text/plain");
    assert!(is_lower_hex(answer.text(), 64), "{}", answer.text());
    let relay_key: [u8; 32] = unhex(answer.text());

    let answer = wire.ask(&post("/pow", FORM, form(&client.pow()))).await;
    assert_ok(&answer, "application/json");
    let json = answer.json();
    let (bytes, signature) = (field(&json, "bytes"), field(&json, "signature"));
    assert!(is_lower_hex(bytes, 152) && is_lower_hex(signature, 128));
    assert_eq!(
        answer.text(),
        format!("{{\"bytes\":\"{bytes}\",\"signature\":\"{signature}\"}}")
    );
    let (bytes, signature) = (unhex::<76>(bytes), unhex::<64>(signature));
    let challenge = Challenge::from_bytes(&bytes);
    assert_eq!(challenge.cost, 8);
    assert_eq!(challenge.client, client.public());
    assert_eq!(challenge.expiry, START + 60);
    assert_eq!(challenge.to_bytes(), bytes);
    assert!(verifies(&relay_key, &bytes, &signature));

    let secret = OneUse::new();
    let nonce = challenge.solve();
    let fields = client.exchange(&bytes, &signature, &nonce, &secret.public());
    let answer = wire.ask(&post("/exchange_keys", FORM, form(&fields))).await;
    assert_ok(&answer, "application/json");
    let json = answer.json();
    let theirs = field(&json, "diffie_hellman");
    let signed = field(&json, "diffie_hellman_sig");
    assert!(is_lower_hex(theirs, 64) && is_lower_hex(signed, 128));
    let filler = |bytes: usize| "00".repeat(bytes);
    assert_eq!(
        answer.text(),
        format!(
            "{{\"ed25519_pubkey\":\"{}\",\"nonce\":\"{}\",\"pow\":\"{}\",\"pow_sig\":\"{}\",\
             \"diffie_hellman\":\"{theirs}\",\"diffie_hellman_sig\":\"{signed}\"}}",
            filler(32),
            filler(32),
            filler(32),
            filler(80)
        )
    );
    let theirs: [u8; 32] = unhex(theirs);
    // Over the bare 32 bytes and nothing else.
    assert!(verifies(&relay_key, &theirs, &unhex(signed)));

    let text = "Grüße aus kkv 1.2.1";
    let fields = client.message(&secret.agree(theirs), text.as_bytes());
    let answer = wire.ask(&post("/msg", FORM, form(&fields))).await;
    assert_ok(&answer, "text/plain");
    assert_eq!(answer.body, b"");
    assert_eq!(relay.texts(), [text]);
}

#[tokio::test]
async fn a_connection_for_each_step_serves_as_well_as_one_for_all() {
    let relay = relay();
    let client = Client::new();
    let ask = async |request: Vec<u8>| {
        let answer = Wire::new(relay.connect()).ask(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    };
    let json = ask(post("/pow", FORM, form(&client.pow()))).await.json();
    let bytes = unhex(field(&json, "bytes"));
    let nonce = Challenge::from_bytes(&bytes).solve();
    let secret = OneUse::new();
    let signature = unhex(field(&json, "signature"));
    let fields = client.exchange(&bytes, &signature, &nonce, &secret.public());
    let json = ask(post("/exchange_keys", FORM, form(&fields)))
        .await
        .json();
    let shared = secret.agree(unhex(field(&json, "diffie_hellman")));
    ask(post("/msg", FORM, form(&client.message(&shared, b"hello")))).await;
    assert_eq!(relay.texts(), ["hello"]);
}

#[tokio::test]
async fn upper_case_hex_is_taken_in_every_field() {
    let relay = relay();
    let client = Client::new();
    let mut wire = Wire::new(relay.connect());
    let mut ask = async |path: &str, fields: Vec<(&'static str, String)>| {
        let upper: Vec<_> = fields
            .into_iter()
            .map(|(name, value)| (name, value.to_uppercase()))
            .collect();
        let answer = wire.ask(&post(path, FORM, form(&upper))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    };
    let json = ask("/pow", client.pow()).await.json();
    let bytes = unhex(field(&json, "bytes"));
    let challenge = Challenge::from_bytes(&bytes);
    let secret = OneUse::new();
    let fields = client.exchange(
        &bytes,
        &unhex(field(&json, "signature")),
        &challenge.solve(),
        &secret.public(),
    );
    let json = ask("/exchange_keys", fields).await.json();
    let shared = secret.agree(unhex(field(&json, "diffie_hellman")));
    ask("/msg", client.message(&shared, b"LOUD")).await;
    assert_eq!(relay.texts(), ["LOUD"]);
}

#[tokio::test]
async fn fields_in_another_order_with_unknown_ones_between_are_taken() {
    let relay = relay();
    let client = Client::new();
    let mut wire = Wire::new(relay.connect());
    let mut ask = async |path: &str, mut fields: Vec<(&'static str, String)>| {
        fields.reverse();
        fields.insert(1, ("version", "1.2.1+%E2%82%AC".to_owned()));
        let charset = format!("{FORM}; charset=utf-8");
        let answer = wire.ask(&post(path, &charset, form(&fields))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    };
    let json = ask("/pow", client.pow()).await.json();
    let bytes = unhex(field(&json, "bytes"));
    let secret = OneUse::new();
    let fields = client.exchange(
        &bytes,
        &unhex(field(&json, "signature")),
        &Challenge::from_bytes(&bytes).solve(),
        &secret.public(),
    );
    let json = ask("/exchange_keys", fields).await.json();
    let shared = secret.agree(unhex(field(&json, "diffie_hellman")));
    ask("/msg", client.message(&shared, b"any order")).await;
    assert_eq!(relay.texts(), ["any order"]);
}

#[tokio::test]
async fn the_relays_key_stays_the_same_and_belongs_to_one_relay() {
    let (one, other) = (relay(), relay());
    let key = async |relay: &InProcess| {
        let mut wire = Wire::new(relay.connect());
        wire.ask(&get("/get_domain_pk")).await.body
    };
    assert_eq!(key(&one).await, key(&one).await);
    assert_ne!(key(&one).await, key(&other).await);
    let own = hex(one.relay.keys().public().as_bytes());
    assert_eq!(key(&one).await, own.as_bytes());
}

#[tokio::test]
async fn a_relay_that_speaks_kkv_1_alone_answers_published_clients_the_same() {
    let relay = InProcess::new(SuitePolicy::Only(Suite::V1), 4, 8);
    let mut visit = super::visit::Visit::new(&relay).await;
    let shared = visit.session().await;
    assert_eq!(visit.message(&shared, b"only this").await.body, b"");
    assert_eq!(relay.texts(), ["only this"]);
}
