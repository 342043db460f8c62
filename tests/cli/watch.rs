//! `kkvc watch`: every new message once, in order, whatever becomes of the relay; and the commands that it runs.

use std::io::pipe;

use rustix::process::{Pid, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{Process, Relay, Signal, kkvc};

const WATCHING: &str = "Watching for messages";

/// `kkvc watch` with further `arguments`, once it watches.
fn watch(relay: &Relay, arguments: &[&str]) -> Process {
    let process = relay.owner([&["watch"], arguments].concat()).start();
    process.wait_for_stderr(WATCHING);
    process
}

fn wait_for(process: &Process, text: &str) {
    process.wait_for_stdout(text, |out| out.contains(text));
}

/// Waits until that many messages are marked as read.
fn wait_for_marks(process: &Process, relay: &Relay, count: usize) {
    let read = || relay.list().iter().filter(|m| m["read"] == true).count();
    while read() != count {
        assert!(process.is_running(), "{}", process.stderr());
    }
}

fn json_lines(out: &str) -> Vec<Value> {
    let lines = out.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn new_messages_are_shown_as_read_shows_them_and_marked() {
    let relay = Relay::start(&[]);
    relay.deliver(b"old");
    let watching = watch(&relay, &[]);
    relay.deliver(b"first\x1b[2J");
    relay.deliver(b"second");
    wait_for(&watching, "│ second\n");
    wait_for_marks(&watching, &relay, 2);
    watching.signal(Signal::INT);
    let ended = watching.finish().must_end_with(0);
    let shown = ended.stdout_text();
    let read = |id: &str| relay.owner(["read", id]).finish().stdout_text();
    assert_eq!(shown, format!("{}\n{}", read("2"), read("3")));
    assert_eq!(ended.stderr, "Watching for messages; Ctrl-C ends it.\n");
    let marks: Vec<_> = relay.list().iter().map(|m| m["read"].clone()).collect();
    assert_eq!(marks, [false, true, true]);
}

#[test]
fn the_bell_rings_for_each_message_on_a_terminal_and_spoils_no_data() {
    let relay = Relay::start(&[]);
    for rings in [true, false] {
        let words: &[&str] = if rings {
            &["watch", "--bell"]
        } else {
            &["watch"]
        };
        let mut terminal = relay.owner(words).start_on(80, 24);
        terminal.wait_for(WATCHING);
        relay.deliver(b"first");
        terminal.wait_for("│ first");
        relay.deliver(b"second");
        terminal.wait_for("│ second");
        terminal.process().signal(Signal::INT);
        let (_, screen) = terminal.finish();
        let bells = screen.matches('\x07').count();
        assert_eq!(bells, if rings { 2 } else { 0 }, "{screen:?}");
    }
    let mut terminal = relay
        .owner(["watch", "--bell", "--exec", "true"])
        .start_on(80, 24);
    terminal.wait_for(WATCHING);
    relay.deliver(b"for the command");
    terminal.wait_for("\x07");
    terminal.process().signal(Signal::INT);
    terminal.finish();
    let piped = watch(&relay, &["--bell", "--json"]);
    relay.deliver(b"piped");
    wait_for(&piped, "piped");
    piped.signal(Signal::INT);
    let ended = piped.finish().must_end_with(0);
    assert!(!ended.stdout_text().contains('\x07') && !ended.stderr.contains('\x07'));
}

#[test]
fn in_json_each_is_a_line_that_read_would_print_and_there_at_once() {
    let relay = Relay::start(&[]);
    let watching = watch(&relay, &["--json"]);
    for number in 1..=3 {
        relay.deliver(format!("é{number}\n").as_bytes());
        // While it goes on.
        watching.wait_for_stdout("a line", |out| out.lines().count() == number);
    }
    wait_for_marks(&watching, &relay, 3);
    watching.signal(Signal::TERM);
    let out = watching.finish().must_end_with(0).stdout_text();
    assert!(out.is_ascii());
    for (id, line) in (1..).zip(json_lines(&out)) {
        let mut read = relay
            .owner(["read", &id.to_string(), "--json"])
            .finish()
            .json();
        read["read"] = false.into();
        assert_eq!(line, read);
    }
}

#[test]
fn it_begins_with_the_unread_ones_if_asked_to() {
    let relay = Relay::start(&[]);
    for text in ["a", "b", "c"] {
        relay.deliver(text.as_bytes());
    }
    relay.owner(["mark", "2"]).finish().must_end_with(0);
    let watching = watch(&relay, &["--unread", "--json"]);
    relay.deliver(b"d");
    watching.wait_for_stdout("three lines", |out| out.lines().count() == 3);
    wait_for_marks(&watching, &relay, 4);
    watching.signal(Signal::HUP);
    let out = watching.finish().must_end_with(0).stdout_text();
    let texts: Vec<Value> = json_lines(&out).iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["a", "c", "d"]);
}

#[test]
fn a_burst_is_shown_whole_once_and_in_order() {
    let relay = Relay::start(&["-m", "60", "--adaptive", "off", "-c", "1"]);
    let watching = watch(&relay, &["--json"]);
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let relay = &relay;
            scope.spawn(move || {
                for number in 0..8 {
                    relay.deliver(format!("{sender} {number}").as_bytes());
                }
            });
        }
        // And somebody who reads and marks beside it.
        for _ in 0..8 {
            relay.owner(["list"]).finish().must_end_with(0);
            relay.owner(["mark", "1"]).finish();
        }
    });
    watching.wait_for_stdout("all of them", |out| out.lines().count() >= 32);
    wait_for_marks(&watching, &relay, 32);
    watching.signal(Signal::INT);
    let lines = json_lines(&watching.finish().must_end_with(0).stdout_text());
    let ids: Vec<u64> = lines.iter().filter_map(|m| m["id"].as_u64()).collect();
    assert_eq!(ids, (1..=32).collect::<Vec<_>>());
}

/// Relays one after the other at one socket.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        Self { directory }
    }

    fn relay(&self) -> Relay {
        let socket = self.directory.path().join("kkv.sock");
        Relay::start(&["--socket", socket.to_str().expect("made of ASCII")])
    }
}

#[test]
fn a_restart_of_the_relay_is_said_once_and_its_messages_are_watched_from_the_first() {
    let place = Place::new();
    let relay = place.relay();
    relay.deliver(b"before");
    let watching = watch(&relay, &["--json", "--unread"]);
    wait_for_marks(&watching, &relay, 1);
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);
    watching.wait_for_stderr("waiting for it");
    let relay = place.relay();
    for text in ["anew", "anew 2"] {
        relay.deliver(text.as_bytes());
    }
    watching.wait_for_stdout("three lines", |out| out.lines().count() == 3);
    wait_for_marks(&watching, &relay, 2);
    watching.signal(Signal::INT);
    let ended = watching.finish().must_end_with(0);
    let lines = json_lines(&ended.stdout_text());
    let seen: Vec<_> = lines.iter().map(|m| (&m["id"], &m["text"])).collect();
    let want = [(1, "before"), (1, "anew"), (2, "anew 2")];
    assert_eq!(seen.len(), want.len());
    for ((id, text), want) in seen.into_iter().zip(want) {
        assert_eq!((id.as_u64(), text.as_str()), (Some(want.0), Some(want.1)));
    }
    for said in ["waiting for it", "was started anew", WATCHING] {
        assert_eq!(ended.stderr.matches(said).count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_relay_that_only_stood_still_is_watched_on() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    let watching = watch(&relay, &["--json"]);
    // It is asked, and says nothing for longer than its owner waits.
    relay.process().signal(Signal::STOP);
    let mark = relay.owner(["mark", "1"]).finish().must_end_with(3);
    mark.must_say("kkv doesn't answer");
    relay.process().signal(Signal::CONT);
    relay.deliver(b"b");
    watching.wait_for_stdout("a line", |out| out.lines().count() == 1);
    watching.signal(Signal::INT);
    let ended = watching.finish().must_end_with(0);
    assert_eq!(json_lines(&ended.stdout_text())[0]["text"], "b");
    assert!(!ended.stderr.contains("anew"), "{}", ended.stderr);
}

#[test]
fn when_nobody_reads_any_more_it_ends_and_what_was_not_taken_stays_unread() {
    let relay = Relay::start(&[]);
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    relay.deliver(b"x");
    for arguments in [&["watch", "--unread"][..], &["watch", "--unread", "--json"]] {
        let mut command = relay.owner(arguments).into_command();
        let writer = writer.try_clone().unwrap();
        let output = command.stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(relay.list()[0]["read"], false);
    }
}

#[test]
fn that_a_program_watches_is_no_sign_of_the_owners_life() {
    let arguments = [
        "-m",
        "3000",
        "--adaptive",
        "off",
        "-c",
        "1",
        "--wipe-after",
        "2s",
    ];
    let relay = Relay::start(&arguments);
    let watching = watch(&relay, &["--json"]);
    let wiped = || relay.process().stdout().matches("messages wiped").count();
    // Each makes it look, read and mark. (One that is under way when the time runs out is refused.)
    let send_until = |enough: &dyn Fn() -> bool| {
        let enough = (0..2500).any(|_| {
            relay.send(["-m", "are you there?"]).finish();
            enough()
        });
        assert!(enough, "{}", relay.process().stdout());
    };
    send_until(&|| watching.stdout().lines().count() > 1);
    // It watches, however long it took to begin with that; all the same the time runs out.
    let before = wiped();
    send_until(&|| wiped() > before);
}

#[test]
fn what_it_can_not_do_is_said_before_it_begins() {
    let relay = Relay::start(&[]);
    for (arguments, told) in [
        (
            &["watch", "--json", "--exec", "true"][..],
            "leave out one of them",
        ),
        (&["watch", "--exec", ""], "a value is required"),
        (&["watch", "1"], "unexpected argument"),
    ] {
        let outcome = relay.owner(arguments).finish().must_end_with(2);
        outcome.must_say(told);
    }
    let nowhere = relay.directory().join("nowhere");
    let run = kkvc(["watch"]).with(|command| command.arg("--socket").arg(&nowhere));
    let outcome = run.finish().must_end_with(3);
    outcome.must_say("Start it with `kkv &`");
}

#[test]
fn a_reader_that_takes_nothing_does_not_keep_it_from_ending() {
    let relay = Relay::start(&[]);
    for _ in 0..8 {
        relay.deliver("é".repeat(1700).as_bytes()); // more than the least pipe takes where pages are of 64 KiB
    }
    let (reader, writer) = pipe().unwrap();
    let room = rustix::pipe::fcntl_setpipe_size(&reader, 4096).unwrap();
    let watch = relay.owner(["watch", "--unread", "--json"]);
    let mut watching = watch.into_command().stdout(writer).spawn().unwrap();
    // As much of the line as there is room for; it writes on, and nobody reads.
    while rustix::io::ioctl_fionread(&reader).unwrap() != room as u64 {
        assert_eq!(watching.try_wait().unwrap(), None);
    }
    let pid = Pid::from_child(&watching);
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(0));
    let unread = relay.list().iter().filter(|m| m["read"] == false).count();
    assert!(unread > 0);
}
