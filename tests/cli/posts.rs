//! Identities and posts: what a relay without an identity answers, and what comes back by words.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::programs::Relay;

/// Every route of these layers but the one that brings an identity in.
const ROUTES: [(&str, &str, &str); 7] = [
    ("GET", "/me", ""),
    ("POST", "/forget_me", ""),
    ("POST", "/post", r#"{"text":"hello","to":"me"}"#),
    ("POST", "/edit_post", r#"{"id":"p1","text":"hello"}"#),
    ("GET", "/feed?most=1&first=1", ""),
    ("POST", "/get_post", r#"{"id":"p1"}"#),
    ("POST", "/del_post", r#"{"ids":["p1"]}"#),
];

fn answer(relay: &Relay, (method, path, body): (&str, &str, &str)) -> String {
    use std::io::{Read, Write};
    let mut line = std::os::unix::net::UnixStream::connect(relay.socket()).expect("its socket");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: kkv\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(request.as_bytes()).expect("it listens");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("it answers");
    answer
}

fn made(relay: &Relay, file: &str) -> Value {
    let made = relay.owner(["me", "new", "--json", "--words-file", file]);
    made.finish().must_end_with(0).json()
}

#[test]
fn an_inbox_without_an_identity_answers_none_of_these_routes() {
    let relay = Relay::start(&[]);
    let unknown = answer(&relay, ("GET", "/no_such_route", ""));
    assert!(unknown.starts_with("HTTP/1.1 404"), "{unknown}");
    let without_date = |answer: &str| {
        let lines = answer.lines().filter(|line| !line.starts_with("date:"));
        lines.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    for route in ROUTES {
        let answered = answer(&relay, route);
        assert_eq!(without_date(&answered), without_date(&unknown), "{route:?}");
    }
    for command in [
        &["me"][..],
        &["feed"],
        &["post", "-m", "hello"],
        &["read", "p1"],
        &["edit", "p1", "-m", "hello"],
        &["delete", "p1", "--yes"],
        &["me", "forget", "--yes"],
    ] {
        let refused = relay.owner(command).finish().must_end_with(1);
        refused.must_say("there is no identity in this kkv");
    }
}

#[test]
fn words_bring_an_identity_back_and_not_its_posts() {
    let relay = Relay::start(&[]);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("words");
    let file = file.to_str().expect("a plain path");
    let made = made(&relay, file);
    relay
        .owner(["post", "-m", "hello"])
        .finish()
        .must_end_with(0);
    let again = relay.owner(["me", "new"]).finish().must_end_with(1);
    again.must_say("there is an identity in this kkv already; no identity was made");
    relay
        .owner(["me", "forget", "--yes"])
        .finish()
        .must_end_with(0);
    let restored = relay.owner(["me", "restore", "--json", "--words-file", file]);
    let restored = restored.finish().must_end_with(0).json();
    assert_eq!(restored["key"], made["key"]);
    assert_eq!(restored["check_number"], made["check_number"]);
    assert_eq!(restored["posts"], 0);
    let feed = relay.owner(["feed", "--json"]).finish().json();
    assert_eq!(feed, json!({"schema": 1, "posts": [], "more": false}));
}

#[test]
fn new_words_are_shown_on_the_terminal_and_typed_there_and_those_of_another_kind_are_told() {
    let relay = Relay::start(&[]);
    let mut terminal = relay.owner(["me", "new"]).start_on(80, 24);
    terminal.wait_for("Write these down");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    let words: Vec<_> = screen
        .split_whitespace()
        .zip(screen.split_whitespace().skip(1))
        .filter(|(number, _)| number.parse::<u8>().is_ok_and(|number| number <= 12))
        .map(|(_, word)| word)
        .take(12)
        .collect();
    relay
        .owner(["me", "forget", "--yes"])
        .finish()
        .must_end_with(0);
    let mut terminal = relay.owner(["me", "restore"]).start_on(80, 24);
    terminal.wait_for("Your 12 recovery words: ");
    let reply_words = kkv_words::Words::new(kkv_words::Kind::Reply, &[3; 16]).line();
    terminal.press(&format!("{}\n", *reply_words));
    terminal.wait_for("try again.");
    terminal.wait_for("Your 12 recovery words: ");
    terminal.press(&format!("{}\n", words.join(" ")));
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("These look like reply words"), "{screen}");
    assert!(screen.contains("Your identity is back"), "{screen}");
}

#[test]
fn everyone_and_forgetting_are_asked_about() {
    let relay = Relay::start(&[]);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("words");
    made(&relay, file.to_str().expect("a plain path"));
    let refused = relay.owner(["post", "-m", "hello", "--to", "everyone"]);
    refused
        .finish()
        .must_end_with(2)
        .must_say("say --yes to post to everyone");
    let mut terminal = relay
        .owner(["post", "-m", "hi", "--to", "everyone"])
        .start_on(80, 24);
    terminal.wait_for("May everyone read it, and keep it? [y/N] ");
    terminal.press("n\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("nothing was posted"), "{screen}");
    relay
        .owner(["post", "-m", "hello", "--to", "me"])
        .finish()
        .must_end_with(0);
    let mut terminal = relay.owner(["me", "forget"]).start_on(80, 24);
    terminal.wait_for("Forget your identity and 1 post?");
    terminal.press("n\n");
    assert_eq!(terminal.finish().0, Some(130));
    let mut terminal = relay.owner(["wipe"]).start_on(80, 24);
    terminal.wait_for("Wipe everything (no messages; your identity with 1 post)?");
    terminal.press("y\n");
    assert_eq!(terminal.finish().0, Some(0));
    assert!(fs::exists(&file).expect("it is ours"));
    relay.owner(["me"]).finish().must_end_with(1);
}

#[test]
fn a_hostile_text_steers_no_terminal_in_a_feed_nor_when_it_is_read() {
    let relay = Relay::start(&[]);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("words");
    made(&relay, file.to_str().expect("a plain path"));
    let text = "\u{1b}]0;owned\u{7}\u{1b}[31m red \u{202e}back";
    relay
        .owner(["post", "-"])
        .stdin(text.as_bytes())
        .finish()
        .must_end_with(0);
    for command in [
        &["feed"][..],
        &["read", "p1"],
        &["feed", "--json"],
        &["read", "p1", "--json"],
    ] {
        let shown = relay.owner(command).finish().must_end_with(0).stdout_text();
        let harmful = ['\u{1b}', '\u{7}', '\u{202e}'];
        assert!(!shown.contains(harmful), "{shown:?}");
    }
    let raw = relay
        .owner(["read", "p1", "--raw"])
        .finish()
        .must_end_with(0);
    assert_eq!(raw.stdout_text(), text);
}
