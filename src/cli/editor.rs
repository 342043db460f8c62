//! A text that somebody writes with an editor of theirs, in a file in memory that is wiped when it is done with.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use zeroize::Zeroizing;

use kkv_base::limits::MAX_TEXT_BYTES;
use kkv_terminal::input;
use kkv_terminal::visible::Visible;
use kkv_terminal::writer::{Sink, written_late};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::private_directory::PrivateDirectory;

/// What it is called there.
const FILE: &str = "answer.txt";

/// Most that is shown of a text, which may be too long to be one: what fits, ten times.
const MAX_SHOWN_BYTES: u64 = 10 * MAX_TEXT_BYTES as u64;

/// What is being written. It is wiped when this is dropped.
pub(super) struct Draft {
    editor: OsString,
    directory: PrivateDirectory,
}

/// What is in it, to be shown.
pub(super) struct Shown(Zeroizing<String>);

impl Draft {
    /// An empty one, for the editor that `$VISUAL` or `$EDITOR` names.
    ///
    /// # Errors
    /// None is named, or there is no directory in memory.
    pub(super) fn begin() -> Result<Self, CliError> {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let editor = named("VISUAL").or_else(|| named("EDITOR")).ok_or_else(|| {
            CliError::usage("no editor is named; nothing was sealed")
                .hint("Name one: EDITOR=nano. Or type the answer, without --edit.")
        })?;
        let directory = PrivateDirectory::make().ok_or_else(|| {
        let what = "there is no directory in memory to be had ($XDG_RUNTIME_DIR, /dev/shm); nothing was sealed";
        CliError::new(Exit::Refused, what).hint("Type the answer, without --edit.")
    })?;
        directory.create(FILE).map_err(|fault| failed(&fault))?;
        Ok(Self { editor, directory })
    }

    /// Opens the editor on it, and takes what is in it when that ends. Blocks.
    ///
    /// # Errors
    /// The editor fails, or the text can't be read.
    pub(super) fn edit(&self) -> Result<Zeroizing<String>, CliError> {
        let path = self.directory.path().join(FILE);
        let lock = self.directory.lock_for_a_command();
        let lock = lock.map_err(|fault| failed(&fault))?;
        let ended = run(&self.editor, &path).map_err(|fault| failed(&fault))?;
        drop(lock);
        if !ended {
            let what = "the editor ended with an error; nothing was sealed";
            return Err(CliError::new(Exit::Cancelled, what));
        }
        let text = self.directory.open(FILE);
        let text = text.and_then(|file| input::text(file, MAX_TEXT_BYTES));
        text.map_err(|fault| CliError::usage(format!("the answer: {fault}; nothing was sealed")))
    }

    /// What is in it, whether it can be an answer or not; `None` if that is nothing.
    pub(super) fn shown(&self) -> Option<Shown> {
        let most = MAX_SHOWN_BYTES;
        let mut bytes = Zeroizing::new(Vec::with_capacity(most as usize + 32));
        let file = self.directory.open(FILE).ok()?;
        file.take(most).read_to_end(&mut bytes).ok()?;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        (!text.trim().is_empty()).then_some(Shown(text))
    }
}

impl Shown {
    /// Shows it, and waits until the terminal has it. Blocks.
    pub(super) fn show(&self) {
        let text = Visible(self.0.trim_end());
        let shown = Zeroizing::new(format!("{text}\n").into_bytes());
        // Of a terminal that is gone nothing is to be had.
        _ = written_late(Sink::Err, shown);
    }
}

fn failed(fault: &io::Error) -> CliError {
    let what = format!("can't edit a file in memory: {fault}; nothing was sealed");
    CliError::new(Exit::of_io(fault), what)
}

/// Whether it ended well. `$EDITOR` may have options, so a shell takes it apart.
fn run(editor: &OsString, path: &Path) -> io::Result<bool> {
    let mut script = editor.clone();
    script.push(" \"$1\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").arg(path);
    Ok(command.status()?.success())
}
