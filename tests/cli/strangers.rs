//! The port that strangers reach, in raw HTTP, and what they can't do to the owner.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::programs::{LIMIT, Relay};

/// Sends `request` as it is and returns all that comes back until the relay hangs up.
fn raw(relay: &Relay, request: &str) -> String {
    let mut stream = TcpStream::connect(relay.address()).expect("the relay listens");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a limit can be set");
    stream
        .write_all(request.as_bytes())
        .expect("the relay reads");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .expect("the relay answers and hangs up");
    String::from_utf8(answer).expect("answers are text")
}

fn ask(relay: &Relay, method: &str, path: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    raw(
        relay,
        &format!(
            "{method} {path} HTTP/1.1\r\nHost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ),
    )
}

fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(|| panic!("no status in {answer:?}"))
}

#[test]
fn no_answer_says_what_time_it_is_or_what_the_server_is() {
    let relay = Relay::start(&[]);
    let mut answers = vec![
        (raw(&relay, "nonsense\r\n\r\n"), 400),
        (raw(&relay, "GET / HTTP/9.9\r\n\r\n"), 400),
        (
            raw(
                &relay,
                &format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)),
            ),
            431,
        ),
        (ask(&relay, "GET", "/status", "", ""), 200),
        (ask(&relay, "HEAD", "/status", "", ""), 200),
        (ask(&relay, "GET", "/get_domain_pk", "", ""), 200),
        (ask(&relay, "GET", "/", "", ""), 404),
        (ask(&relay, "GET", "/favicon.ico", "", ""), 404),
    ];
    for path in ["/pow", "/exchange_keys", "/msg"] {
        answers.push((ask(&relay, "GET", path, "", ""), 405));
        answers.push((ask(&relay, "OPTIONS", path, "", ""), 405));
        answers.push((ask(&relay, "POST", path, "text/plain", "x"), 415));
        answers.push((ask(&relay, "POST", path, "application/json", "x"), 400));
        answers.push((
            ask(
                &relay,
                "POST",
                path,
                "application/x-www-form-urlencoded",
                "x",
            ),
            400,
        ));
        answers.push((
            ask(
                &relay,
                "POST",
                path,
                "application/json",
                &"x".repeat(17_000),
            ),
            413,
        ));
    }
    let pow = r#"{"suite":"kkv/2","sender":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a","purpose":"0000"}"#;
    answers.push((ask(&relay, "POST", "/pow", "application/json", pow), 200));
    for (answer, want) in answers {
        assert_eq!(status(&answer), want, "{answer}");
        let head = answer
            .split("\r\n\r\n")
            .next()
            .unwrap()
            .to_ascii_lowercase();
        for header in ["\r\ndate:", "\r\nserver:", "\r\nx-powered-by:", "\r\nvia:"] {
            assert!(!head.contains(header), "{head}");
        }
    }
}

#[test]
fn whoever_asks_and_then_says_no_more_is_answered_every_time() {
    let relay = Relay::start(&[]);
    let pow = r#"{"suite":"kkv/2","sender":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a","purpose":"0000"}"#;
    let address = relay.address();
    for close in ["", "Connection: close\r\n"] {
        let requests = [
            (
                format!("GET /status HTTP/1.1\r\nHost: {address}\r\n{close}\r\n"),
                200,
            ),
            (
                format!(
                    "POST /pow HTTP/1.1\r\nHost: {address}\r\n{close}Content-Type: application/json\r\n\
                     Content-Length: {}\r\n\r\n{pow}",
                    pow.len()
                ),
                200,
            ),
            // Refused before it is there whole.
            (
                format!(
                    "POST /pow HTTP/1.1\r\nHost: {address}\r\n{close}Content-Type: application/json\r\n\
                     Content-Length: 20000\r\n\r\n{}",
                    "x".repeat(20_000)
                ),
                413,
            ),
            (format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{close}\r\n"), 400),
        ];
        for (request, want) in requests {
            for time in 0..1000 {
                let mut stream = TcpStream::connect(address).expect("the relay listens");
                stream.set_read_timeout(Some(LIMIT)).expect("a limit");
                stream.write_all(request.as_bytes()).expect("it is read");
                stream.shutdown(Shutdown::Write).expect("it is open");
                let mut answer = String::new();
                let read = stream.read_to_string(&mut answer);
                assert!(
                    read.is_ok(),
                    "{time}: {read:?} after {answer:?} to {request:.60}"
                );
                assert!(!answer.is_empty(), "{time}: no answer to {request:.60}");
                assert_eq!(status(&answer), want, "{time}: {answer}");
            }
        }
    }
}

#[test]
fn an_older_http_is_refused_and_a_browser_gets_nothing() {
    let relay = Relay::start(&[]);
    let address = relay.address();
    let old = raw(&relay, "GET /status HTTP/1.0\r\n\r\n");
    assert_eq!(status(&old), 400, "{old}");
    for (host, header) in [
        (address, "Origin: https://evil.example"),
        (address, "Referer: https://evil.example/"),
        (address, "Sec-Fetch-Site: cross-site"),
        (address, "Accept-Language: en"),
        ("evil.example:45069", "Accept: */*"),
        ("localhost", "Accept: */*"),
    ] {
        for line in [
            "GET /status",
            "GET /get_domain_pk",
            "GET /none",
            "DELETE /pow",
            "POST /msg",
        ] {
            let request = format!(
                "{line} HTTP/1.1\r\nHost: {host}\r\n{header}\r\nContent-Length: 2\r\n\r\n{{}}"
            );
            let answer = raw(&relay, &request);
            assert_eq!(status(&answer), 403, "{request}{answer}");
            assert!(answer.ends_with("\r\n\r\n"), "there is a body: {answer}");
            for close in [
                "x-content-type-options: nosniff",
                "cross-origin-resource-policy: same-origin",
            ] {
                assert!(answer.contains(close), "{answer}");
            }
        }
    }
}

#[test]
fn the_owners_routes_do_not_exist_for_strangers() {
    let relay = Relay::start(&[]);
    relay.deliver(b"mine");
    for path in [
        "/get_msg",
        "/read_msg",
        "/del_msg",
        "/wipe",
        "/watch?seen=0",
    ] {
        for method in ["GET", "POST"] {
            let body = r#"{"id":1,"ids":[1],"read":true}"#;
            let answer = ask(&relay, method, path, "application/json", body);
            assert_eq!(status(&answer), 404, "{method} {path}");
        }
    }
    let public = ask(&relay, "GET", "/status", "", "");
    for word in ["queue", "stored", "listens", "uptime", "version"] {
        assert!(!public.contains(word), "strangers see {word}: {public}");
    }
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn six_hundred_idle_strangers_do_not_keep_the_owner_out() {
    let relay = Relay::start(&[]);
    relay.deliver(b"before");
    let idle: Vec<TcpStream> = (0..600)
        .map(|_| TcpStream::connect(relay.address()).unwrap())
        .collect();
    assert_eq!(relay.list().len(), 1);
    assert_eq!(relay.text(1), "before");
    drop(idle);
    relay.deliver(b"after");
    assert_eq!(relay.text(2), "after");
}

#[test]
fn a_message_whose_time_is_over_is_gone_without_anybody_asking() {
    let relay = Relay::start(&["--ttl", "1s"]);
    relay.deliver(b"soon gone");
    // The route that waits for a change answers when the message goes: nothing else touches the queue meanwhile.
    let seen = watch(&relay, 0);
    if !relay.list().is_empty() {
        watch(&relay, seen);
    }
    assert!(relay.list().is_empty());
    relay
        .owner(["read", "1"])
        .finish()
        .must_end_with(1)
        .must_say("there is no message 1");
}

/// Waits on the owner's socket until the queue's version is not `seen`, and returns it.
fn watch(relay: &Relay, seen: u64) -> u64 {
    let mut stream =
        std::os::unix::net::UnixStream::connect(relay.socket()).expect("the relay listens");
    write!(
        stream,
        "GET /watch?seen={seen} HTTP/1.1\r\nHost: kkv\r\nConnection: close\r\n\r\n"
    )
    .expect("the relay reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the relay answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body["version"].as_u64().expect("a number")
}
