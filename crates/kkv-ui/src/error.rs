//! Exit codes, and what a person is told when something did not work.

use std::io;

use kkv_client::owner::ClientError;
use kkv_owner::{CantPost, CantReply};
use kkv_terminal::signals::SignalError;

use crate::fields::time;

/// How a command ends. The numbers are part of the interface: `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Refused, by the relay or by the system, or there is no such thing.
    Refused = 1,
    /// Wrong usage or input; nothing was tried.
    Usage = 2,
    /// The relay, or Tor, can't be reached.
    Unreachable = 3,
    /// The inbox is full.
    Full = 4,
    /// The proof of work wasn't found in time, is out of reach, or isn't enough.
    NotPaid = 5,
    /// A signature doesn't fit, or an answer is wrong.
    BadSignature = 6,
    /// The message was sent, but it can't be known whether it arrived.
    InDoubt = 7,
    /// Done, but its result couldn't be written.
    DoneUnreported = 8,
    /// There is a conversation, and no answer in it yet.
    NothingYet = 9,
    /// There is no conversation of these words, or not any more.
    NoConversation = 10,
    /// Internal error: a bug.
    Internal = 101,
    /// Cancelled.
    Cancelled = 130,
}

impl Exit {
    /// What it comes to that the system didn't take or give a file: wrong usage where another name mends it, and else
    /// refused, as by a full disk or a missing permission.
    #[must_use]
    pub fn of_io(fault: &io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::InvalidData => Self::Usage,
            _ => Self::Refused,
        }
    }
}

/// Something that did not work, as it is told: what happened, then what to do.
#[derive(Debug)]
pub struct CliError {
    /// How the command ends.
    pub exit: Exit,
    /// What happened.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
    /// The lines of `hint` with a command to be pasted.
    pub commands: Vec<String>,
}

impl CliError {
    /// Without a hint.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            hint: None,
            commands: Vec::new(),
        }
    }

    /// With this hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a line to the hint: `words`, then a command. It stays one line on every terminal, so that what is pasted is
    /// the whole command.
    #[must_use]
    pub fn command(mut self, words: &str, command: &str) -> Self {
        let line = format!("{words}{command}");
        self.commands.push(line.clone());
        self.more(&line)
    }

    /// Adds lines to the hint.
    #[must_use]
    pub fn more(mut self, lines: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(hint) => format!("{hint}\n{lines}"),
            None => lines.to_owned(),
        });
        self
    }

    /// Wrong usage or input.
    pub fn usage(what: impl Into<String>) -> Self {
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
            ClientError::NotASocket(_) => Self::new(Exit::Unreachable, what)
                .hint("Name the socket that `kkv` shows when it starts (the line \"owner\"), with --socket."),
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
            ClientError::CantReply(_, CantReply::Unfetched) => Self::new(Exit::Refused, what)
                .hint("Nothing was sealed. Answers are fetched when their senders look: try again later, or take them back with `kkvc reply --withdraw`."),
            ClientError::CantReply(_, CantReply::NoPlace { conversation, waiting, since }) => {
                let there = match waiting {
                    1 => format!("the answer that waits there, since {}", time(since)),
                    _ => format!("the {waiting} answers that wait there, the oldest since {}", time(since)),
                };
                Self::new(Exit::Refused, what).hint(format!(
                    "Nothing was sealed. Answers are fetched when their senders look: try again later, or take back with \
                     `kkvc reply --withdraw {conversation}` {there}."
                ))
            }
            ClientError::CantReply(..) => Self::new(Exit::Refused, what)
                .hint("Nothing was sealed. A later message of theirs that asks for an answer can be answered."),
            ClientError::TooOldToInvite => Self::new(Exit::Refused, what)
                .hint("End it and start the newer one; its messages are gone then."),
            ClientError::NoIdentity => Self::new(Exit::Refused, what)
                .hint("`kkvc me new` makes one, and `kkvc me restore` brings one back by its words."),
            ClientError::TooOldForIdentities => Self::new(Exit::Refused, what)
                .hint("End it and start the newer one; its messages are gone then."),
            ClientError::CantPost(CantPost::HasIdentity) => Self::new(Exit::Refused, what)
                .hint("`kkvc me show` shows it; `kkvc me forget` wipes it."),
            ClientError::CantPost(CantPost::NoPost(_)) => Self::new(Exit::Refused, what)
                .hint("`kkvc feed` shows what is there; it may have been deleted or have expired."),
            ClientError::TooManyInvitations => Self::new(Exit::Refused, what)
                .hint("`kkvc invite list` shows them, and `kkvc invite revoke` ends one."),
            ClientError::InvitesNobody | ClientError::CantPost(_) | ClientError::Unexpected(_) => Self::new(Exit::Refused, what),
        }
    }
}

impl From<SignalError> for CliError {
    fn from(error: SignalError) -> Self {
        Self::new(Exit::Refused, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_name_mends_is_wrong_usage_and_what_the_system_refuses_is_not() {
        for (kind, exit) in [
            (io::ErrorKind::NotFound, Exit::Usage),
            (io::ErrorKind::IsADirectory, Exit::Usage),
            (io::ErrorKind::InvalidData, Exit::Usage),
            (io::ErrorKind::StorageFull, Exit::Refused),
            (io::ErrorKind::PermissionDenied, Exit::Refused),
            (io::ErrorKind::ReadOnlyFilesystem, Exit::Refused),
        ] {
            assert_eq!(Exit::of_io(&kind.into()), exit, "{kind:?}");
        }
    }
}
