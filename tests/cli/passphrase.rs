//! Where the passphrase of contacts comes from: a file that nobody else can read, or a terminal that doesn't show it.

use std::fs::{self, OpenOptions};
use std::process::Command;

use super::contacts::{Desk, ONION, PASSPHRASE};
use crate::programs::{Relay, Signal, kkvc, until};

#[test]
fn a_passphrase_in_a_file_is_one_line_that_nobody_else_can_read() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    for end in ["", "\r\n", "\n\n"] {
        let same = format!("{PASSPHRASE}{end}");
        desk.put("passphrase", same.as_bytes());
        desk.contact(&["list"]).must_end_with(0);
    }
    for (bytes, reason) in [
        (&b""[..], "the passphrase is empty"),
        (b"\n", "the passphrase is empty"),
        (b"two\nlines\n", "one line"),
        (&[b'x'; 1025], "at most 1024 bytes"),
        (&[b'x'; 5000], "longer than 4096 bytes"),
        (b"\xff\n", "isn't UTF-8 text"),
    ] {
        desk.put("passphrase", bytes);
        desk.contact(&["list"]).must_end_with(2).must_say(reason);
    }
    desk.set_mode("passphrase", 0o640);
    let seen = desk.contact(&["list"]).must_end_with(2);
    seen.must_say("other users may get at the passphrase")
        .must_say("chmod 600");
    fs::remove_file(desk.path("passphrase")).unwrap();
    desk.contact(&["list"])
        .must_end_with(2)
        .must_say("No such file");
    let alone = kkvc(["list", "--passphrase-file", "x"]).finish();
    alone.must_end_with(2).must_say("--contacts");
}

#[test]
fn a_passphrase_may_come_through_a_pipe_as_from_another_program() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    let list = desk.asking(kkvc(["contact", "list", "--passphrase-file", "/dev/fd/0"]));
    let listed = list.stdin(PASSPHRASE).finish().must_end_with(0);
    assert!(listed.stdout_text().contains(ONION));
}

#[test]
fn a_passphrase_is_asked_for_on_a_terminal_that_does_not_show_it() {
    let desk = Desk::new();
    let run = |args: &[&str]| desk.asking(kkvc(["contact"]).with(|c| c.args(args)));
    let add = || run(&["add", "bob", ONION]).start_on(80, 24);
    for (again, code, says) in [
        (
            "something else",
            2,
            "the two passphrases differ; nothing was made",
        ),
        (PASSPHRASE, 0, "Added bob"),
    ] {
        assert!(!desk.path("contacts").exists());
        let mut terminal = add();
        terminal.wait_for("New passphrase: ");
        terminal.press(&format!("{PASSPHRASE}\n"));
        terminal.wait_for("The same again: ");
        terminal.press(&format!("{again}\n"));
        let (ended, screen) = terminal.finish();
        let said: Vec<&str> = screen.split_whitespace().collect();
        let says = said.join(" ").contains(says);
        assert!(ended == Some(code) && says, "{screen}");
        assert!(
            !screen.contains("horse") && !screen.contains("something"),
            "{screen}"
        );
    }
    for (typed, code, says) in [
        (format!("{PASSPHRASE}\n"), 0, ONION),
        ("quite another\n".repeat(3), 2, "can't use the contacts in"),
        (format!("quite another\n{PASSPHRASE}\n"), 0, ONION),
        ("\n".to_owned(), 2, "the passphrase is empty"),
        ("\x04".to_owned(), 130, "no passphrase was given"),
    ] {
        let mut terminal = run(&["list"]).start_on(80, 24);
        for (before, line) in typed.split_inclusive('\n').enumerate() {
            terminal.wait_for_times("Passphrase of ", before + 1);
            terminal.wait_for_times("the passphrase is wrong; try again", before);
            terminal.press(line);
        }
        let (ended, screen) = terminal.finish();
        let said: Vec<&str> = screen.split_whitespace().collect();
        let says = said.join(" ").contains(says);
        assert!(ended == Some(code) && says, "{screen}");
        assert!(
            !screen.contains("horse") && !screen.contains("another"),
            "{screen}"
        );
    }
}

#[test]
fn a_terminal_shows_again_what_is_typed_when_the_question_is_cancelled() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    for signal in [Signal::INT, Signal::TERM] {
        let mut terminal = desk.asking(kkvc(["contact", "list"])).start_on(80, 24);
        terminal.wait_for("Passphrase of ");
        assert!(!terminal.shows_what_is_typed());
        terminal.process().signal(signal);
        assert_eq!(terminal.process().ended().0.code(), Some(130));
        assert!(terminal.shows_what_is_typed());
    }
}

#[test]
fn a_signal_ends_what_is_done_after_a_question_as_if_none_had_been_asked() {
    let relay = Relay::start(&[]);
    let desk = Desk::new();
    desk.add("bob", relay.address());
    relay.deliver(b"x");
    let read = desk.asking(relay.owner(["read", "1"]));
    relay.process().signal(Signal::STOP); // it takes the request, and doesn't answer
    let mut terminal = read.start_on(80, 24);
    terminal.wait_for("Passphrase of ");
    terminal.press(&format!("{PASSPHRASE}\n"));
    until("the echo is back", || terminal.shows_what_is_typed());
    until("a signal has ended it", || {
        terminal.process().signal(Signal::INT);
        !terminal.process().is_running()
    });
    relay.process().signal(Signal::CONT);
    let code = terminal.process().ended().0.code();
    assert!(matches!(code, None | Some(130)), "{code:?}");
}

#[test]
fn without_a_terminal_a_file_with_the_passphrase_is_asked_for() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    // In a session of its own it has no terminal, whoever runs this test.
    let run = desk.asking(kkvc(["contact", "list"]));
    let outcome = run
        .through_shell(r#"exec setsid --wait "$0" "$@""#)
        .finish();
    outcome
        .must_end_with(2)
        .must_say("no terminal")
        .must_say("--passphrase-file");
}

#[test]
fn a_question_for_the_passphrase_ends_as_its_command_does() {
    let relay = Relay::start(&[]);
    let desk = Desk::new();
    desk.add("bob", relay.address());
    for _ in 0..4 {
        let send = (relay.send(["-m", "x"]), 130, "nothing was delivered");
        let watch = (relay.owner(["watch"]), 0, "");
        for (run, code, says) in [send, watch] {
            let mut terminal = desk.asking(run).start_on(80, 24);
            terminal.wait_for("Passphrase of");
            terminal.process().signal(Signal::INT);
            let (ended, screen) = terminal.finish();
            assert_eq!(ended, Some(code), "{screen}");
            assert!(screen.contains(says), "{screen}");
        }
    }
}

#[test]
fn what_does_not_come_through_a_pipe_keeps_nobody_from_ending() {
    let relay = Relay::start(&[]);
    let desk = Desk::new();
    desk.add("bob", relay.address());
    let pipe = desk.path("pipe");
    let mut made = Command::new("mkfifo");
    let made = made.args(["-m", "600"]).arg(&pipe).status();
    assert!(made.expect("mkfifo is there").success());
    let named = |option: &str| [option, pipe.to_str().expect("ASCII")].map(str::to_owned);
    let passphrase = named("--passphrase-file");
    let send = || desk.asking(relay.send(["-m", "x"]));
    let watch = || desk.asking(relay.owner(["watch"]));
    for (run, option, code) in [
        (send(), &passphrase, 130),
        (
            desk.with(relay.send(["-m", "x"])),
            &named("--identity"),
            130,
        ),
        (watch(), &passphrase, 0),
    ] {
        let process = run.with(|command| command.args(option)).start();
        // It opens once somebody reads.
        let _silent = OpenOptions::new().write(true).open(&pipe).unwrap();
        process.signal(Signal::INT);
        process.finish().must_end_with(code);
    }
    assert!(relay.list().is_empty());
}

#[test]
fn that_a_file_was_made_is_said_whatever_else_is_left_unsaid() {
    let desk = Desk::new();
    let add = |name: &str, options: &[&str]| {
        let run = kkvc(["contact", "add", name, ONION, "--contacts"]);
        let run = run.with(|c| c.arg(desk.path(&format!("{name}.age"))).args(options));
        let run = run.with(|c| c.arg("--passphrase-file").arg(desk.path("passphrase")));
        run.finish().must_end_with(0)
    };
    for (name, options) in [("a", &[][..]), ("b", &["--json"]), ("c", &["-q"])] {
        let said = add(name, options).must_say("a new file of contacts was made: ");
        said.must_say(&desk.path(&format!("{name}.age")).display().to_string());
    }
    let before = kkvc(["contact", "add", "d", "127.0.0.1", "--contacts"]);
    let again = before.with(|c| c.arg(desk.path("a.age")));
    let again = again.with(|c| c.arg("--passphrase-file").arg(desk.path("passphrase")));
    let again = again.finish().must_end_with(0);
    assert!(!again.stderr.contains("was made"), "{again:?}");
}
