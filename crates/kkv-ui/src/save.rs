//! Files that came with a message, saved: never over one that is there, and never outside of where they were to go.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{CliError, Exit};
use crate::file_name::{numbered, safe};
use kkv_client::owner::Client;
use kkv_owner::MessageId;
use kkv_terminal::visible::quoted;

/// Most names that are tried for one file.
const MAX_NAMES: u32 = 1000;

/// Makes a directory for this user alone, unless there is one.
///
/// # Errors
/// It can't be made.
pub fn make_directory(path: &Path) -> Result<(), CliError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(CliError::new(
            Exit::of_io(&fault),
            format!("can't make the directory {}: {fault}", quoted(path)),
        )),
        _ => Ok(()),
    }
}

fn exists(path: &Path, fault: &io::Error) -> CliError {
    let what = format!("can't make {}: {fault}; it was not saved", quoted(path));
    let failed = CliError::new(Exit::of_io(fault), what);
    match fault.kind() {
        io::ErrorKind::AlreadyExists => failed.hint("It is left as it is: name a new file."),
        _ => failed,
    }
}

/// A file that was made for this, and goes again if it isn't written to its end.
#[derive(Debug)]
pub struct NewFile {
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

    /// The same.
    ///
    /// # Errors
    /// It can't be made, or is there.
    pub fn at(path: &Path) -> Result<Self, CliError> {
        Self::create(path.to_owned()).map_err(|fault| exists(path, &fault))
    }

    /// The same in a directory, by what the sender calls it; with a number if there is one of that name.
    ///
    /// # Errors
    /// It can't be made.
    pub fn in_directory(directory: &Path, name: &str) -> Result<Self, CliError> {
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

    /// Writes a file of a message into it, which stays then: where it is.
    ///
    /// # Errors
    /// The relay doesn't give it, or it can't be written.
    pub async fn fill(
        mut self,
        client: &Client,
        id: MessageId,
        number: usize,
    ) -> Result<PathBuf, CliError> {
        let mut bytes = client.file(id, number).await?;
        while let Some(piece) = bytes.next().await? {
            self.write(&piece)?;
        }
        Ok(self.keep())
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
