//! `kkvc save`: files that came with a message, written where one says and nowhere else.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::commands;
use super::output::{print, print_json};
use kkv_client::owner::Client;
use kkv_owner::{FileInfo, MessageId};
use kkv_terminal::signals;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::size;
use kkv_ui::file_name::{numbered, safe};

/// Most names that are tried for one file.
const MAX_NAMES: u32 = 1000;

/// What `save --json` prints.
#[derive(Serialize)]
struct SavedFiles {
    saved: Vec<Saved>,
}

#[derive(Serialize)]
struct Saved {
    file: usize,
    path: String,
    bytes: u64,
}

pub(super) async fn save(
    client: &Client,
    args: commands::Save,
    json: bool,
) -> Result<(), CliError> {
    let stopped = signals::stopped()?;
    tokio::select! {
        done = all_saved(client, args, json) => done,
        () = stopped => Err(CliError::new(
            Exit::Cancelled,
            "cancelled; the file that was being written is gone again",
        )),
    }
}

async fn all_saved(client: &Client, args: commands::Save, json: bool) -> Result<(), CliError> {
    let message = client.message(args.id).await?;
    let files = &message.summary.files;
    let chosen = chosen(args.id, args.file, args.all.is_some(), files)?;
    if let Some(directory) = &args.all {
        make_directory(directory)?;
    }
    let mut saved = Vec::new();
    for number in chosen {
        let file = &files[number - 1];
        let mut new = match (&args.output, &args.all) {
            (Some(path), _) => {
                NewFile::create(path.clone()).map_err(|fault| exists(path, &fault))?
            }
            (None, Some(directory)) => NewFile::in_directory(directory, &file.name)?,
            (None, None) => NewFile::in_directory(Path::new(""), &file.name)?,
        };
        let mut bytes = client.file(args.id, number).await?;
        while let Some(piece) = bytes.next().await? {
            new.write(&piece)?;
        }
        let path = new.keep();
        if !json {
            print(&format!(
                "Saved {} ({}).\n",
                quoted(&path),
                size(file.bytes)
            ))?;
        }
        saved.push(Saved {
            file: number,
            path: path.to_string_lossy().into_owned(),
            bytes: file.bytes,
        });
    }
    match json {
        true => print_json(&SavedFiles { saved }),
        false => Ok(()),
    }
}

/// The numbers of the files that are meant.
fn chosen(
    id: MessageId,
    one: Option<usize>,
    all: bool,
    files: &[FileInfo],
) -> Result<Vec<usize>, CliError> {
    match (one, files.len()) {
        (_, 0) => Err(CliError::new(
            Exit::Refused,
            format!("message {id} has no files"),
        )),
        (Some(number), count) if number > count => {
            let what = format!("message {id} has no file {number}");
            Err(CliError::new(Exit::Refused, what)
                .hint(format!("`kkvc read {id}` shows which files it has.")))
        }
        (Some(number), _) => Ok(vec![number]),
        (None, 1) => Ok(vec![1]),
        (None, count) if all => Ok((1..=count).collect()),
        (None, _) => Err(
            CliError::usage(format!("message {id} has several files")).hint(format!(
                "Name one, as in kkvc save {id} 1, or take all: kkvc save {id} --all DIR."
            )),
        ),
    }
}

/// Makes a directory for this user alone, unless there is one.
fn make_directory(path: &Path) -> Result<(), CliError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(CliError::new(
            Exit::of_io(&fault),
            format!("can't make the directory {}: {fault}", quoted(path)),
        )),
        _ => Ok(()),
    }
}

fn exists(path: &Path, fault: &io::Error) -> CliError {
    let what = format!("can't make {}: {fault}; nothing was saved", quoted(path));
    let failed = CliError::new(Exit::of_io(fault), what);
    match fault.kind() {
        io::ErrorKind::AlreadyExists => failed.hint("It is left as it is: name a new file."),
        _ => failed,
    }
}

/// A file that was made for this, and goes again if it isn't written to its end.
struct NewFile {
    path: PathBuf,
    file: File,
    is_whole: bool,
}

impl NewFile {
    /// A new file for this user alone: never one that is there, nor what a link leads to.
    fn create(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            is_whole: false,
        })
    }

    /// The same in a directory, by what the sender calls it; with a number if there is one of that name.
    fn in_directory(directory: &Path, name: &str) -> Result<Self, CliError> {
        let name = safe(name);
        for number in 1..MAX_NAMES {
            let path = match number {
                1 => directory.join(&name),
                _ => directory.join(numbered(&name, number)),
            };
            match Self::create(path.clone()) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map_err(|fault| exists(&path, &fault)),
            }
        }
        let path = directory.join(name);
        Err(exists(&path, &io::ErrorKind::AlreadyExists.into()))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.file.write_all(bytes).map_err(|fault| {
            let what = format!("can't write {}: {fault}", quoted(&self.path));
            CliError::new(Exit::of_io(&fault), format!("{what}; it is gone again"))
        })
    }

    /// It is written to its end, and stays.
    fn keep(mut self) -> PathBuf {
        self.is_whole = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn nothing_that_is_there_is_written_over_and_nothing_outside_is_touched() {
        let outside = tempfile::tempdir().unwrap();
        let directory = outside.path().join("in");
        make_directory(&directory).unwrap();
        make_directory(&directory).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        fs::write(directory.join("a.txt"), "mine").unwrap();
        symlink(outside.path().join("target"), directory.join("b.txt")).unwrap();
        let mut saved = Vec::new();
        let names = [
            "a.txt",
            "a.txt",
            "b.txt",
            "../a.txt",
            "/etc/passwd",
            "..",
            "a/b",
            "",
            "\u{202e}x",
        ];
        for name in names {
            let mut file = NewFile::in_directory(&directory, name).unwrap();
            file.write(b"theirs").unwrap();
            let path = file.keep();
            assert_eq!((path.parent(), mode(&path)), (Some(&*directory), 0o600));
            assert_eq!(fs::read(&path).unwrap(), b"theirs");
            saved.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
        let expected = [
            "a (2).txt",
            "a (3).txt",
            "b (2).txt",
            "_._a.txt",
            "_etc_passwd",
            "__",
            "a_b",
            "file",
            "_x",
        ];
        assert_eq!(saved, expected);
        assert_eq!(fs::read(directory.join("a.txt")).unwrap(), b"mine");
        let beside: Vec<_> = fs::read_dir(outside.path()).unwrap().collect();
        assert_eq!(beside.len(), 1);
    }

    #[test]
    fn half_a_file_doesnt_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("half");
        let mut half = NewFile::create(path.clone()).unwrap();
        half.write(b"half").unwrap();
        assert!(path.exists());
        drop(half);
        assert!(!path.exists());
        fs::write(&path, "mine").unwrap();
        assert!(NewFile::create(path.clone()).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}
