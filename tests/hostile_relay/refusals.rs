//! What is a refusal and what is not (PROTOCOL.md §9), and that neither a code nobody knows nor one under a foreign
//! status is a reason to fall back to kkv/1 (§11).

use kkv_client::sender::{Failure, Indeterminate};
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};

use super::between::{Between, Say, steps};
use crate::delivery::deliver_to;
use crate::in_process::InProcess;
use crate::raw_http::answer;

/// What a sender of both suites says when its first `POST /pow` is answered so, and what it asked.
async fn first_answer(status: u16, body: &str) -> (Result<Suite, Failure>, Vec<String>) {
    let say = Say::Bytes(answer(status, "application/json", body));
    let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), "/pow", say);
    let delivered = deliver_to(&between, SuitePolicy::Any, "text").await;
    let suite = delivered.result.map(|accepted| accepted.suite);
    (suite, between.asked())
}

#[tokio::test]
async fn no_unsupported_suite_under_a_foreign_status_is_a_reason_to_fall_back() {
    let body = Refusal::UnsupportedSuite.body();
    let (said, asked) = first_answer(200, &body).await;
    assert!(
        matches!(said, Err(Failure::Protocol(ProtocolError::Malformed))),
        "{said:?}"
    );
    assert_eq!(asked, ["POST /pow"]);
    for status in [201, 204, 302, 400, 401, 404, 405, 422, 429, 500, 503, 507] {
        let body = if status == 204 { "" } else { &body };
        let (said, asked) = first_answer(status, body).await;
        match said {
            Err(Failure::RefusedUnread(204)) if status == 204 => {}
            Err(Failure::RefusedUnknown(said)) => assert_eq!(said, status),
            other => panic!("{status}: {other:?}"),
        }
        assert_eq!(asked, ["POST /pow"], "{status}");
    }
}

#[tokio::test]
async fn a_code_that_nobody_knows_is_a_refusal_and_no_reason_to_fall_back() {
    for status in [400, 404, 405, 415, 422] {
        for body in [
            r#"{"error":"a_later_code","reason":"of a later relay"}"#,
            r#"{"error":"a_later_code"}"#,
            r#"{"error":"","reason":7,"more":{"a":[1]}}"#,
            // A known one that is not of this status.
            r#"{"error":"slow_down","reason":""}"#,
        ] {
            let (said, asked) = first_answer(status, body).await;
            assert!(
                matches!(said, Err(Failure::RefusedUnknown(of)) if of == status),
                "{status} {body}: {said:?}"
            );
            assert_eq!(asked, ["POST /pow"], "{status} {body}");
        }
    }
}

#[tokio::test]
async fn what_falls_back_is_the_one_refusal_or_none_at_all() {
    for (status, body) in [
        (415, r#"{"error":"unsupported_suite","reason":""}"#),
        (415, r#"{"error":"unsupported_suite"}"#),
        (415, "Form requests must have `Content-Type: …`"),
        (400, ""),
        (404, "{}"),
        (422, r#"{"error":1}"#),
        (415, r#"["unsupported_suite",""]"#),
        (415, r#"{"error":"full","error":"full"}"#),
    ] {
        let (_, asked) = first_answer(status, body).await;
        // The relay stands behind the answer to each `/pow`, so the second is asked in kkv/1 and gets the same.
        assert_eq!(asked, ["POST /pow", "POST /pow"], "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_needs_no_reason_and_its_code_counts_at_its_status_alone() {
    for suite in [Suite::V1, Suite::V2] {
        for path in steps(suite) {
            for refusal in Refusal::ALL {
                let body = format!("{{\"error\":\"{}\"}}", refusal.code());
                for status in [refusal.status(), 418, 500] {
                    let say = Say::Bytes(answer(status, "text/plain", &body));
                    let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), path, say);
                    let only = SuitePolicy::Only(suite);
                    let failure = deliver_to(&between, only, "text").await.failure();
                    let right = match failure {
                        Failure::Refused(said) | Failure::StillRefused(said, _) => {
                            said == refusal && status == refusal.status()
                        }
                        Failure::NoCommonSuite(_) => {
                            (refusal, status) == (Refusal::UnsupportedSuite, 415)
                        }
                        Failure::RefusedUnknown(said) => {
                            said == status && (*path != "/msg" || status == 418)
                        }
                        // Above the 400s nobody can know whether an unread refusal means that the message is not there.
                        Failure::Indeterminate(Indeterminate::Unclear) => {
                            *path == "/msg" && status == 500
                        }
                        _ => false,
                    };
                    assert!(right, "{suite} {path} {status} {body}: {failure:?}");
                }
            }
        }
    }
}
