//! A text that somebody writes with an editor of theirs, in a file in memory that is wiped when that is closed.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use zeroize::Zeroizing;

use kkv_base::limits::MAX_TEXT_BYTES;
use kkv_terminal::input;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::private_directory::PrivateDirectory;

/// What it is called there.
const FILE: &str = "answer.txt";

/// Opens the editor that `$VISUAL` or `$EDITOR` names on an empty file, and takes what is in it when it ends. Blocks.
///
/// # Errors
/// None is named, it fails, or there is no directory in memory; or the text can't be read.
pub(super) fn text() -> Result<Zeroizing<String>, CliError> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).ok_or_else(|| {
        CliError::usage("no editor is named; nothing was sealed")
            .hint("Name one: EDITOR=nano. Or type the answer, without --edit.")
    })?;
    let directory = PrivateDirectory::make().ok_or_else(|| {
        let what = "there is no directory in memory to be had ($XDG_RUNTIME_DIR, /dev/shm); nothing was sealed";
        CliError::new(Exit::Refused, what).hint("Type the answer, without --edit.")
    })?;
    let path = directory.path().join(FILE);
    let failed = |fault: io::Error| {
        let what = format!("can't edit a file in memory: {fault}; nothing was sealed");
        CliError::new(Exit::of_io(&fault), what)
    };
    directory.create(FILE).map_err(failed)?;
    let lock = directory.lock_for_a_command().map_err(failed)?;
    let ended = run(&editor, &path).map_err(failed)?;
    drop(lock);
    if !ended {
        let what = "the editor ended with an error; nothing was sealed";
        return Err(CliError::new(Exit::Cancelled, what));
    }
    let text = directory
        .open(FILE)
        .and_then(|file| input::text(file, MAX_TEXT_BYTES));
    text.map_err(|fault| CliError::usage(format!("the answer: {fault}; nothing was sealed")))
}

/// Whether it ended well. `$EDITOR` may have options, so a shell takes it apart.
fn run(editor: &OsString, path: &Path) -> io::Result<bool> {
    let mut script = editor.clone();
    script.push(" \"$1\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").arg(path);
    Ok(command.status()?.success())
}
