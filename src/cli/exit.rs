//! Exit codes, and what a person is told when something did not work.

use std::process::ExitCode;

use kkv_client::owner::ClientError;
use kkv_terminal::signals::SignalError;
use kkv_terminal::stderr::{error, warn, warn_unwrapped};
use kkv_terminal::visible::{OneLine, Visible};

/// How a command ends. The numbers are part of the interface: see [`CODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Refused = 1,
    Usage = 2,
    Unreachable = 3,
    Full = 4,
    NotPaid = 5,
    BadSignature = 6,
    InDoubt = 7,
    DoneUnreported = 8,
    Internal = 101,
    Cancelled = 130,
}

/// The table in `--help` of the client.
pub(super) const CODES: &str = "\
Exit codes:
  0    done; for send: the relay has accepted the message; for watch: it was told to stop, or nobody reads any more
  1    refused, or there is no such message; it says by whom and why; for doctor: something is wrong
  2    wrong usage or input; nothing was tried
  3    the relay (or Tor) can't be reached; nothing was delivered
  4    the inbox is full; nothing was delivered
  5    the proof of work wasn't found in time, is out of reach, or isn't enough; nothing was delivered
  6    a signature doesn't fit, or an answer is wrong; nothing was delivered
  7    the message was sent, but it can't be known whether it arrived
  8    done, but its result couldn't be written; for send: accepted, don't send it again
  101  internal error (a bug; please report it); what it was doing may have been done or not
  130  cancelled; it says whether anything was sent";

/// The table in `--help` of the relay.
pub(super) const RELAY_CODES: &str = "\
Exit codes:
  0    it was told to stop, and has wiped everything
  1    it can't start, or do it; it says why
  2    wrong usage; nothing was tried
  8    for kkv address: done, but its result couldn't be written
  101  internal error (a bug; please report it); its messages are gone";

/// Something that did not work, as it is told: what happened, then what to do.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) what: String,
    pub(crate) hint: Option<String>,
    /// The lines of `hint` with a command to be pasted.
    pub(super) commands: Vec<String>,
}

impl CliError {
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            hint: None,
            commands: Vec::new(),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a line to the hint: `words`, then a command. It stays one line on every terminal, so that what is pasted is
    /// the whole command.
    pub(crate) fn command(mut self, words: &str, command: &str) -> Self {
        let line = format!("{words}{command}");
        self.commands.push(line.clone());
        self.more(&line)
    }

    /// Adds lines to the hint.
    pub(crate) fn more(mut self, lines: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(hint) => format!("{hint}\n{lines}"),
            None => lines.to_owned(),
        });
        self
    }

    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let what = error.to_string();
        match error {
            ClientError::NotRunning(_) => Self::new(Exit::Unreachable, what).hint(
                "Start it with `kkv &`, or name its socket with --socket if it runs with another one.",
            ),
            ClientError::ServiceOnly(_) => Self::new(Exit::Unreachable, what)
                .hint("Read that one as root, with `sudo kkvc`; or start your own with `kkv &`."),
            ClientError::NotYours(_) => Self::new(Exit::Unreachable, what).hint(
                "Run kkvc as the user who runs kkv, or, if it is a service, as root: `sudo kkvc`.",
            ),
            ClientError::Silent => Self::new(Exit::Unreachable, what)
                .hint("Look with `kkvc list`; if it stays silent, stop it and start it again."),
            ClientError::HungUp => Self::new(Exit::Unreachable, what)
                .hint("Look with `kkvc list`; if nobody answers, kkv has ended, and its messages are gone."),
            ClientError::AnotherRun => Self::new(Exit::Refused, what)
                .hint("Nothing was done to those that are there now. `kkvc list` shows them."),
            ClientError::NoMessage(_) => Self::new(Exit::Refused, what)
                .hint("`kkvc list` shows what is there; it may have been deleted or have expired."),
            ClientError::Unexpected(_) => Self::new(Exit::Refused, what),
        }
    }
}

impl From<SignalError> for CliError {
    fn from(error: SignalError) -> Self {
        Self::new(Exit::Refused, error.to_string())
    }
}

/// Prints the error for `program`, and returns the code to end with.
pub(super) fn report_error(program: &str, failed: &CliError) -> ExitCode {
    // A path or a pasted address may be in it.
    error(&format!("{program}:"), OneLine(&failed.what));
    if let Some(hint) = &failed.hint {
        for line in Visible(hint).to_string().split('\n') {
            if failed.commands.iter().any(|command| command == line) {
                warn_unwrapped(format_args!("  {line}"));
            } else {
                warn(format_args!("  {line}"));
            }
        }
    }
    ExitCode::from(failed.exit as u8)
}
