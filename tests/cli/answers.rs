//! Conversations as both sides have them: asked for, answered, fetched by words alone, gone on with, and ended.

use std::fs;

use serde_json::Value;

use kkv_terminal::visible::quoted;

use crate::programs::{HeldPort, Outcome, Relay, Signal, kkvc, until};

/// A file with words that no relay knows.
const FOREIGN: &str =
    "abandon amount liar amount expire adjust cage candy arch gather drum buyer\n";

fn replies(relay: &Relay, args: &[&str]) -> Outcome {
    kkvc(["replies", relay.address(), "--words-file", "words"])
        .with(|c| c.args(args).current_dir(relay.directory()))
        .finish()
}

/// Sends with the words in the file, which is made if it isn't there.
fn write(relay: &Relay, text: &str) -> Outcome {
    relay
        .send(["--replies", "--words-file", "words", "-"])
        .stdin(text)
        .finish()
}

fn answer(relay: &Relay, id: u64, text: &str) -> Outcome {
    relay.owner(["reply", &id.to_string(), "-m", text]).finish()
}

fn put_foreign_words(relay: &Relay) {
    let path = relay.directory().join("words");
    let _ = fs::remove_file(&path);
    kkv_ui::secret_file::make(&path, FOREIGN).expect("our directory");
}

#[test]
fn a_conversation_goes_to_and_fro_by_the_words_alone() {
    let relay = Relay::start(&[]);
    for round in 1..=3 {
        write(&relay, "Is the flat free?")
            .must_end_with(0)
            .must_say("Later: kkvc replies");
        let none = replies(&relay, &[]).must_end_with(9);
        let none = none
            .must_say("answer yet")
            .must_say("Look again: kkvc replies");
        assert!(
            none.stdout_text().contains("  accepted\n"),
            "{}",
            none.stdout_text()
        );
        assert!(!none.stdout_text().contains("│"));
        let text = format!("Yes, {round}.");
        let sealed = answer(&relay, round, &text).must_end_with(0);
        let sealed = sealed.must_say("Sealed. Nobody can read it here now, not even you.");
        assert_eq!(sealed.stdout_text(), "");
        let seen = replies(&relay, &[]).must_end_with(0);
        let seen = seen.must_say("It is deleted there. Your words stay good until ");
        let shown = seen.stdout_text();
        assert!(shown.contains(&format!("\n│ {text}\n")), "{shown}");
        assert_eq!(
            shown.matches('│').count(),
            1,
            "none is shown twice: {shown}"
        );
        assert_eq!(shown.matches("Yours  ").count() as u64, round, "{shown}");
        assert_eq!(shown.matches(" since\n").count() as u64, round, "{shown}");
        replies(&relay, &[])
            .must_end_with(9)
            .must_say("no new answer yet");
    }
    let conversation = |message: &Value| message["conversation"]["number"].as_u64();
    let numbers: Vec<_> = relay.list().iter().map(conversation).collect();
    assert_eq!(numbers, [Some(1); 3], "the owner sees one conversation");
}

#[test]
fn both_sides_see_what_can_be_answered_and_after_which_message_an_answer_was_written() {
    let relay = Relay::start(&[]);
    write(&relay, "first").must_end_with(0);
    write(&relay, "second").must_end_with(0);
    relay.deliver(b"no words");
    let owner = |args: &[&str]| relay.owner(args).finish().must_end_with(0);
    let marks = || {
        let listed = owner(&["list"]).stdout_text();
        let columns = |line: &str| {
            line.split_once("kkv/2")
                .map(|(_, mark)| mark.trim().to_owned())
        };
        listed.lines().filter_map(columns).collect::<Vec<_>>()
    };
    assert_eq!(marks(), ["↩1", "↩1", ""]);
    let read = |id: &str| owner(&["read", id]).stdout_text();
    let line = "\nAnswers   can be answered (conversation 1); to answer it: kkvc reply 2\n";
    assert!(read("2").contains(line), "{}", read("2"));
    assert!(!read("3").contains("Answers"), "{}", read("3"));

    answer(&relay, 1, "To the first.")
        .must_end_with(0)
        .must_say("Its sender sees this one after message 2, the newest.");
    assert_eq!(marks(), ["↩1✓", "↩1✓", ""]);
    let line =
        "\nAnswers   answered (conversation 1, 1 waiting); to answer it once more: kkvc reply 1\n";
    assert!(read("1").contains(line), "{}", read("1"));

    let seen = replies(&relay, &["--keep"]).must_end_with(0).stdout_text();
    assert_eq!(
        seen.matches("  accepted, 1 answer since\n").count(),
        2,
        "{seen}"
    );
    assert!(seen.contains(", after yours of "), "{seen}");
    let json = replies(&relay, &["--keep", "--json"])
        .must_end_with(0)
        .json();
    assert_eq!(json["answers"][0]["after"], json["messages"][1]["accepted"]);

    write(&relay, "third").must_end_with(0);
    let seen = replies(&relay, &["--keep"]).must_end_with(0).stdout_text();
    assert_eq!(
        seen.matches("  accepted, 1 answer since\n").count(),
        2,
        "{seen}"
    );
    assert_eq!(seen.matches("  accepted\n").count(), 1, "{seen}");
    let newest = answer(&relay, 4, "To all.").must_end_with(0);
    assert!(!newest.stderr.contains("conversation"), "{}", newest.stderr);
}

#[test]
fn answers_stay_until_they_were_shown() {
    let relay = Relay::start(&[]);
    write(&relay, "hello").must_end_with(0);
    for text in ["one", "two"] {
        answer(&relay, 1, text).must_end_with(0);
    }
    let into = |file: &str| {
        let script = format!(r#"exec "$0" "$@" {file}"#);
        kkvc(["replies", relay.address(), "--words-file", "words"])
            .with(|c| c.current_dir(relay.directory()))
            .through_shell(&script)
            .with(|c| c.current_dir(relay.directory()))
            .finish()
    };
    into("> /dev/full")
        .must_end_with(1)
        .must_say("can't write to standard output");
    into(">&-")
        .must_end_with(2)
        .must_say("nothing was asked for");
    for _ in 0..2 {
        let kept = replies(&relay, &["--keep"]).must_end_with(0);
        let kept = kept.must_say("It stays there.");
        assert!(kept.stdout_text().contains("│ one\n") && kept.stdout_text().contains("│ two\n"));
    }
    let last = replies(&relay, &["-q"]).must_end_with(0);
    assert_eq!(last.stderr, "");
    let shown = last.stdout_text();
    assert!(
        shown.find("│ one").unwrap() < shown.find("│ two").unwrap(),
        "{shown}"
    );
    replies(&relay, &[]).must_end_with(9);
}

#[test]
fn a_conversation_that_is_not_there_is_told_from_one_without_an_answer() {
    let relay = Relay::start(&[]);
    write(&relay, "hello").must_end_with(0);
    put_foreign_words(&relay);
    let none = |outcome: Outcome| {
        let outcome = outcome.must_end_with(10);
        let outcome = outcome
            .must_say("there is no conversation of these words in this inbox")
            .must_say("It was started at ")
            .must_say("--replies");
        assert!(!outcome.stdout_text().contains("Yours"));
        outcome
    };
    none(replies(&relay, &[]));
    none(write(&relay, "and another thing")).must_say("nothing was sent");
    assert_eq!(relay.list().len(), 1, "nothing came of it");
    // The same words open nothing any more once the owner has wiped.
    fs::remove_file(relay.directory().join("words")).unwrap();
    write(&relay, "hello").must_end_with(0);
    replies(&relay, &[]).must_end_with(9);
    relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    none(replies(&relay, &[]));
    none(write(&relay, "are you there?"));
    assert!(relay.list().is_empty());
}

#[test]
fn words_that_turn_out_to_open_nothing_leave_no_file() {
    let relay = Relay::start(&["--max-messages", "1"]);
    let nobody = HeldPort::take();
    let words = relay.directory().join("words");
    let send = kkvc([
        "send",
        &nobody.address().to_string(),
        "--replies",
        "--words-file",
        "words",
        "-m",
        "x",
    ]);
    send.with(|c| c.current_dir(relay.directory()))
        .finish()
        .must_end_with(3);
    assert!(!words.exists());
    relay.deliver(b"full");
    write(&relay, "no room").must_end_with(4);
    assert!(!words.exists());
    write(&relay, "").must_end_with(2);
    assert!(!words.exists());
    relay
        .owner(["delete", "1", "--yes"])
        .finish()
        .must_end_with(0);
    write(&relay, "room").must_end_with(0);
    assert!(words.exists());
    // One that has words keeps them, whatever becomes of a message.
    write(&relay, "no room").must_end_with(4);
    assert!(words.exists());
}

#[test]
fn only_a_message_that_wants_it_can_be_answered_and_no_more_than_four_times() {
    let relay = Relay::start(&[]);
    relay.deliver(b"no words");
    write(&relay, "hello").must_end_with(0);
    let not = answer(&relay, 1, "Yes.").must_end_with(1);
    not.must_say("message 1 can't be answered; nothing was sealed");
    answer(&relay, 7, "Yes.")
        .must_end_with(1)
        .must_say("there is no message 7");
    answer(&relay, 2, "")
        .must_end_with(2)
        .must_say("nothing was sealed");
    let typed = relay
        .owner(["reply", "2", "-"])
        .stdin("from a pipe")
        .finish();
    typed.must_end_with(0);
    for text in ["2", "3", "4"] {
        answer(&relay, 2, text).must_end_with(0);
    }
    let fifth = answer(&relay, 2, "5").must_end_with(1);
    fifth
        .must_say("message 2 can't be answered")
        .must_say("4 answers wait")
        .must_say("try again later")
        .must_say("reply --withdraw 1");
    let seen = replies(&relay, &[]).must_end_with(0).stdout_text();
    assert_eq!(seen.matches("│ ").count(), 4, "{seen}");
    answer(&relay, 2, "5").must_end_with(0);
}

#[test]
fn an_answer_steers_no_terminal_and_passes_for_nothing_else() {
    let relay = Relay::start(&[]);
    write(&relay, "hello").must_end_with(0);
    let text = "a\u{1b}[2Jb\nAnswer    2026-11-27 21:50\n\u{202e}c\n";
    answer(&relay, 1, text).must_end_with(0);
    let seen = replies(&relay, &[]).must_end_with(0).stdout_text();
    assert!(!seen.contains(['\u{1b}', '\u{202e}']), "{seen:?}");
    assert!(seen.contains("│ a<U+001B>[2Jb\n│ Answer    2026"), "{seen}");
    answer(&relay, 1, text).must_end_with(0);
    let json = replies(&relay, &["--json"]).must_end_with(0).json();
    assert_eq!(json["answers"][0]["text"], text);
}

#[test]
fn the_names_that_this_once_had_are_taken_and_not_shown() {
    let relay = Relay::start(&[]);
    let send = relay.send(["--reply", "--words-file", "words", "-m", "hello"]);
    send.finish().must_end_with(0);
    let fetch = kkvc(["fetch", relay.address(), "--words-file", "words"]);
    fetch
        .with(|c| c.current_dir(relay.directory()))
        .finish()
        .must_end_with(9);
    let help = kkvc(["--help"]).finish().must_end_with(0).stdout_text();
    assert!(
        help.contains("  replies ") && !help.contains("fetch"),
        "{help}"
    );
    let help = kkvc(["send", "--help"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    assert!(
        help.contains("--replies") && !help.contains("--reply\n"),
        "{help}"
    );
    for (args, says) in [
        (
            &[
                "send",
                relay.address(),
                "--suite",
                "1",
                "--replies",
                "-m",
                "x",
            ][..],
            "in kkv/1 nobody is answered",
        ),
        (
            &["replies", relay.address(), "--words-file", "none"],
            "is not there",
        ),
        (
            &["replies", "not an address", "--words-file", "none"],
            "no address",
        ),
    ] {
        kkvc(args).finish().must_end_with(2).must_say(says);
    }
}

#[test]
fn an_answer_is_written_with_an_editor_in_memory_and_nothing_of_it_stays() {
    let relay = Relay::start(&[]);
    write(&relay, "hello").must_end_with(0);
    let edit = |editor: &str| {
        let run = relay.owner(["reply", "1", "--edit"]);
        run.with(|c| c.env_remove("VISUAL").env("EDITOR", editor))
            .finish()
    };
    let where_it_was = relay.directory().join("where");
    let script = format!(
        "sh -c 'echo Yes. > \"$1\"; cp \"$1\" \"$1~\"; echo \"$1\" > {}' --",
        where_it_was.display()
    );
    edit(&script).must_end_with(0).must_say("Sealed.");
    let path = fs::read_to_string(&where_it_was).unwrap();
    let directory = std::path::Path::new(path.trim()).parent().unwrap();
    assert!(
        path.starts_with("/dev/shm/kkvc-") && !directory.exists(),
        "{path}"
    );
    for (editor, code, says) in [
        (
            "false",
            130,
            "the editor ended with an error; nothing was sealed",
        ),
        ("true", 2, "the message is empty; nothing was sealed"),
        ("", 2, "no editor is named"),
    ] {
        edit(editor).must_end_with(code).must_say(says);
    }
    // One that saves half an answer when its window is closed.
    let (begun, go_on) = (
        relay.directory().join("begun"),
        relay.directory().join("go on"),
    );
    let script = format!(
        "sh -c 'echo Half. > \"$1\"; : > \"{}\"; until [ -e \"{}\" ]; do sleep 0.02; done' --",
        begun.display(),
        go_on.display()
    );
    for signal in [Signal::HUP, Signal::TERM] {
        let run = relay.owner(["reply", "1", "--edit"]);
        let run = run.with(|c| c.env_remove("VISUAL").env("EDITOR", &script));
        let run = run.start();
        until("the editor has begun", || begun.exists());
        run.signal(signal);
        fs::write(&go_on, "").unwrap();
        run.finish()
            .must_end_with(130)
            .must_say("cancelled; nothing was sealed");
        fs::remove_file(&begun).unwrap();
        fs::remove_file(&go_on).unwrap();
    }
    let seen = replies(&relay, &[]).must_end_with(0).stdout_text();
    assert!(
        seen.contains("│ Yes.\n") && seen.matches('│').count() == 1,
        "{seen}"
    );
}

#[test]
fn answers_that_nobody_fetches_are_taken_back_and_make_room() {
    let relay = Relay::start(&["--max-messages", "2"]);
    for conversation in [1, 2] {
        write(&relay, "hello").must_end_with(0);
        let words = relay.directory().join("words");
        fs::rename(&words, words.with_extension(conversation.to_string())).unwrap();
    }
    for _ in 0..2 {
        answer(&relay, 1, "is anybody there?").must_end_with(0);
    }
    let full = answer(&relay, 2, "for you").must_end_with(1);
    let full = full.must_say("those of conversation 1 have waited longest");
    let full = full.must_say("the 2 answers that wait there, the oldest since 2");
    // Pasted, it acts on this inbox and no other.
    let socket = quoted(relay.socket());
    drop(full.must_say(&format!("kkvc --socket {socket} reply --withdraw 1")));
    let withdraw = |arguments: &[&str]| {
        let arguments = [&["reply", "--withdraw"], arguments].concat();
        relay.owner(arguments).finish()
    };
    drop(withdraw(&["1"]).must_end_with(2).must_say("--yes"));
    drop(withdraw(&["1", "2"]).must_end_with(2));
    let asked = "Take back the 2 answers that wait in conversation 1, the oldest since 2";
    let mut terminal = relay.owner(["reply", "--withdraw", "1"]).start_on(200, 24);
    terminal.wait_for(asked);
    terminal.press("n\n");
    assert_eq!(terminal.finish().0, Some(130));
    drop(
        withdraw(&["abc"])
            .must_end_with(2)
            .must_say("marks its messages with ↩2"),
    );
    drop(
        withdraw(&["9", "-y"])
            .must_end_with(1)
            .must_say("no conversation 9"),
    );
    let taken = withdraw(&["1", "--yes"]).must_end_with(0);
    drop(taken.must_say("Took back 2 answers. Who hasn't read them can't any more"));
    drop(
        withdraw(&["1", "-y"])
            .must_end_with(0)
            .must_say("Nothing waited there."),
    );
    answer(&relay, 2, "for you").must_end_with(0);
    let words = relay.directory().join("words");
    fs::rename(words.with_extension("1"), words).unwrap();
    replies(&relay, &[]).must_end_with(9);
    let taken = withdraw(&["2", "-y", "--json"]).must_end_with(0).json();
    assert_eq!(
        (&taken["conversation"], &taken["withdrawn"]),
        (&2.into(), &1.into())
    );
}
