//! What is asked and shown on a terminal.

use crate::programs::{Relay, Signal};

#[test]
fn deleting_on_a_terminal_asks_and_only_a_yes_deletes() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    relay.deliver(b"b");
    // What is neither yes nor no is asked again, three times in all.
    let others: [(&[u8], usize); 7] = [
        (b"n\n", 1),
        (b"\n", 1),
        (b"yep\n", 3),
        (b"\x04", 1),
        ("\u{e9}\n".as_bytes(), 3),
        (b"  \n", 1),
        (b"y\xff\n", 3),
    ];
    for (answer, times) in others {
        let mut terminal = relay.owner(["delete", "1"]).start_on(80, 24);
        for asked in 1..=times {
            terminal.wait_for_times("Delete message 1? It can't be undone. [y/N] ", asked);
            terminal.press(answer);
        }
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(130), "{answer:?} {screen}");
        assert!(screen.contains("nothing was deleted"), "{screen}");
    }
    assert_eq!(relay.list().len(), 2);
    for (id, answer) in [("1", "y\n"), ("2", " YES \n")] {
        let mut terminal = relay.owner(["delete", id]).start_on(80, 24);
        terminal.wait_for("[y/N] ");
        terminal.press(answer);
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(0), "{screen}");
        assert!(
            screen.contains(&format!("Deleted and wiped: {id}.")),
            "{screen}"
        );
    }
    assert!(relay.list().is_empty());
}

#[test]
fn the_question_says_how_much_would_go_and_yes_spares_it() {
    let relay = Relay::start(&[]);
    for text in ["a", "b", "c"] {
        relay.deliver(text.as_bytes());
    }
    let mut terminal = relay.owner(["delete", "--all"]).start_on(40, 12);
    terminal.wait_for("Delete all 3 messages?");
    relay.deliver(b"d"); // was not in the question
    terminal.press("y\n");
    assert_eq!(terminal.finish().0, Some(0));
    relay.deliver(b"e");
    let mut terminal = relay.owner(["delete", "4", "5"]).start_on(40, 12);
    terminal.wait_for("Delete 2 messages?");
    terminal.press("n\n");
    assert_eq!(terminal.finish().0, Some(130));
    let (code, screen) = relay.owner(["delete", "4", "-y"]).start_on(40, 12).finish();
    assert!(code == Some(0) && !screen.contains("[y/N]"), "{screen}");
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn nothing_is_asked_about_what_is_not_there() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    for (words, said) in [
        (&["77"][..], "there is no message 77"),
        (&["77", "8-9"], "there are no messages 77, 8-9"),
    ] {
        let delete = relay.owner(["delete"]).with(|c| c.args(words));
        let (code, screen) = delete.start_on(80, 24).finish();
        assert_eq!(code, Some(1), "{screen}");
        assert!(screen.contains(said), "{screen}");
        assert!(!screen.contains("[y/N]"), "{screen}");
    }
    let mut terminal = relay.owner(["delete", "77", "1", "9"]).start_on(80, 24);
    terminal.wait_for("Delete message 1? It can't be undone. [y/N] ");
    terminal.press("n\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    let (before, _) = screen.split_once("Delete message 1?").unwrap();
    assert!(before.contains("there are no messages 77, 9"), "{screen}");
    let mut terminal = relay.owner(["delete", "77", "1"]).start_on(80, 24);
    terminal.wait_for("Delete message 1? It can't be undone. [y/N] ");
    terminal.press("y\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.contains("Deleted and wiped: 1."), "{screen}");
    assert!(screen.contains("there is no message 77"), "{screen}");
}

#[test]
fn a_yes_deletes_nothing_in_a_relay_that_was_started_anew_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let start = || Relay::start(&["--socket", socket.to_str().expect("made of ASCII")]);
    let relay = start();
    relay.deliver(b"asked about");
    let mut terminal = relay.owner(["delete", "1"]).start_on(80, 24);
    terminal.wait_for("[y/N] ");
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);
    let relay = start();
    relay.deliver(b"of the same number");
    terminal.press("y\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.contains("has been started anew"), "{screen}");
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn ctrl_c_at_a_question_says_that_nothing_was_done() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    for words in [&["delete", "1"][..], &["delete", "--all"], &["wipe"]] {
        for signal in [Signal::INT, Signal::TERM] {
            let run = relay.owner(words).with(|c| c.arg("--no-color"));
            let mut terminal = run.start_on(80, 24);
            terminal.wait_for("[y/N] ");
            terminal.process().signal(signal);
            let (code, screen) = terminal.finish();
            assert_eq!(code, Some(130), "{screen}");
            let (_, said) = screen.split_once("[y/N] ").unwrap();
            assert_eq!(said, "\r\nkkvc: cancelled; nothing was done\r\n");
        }
    }
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn questions_are_broken_between_words() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    for columns in [20, 30, 40, 60] {
        let mut terminal = relay.owner(["delete", "1"]).start_on(columns, 24);
        terminal.wait_for("[y/N] ");
        terminal.press("n\n");
        let (_, screen) = terminal.finish();
        let (question, _) = screen.split_once("[y/N] ").unwrap();
        for line in question.lines() {
            assert!(line.len() <= columns.into(), "{columns}: {screen}");
        }
        let words: Vec<&str> = question.split_whitespace().collect();
        assert_eq!(words.join(" "), "Delete message 1? It can't be undone.");
    }
}

#[test]
fn a_message_typed_on_a_terminal_ends_with_ctrl_d() {
    let relay = Relay::start(&[]);
    let mut terminal = relay.send::<&str>([]).start_on(80, 24);
    terminal.wait_for("Ctrl-D");
    terminal.press("first\nsecond\n\x04");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(relay.text(1), "first\nsecond\n");
}

#[test]
fn what_is_said_of_tor_is_said_before_the_message_is_typed() {
    let relay = Relay::start(&[]);
    let mut terminal = relay.send::<&str>([]).start_on(80, 24);
    terminal.wait_for("Ctrl-D");
    terminal.press("no newline at the end\x04\x04");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    let typed = screen.find("no newline at the end").unwrap();
    assert!(
        screen.find("does not go through Tor").unwrap() < typed,
        "{screen}"
    );
    assert!(
        !screen.contains("0/1000"),
        "a bar that means nothing: {screen:?}"
    );
    assert!(
        screen[typed..].starts_with("no newline at the end\r\n"),
        "what follows has its own line: {screen:?}"
    );
}

#[test]
fn what_was_pasted_and_does_not_fit_is_never_left_to_the_shell() {
    let relay = Relay::start(&[]);
    let shell = "\"$0\" \"$@\"; read -r rest; echo \"next command: $rest\"";
    let mut terminal = relay.send::<&str>([]).through_shell(shell).start_on(80, 24);
    terminal.wait_for("Ctrl-D");
    terminal.press(&"echo this must not run, whatever it is\n".repeat(100)); // 3,900 bytes
    terminal.press("\x04");
    terminal.wait_for("longer than 3500 bytes");
    terminal.press("typed afterwards\n");
    let (_, screen) = terminal.finish();
    assert!(
        screen.contains("next command: typed afterwards"),
        "{screen}"
    );
    assert!(relay.list().is_empty());
}

#[test]
fn a_search_on_a_terminal_shows_how_far_it_is_and_leaves_nothing_behind() {
    let relay = Relay::start(&["-c", "50"]);
    for columns in [80, 40] {
        let mut terminal = relay
            .send(["-m", "x", "--anyway", "--no-color"])
            .start_on(columns, 12);
        terminal.wait_for("0 of 16 found");
        terminal.process().signal(Signal::INT);
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(130), "{screen}");
        // The live line is drawn over and over; the last thing before the last word is that it is cleared.
        let (before, _) = screen
            .rsplit_once("kkvc: cancelled; nothing was delivered")
            .unwrap();
        let (_, cleared) = before.rsplit_once("\x1b[").unwrap();
        assert!(
            before.contains("\x1b[2K") && !cleared.contains("found"),
            "{before:?}"
        );
    }
}
