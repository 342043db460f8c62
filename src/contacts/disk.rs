//! A file of contacts on the disk: nobody else's to read, locked while it is changed, and replaced by a new one that was written beside it. Whatever happens
//! meanwhile, there is a whole one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::Rng;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::file::FileError;
use crate::crypto::random;
use crate::limits::MAX_CONTACTS_FILE_BYTES;

pub(super) fn missing(fault: io::Error) -> FileError {
    match fault.kind() {
        io::ErrorKind::NotFound => FileError::Missing,
        _ => FileError::Io(fault),
    }
}

/// Opens a file that nobody else can get at. What is looked at is what was opened.
pub(super) fn open(path: &Path) -> Result<File, FileError> {
    let quickly = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a small flag");
    let file = OpenOptions::new()
        .read(true)
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

/// The file that is at `path`, locked until it is dropped: another program may have put a new one there while its lock was waited for.
pub(super) fn held(path: &Path) -> Result<File, FileError> {
    loop {
        let file = open(path)?;
        file.lock()?;
        let (locked, there) = (file.metadata()?, fs::metadata(path).map_err(missing)?);
        if (locked.dev(), locked.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
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
}

impl Beside {
    pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        let number = random::kernel().next_u32();
        let mut name = path.file_name().ok_or(FileError::NotAFile)?.to_os_string();
        name.push(format!(".{number:08x}.new"));
        let path = path.with_file_name(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(missing)?;
        let new = Self { path };
        file.write_all(bytes).and_then(|()| file.sync_all())?;
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
            // A file system that can't look and rename at once.
            Err(rustix::io::Errno::INVAL) if !path.exists() => self.replace(path),
            Err(fault) => Err(FileError::Io(fault.into())),
        }
    }

    pub(super) fn replace(self, path: &Path) -> Result<(), FileError> {
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
