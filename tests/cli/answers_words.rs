//! Reply words: on the terminal alone, in a file that is a user's own, never in a message; and read as people type
//! them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::contacts::Desk;
use crate::cli::meddler::{Meddler, Verdict};
use crate::programs::{Relay, Run, Terminal, kkvc};

const FILE: &str = "words";

/// The words in the rows that begin behind `before`, as they are on the screen.
fn shown_after(screen: &str, before: &str) -> Vec<String> {
    let (_, rest) = screen.split_once(before).expect("they are announced");
    let rows = rest.trim_start().lines().take(3);
    let cells = rows.flat_map(str::split_whitespace);
    let words = cells.filter(|cell| cell.bytes().all(|c| c.is_ascii_lowercase()));
    words.map(str::to_owned).collect()
}

/// Sends with words that the terminal shows.
fn sent_on_a_terminal(relay: &Relay) -> Vec<String> {
    let script = r#""$0" "$@" > out"#;
    let run = relay
        .send(["--replies", "-m", "hello"])
        .through_shell(script);
    let mut terminal = run
        .with(|c| c.current_dir(relay.directory()))
        .start_on(80, 24);
    terminal.wait_for("Later: kkvc replies ");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    let words = shown_after(&screen, "Write these down; only they open the answer:");
    assert_eq!(words.len(), 12, "{screen}");
    assert_eq!(
        words,
        shown_after(&screen, "Your words once more:"),
        "{screen}"
    );
    let out = fs::read_to_string(relay.directory().join("out")).expect("it is made");
    assert_eq!(out, "", "nothing of them is on standard output");
    words
}

fn looking(relay: &Relay) -> Terminal {
    kkvc(["replies", relay.address()]).start_on(80, 24)
}

#[test]
fn words_on_the_terminal_are_all_that_it_takes_to_read_the_answer_and_write_back() {
    let relay = Relay::start(&[]);
    let words = sent_on_a_terminal(&relay);
    relay
        .owner(["reply", "1", "-m", "Yes."])
        .finish()
        .must_end_with(0);
    let mut terminal = looking(&relay);
    terminal.wait_for("Your 12 words: ");
    terminal.press("no words of it\n");
    terminal.wait_for("Word 1 is not one of the list that reply words are from; try again.");
    // As a person might type them.
    let typed: Vec<_> = words
        .iter()
        .zip(1..)
        .map(|(word, number)| format!("{number}. {}\n", word.to_uppercase()))
        .collect();
    terminal.press(&typed.concat());
    terminal.wait_for("│ Yes.");
    terminal.wait_for("Write back? [y/N] ");
    terminal.press("y\n");
    terminal.wait_for("Ctrl-D");
    terminal.press("Thank you!\n\x04");
    terminal.wait_for("Accepted: the message is in the inbox.");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(
        screen.contains("The same words open its answers"),
        "{screen}"
    );
    assert_eq!(relay.text(2), "Thank you!\n");
    let list = relay.list();
    assert_eq!(
        list[0]["conversation"]["number"],
        list[1]["conversation"]["number"]
    );
}

/// Somebody who has read an answer and writes back; a slip of the fingers is no answer to a question.
fn writing_back(address: &str, words: &[String]) -> Terminal {
    writing_back_in(kkvc(["replies", address]), words)
}

fn writing_back_in(replies: Run, words: &[String]) -> Terminal {
    let mut terminal = replies.start_on(80, 40);
    terminal.wait_for("Your 12 words: ");
    terminal.press(&format!("{}\n", words.join(" ")));
    terminal.wait_for("Write back? [y/N] ");
    terminal.press("perhaps\n");
    terminal.wait_for("That is neither yes nor no.");
    terminal.wait_for_times("Write back? [y/N] ", 2);
    terminal.press("y\n");
    terminal.wait_for("Ctrl-D");
    terminal
}

#[test]
fn what_was_written_back_is_not_lost_while_the_relay_is_away() {
    let relay = Relay::start(&[]);
    let words = sent_on_a_terminal(&relay);
    let answer = relay.owner(["reply", "1", "-m", "Yes."]);
    answer.finish().must_end_with(0);
    let away = Arc::new(AtomicBool::new(false));
    let is_away = Arc::clone(&away);
    let between = Meddler::start(relay.address(), move |_| {
        match is_away.load(Ordering::Relaxed) {
            true => Verdict::Answer(500, ""),
            false => Verdict::Pass,
        }
    });
    let mut terminal = writing_back(&between.address, &words);
    away.store(true, Ordering::Relaxed);
    terminal.press("Thank you!\n\x04");
    terminal.wait_for("Try once more? [y/N] ");
    away.store(false, Ordering::Relaxed);
    terminal.press("y\n");
    terminal.wait_for("Accepted: the message is in the inbox.");
    assert_eq!(terminal.finish().0, Some(0));
    assert_eq!(relay.text(2), "Thank you!\n");

    let answer = relay.owner(["reply", "2", "-m", "You're welcome."]);
    answer.finish().must_end_with(0);
    let mut terminal = writing_back(&between.address, &words);
    away.store(true, Ordering::Relaxed);
    terminal.press("Bye!\n\x04");
    terminal.wait_for("Try once more? [y/N] ");
    terminal.press("n\n");
    terminal.wait_for("What you wrote stands above");
    assert_eq!(terminal.finish().0, Some(1));
    assert_eq!(relay.list().len(), 2);
}

#[test]
fn who_is_invited_writes_back_for_nothing_and_may_pay_when_that_is_over() {
    let relay = Relay::start(&[]);
    let words = sent_on_a_terminal(&relay);
    let made = relay.owner(["invite", "--json"]).finish();
    let made = made.must_end_with(0).json();
    let desk = Desk::new();
    desk.add("bob", made["link"].as_str().expect("a string"));
    for (id, asked) in [("1", false), ("2", true)] {
        let answer = relay.owner(["reply", id, "-m", "Yes."]);
        answer.finish().must_end_with(0);
        let mut terminal = writing_back_in(desk.with(kkvc(["replies", "bob"])), &words);
        terminal.press("Thank you!\n\x04");
        if asked {
            terminal.wait_for("Pay for it instead? [y/N] ");
            terminal.press("y\n");
        }
        terminal.wait_for("Accepted: the message is in the inbox.");
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(0), "{screen}");
        assert_eq!(
            screen.contains("nothing, by invitation"),
            !asked,
            "{screen}"
        );
    }
    let list = relay.list();
    assert_eq!(list[1]["invitation"], 1);
    assert!(list[2]["invitation"].is_null());
    assert_eq!(desk.list()[0]["invited"], true, "nobody agreed to lose it");
}

#[test]
fn who_does_not_write_back_has_read_it_all_the_same() {
    let relay = Relay::start(&[]);
    let words = sent_on_a_terminal(&relay);
    relay
        .owner(["reply", "1", "-m", "Yes."])
        .finish()
        .must_end_with(0);
    for (answer, code) in [("n\n", 0), ("\x04", 9)] {
        let mut terminal = looking(&relay);
        terminal.wait_for("Your 12 words: ");
        terminal.press(&format!("{}\n", words.join(" ")));
        if code == 0 {
            terminal.wait_for("Write back? [y/N] ");
            terminal.press(answer);
        }
        let (ended, screen) = terminal.finish();
        assert_eq!(ended, Some(code), "{screen}");
    }
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn words_that_are_none_are_asked_for_three_times() {
    let relay = Relay::start(&[]);
    for (typed, times, code, says) in [
        ("no such words\n", 3, 2, "word 1 is not one of the list"),
        ("act act\n\n", 3, 2, "reply words are 12, and these are 2"),
        ("\x04", 1, 130, "no words were given"),
    ] {
        let mut terminal = looking(&relay);
        for time in 1..=times {
            terminal.wait_for_times("Your 12 words: ", time);
            terminal.press(typed);
        }
        let (ended, screen) = terminal.finish();
        let said = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ended == Some(code) && said.contains(says), "{screen}");
    }
}

#[test]
fn without_a_terminal_and_a_file_nothing_is_sent_and_nothing_asked_for() {
    let relay = Relay::start(&[]);
    let alone = r#"exec setsid --wait "$0" "$@""#;
    let send = relay
        .send(["--replies", "-m", "hello"])
        .through_shell(alone);
    send.finish()
        .must_end_with(2)
        .must_say("no terminal to show the words on; nothing was sent")
        .must_say("--words-file");
    assert!(relay.list().is_empty());
    let look = kkvc(["replies", relay.address()]).through_shell(alone);
    look.finish()
        .must_end_with(2)
        .must_say("no terminal to ask for the words on");
}

#[test]
fn a_file_for_words_is_new_and_its_users_alone() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join(FILE);
    let write = || {
        let options = ["--replies", "--words-file", FILE, "-m", "hello"];
        relay.send(options).finish()
    };
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    for other in ["a letter\n", "", "act ".repeat(12).as_str()] {
        fs::write(&path, other).unwrap();
        mode(0o600);
        write()
            .must_end_with(2)
            .must_say("The file is left as it is.");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
    fs::remove_file(&path).unwrap();
    let sent = write().must_end_with(0);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let words = fs::read_to_string(&path).unwrap();
    assert_eq!(words.split_whitespace().count(), 12);
    let said = [sent.stderr.as_str(), &sent.stdout_text()].concat();
    assert!(!said.contains(words.trim()), "{said}");
    mode(0o644);
    write()
        .must_end_with(2)
        .must_say("other users may get at the reply words")
        .must_say("chmod 600");
    // Nobody else can read it, but who has put it there.
    mode(0o600);
    chown(&path, Some(7), None).expect("run by root, or as scripts/test runs it");
    write()
        .must_end_with(2)
        .must_say("other users may get at the reply words");
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn a_name_that_was_mistyped_begins_no_other_conversation() {
    let relay = Relay::start(&[]);
    for (name, said) in [
        ("wrods", "wrods is not there; nothing was sent"),
        (".", "is a directory, not a file with reply words"),
    ] {
        let sent = relay.send(["--words-file", name, "-m", "hello"]).finish();
        drop(sent.must_end_with(2).must_say(said));
    }
    let sent = relay
        .send(["--words-file", "wrods", "-m", "hello"])
        .finish();
    drop(sent.must_say("add --replies"));
    assert!(relay.list().is_empty());
    assert!(!relay.directory().join("wrods").exists());
}

#[test]
fn a_message_with_its_own_words_in_it_is_not_sent() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join(FILE);
    relay
        .send(["--replies", "--words-file", FILE, "-m", "hello"])
        .finish()
        .must_end_with(0);
    let words = fs::read_to_string(&path).unwrap();
    for text in [
        format!("My words: {words}"),
        words.to_uppercase(),
        words.replace(' ', ""),
        words.replace(' ', ",\n"),
    ] {
        let sent = relay.send(["--words-file", FILE, "-"]).stdin(text).finish();
        sent.must_end_with(2)
            .must_say("its own reply words in it; nothing was sent");
    }
    // Nor is it with those of another conversation, whether an answer is wanted or not.
    let others =
        "Mine: abandon amount liar amount expire adjust cage candy arch gather drum buyer.";
    for more in [&["--words-file", FILE][..], &[]] {
        let sent = relay.send([more, &["-m", others]].concat()).finish();
        sent.must_end_with(2)
            .must_say("twelve reply words in it; nothing was sent");
    }
    assert_eq!(relay.list().len(), 1);
    assert!(path.exists());
}
