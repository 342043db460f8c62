//! "RAM only": when `kkvc` has sent or shown a message, there is nothing of it left in its own memory, and of no key
//! that it has read or made.
//!
//! What it was told or has shown is in others' hands as well, which it can't wipe: the kernel's buffers of pipes and
//! terminals, and its arguments, which is why a text is better not given with `-m`.

use std::fs;
use std::path::Path;
use std::slice;

use super::keys::{access, identity};
use super::marker::Marker;
use super::process_memory::{must_be_nowhere, scan};
use super::stage::{RUNS, texts};
use super::standing::{At, Hold, look_into, must_forget};
use super::traced::must_be_possible;
use crate::programs::{Relay, Run, kkvc, until};

const SUITES: [&str; 2] = ["1", "2"];

/// A relay with room for everything that a test sends.
fn roomy() -> Relay {
    let relay = Relay::start(&["-m", "200", "--adaptive", "off"]);
    must_be_possible(relay.directory());
    relay
}

fn path(directory: &Path, name: &str) -> String {
    let path = directory.join(name);
    path.to_str().expect("made of ASCII").to_owned()
}

/// One short text and one long, by turns.
fn text(suite: &str, run: usize) -> Marker {
    texts(suite)[run % 2].clone()
}

/// The same as [`must_forget`] of a key in a file that it may have made itself.
#[track_caller]
fn must_forget_what_is_in(run: Run, markers: impl FnOnce() -> Vec<Marker>) {
    let hold = Hold::new(At::Exit);
    let process = run.with(|command| hold.prepare(command)).start();
    let held = hold.wait(&process);
    must_be_nowhere(&held.scan(&markers()));
}

/// Has texts sent in both suites: `send` starts each of these runs, whose number it is told, and looks for the text
/// afterwards.
fn sent(send: impl Fn(&Relay, Run, usize, &Marker)) {
    let relay = roomy();
    for number in 0..SUITES.len() * RUNS {
        let suite = SUITES[number / RUNS];
        let text = text(suite, number);
        send(&relay, relay.send(["--suite", suite]), number, &text);
    }
    assert_eq!(relay.list().len(), SUITES.len() * RUNS);
}

#[test]
fn a_text_that_was_sent_from_a_pipe_is_nowhere_and_neither_is_the_key_that_signed_it() {
    sent(|relay, send, number, text| {
        let file = path(relay.directory(), &number.to_string());
        kkvc(["identity", &file]).finish().must_end_with(0);
        let send = send.with(|command| command.args(["--identity", &file]));
        let markers = [identity(&file), vec![text.clone()]].concat();
        must_forget(send.stdin(text.bytes()), &markers);
    });
}

#[test]
fn a_text_that_was_sent_from_a_file_is_nowhere() {
    sent(|relay, send, _, text| {
        let file = path(relay.directory(), "text");
        fs::write(&file, text.bytes()).unwrap();
        let send = send.with(|command| command.arg(&file));
        must_forget(send, slice::from_ref(text));
    });
}

#[test]
fn a_text_that_was_typed_and_sent_is_nowhere() {
    sent(|_, send, _, text| {
        let hold = Hold::new(At::Exit);
        let send = send.with(|command| hold.prepare(command));
        let mut terminal = send.start_on(80, 24);
        terminal.wait_for("Write your message");
        terminal.press(&format!("{}\n\x04", text.as_str()));
        terminal.wait_for("Accepted");
        let held = hold.wait(terminal.process());
        must_be_nowhere(&held.scan(slice::from_ref(text)));
    });
}

#[test]
fn a_text_that_is_about_to_be_sent_is_found() {
    let relay = roomy();
    for suite in SUITES {
        let text = text(suite, 1);
        let send = relay.send(["-", "--suite", suite]).stdin(text.bytes());
        look_into(send, At::Connect, &[text])[0].must_be_one_copy();
        let given = Marker::text(60);
        let send = relay.send(["-m", given.as_str(), "--suite", suite]);
        let found = look_into(send, At::Exit, &[given]);
        assert_eq!(found[0].copies(), 1, "its argument is left: {found:?}");
    }
}

/// Has messages delivered, and `show` look at each by its number.
fn shown(show: impl Fn(&Relay, &str, &Marker)) {
    let relay = roomy();
    for number in 0..SUITES.len() * RUNS {
        let suite = SUITES[number / RUNS];
        let text = text(suite, number);
        let sent = relay.send(["-", "--suite", suite]).stdin(text.bytes());
        sent.finish().must_end_with(0);
        show(&relay, &(number + 1).to_string(), &text);
    }
}

/// Runs a command to its end, where it has shown `text` and forgotten it.
#[track_caller]
fn must_show_and_forget(run: Run, text: &Marker) {
    let hold = Hold::new(At::Exit);
    let process = run.with(|command| hold.prepare(command)).start();
    let whole = |out: &str| out.contains(text.as_str());
    process.wait_for_stdout("the text", whole);
    must_be_nowhere(&hold.wait(&process).scan(slice::from_ref(text)));
}

#[test]
fn a_message_that_was_read_is_nowhere() {
    shown(|relay, number, text| must_show_and_forget(relay.owner(["read", number]), text));
}

#[test]
fn a_message_that_was_read_in_json_is_nowhere() {
    shown(|relay, number, text| {
        must_show_and_forget(relay.owner(["read", number, "--json"]), text);
    });
}

#[test]
fn a_message_that_was_written_bare_is_nowhere() {
    shown(|relay, number, text| {
        must_show_and_forget(relay.owner(["read", number, "--raw"]), text);
    });
}

/// Has messages delivered while `kkvc watch` runs, and looks into its memory after each, while it waits for the next
/// one.
fn watched(arguments: &[&str]) {
    let relay = roomy();
    let own = Marker::text(48);
    let watching = relay.owner([&["watch"], arguments].concat());
    let watching = watching.with(|command| command.env("KKV_TEST_MARK", own.as_str()));
    let watching = watching.start();
    watching.wait_for_stderr("Watching for messages");
    for number in 0..SUITES.len() * RUNS {
        let suite = SUITES[number / RUNS];
        let text = text(suite, number);
        let sent = relay.send(["-", "--suite", suite]).stdin(text.bytes());
        sent.finish().must_end_with(0);
        watching.wait_for_stdout("the text", |out| out.contains(text.as_str()));
        let process = watching.pid().as_raw_nonzero().get();
        until("the text to be forgotten", || {
            let found = scan(process, &[own.clone(), text.clone()]);
            assert_eq!(found[0].copies(), 1, "this is not its memory: {found:?}");
            found[1].pieces() == 0
        });
    }
}

#[test]
fn a_message_that_was_watched_is_nowhere_while_it_waits_for_the_next() {
    watched(&[]);
}

#[test]
fn a_message_that_was_watched_in_json_is_nowhere_while_it_waits_for_the_next() {
    watched(&["--json"]);
}

#[test]
fn a_message_that_a_command_was_given_is_nowhere_while_it_waits_for_the_next() {
    watched(&["--exec", "cat"]);
}

#[test]
fn a_message_that_was_exported_is_nowhere() {
    shown(|relay, number, text| must_show_and_forget(relay.owner(["export", number]), text));
}

#[test]
fn an_exported_message_that_was_verified_is_nowhere() {
    shown(|relay, number, text| {
        let export = relay.owner(["export", number]).finish().must_end_with(0);
        let file = path(relay.directory(), "exported");
        fs::write(&file, &export.stdout).unwrap();
        must_show_and_forget(kkvc(["verify", &file]), text);
        must_show_and_forget(kkvc(["verify", "-", "--json"]).stdin(export.stdout), text);
    });
}

#[test]
fn a_message_that_is_about_to_be_shown_is_found() {
    let relay = roomy();
    for (number, suite) in SUITES.iter().enumerate() {
        let text = text(suite, 1);
        let sent = relay.send(["-", "--suite", suite]).stdin(text.bytes());
        sent.finish().must_end_with(0);
        let shown = relay.directory().join("shown");
        let read = relay.owner(["read", &(number + 1).to_string()]);
        let read = read.through_shell("exec \"$0\" \"$@\" >shown");
        let found = look_into(read, At::Output(&shown), &[text]);
        assert!(found[0].copies() >= 1, "{found:?}");
    }
}

#[test]
fn a_key_to_sign_with_that_was_made_or_shown_is_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    must_be_possible(directory.path());
    for run in 0..RUNS {
        let file = path(directory.path(), &run.to_string());
        for _ in ["made", "shown"] {
            must_forget_what_is_in(kkvc(["identity", &file]), || identity(&file));
        }
    }
}

#[test]
fn a_key_to_a_closed_inbox_that_was_made_or_shown_is_nowhere() {
    const INBOX: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    let directory = tempfile::tempdir().unwrap();
    must_be_possible(directory.path());
    for run in 0..RUNS {
        let file = path(directory.path(), &run.to_string());
        for _ in ["made", "shown"] {
            must_forget_what_is_in(kkvc(["key", INBOX, &file]), || access(&file));
        }
    }
}
