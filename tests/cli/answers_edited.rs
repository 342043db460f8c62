//! An answer that is written with an editor and isn't sealed at once: it is tried again, edited again, or shown.

use std::fs;
use std::path::PathBuf;

use crate::programs::{Relay, Signal, Terminal, until};

/// Asks for an answer to the first message.
fn asked(relay: &Relay) {
    let args = ["--replies", "--words-file", "words", "-"];
    relay.send(args).stdin("hello").finish().must_end_with(0);
}

/// `kkvc reply 1 --edit`, where the editor writes what is in the file "wanted".
fn editing(relay: &Relay) -> Terminal {
    let wanted = relay.directory().join("wanted");
    let editor = format!("cat {} >", wanted.display());
    let run = relay.owner(["reply", "1", "--edit"]);
    run.with(|c| c.env_remove("VISUAL").env("EDITOR", editor))
        .start_on(100, 24)
}

fn wants(relay: &Relay, text: &str) {
    fs::write(relay.directory().join("wanted"), text).expect("our directory");
}

/// Nobody fetches them: the next has no place.
fn fill(relay: &Relay) {
    for _ in 0..4 {
        let answer = relay.owner(["reply", "1", "-m", "Yes."]);
        answer.finish().must_end_with(0);
    }
}

fn take_back(relay: &Relay) {
    let run = relay.owner(["reply", "--withdraw", "1", "--yes"]);
    run.finish().must_end_with(0);
}

/// Nothing with this in it is where editors find what they write.
#[track_caller]
fn must_be_gone(text: &str) {
    let directories = fs::read_dir("/dev/shm").expect("it is there").flatten();
    let left = directories.map(|entry| entry.path().join("answer.txt"));
    let has_it = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|left| left.contains(text));
    assert_eq!(left.into_iter().find(has_it), None);
}

#[test]
fn what_was_not_sealed_is_tried_again_or_shown() {
    let relay = Relay::start(&[]);
    asked(&relay);
    fill(&relay);
    wants(&relay, "Come at six.\nOr later.\n");
    for (keys, code) in [(Some("n\n"), 1), (Some("\n"), 1), (None, 130)] {
        let mut terminal = editing(&relay);
        terminal.wait_for("4 answers wait for its sender already");
        terminal.wait_for("Try once more? [y/N] ");
        match keys {
            Some(keys) => terminal.press(keys),
            None => terminal.process().signal(Signal::INT), // as Ctrl-C does
        }
        terminal.wait_for("Come at six.");
        terminal.wait_for("Or later.");
        terminal.wait_for("nothing was sealed");
        terminal.wait_for("What you wrote stands above");
        assert_eq!(terminal.finish().0, Some(code), "{keys:?}");
        must_be_gone("Come at six.");
    }
    let mut terminal = editing(&relay);
    terminal.wait_for("Try once more? [y/N] ");
    terminal.press("y\n");
    terminal.wait_for_times("Try once more? [y/N] ", 2);
    take_back(&relay);
    terminal.press("y\n");
    terminal.wait_for("Sealed.");
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(0));
    assert!(!said.contains("Come at six"), "nothing shows it: {said}");
    must_be_gone("Come at six.");
}

#[test]
fn what_can_be_no_answer_is_edited_again_or_shown() {
    let relay = Relay::start(&[]);
    asked(&relay);
    let long = "Come at eight. ".repeat(250);
    wants(&relay, &long);
    let mut terminal = editing(&relay);
    terminal.wait_for("it is longer than 3500 bytes");
    terminal.wait_for("Edit it once more? [y/N] ");
    wants(&relay, "Come at eight.");
    terminal.press("y\n");
    terminal.wait_for("Sealed.");
    assert_eq!(terminal.finish().0, Some(0));

    wants(&relay, &long);
    let mut terminal = editing(&relay);
    terminal.wait_for("Edit it once more? [y/N] ");
    terminal.process().signal(Signal::INT);
    terminal.wait_for("What you wrote stands above");
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(130));
    assert_eq!(said.matches("Come at").count(), 250, "all of it: {said}");

    // Nothing was written, so nothing is asked.
    wants(&relay, " \n");
    let (code, said) = editing(&relay).finish();
    assert_eq!(code, Some(2), "{said}");
    must_be_gone("Come at eight");
}

#[test]
fn what_can_never_be_sealed_is_shown_at_once() {
    let relay = Relay::start(&[]);
    asked(&relay);
    wants(&relay, "Come at six.");
    let begun = relay.directory().join("begun");
    let go_on = relay.directory().join("go on");
    let editor = format!(
        "sh -c 'echo Come at six. > \"$1\"; : > \"{}\"; until [ -e \"{}\" ]; do sleep 0.02; done' --",
        begun.display(),
        go_on.display()
    );
    let run = relay.owner(["reply", "1", "--edit"]);
    let run = run.with(|c| c.env_remove("VISUAL").env("EDITOR", editor));
    let mut terminal = run.start_on(100, 24);
    until("the editor has begun", || begun.exists());
    let delete = relay.owner(["delete", "1", "--yes"]);
    delete.finish().must_end_with(0);
    fs::write(&go_on, "").expect("our directory");
    terminal.wait_for("there is no message 1");
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(1), "{said}");
    let shown = said.find("Come at six.").expect("it is shown");
    assert!(
        said[shown..].contains("What you wrote stands above"),
        "{said}"
    );
    assert!(!said.contains("[y/N]"), "{said}");
}
