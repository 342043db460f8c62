//! Questions that a person answers on a terminal.

use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;

use rustix::termios::{QueueSelector, tcflush};
use zeroize::Zeroizing;

use super::exit::Failed;
use super::input::is_of_no_terminal;
use super::output::complain;
use super::writer::{self, Sink};

/// A terminal that takes a question later than this was stopped, or far behind.
const BEHIND: Duration = Duration::from_secs(1);

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
    if !ask(question) {
        return Ok(Answer::Neither);
    }
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

/// Shows the question. False if the program is asked to end meanwhile.
///
/// What was typed before the question can be seen doesn't answer it. So typed keys are dropped before it is written,
/// and once more if the terminal took it late. They are not dropped a second time otherwise: an answer that comes at
/// once would be lost.
fn ask(question: &str) -> bool {
    let drop_typed = || _ = tcflush(io::stdin(), QueueSelector::IFlush);
    drop_typed();
    let question = Zeroizing::new(format!("{question} [y/N] ").into_bytes());
    let (taken, late) = writer::written_late(Sink::Err, question);
    if late >= BEHIND {
        drop_typed();
    }
    !taken.is_err_and(|fault| fault.kind() == io::ErrorKind::Interrupted)
}
