//! Questions that a person answers on a terminal.

use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use zeroize::Zeroizing;

use kkv_terminal::bar::{columns_of, hanging};
use kkv_terminal::input::is_of_no_terminal;
use kkv_terminal::signals::{self, Listening};
use kkv_terminal::stderr::warn;
use kkv_terminal::writer::{self, Sink};
use kkv_ui::error::{CliError, Exit};

/// How often a question is asked that gets neither a yes nor a no.
const TRIES: u32 = 3;
/// A terminal that takes a question later than this was stopped, or far behind.
const BEHIND: Duration = Duration::from_secs(1);
/// A signal is looked for so often while an answer is waited for.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// Whether there is somebody to ask, who sees the question and can answer.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What somebody says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// Nothing: a blank line, or nobody there any more.
    Nothing,
    /// Something else.
    Neither,
}

/// Refuses to do without being asked what can't be undone, where nobody can be: `act` is what --yes would do.
pub(super) fn require_yes_or_terminal(yes: bool, act: &str) -> Result<(), CliError> {
    if yes || can_ask() {
        return Ok(());
    }
    let what = format!("there is no terminal to ask on; say --yes to {act}");
    Err(CliError::usage(what))
}

/// Asks, once more if the answer is neither yes nor no, and takes anything but a yes for a no then. Blocks.
///
/// # Errors
/// As for [`ask`].
pub(super) fn confirm(question: &str) -> Result<bool, CliError> {
    for _ in 1..TRIES {
        match ask(question)? {
            Answer::Yes => return Ok(true),
            Answer::No | Answer::Nothing => return Ok(false),
            Answer::Neither => warn("That is neither yes nor no."),
        }
    }
    Ok(ask(question)? == Answer::Yes)
}

/// Asks. Blocks.
///
/// # Errors
/// The program is asked to end meanwhile, or the answer can't be read.
pub(super) fn ask(question: &str) -> Result<Answer, CliError> {
    let _listening = Listening::begin()?;
    if !show_question(question) || !is_answered() {
        warn(""); // the cursor is still behind the question
        return Err(CliError::new(
            Exit::Cancelled,
            "cancelled; nothing was done",
        ));
    }
    let mut answer = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut answer) {
        Err(fault) if !is_of_no_terminal(&fault) => {
            return Err(CliError::usage(format!("can't read your answer: {fault}")));
        }
        Err(_) => return Ok(Answer::Nothing), // nobody is there any more
        Ok(_) => {}
    }
    if !answer.ends_with(b"\n") {
        warn(""); // Ctrl-D leaves the cursor behind the question
    }
    // What is no UTF-8 is no yes either.
    let answer = String::from_utf8_lossy(&answer).trim().to_lowercase();
    Ok(match &*answer {
        "y" | "yes" => Answer::Yes,
        "n" | "no" => Answer::No,
        "" => Answer::Nothing,
        _ => Answer::Neither,
    })
}

/// Waits until a line has been typed. False if the program is asked to end before.
fn is_answered() -> bool {
    let stdin = io::stdin();
    loop {
        if signals::stop_is_requested() {
            return false;
        }
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => return true, // a line, or nobody there any more: reading tells
        }
    }
}

/// Shows the question. False if the program is asked to end meanwhile.
///
/// What was typed before the question can be seen doesn't answer it. So typed keys are dropped before it is written,
/// and once more if the terminal took it late. They are not dropped a second time otherwise: an answer that comes at
/// once would be lost.
fn show_question(question: &str) -> bool {
    let drop_typed = || _ = tcflush(io::stdin(), QueueSelector::IFlush);
    drop_typed();
    let room = columns_of(io::stderr()).map(|all| all - 1); // for what is typed behind it
    let question = hanging(&format!("{question} [y/N]"), room);
    let question = Zeroizing::new(format!("{} ", *question).into_bytes());
    let (taken, late) = writer::written_late(Sink::Err, question);
    if late >= BEHIND {
        drop_typed();
    }
    !taken.is_err_and(|fault| fault.kind() == io::ErrorKind::Interrupted)
}
