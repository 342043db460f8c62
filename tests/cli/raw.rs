//! `kkvc read --raw`: the text to the byte, for other programs and never for a terminal.

use std::fs::{self, File};
use std::io::pipe;

use crate::programs::Relay;

/// Texts that `read` shows otherwise than they are.
const TEXTS: [&str; 6] = [
    "plain",
    "with a line feed\n",
    "\n.\n\n",
    "\x1b[2J\u{202e}\r\n\0",
    "👨\u{200d}👩 a\u{200d}b",
    "Message   4\nReceived  never\n",
];

#[test]
fn the_text_comes_out_to_the_byte_and_is_read_then() {
    let relay = Relay::start(&[]);
    for (id, text) in (1..).zip(TEXTS) {
        relay.deliver(text.as_bytes());
        let raw = relay.owner(["read", &id.to_string(), "--raw"]).finish();
        let raw = raw.must_end_with(0);
        assert_eq!(
            (raw.stdout.as_slice(), raw.stderr.as_str()),
            (text.as_bytes(), "")
        );
    }
    assert!(relay.list().iter().all(|message| message["read"] == true));
    let longest = "é".repeat(1750);
    relay.deliver(longest.as_bytes());
    let raw = relay.owner(["read", "7", "--raw"]).finish();
    assert_eq!(raw.must_end_with(0).stdout, longest.as_bytes());
}

#[test]
fn a_terminal_gets_none_of_it_and_is_told_what_else_there_is() {
    let relay = Relay::start(&[]);
    relay.deliver(b"\x1b[2J");
    let (code, screen) = relay
        .owner(["read", "1", "--raw"])
        .start_on(80, 24)
        .finish();
    assert_eq!(code, Some(2), "{screen}");
    assert!(!screen.contains("\x1b[2J"), "{screen:?}");
    for part in ["could steer", "| gpg -d", "> FILE", "kkvc read 1"] {
        assert!(screen.contains(part), "no {part} in {screen}");
    }
    assert_eq!(relay.list()[0]["read"], false);
    // It is standard output that counts.
    let run = relay.owner(["read", "1", "--raw"]);
    let run = run.through_shell("exec \"$0\" \"$@\" >raw");
    let (code, screen) = run.start_on(80, 24).finish();
    assert_eq!((code, screen.as_str()), (Some(0), ""));
    let written = fs::read(relay.directory().join("raw")).unwrap();
    assert_eq!(written, b"\x1b[2J");
}

#[test]
fn what_nobody_took_has_not_been_read() {
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    for arguments in [
        &["read", "1", "--raw"][..],
        &["read", "1"],
        &["read", "1", "--json"],
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = relay.owner(arguments).into_command();
        let output = command.stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = relay.owner(arguments).into_command();
        let output = command.stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("can't write to standard output"), "{said}");
        assert_eq!(relay.list()[0]["read"], false, "{arguments:?}");
    }
}

#[test]
fn raw_and_json_are_not_asked_for_together() {
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    let outcome = relay.owner(["read", "1", "--raw", "--json"]).finish();
    let outcome = outcome.must_end_with(2).must_say("leave out one of them");
    assert!(outcome.stdout.is_empty());
    assert_eq!(relay.list()[0]["read"], false);
    let missing = relay
        .owner(["read", "7", "--raw"])
        .finish()
        .must_end_with(1)
        .must_say("there is no message 7");
    assert!(missing.stdout.is_empty());
}
