//! A file of contacts on the disk: nobody else's to read, locked while it is changed, and replaced by a new one that
//! was written beside it. Whatever happens meanwhile, there is a whole one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rand::Rng;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::error::FileError;
use kkv_base::limits::{CONTACTS_LOCK_TIMEOUT, MAX_CONTACTS_FILE_BYTES};
use kkv_protocol::crypto::random;

pub(super) fn missing(fault: io::Error) -> FileError {
    match fault.kind() {
        io::ErrorKind::NotFound => FileError::Missing,
        _ => FileError::Io(fault),
    }
}

/// Opens a file to read that nobody else can get at.
pub(super) fn open(path: &Path) -> Result<File, FileError> {
    private(path, OpenOptions::new().read(true))
}

/// Opens a file that nobody else can get at. What is looked at is what was opened.
fn private(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
    let quickly = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a small flag");
    let file = options
        .custom_flags(quickly) // a pipe that nobody writes to would be waited for
        .open(path)
        .map_err(missing)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(FileError::NotAFile);
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(FileError::Exposed);
    }
    Ok(file)
}

/// The file that is at `path`, locked until it is dropped: another program may have put a new one there while its lock
/// was waited for.
pub(super) fn held(path: &Path) -> Result<File, FileError> {
    loop {
        // To write, too, if that is allowed: NFS locks nothing for one alone who only reads.
        let file = match private(path, OpenOptions::new().read(true).write(true)) {
            Err(FileError::Io(fault)) if fault.kind() == io::ErrorKind::PermissionDenied => {
                open(path)?
            }
            opened => opened?,
        };
        let file = locked(file, CONTACTS_LOCK_TIMEOUT)?;
        let (locked, there) = (file.metadata()?, fs::metadata(path).map_err(missing)?);
        if (locked.dev(), locked.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
    }
}

/// Locks it, if it is free in time. The system waits for ever, so it is asked by a thread of its own, which gives back
/// a lock that comes too late.
fn locked(file: File, timeout: Duration) -> Result<File, FileError> {
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(fault)) => return Err(fault.into()),
    }
    let (answer, answered) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let locked = file.lock().map(|()| file);
        let _ = answer.send(locked); // dropped, and free again, if nobody waits any more
    })?;
    match answered.recv_timeout(timeout) {
        Ok(locked) => Ok(locked?),
        Err(_) => Err(FileError::Busy),
    }
}

pub(super) fn read(file: &File) -> Result<Vec<u8>, FileError> {
    let limit = MAX_CONTACTS_FILE_BYTES + 1;
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes)?;
    if bytes.len() == limit {
        return Err(FileError::Foreign);
    }
    Ok(bytes)
}

/// A new file in the same directory, whole and on the disk, of mode 0600. It goes if it isn't put in place.
pub(super) struct Beside {
    path: PathBuf,
    file: File,
}

impl Beside {
    pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        let number = random::kernel().next_u32();
        let mut name = path.file_name().ok_or(FileError::NotAFile)?.to_os_string();
        name.push(format!(".{number:08x}.new"));
        let path = path.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(missing)?;
        let mut new = Self { path, file };
        new.file.write_all(bytes)?;
        new.file.sync_all()?;
        Ok(new)
    }

    /// Gives it its name, which nothing may have yet.
    pub(super) fn put(self, path: &Path) -> Result<(), FileError> {
        match renameat_with(CWD, &self.path, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => {
                sync_directory(path);
                Ok(())
            }
            Err(rustix::io::Errno::EXIST) => Err(FileError::Exists),
            Err(rustix::io::Errno::INVAL) => self.put_by_link(path),
            Err(fault) => Err(FileError::Io(fault.into())),
        }
    }

    /// The same where the file system can't look and rename at once, as NFS can't. One without links can only look
    /// first.
    fn put_by_link(self, path: &Path) -> Result<(), FileError> {
        match fs::hard_link(&self.path, path) {
            Ok(()) => {
                sync_directory(path);
                Ok(())
            }
            Err(_) if !path.exists() => self.replaced(path),
            Err(_) => Err(FileError::Exists),
        }
    }

    /// Takes the place of `old`, which is at `path`, and its owner: root may have changed somebody's contacts.
    pub(super) fn replace(self, path: &Path, old: &File) -> Result<(), FileError> {
        let (old, new) = (old.metadata()?, self.file.metadata()?);
        if old.uid() != new.uid() {
            fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
        }
        self.replaced(path)
    }

    fn replaced(self, path: &Path) -> Result<(), FileError> {
        fs::rename(&self.path, path)?;
        sync_directory(path);
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // it is not there any more if it was put in place
    }
}

/// Has the disk know of a new name. If it can't be said, a power cut may bring the file before back, whole.
fn sync_directory(path: &Path) {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))) {
        let _ = directory.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new file beside `path` with these bytes.
    fn beside(path: &Path, bytes: &[u8]) -> Beside {
        Beside::write(path, bytes).unwrap()
    }

    fn alone(path: &Path) -> bool {
        fs::read_dir(path.parent().unwrap()).unwrap().count() == 1
    }

    #[test]
    fn one_that_another_program_holds_is_not_waited_for_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contacts");
        beside(&path, b"x").put(&path).unwrap();
        let other = held(&path).unwrap();
        let soon = Duration::from_millis(10);
        let again = || locked(open(&path).unwrap(), soon);
        assert!(matches!(again(), Err(FileError::Busy)));
        drop(other);
        // Also if the thread that came too late is first.
        held(&path).unwrap();
    }

    #[test]
    fn a_new_one_never_takes_the_place_of_one_that_is_there_whatever_the_file_system_can_do() {
        for put in [Beside::put, Beside::put_by_link] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("contacts");
            put(beside(&path, b"first"), &path).unwrap();
            let second = put(beside(&path, b"second"), &path);
            assert!(matches!(second, Err(FileError::Exists)));
            assert_eq!(fs::read(&path).unwrap(), b"first");
            assert!(alone(&path));
        }
    }

    #[test]
    fn what_root_changes_stays_whose_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contacts");
        beside(&path, b"old").put(&path).unwrap();
        let owner = (Some(7), Some(8));
        std::os::unix::fs::chown(&path, owner.0, owner.1)
            .expect("run by root, or as scripts/test runs it");
        let old = held(&path).unwrap();
        beside(&path, b"new").replace(&path, &old).unwrap();
        let now = fs::metadata(&path).unwrap();
        assert_eq!((Some(now.uid()), Some(now.gid())), owner);
        assert_eq!(now.mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(alone(&path));
    }
}
