//! The text of a message: from the command line, a file, a pipe or somebody's typing.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::exit::Failed;
use super::input::stdin;
use super::output::{complain, say};
use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::text::Text;

/// Takes the text.
pub(super) fn text(message: Option<String>, file: Option<&Path>) -> Result<Text, Failed> {
    let text = match (message, file) {
        (Some(message), _) => Zeroizing::new(message),
        (None, Some(path)) if path.as_os_str() != "-" => {
            let file = File::open(path).map_err(|fault| match fault.kind() {
                io::ErrorKind::NotFound => unreadable(path, &fault)
                    .hint("It is the name of a file; the message itself follows --message."),
                _ => unreadable(path, &fault),
            })?;
            read(file).map_err(|fault| unreadable(path, &fault))?
        }
        _ => {
            let typed = io::stdin().is_terminal();
            if typed {
                say("Write your message; Ctrl-D on an empty line sends it, Ctrl-C cancels.");
            }
            let text = stdin().and_then(read);
            if typed {
                after_typing(&text);
            }
            text.map_err(|fault| unreadable(Path::new("standard input"), &fault))?
        }
    };
    Text::new(text).map_err(|fault| Failed::usage(format!("{fault}; nothing was sent")))
}

/// Leaves the terminal as the shell expects it.
fn after_typing(text: &io::Result<Zeroizing<String>>) {
    match text {
        Ok(text) if !text.ends_with('\n') => complain(""), // the cursor is still behind what was typed
        // The rest of what was pasted is taken away up to Ctrl-D: the shell would run it, line by line.
        Err(fault) if fault.kind() == io::ErrorKind::FileTooLarge => {
            let mut rest = Zeroizing::new(vec![0; 4096]);
            let Ok(mut stdin) = stdin() else { return };
            while matches!(stdin.read(&mut rest), Ok(1..)) {}
        }
        _ => {}
    }
}

/// Reads at most one byte more than fits, into one buffer that is wiped.
fn read(source: impl Read) -> io::Result<Zeroizing<String>> {
    let limit = MAX_TEXT_BYTES + 1;
    // More room than is ever read, so that it never moves and leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 32));
    source.take(limit as u64).read_to_end(&mut bytes)?;
    if bytes.len() == limit {
        let what = format!("the message is longer than {MAX_TEXT_BYTES} bytes, the most that fit");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(fault) => {
            drop(Zeroizing::new(fault.into_bytes()));
            let what = "it isn't UTF-8 text, and only text can be sent";
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

fn unreadable(path: &Path, fault: &io::Error) -> Failed {
    Failed::usage(format!("{}: {fault}; nothing was sent", path.display()))
}
