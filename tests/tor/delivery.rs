//! Scenarios in which messages arrive.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::process::Command;

use kkv_base::limits::{DEFAULT_PORT, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};

use super::control;
use super::socks;
use super::stage::{Stage, TOR, must_fail_with, socket_in};
use crate::programs::{Process, run_by};

/// Another user of the machine.
const STRANGER: u32 = TOR + 1;

/// A text of exactly `bytes` bytes, not all of it ASCII, in which no longer stretch comes twice.
fn text(bytes: usize) -> String {
    let mut text = String::new();
    for word in (1..).map(|n| format!("{n} Grüße, ")) {
        if text.len() + word.len() > bytes {
            break;
        }
        text += &word;
    }
    let filled = text.len();
    text + &".".repeat(bytes - filled)
}

pub(crate) fn the_largest_message_of_each_suite_arrives_whole(stage: &Stage) {
    for (suite, bytes) in [("2", MAX_TEXT_BYTES), ("1", MAX_TEXT_BYTES_V1)] {
        let text = text(bytes);
        let sent = stage.send(&stage.inbox(), &["--suite", suite], &text);
        let told = sent.finish().must_end_with(0).json();
        assert_eq!(told["accepted"], true);

        let list = stage.relay.list();
        let last = list.last().expect("the message");
        assert_eq!(last["suite"], format!("kkv/{suite}"));
        assert_eq!(last["bytes"], bytes);
        assert_eq!(last["sender"], told["sender"]);
        let id = last["id"].as_u64().expect("a number");
        assert_eq!(stage.relay.text(id), text);
    }
    // What is too long is told on the spot, or, where only kkv/1 has too little room for it, after that was learnt;
    // nothing is left.
    let before = stage.relay.list();
    let too_long = stage.send(&stage.inbox(), &["--suite", "2"], &text(MAX_TEXT_BYTES + 1));
    must_fail_with(too_long.finish(), 2).must_say("nothing was sent");
    let too_long = text(MAX_TEXT_BYTES_V1 + 1);
    let too_long = stage.send(&stage.inbox(), &["--suite", "1"], &too_long);
    must_fail_with(too_long.finish(), 2).must_say("nothing was delivered");
    assert_eq!(stage.relay.list(), before);
}

/// Nobody but Tor connects to the relay's socket, and not even Tor can put another one there, whether it is there or
/// not.
pub(crate) fn no_other_user_is_in_the_way_of_a_message(stage: &Stage) {
    let place = stage.place.path();
    let socket = socket_in(place);
    let can = |user: u32, what: &str| {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", what, "sh"]).arg(&socket).arg(place);
        run_by(user, &mut shell);
        Process::spawn(shell, None).finish().code == Some(0)
    };
    let (connect, list) = (r#"test -w "$1""#, r#"ls "$2""#);
    let (replace, remove) = (r#"touch "$2"/other"#, r#"rm -f "$1""#);
    assert!(can(TOR, connect) && can(TOR, list));
    for (user, what) in [
        (TOR, replace),
        (TOR, remove),
        (STRANGER, connect),
        (STRANGER, list),
        (STRANGER, replace),
        (STRANGER, remove),
    ] {
        assert!(!can(user, what), "{user}: {what}");
    }
}

pub(crate) fn two_senders_at_once_both_arrive(stage: &Stage) {
    let before = stage.relay.list().len();
    let texts = ["from one sender", "from another"];
    let sending = texts.map(|text| stage.send(&stage.inbox(), &[], text).start());
    for sender in sending {
        sender.finish().must_end_with(0);
    }
    let arrived: BTreeSet<String> = stage.relay.list()[before..]
        .iter()
        .map(|message| stage.relay.text(message["id"].as_u64().expect("a number")))
        .collect();
    assert_eq!(arrived, texts.map(str::to_owned).into());
}

pub(crate) fn no_two_sends_share_a_circuit(stage: &Stage) {
    let tor = stage.senders_tor();
    let before = control::passwords_of_rendezvous(&tor);
    for text in ["first", "second"] {
        stage
            .send(&stage.inbox(), &[], text)
            .finish()
            .must_end_with(0);
    }
    let passwords = control::passwords_of_rendezvous(&tor);
    let different: BTreeSet<_> = passwords.iter().collect();
    assert_eq!(different.len(), passwords.len(), "{passwords:?}");
    let new = different
        .iter()
        .filter(|password| !before.contains(password));
    assert_eq!(
        new.count(),
        2,
        "one circuit for each: {before:?}, {passwords:?}"
    );
}

/// The owner's routes are as unknown as any other, and no answer has a header that tells the machine's time or maker.
pub(crate) fn strangers_find_no_owner_and_no_clock(stage: &Stage) {
    for path in [
        "get_msg",
        "read_msg",
        "del_msg",
        "watch",
        "wipe",
        "no-such-page",
    ] {
        for method in ["GET", "POST"] {
            let answer = http(stage, method, path);
            assert!(
                answer.starts_with("http/1.1 404 "),
                "{method} /{path}: {answer}"
            );
        }
    }
    let status = http(stage, "GET", "status");
    assert!(status.starts_with("http/1.1 200 "), "{status}");
    for owners in ["uptime", "listens", "queue", "stored"] {
        assert!(!status.contains(owners), "{status}");
    }
}

/// The whole answer to a request through Tor, in lower case.
fn http(stage: &Stage, method: &str, path: &str) -> String {
    let mut stream = socks::connect(stage.socks, &stage.onion, DEFAULT_PORT)
        .unwrap_or_else(|code| panic!("Tor refuses with {code:#x}"));
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        stage.onion
    )
    .expect("Tor reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("an answer with an end");
    let answer = answer.to_ascii_lowercase();
    for header in ["date", "server", "x-powered-by", "via"] {
        assert!(
            !answer.contains(&format!("\r\n{header}:")),
            "{method} /{path}: {answer}"
        );
    }
    answer
}
