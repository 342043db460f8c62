//! A text that somebody writes with an editor of theirs, in a file in memory that is wiped when that is closed.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::statfs;
use zeroize::Zeroizing;

use kkv_base::limits::MAX_TEXT_BYTES;
use kkv_terminal::input;
use kkv_ui::error::{CliError, Exit};

/// File systems in memory: tmpfs and ramfs (`linux/magic.h`).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// A directory in memory that goes with this value, and what is in it.
struct PrivateDirectory(PathBuf);

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
    let directory = PrivateDirectory::make()?;
    let path = directory.0.join("answer.txt");
    let failed = |fault: io::Error| {
        let what = format!("can't edit a file in memory: {fault}; nothing was sealed");
        CliError::new(Exit::of_io(&fault), what)
    };
    made(&path).map_err(failed)?;
    let ended = run(&editor, &path).map_err(failed)?;
    if !ended {
        let what = "the editor ended with an error; nothing was sealed";
        return Err(CliError::new(Exit::Cancelled, what));
    }
    let text = File::open(&path).and_then(|file| input::text(file, MAX_TEXT_BYTES));
    text.map_err(|fault| CliError::usage(format!("the answer: {fault}; nothing was sealed")))
}

fn made(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Whether it ended well. `$EDITOR` may have options, so a shell takes it apart.
fn run(editor: &OsString, path: &Path) -> io::Result<bool> {
    let mut script = editor.clone();
    script.push(" \"$1\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").arg(path);
    Ok(command.status()?.success())
}

impl PrivateDirectory {
    fn make() -> Result<Self, CliError> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        for parent in runtime.into_iter().chain(["/dev/shm".into()]) {
            let is_in_memory = statfs(&parent).is_ok_and(|fs| IN_MEMORY.contains(&fs.f_type));
            // No secret, and another one each time: whoever makes it first only has this fail.
            let token = RandomState::new().hash_one(std::process::id());
            let path = parent.join(format!("kkvc-{token:016x}"));
            if is_in_memory && DirBuilder::new().mode(0o700).create(&path).is_ok() {
                return Ok(Self(path));
            }
        }
        let what = "there is no directory in memory to be had ($XDG_RUNTIME_DIR, /dev/shm); nothing was sealed";
        Err(CliError::new(Exit::Refused, what).hint("Type the answer, without --edit."))
    }
}

impl Drop for PrivateDirectory {
    /// Overwrites what editors have left there, their own copies among it, before it is freed.
    fn drop(&mut self) {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        for entry in entries {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if let (true, Ok(metadata)) = (is_file, entry.metadata()) {
                let zeros = vec![0; usize::try_from(metadata.len()).unwrap_or(0).min(1 << 20)];
                let opened = OpenOptions::new().write(true).open(entry.path());
                let _ = opened.and_then(|mut file| file.write_all(&zeros));
            }
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}
