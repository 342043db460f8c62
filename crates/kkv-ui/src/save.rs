//! Files that came with a message, saved: never over one that is there, and never outside of where they were to go.

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, fstat, open};

use crate::advice::keep_from_writing;
use crate::error::{CliError, Exit};
use crate::file_name::{numbered, safe};
use crate::new_file::{NewFile, TO_NAME};
use kkv_client::owner::Client;
use kkv_net::process::own_uid;
use kkv_owner::MessageId;
use kkv_terminal::visible::quoted;

/// Most names that are tried for one file.
const MAX_NAMES: u32 = 1000;

/// A directory for files whose names their sender has chosen. It is opened once: whatever its path leads to later, they
/// are made in it.
#[derive(Debug)]
pub struct SaveDirectory {
    path: PathBuf,
    directory: Arc<OwnedFd>,
}

impl SaveDirectory {
    /// The directory that one works in.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn current() -> Result<Self, CliError> {
        Self::opened(Path::new(""), OFlags::empty())
    }

    /// This one, which is made for this user alone unless it is there.
    ///
    /// # Errors
    /// It can't be made or opened; it is another user's, others may write to it, or the path ends with a link: who made
    /// that would choose where files go whose names a stranger chose.
    pub fn make(path: &Path) -> Result<Self, CliError> {
        let path: PathBuf = path.components().collect(); // a slash behind a link would follow it
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => {
                return Err(CliError::new(
                    Exit::of_io(&fault),
                    format!("can't make the directory {}: {fault}", quoted(&path)),
                ));
            }
            _ => {}
        }
        let opened = Self::opened(&path, OFlags::NOFOLLOW)?;
        opened.require_own()?;
        Ok(opened)
    }

    fn opened(path: &Path, more: OFlags) -> Result<Self, CliError> {
        let here = Path::new(".");
        let opened = if path.as_os_str().is_empty() {
            here
        } else {
            path
        };
        let directory = open(opened, TO_NAME | more, Mode::empty());
        let directory = directory.map_err(|fault| {
            let shown = quoted(path);
            let fault = io::Error::from(fault);
            if fault.kind() == io::ErrorKind::NotADirectory {
                let what = format!("{shown} is no directory, or a link to one");
                return CliError::usage(what).hint("Name the directory itself, or a new one.");
            }
            let what = format!("can't use the directory {shown}: {fault}");
            CliError::new(Exit::of_io(&fault), what)
        })?;
        Ok(Self {
            path: path.to_owned(),
            directory: Arc::new(directory),
        })
    }

    /// Refuses it where somebody else has a say in what is there.
    fn require_own(&self) -> Result<(), CliError> {
        let shown = quoted(&self.path);
        let stat = fstat(&*self.directory).map_err(|fault| {
            let fault = io::Error::from(fault);
            let what = format!("can't use the directory {shown}: {fault}");
            CliError::new(Exit::of_io(&fault), what)
        })?;
        let refused = |what: &str| CliError::usage(format!("{shown} {what}"));
        if stat.st_uid != own_uid() {
            return Err(refused("is another user's").hint("Name a new directory."));
        }
        if stat.st_mode & 0o022 != 0 {
            let advice = keep_from_writing(&self.path, own_uid());
            let advice = advice.map_or_else(String::new, |command| format!(", or: {command}"));
            return Err(refused("can be written to by other users").hint(format!(
                "Name a new directory{advice}{}",
                if advice.is_empty() { "." } else { "" }
            )));
        }
        Ok(())
    }

    /// A new file in it, by what the sender calls it; with a number if there is one of that name.
    ///
    /// # Errors
    /// It can't be made.
    pub fn create(&self, name: &str) -> Result<SavedFile, CliError> {
        let name = safe(name);
        for number in 1..MAX_NAMES {
            let name = match number {
                1 => name.clone(),
                _ => numbered(&name, number),
            };
            let path = self.path.join(&name);
            match NewFile::create_in(&self.directory, OsStr::new(&name)) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
                Err(fault) => return Err(unmade(&path, &fault)),
                Ok(file) => return Ok(SavedFile { path, file }),
            }
        }
        let path = self.path.join(name);
        Err(unmade(&path, &io::ErrorKind::AlreadyExists.into()))
    }
}

fn unmade(path: &Path, fault: &io::Error) -> CliError {
    let what = format!("can't make {}: {fault}; it was not saved", quoted(path));
    let failed = CliError::new(Exit::of_io(fault), what);
    match fault.kind() {
        io::ErrorKind::AlreadyExists => failed.hint("It is left as it is: name a new file."),
        _ => failed,
    }
}

/// A file that was made to save one of a message, and goes again if it isn't written to its end.
#[derive(Debug)]
pub struct SavedFile {
    path: PathBuf,
    file: NewFile,
}

impl SavedFile {
    /// A new file at this path.
    ///
    /// # Errors
    /// It can't be made, or is there.
    pub fn at(path: &Path) -> Result<Self, CliError> {
        let file = NewFile::create(path).map_err(|fault| unmade(path, &fault))?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Writes a file of a message into it, which stays then, on the disk too: where it is.
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
        self.kept()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let written = self.file.write_all(bytes);
        written.map_err(|fault| self.unwritten(&fault))
    }

    fn unwritten(&self, fault: &io::Error) -> CliError {
        let what = format!("can't write {}: {fault}", quoted(&self.path));
        CliError::new(Exit::of_io(fault), format!("{what}; it is gone again"))
    }

    /// It is written to its end, and stays.
    fn kept(mut self) -> Result<PathBuf, CliError> {
        let synced = self.file.sync();
        synced.map_err(|fault| self.unwritten(&fault))?;
        self.file.keep();
        Ok(self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn nothing_that_is_there_is_written_over_and_nothing_outside_is_touched() {
        let outside = tempfile::tempdir().unwrap();
        let directory = outside.path().join("in");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        drop(SaveDirectory::make(&directory).unwrap());
        assert_eq!(mode(&directory), 0o700);
        let into = SaveDirectory::make(&directory).unwrap();
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
            let mut file = into.create(name).unwrap();
            file.write(b"theirs").unwrap();
            let path = file.kept().unwrap();
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
        drop(into.create("half").unwrap());
        assert!(!directory.join("half").exists());
    }

    #[test]
    fn a_directory_in_which_others_have_a_say_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        let directory = outside.path().join("in");
        fs::create_dir(&directory).unwrap();
        let link = outside.path().join("link");
        symlink(&directory, &link).unwrap();
        let refused = |path: &Path, why: &str| {
            let failed = SaveDirectory::make(path).unwrap_err();
            assert_eq!(failed.exit, Exit::Usage);
            assert!(failed.what.contains(why), "{}", failed.what);
        };
        refused(&link, "a link to one");
        refused(&link.join(""), "a link to one");
        for mode in [0o777, 0o770, 0o1777, 0o702] {
            fs::set_permissions(&directory, PermissionsExt::from_mode(mode)).unwrap();
            refused(&directory, "can be written to by other users");
        }
        fs::set_permissions(&directory, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(SaveDirectory::make(&directory).is_ok());
    }

    #[test]
    fn files_go_where_the_directory_is_that_was_opened() {
        let outside = tempfile::tempdir().unwrap();
        let [shared, moved, mine] =
            ["shared", "moved", "mine"].map(|name| outside.path().join(name));
        fs::create_dir(&mine).unwrap();
        let into = SaveDirectory::make(&shared).unwrap();
        fs::rename(&shared, &moved).unwrap();
        symlink(&mine, &shared).unwrap();
        into.create("authorized_keys").unwrap().kept().unwrap();
        assert!(moved.join("authorized_keys").exists());
        assert!(!mine.join("authorized_keys").exists());
    }
}
