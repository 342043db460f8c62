//! Readers that go away, and standard streams that are not there: a program may lose its words then, never its head.

use std::fs::{self, File};
use std::io::pipe;

use crate::programs::{HeldPort, Relay, kkvc};

/// A pipe whose reader is gone.
fn broken() -> std::io::PipeWriter {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let relay = Relay::start(&[]);
    relay.deliver(b"hello");
    fs::write(
        relay.directory().join("message"),
        relay.owner(["export", "1"]).finish().stdout,
    )
    .unwrap();
    for command in [
        &["list"][..],
        &["list", "--json"],
        &["read", "1"],
        &["status"],
        &["export", "1"],
        &["verify", "message"],
        &["identity", "key"],
        &["--help"],
        &["--version"],
        &["delete", "1", "-y"],
    ] {
        let mut command_line = relay.owner(command).into_command();
        let output = command_line.arg("-q").stdout(broken()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{command:?}");
    }
    assert!(relay.list().is_empty());
}

#[test]
fn a_message_is_delivered_even_if_nobody_reads_what_is_said_of_it() {
    let relay = Relay::start(&[]);
    for _ in 0..2 {
        let mut command = relay.send(["-m", "x"]).into_command();
        let status = command.stdout(broken()).stderr(broken()).status().unwrap();
        assert_eq!(status.code(), Some(0));
    }
    let dead = HeldPort::take();
    let mut command = kkvc(["send", &dead.address().to_string(), "-m", "x"]).into_command();
    let status = command.stdout(broken()).stderr(broken()).status().unwrap();
    assert_eq!(status.code(), Some(3), "the exit code says it all the same");
    assert_eq!(relay.list().len(), 2);
}

#[test]
fn an_answer_that_nobody_reads_is_not_called_none_and_stays() {
    let relay = Relay::start(&[]);
    let sent = relay.send(["--replies", "--words-file", "words", "-m", "hello"]);
    sent.finish().must_end_with(0);
    let answer = relay.owner(["reply", "1", "-m", "Yes."]);
    answer.finish().must_end_with(0);
    let words = relay.directory().join("words");
    let words = words.to_str().expect("our directory");
    let look = || kkvc(["replies", relay.address(), "--words-file", words]);
    let mut unread = look().into_command();
    let output = unread.arg("-q").stdout(broken()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*said), (Some(0), ""));
    let seen = look().finish().must_end_with(0).stdout_text();
    assert!(seen.contains("│ Yes."), "{seen}");
}

#[test]
fn a_question_that_nobody_can_read_is_not_answered_with_a_panic() {
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    let mut command = relay.owner(["delete", "--all"]).into_command();
    let status = command
        .stdin(File::open("/dev/null").unwrap())
        .stderr(broken())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn closed_standard_streams_are_no_fault_of_what_needs_none() {
    let script = |redirections: &str| format!("exec \"$0\" \"$@\" {redirections}");
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    for redirections in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        for command in [&["list"][..], &["mark", "1"], &["status", "--json"]] {
            let run = relay.owner(command).through_shell(&script(redirections));
            let is_closed = redirections.split(' ').any(|one| one == ">&-");
            let shows_nobody = is_closed && command[0] != "mark";
            run.finish().must_end_with(if shows_nobody { 2 } else { 0 });
        }
        let run = relay.send(["-m", "y"]).through_shell(&script(redirections));
        run.finish().must_end_with(0);
        // A closed input holds no message.
        let run = relay
            .send(["-"])
            .through_shell(&script(&format!("<&- {redirections}")));
        run.finish().must_end_with(2);
    }
    assert_eq!(relay.list().len(), 5);
}

#[test]
fn a_full_disk_behind_standard_output_is_said() {
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    for command in [&["list"][..], &["export", "1"], &["read", "1"]] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = relay
            .owner(command)
            .into_command()
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("can't write to standard output"), "{said}");
    }
    assert_eq!(
        relay.list()[0]["read"],
        false,
        "what could not be shown has not been read"
    );
}

#[test]
fn what_is_done_though_nobody_can_read_of_it_is_told_as_done() {
    let relay = Relay::start(&[]);
    relay.deliver(b"one");
    relay.deliver(b"two");
    for (command, told) in [
        (
            &["identity", "key"][..],
            "A new key is in key; only its output failed",
        ),
        (
            &["identity", "key"],
            "The key is in key; only its output failed",
        ),
        (
            &["--json", "delete", "1", "-y"],
            "Deleted and wiped: 1; only its output failed",
        ),
        (
            &["--json", "wipe", "-y"],
            "that were there: 1; only its output failed",
        ),
    ] {
        let mut command_line = relay.owner(command).into_command();
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = command_line.stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(8), "{said}");
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(told), "{said}");
    }
    assert!(relay.list().is_empty());
}
