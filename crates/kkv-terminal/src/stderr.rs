//! Words on standard error, for people: what is done, what has gone wrong, and how much of that is said. Standard
//! output has what was asked for and nothing else.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use crate::bar::{columns_of, hanging};
use crate::colour;
use crate::writer::{self, Sink};

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// What has gone wrong, and questions.
    Quiet,
    /// Also what is done.
    Normal,
    /// Also how.
    Verbose,
}

static VERBOSITY: OnceLock<Verbosity> = OnceLock::new();

/// Says how much is to be said from now on. Nothing changes it later.
pub fn set_verbosity(verbosity: Verbosity) {
    let _ = VERBOSITY.set(verbosity);
}

/// How much is to be said.
pub fn verbosity() -> Verbosity {
    VERBOSITY.get().copied().unwrap_or(Verbosity::Normal)
}

/// Says what is done, in a line on standard error. Whether anybody hears it changes nothing of what is done.
pub fn info(line: impl Display) {
    if verbosity() != Verbosity::Quiet {
        warn(line);
    }
}

/// Says how it is done, to who has asked for it.
pub fn verbose(line: impl Display) {
    if verbosity() == Verbosity::Verbose {
        warn(line);
    }
}

/// Says what has gone wrong, to whoever may hear it. Nothing waits until somebody does.
pub fn warn(line: impl Display) {
    let line = hanging(&line.to_string(), columns_of(io::stderr()));
    writer::words(Sink::Err, format!("{}\n", *line));
}

/// The same of a command that is there to be pasted: a line feed or a space that isn't part of it would make another of
/// it. No stranger has written it.
pub fn warn_unwrapped(command: impl Display) {
    writer::words(Sink::Err, format!("{command}\n"));
}

/// The same of a command that follows from what is done.
pub fn info_unwrapped(command: impl Display) {
    if verbosity() != Verbosity::Quiet {
        warn_unwrapped(command);
    }
}

/// The same, behind a `label` that is seen.
pub fn error(label: &str, words: impl Display) {
    let line = hanging(&format!("{label} {words}"), columns_of(io::stderr()));
    let line = match line.strip_prefix(label) {
        Some(words) => format!("{}{words}\n", colour::error(label)),
        None => format!("{}\n", *line), // the terminal is narrower than the label
    };
    writer::words(Sink::Err, line);
}

/// Rings the bell of the terminal that this runs on, if it runs on one.
pub fn ring_bell() {
    let bell = "\x07".to_owned();
    if io::stderr().is_terminal() {
        writer::words(Sink::Err, bell);
    } else if io::stdout().is_terminal() {
        writer::words(Sink::Out, bell);
    }
}
