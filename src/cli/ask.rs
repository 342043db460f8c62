//! Questions that a person answers on a terminal.

use std::io::{self, BufRead, IsTerminal};

use rustix::termios::{QueueSelector, tcflush};

use super::exit::Failed;
use super::input::is_of_no_terminal;
use super::output::complain;
use super::writer::{self, Sink};

/// Whether there is somebody to ask, who sees the question and can answer.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What somebody says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// Something else, or nothing.
    Neither,
}

/// Asks, and takes anything but a yes for a no. Blocks.
pub(super) fn agreed(question: &str) -> Result<bool, Failed> {
    Ok(answer(question)? == Answer::Yes)
}

/// Asks. Blocks.
pub(super) fn answer(question: &str) -> Result<Answer, Failed> {
    writer::words(Sink::Err, format!("{question} [y/N] "));
    // What was typed before the question was asked doesn't answer it.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Err(fault) if !is_of_no_terminal(&fault) => {
            return Err(Failed::usage(format!("can't read your answer: {fault}")));
        }
        Err(_) => return Ok(Answer::Neither), // nobody is there any more
        Ok(_) => {}
    }
    if !answer.ends_with('\n') {
        complain(""); // Ctrl-D leaves the cursor behind the question
    }
    Ok(match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        "n" | "no" => Answer::No,
        _ => Answer::Neither,
    })
}
