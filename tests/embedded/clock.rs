//! Clocks that are wrong, by `faketime`: for the program alone, and set right while it runs.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Command;

use super::faults::Trouble;
use super::stage::{self, EmbeddedRelay, must_have_arrived, path};
use crate::fake_clock;
use crate::programs::{Run, Signal};

/// A clock that can be set.
struct Clock {
    file: PathBuf,
}

impl Clock {
    /// One that goes wrong by `offset`, such as `-1h`.
    fn off_by(offset: &str, file: PathBuf) -> Self {
        let clock = Self { file };
        clock.set(offset);
        clock
    }

    fn set(&self, offset: &str) {
        std::fs::write(&self.file, format!("{offset}\n")).expect("the directory is ours");
    }

    /// Gives it to a program. What measures how long something takes stays as it is, as it does when somebody sets a
    /// clock.
    fn before<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("LD_PRELOAD", fake_clock::library())
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }
}

/// The clock of the relay `name`, in its own directory: it may read nobody else's files.
fn clock_of(trouble: &Trouble, name: &str, offset: &str) -> Clock {
    let home = trouble.place(name).join("relay");
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&home);
    made.expect("the directory is ours");
    Clock::off_by(offset, home.join("clock"))
}

fn start(trouble: &Trouble, name: &str, clock: &Clock) -> EmbeddedRelay {
    let state = trouble.place(name);
    stage::start_with(&trouble.config, &["--state-dir", path(&state)], |command| {
        clock.before(command)
    })
}

/// A relay may delete nothing, so what faketime has left in memory is deleted for it.
fn end(relay: &EmbeddedRelay) {
    let process = relay.relay.process();
    process.signal(Signal::TERM);
    process.finish().must_end_with(0);
    fake_clock::forget(process.pid());
}

fn send(trouble: &Trouble, onion: &str, clock: &Clock, suite: &str, text: &str) -> Run {
    let state = trouble.place("unpunctual");
    let suite = ["--suite", suite];
    stage::send(&trouble.config, &state, onion, &suite, text).with(|command| clock.before(command))
}

pub(crate) fn a_clock_that_is_an_hour_off_is_no_hindrance(trouble: &mut Trouble) {
    let right = Clock::off_by("+0", trouble.place("right"));
    for (name, offset) in [("late", "-1h"), ("early", "+1h")] {
        let wrong = clock_of(trouble, name, offset);
        let relay = start(trouble, name, &wrong);
        // A directory of the network may start to be valid within the hour that is missing: then some can't find the
        // inbox, and it says so.
        relay.must_become_such("reachable, or told why not", |state| {
            state["step"] == "reachable" || state["trouble"] == "clock"
        });
        for suite in ["1", "2"] {
            for clock in [&right, &wrong] {
                let text = format!("{name}, suite {suite}, {}", clock.file.display());
                let sent = send(trouble, &relay.onion, clock, suite, &text);
                sent.finish().must_end_with(0);
                must_have_arrived(&relay.relay, &text);
            }
        }
        wrong.set("+0");
        trouble.must_be_reachable(&relay, "after it was set right");
        end(&relay);
    }
}

pub(crate) fn a_clock_that_is_days_off_is_told_and_may_be_set_right(trouble: &mut Trouble) {
    // Side by side, as it takes more than a minute to be sure of it.
    let relays = [("slow", "-9d"), ("fast", "+9d")].map(|(name, offset)| {
        let clock = clock_of(trouble, name, offset);
        (start(trouble, name, &clock), clock)
    });
    for (relay, clock) in &relays {
        relay.must_become_such("told", |state| state["trouble"] == "clock");
        clock.set("+0");
        trouble.must_be_reachable(relay, "at last");
        end(relay);
    }
}
