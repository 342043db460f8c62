//! A published relay serves its owner on the port that strangers reach. Here the owner's routes do not exist for
//! strangers, whatever they say about who they are.

use kkv_protocol::suite::SuitePolicy;

use crate::in_process::{InProcess, send};
use crate::raw_http::{FORM, HOST, Wire, get};

const OWNER_ROUTES: [&str; 5] = ["/get_msg", "/read_msg", "/del_msg", "/watch", "/wipe"];

/// Headers by which other programs have been made to take a stranger for somebody at home.
const TRICKS: [&str; 12] = [
    "",
    "host: localhost\r\n",
    "host: 127.0.0.1:45069\r\n",
    "host: kkv\r\n",
    "x-forwarded-for: 127.0.0.1\r\nx-real-ip: 127.0.0.1\r\n",
    "forwarded: for=127.0.0.1;host=localhost\r\nx-forwarded-host: localhost\r\n",
    "authorization: Basic YWRtaW46YWRtaW4=\r\n",
    "authorization: password\r\n",
    "x-original-url: /get_msg\r\nx-rewrite-url: /get_msg\r\n",
    "x-http-method-override: POST\r\n",
    "origin: http://127.0.0.1:45069\r\ncookie: session=owner\r\n",
    "connection: keep-alive, host\r\nhost: localhost\r\n",
];

/// A head with these tricks: with a `Host`, if none of them is one.
fn head(line: &str, tricks: &str) -> String {
    let host = if tricks.contains("host: ") {
        String::new()
    } else {
        format!("host: {HOST}\r\n")
    };
    format!("{line} HTTP/1.1\r\n{host}{tricks}")
}

/// Whether such a request gets no further than the gate, as a browser's or by another name.
fn is_refused(tricks: &str) -> bool {
    ["host: localhost\r\n", "host: kkv", "origin: "]
        .iter()
        .any(|trick| tricks.contains(trick))
}

/// An inbox with something in it that could be seen or lost.
async fn inbox() -> InProcess {
    let relay = InProcess::new(SuitePolicy::Any, 4, 0);
    let sent = send(&relay, SuitePolicy::Any, "private").await;
    sent.expect("there is room");
    relay
}

async fn assert_nothing_there(relay: &InProcess, request: &[u8], refused: bool, case: &str) {
    let mut wire = Wire::new(relay.connect());
    let answer = wire.ask(request).await;
    if refused {
        assert_eq!((answer.status, answer.text()), (403, ""), "{case}");
    } else {
        assert_eq!(answer.status, 404, "{case}: {}", answer.text());
        assert_eq!(answer.json()["error"], "not_found", "{case}");
    }
    assert_eq!(relay.texts(), ["private"], "{case}");
}

#[tokio::test]
async fn the_owners_routes_are_not_there_for_strangers_with_any_method_body_or_header() {
    let relay = inbox().await;
    let bodies = [
        ("application/json", "{\"id\":1}"),
        ("application/json", "{\"ids\":[1],\"read\":true}"),
        ("application/json", "\"all\""),
        ("application/json", "null"),
        (FORM, "index=0"),
        (FORM, ""),
    ];
    for route in OWNER_ROUTES {
        for tricks in TRICKS {
            for method in ["GET", "OPTIONS", "DELETE", "PUT", "PATCH", "PROPFIND"] {
                let request = head(&format!("{method} {route}"), tricks) + "\r\n";
                let case = format!("{method} {route} {tricks}");
                assert_nothing_there(&relay, request.as_bytes(), is_refused(tricks), &case).await;
            }
            for (content_type, body) in bodies {
                let length = body.len();
                let head = head(&format!("POST {route}"), tricks);
                let request = format!(
                    "{head}content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                let case = format!("POST {route} {tricks}{body}");
                assert_nothing_there(&relay, request.as_bytes(), is_refused(tricks), &case).await;
            }
        }
    }
}

#[tokio::test]
async fn no_other_spelling_of_a_path_leads_to_the_owners_routes() {
    let relay = inbox().await;
    for path in [
        "/get_msg/",
        "//get_msg",
        "/./get_msg",
        "/pow/../get_msg",
        "/status/../get_msg",
        "/%67et_msg",
        "/get_msg%00",
        "/get_msg;x",
        "/get_msg?index=0",
        "/GET_MSG",
        "/owner/get_msg",
        "http://localhost/get_msg",
        "http://127.0.0.1:45069/get_msg",
        "http://kkv/wipe",
    ] {
        assert_nothing_there(&relay, &get(path), path.starts_with("http:"), path).await;
    }
}

#[tokio::test]
async fn what_a_stranger_sees_of_the_status_says_nothing_about_the_messages() {
    let relay = inbox().await;
    for trick in TRICKS {
        let mut wire = Wire::new(relay.connect());
        let request = head("GET /status", trick) + "\r\n";
        let answer = wire.ask(request.as_bytes()).await;
        if is_refused(trick) {
            assert_eq!((answer.status, answer.text()), (403, ""), "{trick}");
            continue;
        }
        let expected = serde_json::json!({
            "suites": ["kkv/2", "kkv/1"],
            "cost": 0,
            "expected_seconds": 60,
            "max_text_bytes": 3500,
        });
        assert_eq!(answer.json(), expected, "{trick}");
    }
}
