//! `kkvc send` when the message was on its way: it never says more than it knows.

use crate::cli::meddler::{Meddler, Verdict};
use crate::programs::{Process, Relay, Signal, kkvc};

#[test]
fn an_answer_lost_for_good_ends_with_7_and_the_message_may_be_there() {
    let relay = Relay::start(&[]);
    for suite in ["1", "2"] {
        let cutter = Meddler::start(relay.address(), |asked| {
            if asked.path == "/msg" {
                Verdict::CutForGood
            } else {
                Verdict::Pass
            }
        });
        let outcome = kkvc(["send", &cutter.address, "-m", "x", "--suite", suite]).finish();
        let outcome = outcome
            .must_end_with(7)
            .must_say("whether the message arrived can't be known");
        assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("nothing was delivered"));
    }
    assert_eq!(relay.list().len(), 2, "here it did arrive");
}

#[test]
fn an_answer_lost_each_time_ends_with_7_and_the_message_is_there_once() {
    let relay = Relay::start(&[]);
    let cutter = Meddler::start(relay.address(), |asked| {
        if asked.path == "/msg" {
            Verdict::Cut
        } else {
            Verdict::Pass
        }
    });
    let outcome = kkvc(["send", &cutter.address, "-m", "x"])
        .finish()
        .must_end_with(7);
    outcome.must_say("trying again").must_say("can't be known");
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn an_answer_lost_once_is_asked_for_again_and_accepted() {
    let relay = Relay::start(&[]);
    for path in ["/pow", "/exchange_keys", "/msg"] {
        let before = relay.list().len();
        let lost = std::cell::Cell::new(false);
        let cutter = Meddler::start(relay.address(), move |asked| {
            if asked.path == path && !lost.replace(true) {
                Verdict::Cut
            } else {
                Verdict::Pass
            }
        });
        let outcome = kkvc(["send", &cutter.address, "-m", "x"])
            .finish()
            .must_end_with(0);
        outcome.must_say("No answer came; trying again");
        assert_eq!(relay.list().len(), before + 1, "{path}");
    }
}

#[test]
fn an_answer_that_makes_no_sense_ends_with_7() {
    let relay = Relay::start(&[]);
    for body in ["", "{}", "\x1b[2J", "{\"receipt\":\"00\"}"] {
        let fool = Meddler::start(relay.address(), move |asked| {
            if asked.path == "/msg" {
                Verdict::Answer(200, body)
            } else {
                Verdict::Pass
            }
        });
        let outcome = kkvc(["send", &fool.address, "-m", "x"])
            .finish()
            .must_end_with(7);
        assert!(!outcome.stderr.contains('\x1b'));
        outcome
            .must_say("makes no sense")
            .must_say("can't be known");
    }
    assert!(relay.list().is_empty(), "here it did not arrive");
}

/// A sender whose message is with the relay and whose answer does not come.
fn waiting(relay: &Relay, extra: &[&str]) -> (Meddler, Process) {
    let holder = Meddler::start(relay.address(), |asked| {
        if asked.path == "/msg" {
            Verdict::Hold
        } else {
            Verdict::Pass
        }
    });
    let process = kkvc(["send", &holder.address, "-m", "x"])
        .with(|c| c.args(extra))
        .start();
    holder.wait_for("/msg");
    (holder, process)
}

#[test]
fn cancelling_while_the_answer_is_awaited_says_that_it_cannot_be_known() {
    let relay = Relay::start(&[]);
    let receipt = relay.directory().join("receipt");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (_holder, process) = waiting(&relay, &["--receipt", receipt.to_str().unwrap()]);
        process.signal(signal);
        let outcome = process.finish().must_end_with(130);
        assert!(
            !outcome.stderr.contains("nothing was delivered"),
            "{}",
            outcome.stderr
        );
        outcome
            .must_say("can't be known")
            .must_say("may leave it there twice");
        assert!(!receipt.exists());
    }
}

#[test]
fn by_its_words_a_sender_learns_whether_a_message_in_doubt_has_arrived() {
    let relay = Relay::start(&[]);
    for (arrives, code) in [(true, 9), (false, 10)] {
        let words = relay.directory().join("words");
        let between = Meddler::start(relay.address(), move |asked| match asked.path.as_str() {
            "/msg" if arrives => Verdict::CutForGood,
            "/msg" => Verdict::Answer(500, ""),
            _ => Verdict::Pass,
        });
        let run = |args: &[&str]| {
            let run = kkvc(args).with(|c| c.args(["--words-file", "words"]));
            run.with(|c| c.current_dir(relay.directory())).finish()
        };
        let outcome = run(&["send", &between.address, "-m", "x", "--replies"]).must_end_with(7);
        let outcome = outcome
            .must_say("Keep the file with the words")
            .must_say("if it arrived, they open its conversation")
            // Its session is open for as long, and so it may come late.
            .must_say(
                "Whether it arrived, this tells, for sure once 2 min have passed: kkvc replies",
            );
        assert!(!outcome.stderr.contains("leave it there twice"));
        let looked = run(&["replies", relay.address()]).must_end_with(code);
        if !arrives {
            looked.must_say("What was cut off on its way may still arrive within 2 min, and with files within 10 min.");
        }
        assert_eq!(relay.list().len(), 1, "only the first has arrived");
        std::fs::remove_file(words).expect("it was kept");
    }
}

#[test]
fn a_follow_up_in_doubt_is_told_by_its_time_since_its_conversation_is_there_anyhow() {
    let relay = Relay::start(&[]);
    let run = |args: &[&str]| {
        let run = kkvc(args).with(|c| c.args(["--words-file", "words"]));
        run.with(|c| c.current_dir(relay.directory())).finish()
    };
    run(&["send", relay.address(), "-m", "x", "--replies"]).must_end_with(0);
    let between = Meddler::start(relay.address(), |asked| match asked.path.as_str() {
        "/msg" => Verdict::Answer(500, ""),
        _ => Verdict::Pass,
    });
    let outcome = run(&["send", &between.address, "-m", "y"]).must_end_with(7);
    let outcome = outcome
        .must_say("Keep the file with the words: if it arrived, it is the last of your messages there, of about 20")
        .must_say("for sure once 2 min have passed: kkvc replies");
    assert!(!outcome.stderr.contains("they open its conversation"));
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn a_message_with_files_may_come_for_longer() {
    let relay = Relay::start(&[]);
    let between = Meddler::start(relay.address(), |asked| match asked.path.as_str() {
        "/msg" => Verdict::Hold,
        _ => Verdict::Pass,
    });
    std::fs::write(relay.directory().join("a.txt"), "a file").expect("it is written");
    let args = ["--file", "a.txt", "--replies", "--words-file", "words"];
    let process = kkvc(["send", &between.address])
        .with(|c| c.args(args).current_dir(relay.directory()))
        .start();
    between.wait_for("/msg");
    process.signal(Signal::INT);
    let outcome = process.finish().must_end_with(130);
    outcome.must_say("for sure once 10 min have passed: kkvc replies");
}
