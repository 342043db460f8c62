//! Arbitrary bytes as the answer of each step: no panic, no hang, no yes.

use kkv_client::sender::{Accepted, Failure};
use kkv_protocol::suite::{Suite, SuitePolicy};
use proptest::collection::vec;
use proptest::prelude::*;

use super::between::{Between, Say, steps};
use crate::delivery::deliver_to;
use crate::in_process::InProcess;
use crate::raw_http::answer;

/// A delivery in `suite` whose step number `step` is answered with `bytes`, in time of its own, which runs ahead while
/// nobody works.
fn deliver(suite: Suite, step: usize, bytes: Vec<u8>) -> Result<Accepted, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime needs little");
    runtime.block_on(async {
        let relay = InProcess::new(SuitePolicy::Any, 4, 0);
        let path = steps(suite)[step % steps(suite).len()];
        let between = Between::new(relay, path, Say::Bytes(bytes));
        let only = SuitePolicy::Only(suite);
        deliver_to(&between, only, "text").await.result
    })
}

/// The one answer to a message that is a yes in kkv/1, however little it says: 200 and nothing behind it.
fn is_published_yes(suite: Suite, step: usize) -> bool {
    suite == Suite::V1 && steps(suite)[step % 4] == "/msg"
}

fn suite() -> impl Strategy<Value = Suite> {
    prop_oneof![Just(Suite::V1), Just(Suite::V2)]
}

/// Bytes that look like the start of an answer more or less.
fn almost_http() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(&b"HTTP/1.1 200 OK\r\n"[..]),
        Just(&b"HTTP/1.1 "[..]),
        Just(&b"content-length: 3\r\n"[..]),
        Just(&b"transfer-encoding: chunked\r\n"[..]),
        Just(&b"connection: upgrade\r\nupgrade: x\r\n"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"3\r\nabc\r\n"[..]),
        Just(&b"{\"challenge\":\""[..]),
        Just(&b"00"[..]),
        Just(&b"\"}"[..]),
    ];
    let part = prop_oneof![
        3 => word.prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..20),
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_instead_of_an_answer_end_in_a_failure(
        suite in suite(), step in 0usize..12, bytes in vec(any::<u8>(), 0..2000),
    ) {
        prop_assert!(deliver(suite, step, bytes).is_err());
    }

    #[test]
    fn bytes_that_are_almost_http_end_in_a_failure(
        suite in suite(), step in 0usize..12, bytes in almost_http(),
    ) {
        let result = deliver(suite, step, bytes.clone());
        let yes = is_published_yes(suite, step) && bytes.starts_with(b"HTTP/1.1 200 OK\r\n");
        prop_assert!(result.is_err() || yes);
    }

    #[test]
    fn any_body_and_status_end_in_a_failure(
        suite in suite(), step in 0usize..12, status in 100u16..1000, body in vec(any::<u8>(), 0..2000),
    ) {
        let result = deliver(suite, step, answer(status, "application/json", &body));
        let yes = is_published_yes(suite, step) && status == 200 && body.is_empty();
        prop_assert!(result.is_err() || yes);
    }

    #[test]
    fn any_json_of_the_right_names_ends_in_a_failure(
        suite in suite(), step in 0usize..12, values in vec("[0-9a-fA-F]{0,300}|\\PC{0,40}", 6),
    ) {
        let names = ["bytes", "challenge", "signature", "diffie_hellman", "diffie_hellman_sig", "receipt"];
        let json: serde_json::Map<String, serde_json::Value> = names
            .into_iter()
            .zip(values)
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let body = serde_json::Value::Object(json).to_string();
        prop_assert!(deliver(suite, step, answer(200, "application/json", body)).is_err());
    }

    #[test]
    fn hex_of_the_right_lengths_ends_in_a_failure(
        suite in suite(), step in 0usize..12, seed in any::<[u8; 32]>(),
    ) {
        use crate::published::hex;
        let mut stream = blake3::Hasher::new().update(&seed).finalize_xof();
        let mut take = |bytes: usize| {
            let mut buffer = vec![0; bytes];
            stream.fill(&mut buffer);
            hex(buffer)
        };
        let body = match (suite, steps(suite)[step % steps(suite).len()]) {
            (Suite::V1, "/get_domain_pk") => take(32),
            (Suite::V1, _) => serde_json::json!({
                "bytes": take(76), "signature": take(64),
                "diffie_hellman": take(32), "diffie_hellman_sig": take(64),
            }).to_string(),
            (Suite::V2, "/pow") => serde_json::json!({
                "challenge": format!("02{}", take(111)), "signature": take(64),
            }).to_string(),
            (Suite::V2, _) => serde_json::json!({
                "x25519": take(32), "mlkem768": take(1088), "signature": take(64), "receipt": take(64),
            }).to_string(),
        };
        prop_assert!(deliver(suite, step, answer(200, "application/json", body)).is_err());
    }
}
