//! What strangers may send to the relay: any body to any route, any bytes in place of HTTP, too slowly or without
//! reading.

use std::sync::Arc;
use std::time::Duration;

use kkv_base::limits::{
    FIRST_BYTE_TIMEOUT, HEAD_TIMEOUT, KEEP_ALIVE_TIMEOUT, MAX_BODY_BYTES, MAX_HEAD_BYTES,
    MAX_HEADERS, REQUEST_TIMEOUT,
};
use kkv_net::http::{AllowedHosts, ConnectionLimits, serve_connection};
use kkv_protocol::refusal::Refusal;
use kkv_relay::relay::router;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::visit::{ask, cases, inbox, paused, read, reserved, say, still_takes_a_message};
use crate::raw_http::{Wire, get};

const ROUTES: [&str; 7] = [
    "/pow",
    "/exchange_keys",
    "/msg",
    "/ask",
    "/status",
    "/get_domain_pk",
    "/get_msg",
];

const CONTENT_TYPES: [&str; 7] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-8",
    "application/octet-stream",
    "multipart/form-data",
    "text/plain",
    "",
];

/// Bytes of any kind, or fields of the protocol with values of any kind, as a form or as JSON.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "bytes",
        "suite",
        "sender",
        "purpose",
        "ed25519_pubkey",
        "nonce",
        "pow",
        "pow_sig",
        "diffie_hellman",
        "diffie_hellman_sig",
        "pubkey",
        "chiphertext",
        "signature",
        "challenge",
        "solution",
        "x25519",
        "mlkem768",
        "session",
        "sealed",
    ]);
    let length = prop::sample::select(vec![0, 8, 32, 64, 76, 128, 1184, 3000, 3668, 4000]);
    let hex = length.prop_flat_map(|bytes| {
        proptest::collection::vec(
            prop::sample::select(b"0123456789abcdefABCDEF".to_vec()),
            2 * bytes,
        )
    });
    let value = prop_oneof![
        3 => hex.prop_map(|hex| String::from_utf8_lossy(&hex).into_owned()),
        1 => ".{0,40}",
        1 => Just("kkv/2".to_owned()),
    ];
    let fields = proptest::collection::btree_map(name, value, 0..8);
    prop_oneof![
        2 => proptest::collection::vec(any::<u8>(), 0..300),
        1 => (0..2 * MAX_BODY_BYTES).prop_map(|length| vec![b'7'; length]),
        3 => fields.clone().prop_map(|f| serde_urlencoded::to_string(f).unwrap_or_default().into()),
        3 => fields.prop_map(|f| serde_json::to_vec(&f).unwrap_or_default()),
    ]
}

/// Pieces of HTTP in any order.
fn http() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "GET ", "POST ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "/msg", "/status", "*", "http://x/pow",
            " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/9.9\r\n", "host: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n", "expect: 100-continue\r\n",
            "content-length: 5\r\n", "content-length: -1\r\n", "content-length: 18446744073709551615\r\n",
            "transfer-encoding: chunked\r\n", "upgrade: h2c\r\nconnection: upgrade\r\n",
            "content-type: application/json\r\n", "connection: keep-alive\r\n", "\r\n", "\n", "{}", "0\r\n\r\n",
            "ffffffffffffffff\r\n", "5;x=y\r\nabcde\r\n",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
        1 => (0..10_000_usize).prop_map(|length| vec![b'a'; length]),
    ];
    let pieces = proptest::collection::vec(piece, 0..24);
    prop_oneof![
        3 => pieces.prop_map(|pieces| pieces.concat()),
        1 => proptest::collection::vec(any::<u8>(), 0..400),
    ]
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_body_on_any_route_is_refused_with_a_reason_and_costs_no_slot(
        route in prop::sample::select(ROUTES.to_vec()),
        content_type in prop::sample::select(CONTENT_TYPES.to_vec()),
        body in body(),
    ) {
        paused().block_on(async {
            let inbox = inbox();
            let router = router(Arc::clone(&inbox.relay));
            let answer = ask(router, route, content_type, &body).await;
            // A key of the right length is all it takes to be given a challenge.
            let challenge = route == "/pow" && answer.status == 200;
            prop_assert!(challenge || answer.refusal().is_some(), "{answer:?}");
            if body.len() > MAX_BODY_BYTES && answer.status == 413 {
                prop_assert_eq!(answer.refusal(), Some(Refusal::TooLarge));
            }
            prop_assert_eq!(reserved(&inbox), 0);
            prop_assert!(inbox.texts().is_empty());
            Ok(())
        })?;
    }

    #[test]
    fn any_bytes_in_place_of_http_are_answered_with_a_fault_of_the_stranger_or_not_at_all(bytes in http()) {
        paused().block_on(async {
            let inbox = inbox();
            let said = say(router(Arc::clone(&inbox.relay)), &bytes).await;
            if let Some(answer) = read(&said) {
                prop_assert!(answer.status < 500, "{}", String::from_utf8_lossy(&said));
            } else {
                prop_assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
            }
            prop_assert_eq!(reserved(&inbox), 0);
            prop_assert!(inbox.texts().is_empty());
            Ok(())
        })?;
    }
}

/// The status of what has no body and says nothing else either.
fn bare(status: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\
         x-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\n\r\n"
    )
}

#[test]
fn faults_of_http_itself_have_a_status_without_a_body_or_no_answer_at_all() {
    let line = "GET /status HTTP/1.1\r\n";
    let no_http = [
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "\x16\x03\x01\x02\0\x01".to_owned(),
        "GET /status HTTP/2.0\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("{line}no colon\r\n\r\n"),
        "POST /pow HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_owned(),
    ];
    let too_large = [
        format!("{line}x: {}\r\n\r\n", "a".repeat(MAX_HEAD_BYTES)),
        format!("{line}{}\r\n", "x: y\r\n".repeat(MAX_HEADERS + 1)),
        format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MAX_HEAD_BYTES)),
    ];
    let silent = [
        format!("{line}host: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n"), // the rest never comes
    ];
    paused().block_on(async {
        let inbox = inbox();
        for (cases, answer) in [
            (&no_http[..], bare("400 Bad Request")),
            (&too_large, bare("431 Request Header Fields Too Large")),
            (&silent, String::new()),
        ] {
            for case in cases {
                let said = say(router(Arc::clone(&inbox.relay)), case.as_bytes()).await;
                assert_eq!(String::from_utf8_lossy(&said), answer, "{case:?}");
            }
        }
    });
}

#[test]
fn who_speaks_an_older_http_is_refused_in_it() {
    paused().block_on(async {
        let inbox = inbox();
        let said = say(
            router(Arc::clone(&inbox.relay)),
            b"GET /msg HTTP/1.0\r\n\r\n",
        )
        .await;
        assert!(
            said.starts_with(b"HTTP/1.0 400 "),
            "{}",
            said.escape_ascii()
        );
        assert_eq!(read(&said).map(|answer| answer.status), Some(400));
    });
}

#[test]
fn after_a_flood_of_nonsense_the_relay_takes_a_good_message() {
    paused().block_on(async {
        let inbox = inbox();
        let router = router(Arc::clone(&inbox.relay));
        for byte in 0..=255_u8 {
            let bytes = vec![byte; usize::from(byte) * 40];
            say(router.clone(), &bytes).await;
            for route in ROUTES {
                let answer = ask(router.clone(), route, CONTENT_TYPES[0], &bytes).await;
                assert!(answer.refusal().is_some(), "{answer:?}");
            }
        }
        still_takes_a_message(&inbox).await.unwrap();
    });
}

/// Serves one stranger through a narrow pipe; the time until the relay lets go is given in virtual seconds.
async fn lets_go<F: Future<Output = ()>>(stranger: impl FnOnce(DuplexStream) -> F) -> Duration {
    let inbox = inbox();
    let (near, far) = tokio::io::duplex(256);
    let start = tokio::time::Instant::now();
    let serving = tokio::spawn(serve_connection(
        far,
        router(Arc::clone(&inbox.relay)),
        ConnectionLimits::default(),
        AllowedHosts::Onion,
    ));
    let limit = Duration::from_secs(3600);
    tokio::select! {
        () = stranger(near) => panic!("strangers stay as long as they can"),
        done = tokio::time::timeout(limit, serving) => {
            done.expect("let go within the hour").expect("no panic");
        }
    }
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_sends_its_head_byte_by_byte_is_let_go() {
    let time = lets_go(async |mut line| {
        for byte in b"GET /status HTTP/1.1\r\nx: "
            .iter()
            .chain(std::iter::repeat(&b'a'))
        {
            let _ = line.write_all(&[*byte]).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    assert!(time <= HEAD_TIMEOUT + Duration::from_secs(2), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_sends_its_body_byte_by_byte_is_let_go() {
    let time = lets_go(async |mut line| {
        let head = "POST /msg HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\ncontent-length: 9999\r\n\
                    content-type: application/json\r\n\r\n";
        let _ = line.write_all(head.as_bytes()).await;
        loop {
            let _ = line.write_all(b"7").await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    assert!(time <= REQUEST_TIMEOUT + Duration::from_secs(2), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_asks_on_and_on_and_reads_nothing_is_let_go() {
    let time = lets_go(async |mut line| {
        loop {
            let _ = line
                .write_all(b"GET /status HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n\r\n")
                .await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(time <= REQUEST_TIMEOUT + Duration::from_secs(2), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_comes_and_says_nothing_is_let_go() {
    let time = lets_go(async |mut line| {
        let mut nothing = [0];
        let _ = line.read(&mut nothing).await;
        std::future::pending::<()>().await;
    })
    .await;
    assert!(
        time <= FIRST_BYTE_TIMEOUT + Duration::from_secs(1),
        "{time:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_has_had_an_answer_may_think_for_a_while_but_not_send_its_next_head_byte_by_byte()
 {
    let thinks = KEEP_ALIVE_TIMEOUT - Duration::from_secs(1);
    let time = lets_go(async |line| {
        let mut wire = Wire::new(line);
        assert_eq!(wire.ask(&get("/status")).await.status, 200);
        tokio::time::sleep(thinks).await;
        assert_eq!(wire.ask(&get("/status")).await.status, 200);
        for byte in std::iter::repeat(b"a") {
            let _ = wire.stream.write_all(byte).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    let patience = thinks + HEAD_TIMEOUT;
    assert!(time >= patience, "{time:?}");
    assert!(time <= patience + Duration::from_secs(2), "{time:?}");
}
