//! Answers that are bad HTTP, endless HTTP, or no HTTP.

use kkv_client::sender::Failure;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};

use super::between::{Between, Say, steps};
use super::{Expected, at_each_step};
use crate::delivery::deliver_to;
use crate::in_process::{EACH_SUITE, InProcess};
use crate::raw_http::answer;

fn bytes(bytes: impl AsRef<[u8]>) -> Option<Say> {
    Some(Say::Bytes(bytes.as_ref().to_vec()))
}

#[tokio::test]
async fn an_endless_body_is_cut_off_however_its_length_is_told() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551614\r\n\r\n",
        "HTTP/1.0 500 No\r\n\r\n",
    ] {
        at_each_step(head, Expected::Nonsense, |_, _| {
            let first = head.as_bytes().to_vec();
            Some(Say::Flood(first, vec![b'x'; 4096]))
        })
        .await;
    }
    at_each_step("chunked", Expected::Nonsense, |_, _| {
        let first = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        Some(Say::Flood(first, b"4\r\nabcd\r\n".to_vec()))
    })
    .await;
}

#[tokio::test]
async fn endless_headers_are_cut_off() {
    for again in ["x: y\r\n", "a", ": \r\n", "set-cookie: a=b; path=/\r\n"] {
        at_each_step(again, Expected::Nonsense, |_, _| {
            let first = b"HTTP/1.1 200 OK\r\nx: y".to_vec();
            Some(Say::Flood(first, again.as_bytes().to_vec()))
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"{\"bytes\":\"00\"}",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 abc No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\0: x\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"POST /pow HTTP/1.1\r\n\r\n",
    ] {
        let case = String::from_utf8_lossy(garbage).into_owned();
        at_each_step(&case, Expected::Nonsense, |_, _| bytes(garbage)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_is_asked_for_again_and_then_given_up() {
    for broken in [
        &b""[..],
        b"H",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"byt",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let case = String::from_utf8_lossy(broken).into_owned();
        at_each_step(&case, Expected::Broken, |_, _| bytes(broken)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_length_that_is_not_that_of_the_body_is_noticed() {
    at_each_step("longer", Expected::Broken, |_, _| {
        bytes("HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n0000")
    })
    .await;
    // What goes beyond the length is not read, so what is left is cut off.
    at_each_step("shorter", Expected::Nonsense, |_, path| {
        let whole = "00".repeat(32);
        let said = format!("HTTP/1.1 200 OK\r\ncontent-length: 63\r\n\r\n{whole}");
        (path != "/msg").then(|| Say::Bytes(said.into_bytes()))
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for to in [
            "http://example.com/",
            "/pow",
            "//127.0.0.1:1/",
            "http://127.0.0.1:45069/msg",
        ] {
            let said = format!(
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            );
            at_each_step(&said, Expected::Status(status), |_, _| bytes(&said)).await;
        }
    }
}

#[tokio::test]
async fn one_connection_is_made_where_one_is_enough_redirect_or_not() {
    for suites in EACH_SUITE {
        let said = "HTTP/1.1 307 X\r\nlocation: http://x.onion/\r\ncontent-length: 0\r\n\r\n";
        let say = Say::Bytes(said.as_bytes().to_vec());
        let relay = InProcess::new(SuitePolicy::Any, 4, 0);
        let between = Between::new(relay, "/exchange_keys", say);
        let failure = deliver_to(&between, suites, "text").await.failure();
        assert!(
            matches!(failure, Failure::RefusedUnread(307)),
            "{failure:?}"
        );
        assert_eq!(between.dialled(), 1);
    }
}

#[tokio::test]
async fn other_statuses_are_told_as_they_are() {
    for status in [201, 204, 205, 206, 304, 500, 502, 503, 599, 999] {
        let said = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        at_each_step(&said, Expected::Status(status), |_, _| bytes(&said)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_changes_to_another_protocol_is_left_alone() {
    for said in [
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: kkv\r\n\r\nyes",
    ] {
        at_each_step(said, Expected::Status(101), |_, _| bytes(said)).await;
    }
}

#[tokio::test]
async fn a_relay_that_has_no_kkv_2_is_told_from_one_that_refuses() {
    for status in [400, 404, 405, 415, 422] {
        let say = Say::Bytes(answer(status, "text/html", "<h1>no</h1>"));
        let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), "/pow", say);
        let only = SuitePolicy::Only(Suite::V2);
        let failure = deliver_to(&between, only, "text").await.failure();
        assert!(
            matches!(failure, Failure::NoCommonSuite(Suite::V2)),
            "{failure:?}"
        );
    }
    for status in [401, 403, 409, 410, 413, 429, 500] {
        let say = Say::Bytes(answer(status, "text/html", "<h1>no</h1>"));
        let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), "/pow", say);
        // Not even a sender of both suites takes this for a reason to go on with less.
        let failure = deliver_to(&between, SuitePolicy::Any, "text")
            .await
            .failure();
        let Failure::RefusedUnread(said) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(said, status);
        assert_eq!(between.asked(), ["POST /pow"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_with_a_reason_ends_any_step_and_the_reason_is_from_our_list() {
    for suite in [Suite::V1, Suite::V2] {
        for path in steps(suite) {
            for refusal in Refusal::ALL {
                let say = Say::Bytes(answer(
                    refusal.status(),
                    "application/json",
                    format!(
                        "{{\"error\":\"{}\",\"reason\":\"\\u001b[2J\"}}",
                        refusal.code()
                    ),
                ));
                let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), path, say);
                let only = SuitePolicy::Only(suite);
                let failure = deliver_to(&between, only, "text").await.failure();
                match failure {
                    // What may be repeated is, until the sender gives up.
                    Failure::Refused(said) | Failure::StillRefused(said, _) => {
                        assert_eq!(said, refusal);
                    }
                    Failure::NoCommonSuite(Suite::V2) => {
                        assert_eq!((*path, refusal), ("/pow", Refusal::UnsupportedSuite));
                    }
                    other => panic!("{suite} {path} {refusal:?}: {other:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn what_follows_an_answer_does_not_become_the_next_answer() {
    // After the exchange comes a yes to a message that the relay has not seen yet, or garbage. The sender goes on over
    // a new connection.
    for suites in EACH_SUITE {
        for more in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 507 No\r\ncontent-length: 0\r\n\r\n",
            "garbage",
            "\r\n",
        ] {
            let say = Say::Followed(more.as_bytes().to_vec());
            let relay = InProcess::new(SuitePolicy::Any, 4, 0);
            let between = Between::new(relay, "/exchange_keys", say);
            let delivered = deliver_to(&between, suites, "text").await;
            assert!(delivered.result.is_ok(), "{more:?}: {:?}", delivered.result);
            assert_eq!(between.relay().texts(), ["text"]);
            assert_eq!(between.dialled(), 2, "{more:?}");
        }
    }
}
