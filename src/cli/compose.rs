//! The text of a message: from the command line, a file, a pipe or somebody's typing.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use kkv_base::limits::MAX_TEXT_BYTES;
use kkv_owner::MAX_POST_BYTES;
use kkv_protocol::text::Text;
use kkv_terminal::input::{self, stdin, terminal_is_gone};
use kkv_terminal::stderr::{info, warn};
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};

/// What a text is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Message,
    Answer,
    Post,
    Edit,
}

impl Purpose {
    /// What has not happened to it.
    pub(super) fn undone(self) -> &'static str {
        match self {
            Self::Message => "nothing was sent",
            Self::Answer => "nothing was sealed",
            Self::Post => "nothing was posted",
            Self::Edit => "nothing was changed",
        }
    }

    /// What is said to who types it.
    fn invitation(self) -> &'static str {
        match self {
            Self::Message => {
                "Write your message; Ctrl-D on an empty line sends it, Ctrl-C cancels."
            }
            Self::Answer => "Write your answer; Ctrl-D on an empty line seals it, Ctrl-C cancels.",
            Self::Post => "Write your post; Ctrl-D on an empty line posts it, Ctrl-C cancels.",
            Self::Edit => {
                "Write the new text; Ctrl-D on an empty line puts it in its place, Ctrl-C cancels."
            }
        }
    }

    /// How long it may be.
    fn most_bytes(self) -> usize {
        match self {
            Self::Message | Self::Answer => MAX_TEXT_BYTES,
            Self::Post | Self::Edit => MAX_POST_BYTES,
        }
    }
}

/// Whether a text that is not in the arguments is typed on a terminal, rather than read from `file` or a pipe.
pub(super) fn is_typed(file: Option<&Path>) -> bool {
    file.is_none_or(|path| path.as_os_str() == "-") && io::stdin().is_terminal()
}

/// Takes the text.
pub(super) fn text(
    message: Option<String>,
    file: Option<&Path>,
    purpose: Purpose,
) -> Result<Text, CliError> {
    checked(unchecked(message, file, purpose)?, purpose)
}

/// Takes the text, whatever is in it.
pub(super) fn unchecked(
    message: Option<String>,
    file: Option<&Path>,
    purpose: Purpose,
) -> Result<Zeroizing<String>, CliError> {
    let most = purpose.most_bytes();
    let text = match (message, file) {
        (Some(message), _) => Zeroizing::new(message),
        (None, Some(path)) if path.as_os_str() != "-" => {
            let text = File::open(path).and_then(|file| input::text(file, most));
            text.map_err(|fault| unreadable(&quoted(path), &fault, purpose))?
        }
        _ => {
            let typed = is_typed(None);
            if typed {
                info(purpose.invitation());
            }
            let text = stdin().and_then(|stdin| input::text(stdin, most));
            if typed && terminal_is_gone() {
                // Also if there is an end: half a message is none.
                let what = format!("the terminal is gone; {}", purpose.undone());
                return Err(CliError::new(Exit::Cancelled, what));
            }
            if typed {
                after_typing(&text);
            }
            text.map_err(|fault| unreadable("standard input", &fault, purpose))?
        }
    };
    Ok(text)
}

/// Takes a text that is there, if it can be a message.
pub(super) fn checked(text: Zeroizing<String>, purpose: Purpose) -> Result<Text, CliError> {
    Text::new(text).map_err(|fault| CliError::usage(format!("{fault}; {}", purpose.undone())))
}

/// Leaves the terminal as the shell expects it.
fn after_typing(text: &io::Result<Zeroizing<String>>) {
    match text {
        Ok(text) if !text.ends_with('\n') => warn(""), // the cursor is still behind what was typed
        // The rest of what was pasted is taken away up to Ctrl-D: the shell would run it, line by line.
        Err(fault) if fault.kind() == io::ErrorKind::FileTooLarge => {
            let mut rest = Zeroizing::new(vec![0; 4096]);
            let Ok(mut stdin) = stdin() else { return };
            while matches!(stdin.read(&mut rest), Ok(1..)) {}
        }
        _ => {}
    }
}

fn unreadable(source: &str, fault: &io::Error, purpose: Purpose) -> CliError {
    let failed = CliError::usage(format!("{source}: {fault}; {}", purpose.undone()));
    match (fault.kind(), purpose) {
        (io::ErrorKind::NotFound, Purpose::Message) => {
            failed.hint("It is the name of a file; the message itself follows --message.")
        }
        (io::ErrorKind::NotFound, Purpose::Answer) => {
            failed.hint("It is the name of a file; the answer itself follows --message.")
        }
        (io::ErrorKind::NotFound, Purpose::Post | Purpose::Edit) => {
            failed.hint("It is the name of a file; the post itself follows --message.")
        }
        (io::ErrorKind::FileTooLarge, Purpose::Message) => {
            failed.hint("What is longer can be sent as a file: --file PATH.")
        }
        (io::ErrorKind::FileTooLarge, Purpose::Answer) => {
            failed.hint("Shorten it, or write several: four answers can wait.")
        }
        (io::ErrorKind::InvalidData, Purpose::Message) => {
            failed.hint("This is for text; anything else can be sent as a file: --file PATH.")
        }
        (io::ErrorKind::InvalidData, Purpose::Answer) => failed.hint("An answer is text alone."),
        (io::ErrorKind::InvalidData, Purpose::Post | Purpose::Edit) => {
            failed.hint("A post is text alone.")
        }
        _ => failed,
    }
}
