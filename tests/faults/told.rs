//! A published client tells its user "sent" whatever it hears. Ours says "accepted" to the one right answer and nothing
//! else.

use kkv_client::sender::{Failure, Indeterminate};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};

use crate::between::{Between, Say};
use crate::delivery::deliver_to;
use crate::in_process::{EACH_SUITE, InProcess};
use crate::raw_http::answer;

/// How the sender takes `bytes` as the answer to its message. The relay never gets that message.
async fn told(suites: SuitePolicy, bytes: Vec<u8>) -> Failure {
    let relay = InProcess::new(SuitePolicy::Any, 4, 0);
    let between = Between::new(relay, "/msg", Say::Bytes(bytes));
    let failure = deliver_to(&between, suites, "text").await.failure();
    assert!(between.relay().texts().is_empty());
    failure
}

#[tokio::test(start_paused = true)]
async fn sent_is_never_said_when_the_relay_refused_with_a_reason_and_the_reason_is_told() {
    for suites in EACH_SUITE {
        for refusal in Refusal::ALL {
            let bytes = answer(refusal.status(), "application/json", refusal.body());
            let failure = told(suites, bytes).await;
            let (Failure::Refused(said) | Failure::StillRefused(said, _)) = failure else {
                panic!("{suites} {refusal:?}: {failure:?}");
            };
            assert_eq!(said, refusal);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sent_is_never_said_when_the_relay_refused_without_a_reason() {
    for suites in EACH_SUITE {
        for status in [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 499] {
            for body in [
                "",
                "Unauthorized",
                "{}",
                "{\"error\":\"accepted\",\"reason\":\"\"}",
            ] {
                let failure = told(suites, answer(status, "text/plain", body)).await;
                let (Failure::RefusedUnread(said) | Failure::RefusedUnknown(said)) = failure else {
                    panic!("{suites} {status} {body}: {failure:?}");
                };
                assert_eq!(said, status);
            }
        }
        for body in ["", "no room", "{}"] {
            let failure = told(suites, answer(507, "text/plain", body)).await;
            assert!(
                matches!(failure, Failure::StillRefused(Refusal::Full, _)),
                "{suites} {body}: {failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn sent_is_never_said_when_the_answer_says_neither_yes_nor_no_and_the_doubt_is_told() {
    for suites in EACH_SUITE {
        // A server that failed half way may have stored the message.
        for status in [
            201, 202, 203, 206, 300, 301, 302, 307, 308, 500, 502, 503, 504, 599,
        ] {
            for body in ["", "Internal Server Error", "{\"receipt\":\"00\"}"] {
                let failure = told(suites, answer(status, "text/plain", body)).await;
                assert!(
                    matches!(failure, Failure::Indeterminate(Indeterminate::Unclear)),
                    "{suites} {status} {body}: {failure:?}"
                );
            }
        }
        let zeros = format!("{{\"receipt\":\"{}\"}}", "00".repeat(64));
        let full = Refusal::Full.body();
        for body in [
            "ok",
            "accepted",
            "{}",
            "null",
            "{\"receipt\":\"\"}",
            &zeros,
            &full,
            "\0",
        ] {
            let failure = told(suites, answer(200, "application/json", body)).await;
            assert!(
                matches!(failure, Failure::Indeterminate(Indeterminate::Unclear)),
                "{suites} 200 {body}: {failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn sent_is_never_said_in_kkv_2_to_the_empty_yes_of_kkv_1() {
    let only = SuitePolicy::Only(Suite::V2);
    let failure = told(only, answer(200, "text/plain", "")).await;
    assert!(
        matches!(failure, Failure::Indeterminate(Indeterminate::Unclear)),
        "a yes in kkv/2 has a receipt: {failure:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn sent_is_never_said_when_the_connection_ends_instead() {
    for suites in EACH_SUITE {
        for bytes in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        ] {
            let failure = told(suites, bytes.to_vec()).await;
            assert!(
                matches!(failure, Failure::Indeterminate(Indeterminate::Lost)),
                "{suites}: {failure:?}"
            );
        }
    }
}
