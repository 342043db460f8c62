//! Standard output has what was asked for and nothing else; standard error has what is told beside it, less with
//! `--quiet` and more with `--verbose`.

use std::os::unix::net::UnixStream;

use crate::programs::{HeldPort, Process, Relay, Signal, kkv, kkvc};

#[test]
fn what_was_done_is_told_on_standard_error() {
    let relay = Relay::start(&[]);
    for (words, told) in [
        (&["list"][..], "No messages."),
        (
            &["delete", "--all", "--yes"],
            "There was nothing to delete.",
        ),
        (
            &["wipe", "--yes"],
            "Wiped everything, invitations too; messages that were there: 0.",
        ),
    ] {
        let outcome = relay.owner(words).finish().must_end_with(0).must_say(told);
        assert!(outcome.stdout.is_empty(), "{words:?}");
    }
    let sent = relay.send(["-m", "x"]).finish().must_end_with(0);
    assert!(sent.stdout.is_empty());
    sent.must_say("Accepted: the message is in the inbox.");
    for (words, told) in [
        (&["mark", "1"][..], "Marked as read: 1."),
        (&["delete", "1", "-y"], "Deleted and wiped: 1."),
    ] {
        let outcome = relay.owner(words).finish().must_end_with(0).must_say(told);
        assert!(outcome.stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn a_quiet_command_says_nothing_but_what_was_asked_for() {
    let relay = Relay::start(&[]);
    for words in [
        &["list", "-q"][..],
        &["delete", "--all", "--yes", "-q"],
        &["-q", "wipe", "--yes"],
    ] {
        let outcome = relay.owner(words).finish().must_end_with(0);
        assert_eq!(
            (outcome.stdout_text(), &*outcome.stderr),
            (String::new(), "")
        );
    }
    let sent = relay.send(["-m", "x", "--quiet"]).finish().must_end_with(0);
    assert_eq!((sent.stdout_text(), &*sent.stderr), (String::new(), ""));
    let read = relay.owner(["read", "1", "--quiet"]).finish();
    let read = read.must_end_with(0);
    assert!(read.stdout_text().ends_with("\n\n│ x\n") && read.stderr.is_empty());
}

#[test]
fn a_quiet_command_still_says_what_has_gone_wrong() {
    let dead = HeldPort::take();
    let dead = dead.address().to_string();
    let failed = kkvc(["send", &dead, "-m", "x", "-q"]).finish();
    let failed = failed.must_end_with(3).must_say("kkvc:");
    assert!(!failed.stderr.contains("Connecting"), "{}", failed.stderr);
    let relay = Relay::start(&[]);
    let missing = relay.owner(["mark", "9", "-q"]).finish();
    missing.must_end_with(1).must_say("there is no message 9");
}

#[test]
fn a_quiet_delivery_still_asks_on_a_terminal_and_says_what_about() {
    let relay = Relay::start(&["-c", "60"]);
    let mut terminal = relay.send(["-m", "x", "-q"]).start_on(80, 24);
    terminal.wait_for("The relay asks for 2^60 hashes.");
    terminal.wait_for("Try all the same? [y/N] ");
    terminal.press("n\n");
    assert_eq!(terminal.finish().0, Some(5));
}

#[test]
fn a_verbose_command_says_how() {
    let relay = Relay::start(&[]);
    let socket = relay.socket().to_str().unwrap();
    let list = relay.owner(["list", "-v"]).finish().must_end_with(0);
    list.must_say(&format!("Asking the kkv at {socket}."));
    let sent = relay.send(["-m", "x", "-v"]).finish().must_end_with(0);
    sent.must_say(&format!("Going straight to {}.", relay.address()))
        .must_say("Speaking kkv/2, or kkv/1 if the relay has nothing better.")
        .must_say("The price is 16 × 2^0 hashes, as in kkv/2.")
        .must_say("Exchanging keys");
    let usual = relay.send(["-m", "x"]).finish().must_end_with(0);
    assert!(!usual.stderr.contains("Going straight"), "{}", usual.stderr);
}

#[test]
fn a_quiet_relay_prints_nothing_and_runs() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let mut command = kkv();
    command.args([
        "--quiet",
        "--tor",
        "off",
        "--listen",
        "127.0.0.1:0",
        "--socket",
    ]);
    command.arg(&socket);
    let relay = Process::spawn(command, None);
    while UnixStream::connect(&socket).is_err() {
        assert!(relay.is_running(), "{}", relay.stderr());
        std::thread::yield_now();
    }
    let list = ["list", "--json", "--socket", socket.to_str().unwrap()];
    kkvc(list).finish().must_end_with(0).json();
    relay.signal(Signal::TERM);
    let outcome = relay.finish().must_end_with(0);
    assert!(outcome.stdout.is_empty(), "{}", outcome.stdout_text());
}
