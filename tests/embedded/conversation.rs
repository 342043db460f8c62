//! Conversations over Tor, by their words alone.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::stage::{Stage, must_have_arrived, path, start};
use crate::programs::{Outcome, Relay, Signal, comes_to};

/// Words that no inbox knows.
const FOREIGN: &str =
    "abandon amount liar amount expire adjust cage candy arch gather drum buyer\n";

/// Somebody whose machine keeps nothing but a file with words.
struct Stranger<'s> {
    stage: &'s Stage,
    by_socks: bool,
    onion: &'s str,
    directory: TempDir,
}

impl<'s> Stranger<'s> {
    fn new(stage: &'s Stage, by_socks: bool, onion: &'s str) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        Self {
            stage,
            by_socks,
            onion,
            directory,
        }
    }

    fn words(&self) -> PathBuf {
        self.directory.path().join("words")
    }

    /// The same on another machine, to which the words have been carried.
    fn elsewhere(&self, words: &str) -> Self {
        let other = Self::new(self.stage, self.by_socks, self.onion);
        kkv_ui::secret_file::make(&other.words(), words).expect("our directory");
        other
    }

    fn run(&self, command: &str, text: &str) -> Outcome {
        let words = self.words();
        let mut options = vec!["--words-file", path(&words)];
        if !words.exists() {
            options.push("--replies");
        }
        let run = self
            .stage
            .client(self.by_socks, command, self.onion, &options);
        run.stdin(text).finish()
    }

    fn sends(&self, text: &str) {
        self.run("send", text).must_end_with(0);
    }

    /// The texts of the answers that come.
    fn fetches(&self) -> Vec<String> {
        let seen = self.run("replies", "").must_end_with(0).json();
        let answers = seen["answers"].as_array().expect("answers").iter();
        let texts = answers.map(|answer| answer["text"].as_str().expect("a text").to_owned());
        texts.collect()
    }
}

fn answer(relay: &Relay, text: &str) {
    let list = relay.list();
    let last = list.last().expect("a message");
    let id = last["id"].to_string();
    let sealed = relay.owner(["reply", &id, "-m", text]).finish();
    sealed.must_end_with(0);
}

/// Three rounds both ways onto Tor, each from a machine that knows the words alone.
pub(crate) fn a_conversation_goes_three_rounds_by_its_words_alone(stage: &Stage) {
    for (by_socks, relay, onion) in [
        (false, &stage.embedded.relay, &stage.embedded.onion),
        (true, &stage.external, &stage.external_onion),
    ] {
        let mut stranger = Stranger::new(stage, by_socks, onion);
        for round in 1..=3 {
            let text = format!("question {round} {by_socks}");
            stranger.sends(&text);
            must_have_arrived(relay, &text);
            let words = fs::read_to_string(stranger.words()).expect("they were left there");
            stranger = stranger.elsewhere(&words);
            let reply = format!("answer {round}");
            answer(relay, &reply);
            assert_eq!(stranger.fetches(), [reply], "the one that is new");
        }
        stranger.run("replies", "").must_end_with(9);
        let wrong = stranger.elsewhere(FOREIGN);
        let none = wrong.run("replies", "").must_end_with(10);
        none.must_say("there is no conversation of these words");
    }
}

/// With a restart, and with its time, a conversation is gone, and who has its words is told so.
pub(crate) fn a_conversation_that_has_ended_is_said_to_be_gone(stage: &Stage) {
    let state = stage.network.dir().join("conversation");
    let begin = |options: &[&str]| {
        let state = ["--state-dir", path(&state)];
        let relay = start(&stage.config, &[&state[..], options].concat());
        relay.must_become("reachable");
        relay
    };
    let first = begin(&[]);
    let onion = first.onion.clone();
    let stranger = Stranger::new(stage, false, &onion);
    stranger.sends("is anybody there?");
    answer(&first.relay, "never seen");
    first.relay.process().signal(Signal::TERM);
    first.relay.process().finish().must_end_with(0);

    let second = begin(&["--ttl", "1s"]);
    assert_eq!(second.onion, onion, "the address stays");
    let gone = stranger.run("replies", "").must_end_with(10);
    gone.must_say("It was started at ");

    let late = Stranger::new(stage, false, &onion);
    late.sends("and now?");
    comes_to(|| {
        let seen = late.run("replies", "");
        let told = || format!("it is still there: {seen:?}");
        (seen.code == Some(10)).then_some(()).ok_or_else(told)
    });
}
