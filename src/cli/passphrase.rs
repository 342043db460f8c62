//! Where a passphrase comes from: a terminal that doesn't show it, or a file. Never an argument or the environment,
//! which others can see.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use super::cancel::unless_stopped;
use kkv_base::limits::MAX_PASSPHRASE_BYTES;
use kkv_client::contacts::{FileError, Passphrase};
use kkv_protocol::crypto::scrub;
use kkv_terminal::bar::{columns_of, hanging};
use kkv_terminal::input::{is_of_no_terminal, stdin};
use kkv_terminal::stderr::warn;
use kkv_terminal::visible::{OneLine, quoted};
use kkv_terminal::writer::{self, Sink};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::secret_file;

/// How often a passphrase is asked for that may have been mistyped.
const TRIES: u32 = 3;
/// What stands for no key (`_POSIX_VDISABLE` of Linux).
const DISABLED: u8 = 0;

/// Opens an existing `book`, which `open` does, with its passphrase: from `file`, or asked for, and again for `program`
/// if it is wrong.
pub(super) async fn opened<T>(
    file: Option<&Path>,
    book: &Path,
    program: &str,
    mut open: impl FnMut(Passphrase) -> Result<T, FileError>,
) -> Result<Result<T, FileError>, CliError> {
    if let Some(file) = file {
        return Ok(open(of_file(file).await?));
    }
    for _ in 1..TRIES {
        match open(unless_stopped(asked(book)).await?) {
            Err(FileError::WrongPassphrase) => {
                warn(format_args!(
                    "{program}: the passphrase is wrong; try again"
                ));
            }
            opened => return Ok(opened),
        }
    }
    Ok(open(unless_stopped(asked(book)).await?))
}

/// The passphrase of a `book` that is to be made: from `file`, or asked for twice.
pub(super) async fn new(file: Option<&Path>, book: &Path) -> Result<Passphrase, CliError> {
    match file {
        Some(file) => of_file(file).await,
        None => unless_stopped(asked_twice(book)).await,
    }
}

async fn of_file(path: &Path) -> Result<Passphrase, CliError> {
    let mut line = secret_file::read_passphrase(path).await?;
    // Blank lines behind it are an editor's; a blank at the end of the line may be meant.
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Passphrase::new(&line).map_err(|fault| CliError::usage(format!("{}: {fault}", quoted(path))))
}

async fn asked(book: &Path) -> Result<Passphrase, CliError> {
    let terminal = Terminal::silent()?;
    let book = book.to_string_lossy();
    terminal
        .line(&format!("Passphrase of {}:", OneLine(&book)))
        .await
}

async fn asked_twice(book: &Path) -> Result<Passphrase, CliError> {
    let terminal = Terminal::silent()?;
    warn(format_args!(
        "{} will be made, encrypted with a passphrase. Whoever gets hold of it can try \
         passphrases on it, so take a long one; without it nobody can open the file.",
        OneLine(&book.to_string_lossy())
    ));
    let one = terminal.line("New passphrase:").await?;
    let other = terminal.line("The same again:").await?;
    if one.is_same(&other) {
        Ok(one)
    } else {
        Err(CliError::usage(
            "the two passphrases differ; nothing was made",
        ))
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Terminal {
    input: File,
    before: Termios,
    /// Where questions go.
    output: Sink,
}

impl Terminal {
    /// The terminal on standard input and error, or, where they are something else, the one that the program was
    /// started from.
    fn silent() -> Result<Self, CliError> {
        let (input, output) = if io::stdin().is_terminal() && io::stderr().is_terminal() {
            (stdin(), Sink::Err)
        } else {
            let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
            let output = terminal
                .as_ref()
                .ok()
                .and_then(|file| file.try_clone().ok());
            (
                terminal,
                output.map_or(Sink::Err, |file| Sink::Terminal(Arc::new(file))),
            )
        };
        let silent = input.and_then(|input| {
            let before = tcgetattr(&input)?;
            let mut silent = before.clone();
            silent
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ECHONL);
            // A shell's fg would turn the echo on again, and a quit leave it off.
            for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
                silent.special_codes[key] = DISABLED;
            }
            tcsetattr(&input, OptionalActions::Flush, &silent)?;
            Ok(Self {
                input,
                before,
                output,
            })
        });
        silent.map_err(|_| {
            CliError::usage("there is no terminal to ask for the passphrase on")
                .hint("Name a file that has it in one line, with --passphrase-file.")
        })
    }

    /// Asks for one line.
    async fn line(&self, question: &str) -> Result<Passphrase, CliError> {
        let columns = match &self.output {
            Sink::Terminal(file) => columns_of(file),
            Sink::Out | Sink::Err => columns_of(io::stderr()),
        };
        self.show(&format!("{} ", *hanging(question, columns)));
        let input = self.input.try_clone().map_err(|fault| unread(&fault))?;
        // On a thread of its own, since a signal can't interrupt somebody who types.
        let line = tokio::task::spawn_blocking(|| scrub::run_then_wipe_stack(|| read_line(input)));
        let line = line.await.expect("reading does not panic");
        self.show("\n"); // Enter wasn't shown either
        let line = line.map_err(|fault| unread(&fault))?;
        let Some(line) = line else {
            return Err(CliError::new(
                Exit::Cancelled,
                "no passphrase was given; nothing was done",
            ));
        };
        Passphrase::new(&line).map_err(|fault| CliError::usage(fault.to_string()))
    }

    fn show(&self, text: &str) {
        writer::words(self.output.clone(), text.to_owned());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.input, OptionalActions::Now, &self.before);
    }
}

fn unread(fault: &io::Error) -> CliError {
    CliError::usage(format!("can't read the passphrase: {fault}"))
}

/// Reads a line, and nothing behind it, into one buffer that is wiped; none if there is only the end. The rest of one
/// that is too long is dropped.
fn read_line(mut input: File) -> io::Result<Option<Zeroizing<String>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE_BYTES + 1));
    let mut byte = Zeroizing::new([0; 1]);
    loop {
        let read = match input.read(&mut *byte) {
            Err(fault) if is_of_no_terminal(&fault) => return Ok(None),
            read => read?,
        };
        match read {
            0 if line.is_empty() => return Ok(None),
            0 => break,
            _ if byte[0] == b'\n' => break,
            _ if line.len() <= MAX_PASSPHRASE_BYTES => line.push(byte[0]),
            _ => {}
        }
    }
    match String::from_utf8(std::mem::take(&mut *line)) {
        Ok(line) => Ok(Some(Zeroizing::new(line))),
        Err(fault) => {
            drop(Zeroizing::new(fault.into_bytes()));
            Err(io::Error::new(io::ErrorKind::InvalidData, "it isn't UTF-8"))
        }
    }
}
