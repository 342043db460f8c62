//! Standard streams that are closed, or lead nowhere: what is shown to nobody isn't marked as read, and what can't be
//! written is a fault.
//!
//! In place of a stream that is closed when a program of Rust starts, its standard library opens /dev/null for reading
//! and writing.

use std::collections::BTreeSet;
use std::fs;

use super::contacts::ONION;
use crate::programs::{Outcome, Relay, kkvc};

/// A relay with one message that is unread, and the files that commands are tried with.
struct Stage {
    relay: Relay,
}

impl Stage {
    fn new() -> Self {
        let relay = Relay::start(&[]);
        relay.deliver(b"hello");
        let exported = relay.owner(["export", "1"]).finish().must_end_with(0);
        fs::write(relay.directory().join("message"), exported.stdout).expect("a file");
        for made in [&["identity", "key"][..], &["key", ONION, "access"]] {
            relay.owner(made).finish().must_end_with(0);
        }
        let posts = [
            &["me", "new", "--words-file", "recovery"][..],
            &["post", "-m", "hello", "--to", "me"],
        ];
        for words in posts {
            relay.owner(words).finish().must_end_with(0);
        }
        Self { relay }
    }

    fn run(&self, words: &[&str], redirections: &str) -> Outcome {
        let script = format!("exec \"$0\" \"$@\" {redirections}");
        self.relay.owner(words).through_shell(&script).finish()
    }

    fn is_unread(&self) -> bool {
        self.relay.list()[0]["read"] == false
    }
}

/// What would be lost with a standard output that is closed.
const SEEN_ONCE: [&[&str]; 8] = [
    &["read", "1"],
    &["read", "1-9"],
    &["read", "1", "--json"],
    &["read", "1", "--raw"],
    &["export", "1"],
    &["watch", "--unread"],
    &["watch", "--unread", "--json"],
    &["send", "[::1]:1", "-m", "x", "--receipt", "-"],
];

/// Whatever else writes data.
const OTHERS: [&[&str]; 21] = [
    &["list"],
    &["list", "--json"],
    &["status"],
    &["status", "--json"],
    &["card", ONION],
    &["card", ONION, "--json"],
    &["verify", "message"],
    &["verify", "message", "--json"],
    &["identity", "key"],
    &["identity", "key", "--json"],
    &["key", ONION, "access"],
    &["key", ONION, "access", "--json"],
    &["mark", "1", "--unread", "--json"],
    &["invite"],
    &["me"],
    &["feed"],
    &["feed", "--json"],
    &["completions", "bash"],
    &["bench", "--json"],
    &["--help"],
    &["--version"],
];

/// What would have done something, and told nobody.
const MAKERS: [&[&str]; 6] = [
    &["identity", "new-key"],
    &["key", ONION, "new-access"],
    &["delete", "1", "--yes", "--json"],
    &["post", "-m", "x", "--to", "me", "--json"],
    &["edit", "p1", "-m", "x", "--json"],
    &["wipe", "--yes", "--json"],
];

/// Commands that write no data but with --json, by what `mark` writes it by; contacts, which need a passphrase; a
/// doctor, who may find something on any machine; and replies, which need a conversation (`answers.rs`).
const ELSEWHERE: [&str; 11] = [
    "tui", "contact", "delete", "doctor", "wipe", "help", "replies", "reply", "save", "post",
    "edit",
];

#[test]
fn a_closed_standard_output_loses_nothing() {
    let stage = Stage::new();
    // As closed as it was for Rust's own library; or with the rest closed, too.
    for redirections in [">&-", "<&- >&-", ">&- 2>&-", "1<>/dev/null"] {
        for words in SEEN_ONCE {
            let outcome = stage.run(words, redirections).must_end_with(2);
            if !redirections.contains("2>") {
                outcome.must_say("standard output is closed");
            }
            assert!(stage.is_unread(), "{words:?} {redirections}");
        }
        let asked = OTHERS.iter().filter(|words| !words[0].starts_with('-'));
        for words in asked.copied().chain(MAKERS) {
            let outcome = stage.run(words, redirections).must_end_with(2);
            if !redirections.contains("2>") {
                outcome.must_say("standard output is closed");
            }
        }
        let sent = ["send", stage.relay.address(), "-m", "x", "--json"];
        stage.run(&sent, redirections).must_end_with(2);
    }
    assert_eq!(stage.relay.list().len(), 1);
    for made in ["new-key", "new-access"] {
        assert!(!stage.relay.directory().join(made).exists(), "{made}");
    }
}

#[test]
fn what_is_thrown_away_on_purpose_is_as_good_as_read() {
    let stage = Stage::new();
    for words in OTHERS {
        stage.run(words, "> /dev/null").must_end_with(0);
    }
    for words in &SEEN_ONCE[..5] {
        stage.run(words, "> /dev/null").must_end_with(0);
    }
    assert!(!stage.is_unread());
}

#[test]
fn closed_inputs_and_errors_take_nothing_from_what_is_shown() {
    let stage = Stage::new();
    for redirections in ["<&-", "2>&-", "<&- 2>&-"] {
        for words in SEEN_ONCE[..5].iter().chain(&OTHERS) {
            let outcome = stage.run(words, redirections).must_end_with(0);
            assert!(!outcome.stdout.is_empty(), "{words:?}");
        }
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_fault_of_every_command_and_nothing_is_marked() {
    let stage = Stage::new();
    // A disk that is full, and what was opened for reading.
    for redirections in ["> /dev/full", "1< /dev/null"] {
        for words in SEEN_ONCE[..7].iter().chain(&OTHERS) {
            // What these have done stays done.
            let is_done = ["mark", "identity", "key", "invite"].contains(&words[0]);
            let code = if is_done { 8 } else { 1 };
            let outcome = stage.run(words, redirections).must_end_with(code);
            outcome.must_say("can't write to standard output");
            assert!(stage.is_unread(), "{words:?} {redirections}");
        }
        for words in [&["--receipt", "-"][..], &["--json"]] {
            let words = [&["send", stage.relay.address(), "-m", "x"], words].concat();
            let sent = stage.run(&words, redirections);
            sent.must_end_with(8)
                .must_say("the message was accepted, but can't write to standard output");
        }
    }
}

#[test]
fn no_command_is_forgotten_here() {
    let help = kkvc(["--help"]).finish().must_end_with(0).stdout_text();
    let (_, list) = help.split_once("Commands:\n").expect("a list");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let heads = lines.filter(|line| !line.starts_with("   "));
    let all: BTreeSet<&str> = heads
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let tried = SEEN_ONCE.iter().chain(&OTHERS).map(|words| words[0]);
    let tried: BTreeSet<&str> = tried
        .filter(|word| !word.starts_with('-'))
        .chain(ELSEWHERE)
        .collect();
    let missing: Vec<_> = all.difference(&tried).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
