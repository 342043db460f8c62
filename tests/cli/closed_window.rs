//! The window is closed, or the way to it is lost, while `kkvc` runs in it: it ends, and nothing is done that nobody
//! has agreed to.

use std::process::Command;

use crate::programs::{Relay, Run, Terminal, kkvc, through};

/// Runs it in a window, closes that once `text` is there, with `typed` in it, and returns how it ended: its exit code,
/// or 128 more than the signal. Only a program whose own window it is gets a signal as well.
fn ended(run: Run, text: &str, typed: &str, is_its_own: bool) -> i32 {
    let mut command = run.into_command();
    if is_its_own {
        let mut setsid = Command::new("setsid");
        setsid.arg("--ctty");
        command = through(setsid, &command);
    }
    let mut terminal = Terminal::start(command, 80, 24);
    terminal.wait_for(text);
    terminal.press(typed);
    let process = terminal.close();
    let outcome = process.finish();
    outcome
        .code
        .or(outcome.signal.map(|n| 128 + n))
        .expect("it ended by one or the other")
}

#[test]
fn the_interactive_client_has_been_left() {
    let relay = Relay::start(&[]);
    for is_its_own in [true, false] {
        for keys in ["", "c"] {
            let run = relay.owner([""; 0]);
            assert_eq!(ended(run, "slots", keys, is_its_own), 0, "{keys:?}");
        }
    }
}

#[test]
fn half_a_message_is_not_sent() {
    let relay = Relay::start(&[]);
    for is_its_own in [true, false] {
        for typed in ["", "half\nof a message", "half\n"] {
            let code = ended(relay.send([""; 0]), "Ctrl-D", typed, is_its_own);
            assert_eq!(code, 130, "{typed:?}");
        }
    }
    assert!(relay.list().is_empty());
}

#[test]
fn a_question_that_nobody_answers_any_more_is_a_no() {
    let relay = Relay::start(&[]);
    relay.deliver(b"hello");
    for is_its_own in [true, false] {
        let code = ended(relay.owner(["wipe"]), "[y/N] ", "y", is_its_own);
        assert!([130, 129].contains(&code), "{code}");
    }
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn a_passphrase_that_nobody_types_any_more_is_none() {
    let directory = tempfile::tempdir().unwrap();
    for is_its_own in [true, false] {
        let run = kkvc(["contact", "add", "bob", "127.0.0.1:9", "--contacts"]);
        let run = run.with(|c| c.arg(directory.path().join("contacts")));
        assert_eq!(ended(run, "New passphrase: ", "half", is_its_own), 130);
    }
}

#[test]
fn whoever_watches_sees_nothing_any_more_and_what_came_stays_unread() {
    let relay = Relay::start(&["-c", "0"]);
    for (sent, is_its_own) in [(1, false), (1, true)] {
        let mut command = relay.owner(["watch"]).into_command();
        if is_its_own {
            let mut setsid = Command::new("setsid");
            setsid.arg("--ctty");
            command = through(setsid, &command);
        }
        let mut terminal = Terminal::start(command, 80, 24);
        terminal.wait_for("Watching");
        let process = terminal.close();
        for _ in 0..sent {
            relay.deliver(b"hello");
        }
        assert_eq!(process.finish().code, Some(0));
    }
    let list = relay.list();
    assert!(
        list.iter().all(|message| message["read"] == false),
        "{list:?}"
    );
}
