//! A file that is made new, for this user alone, and goes again unless it is kept.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, open, openat, statat, unlinkat};

/// A directory is opened to make and remove names in it, not to read it: who may do that may do this.
pub(crate) const TO_NAME: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A file of mode 0600 that was not there before. Unless it is kept, dropping it removes it.
///
/// It is made and removed in one directory, whatever becomes of the path that led there: another user who may rename a
/// part of that path could otherwise have a file of this user's removed in place of it.
#[derive(Debug)]
pub struct NewFile {
    directory: Arc<OwnedFd>,
    name: Box<OsStr>,
    file: File,
    is_kept: bool,
}

impl NewFile {
    /// A new one at this path.
    ///
    /// # Errors
    /// It can't be made, or something is there; also a link that leads nowhere.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (directory, name) = place(path)?;
        Self::create_in(&Arc::new(directory), name)
    }

    /// One that is there already, open as `file`, to be removed once it has served.
    ///
    /// # Errors
    /// Its directory can't be opened.
    pub fn adopt(path: &Path, file: File) -> io::Result<Self> {
        let (directory, name) = place(path)?;
        Ok(Self {
            directory: Arc::new(directory),
            name: name.into(),
            file,
            is_kept: true,
        })
    }

    /// A new one in this directory. `name` has no separator in it.
    ///
    /// # Errors
    /// As there.
    pub fn create_in(directory: &Arc<OwnedFd>, name: &OsStr) -> io::Result<Self> {
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&**directory, name, new, Mode::RUSR | Mode::WUSR)?;
        Ok(Self {
            directory: Arc::clone(directory),
            name: name.into(),
            file: file.into(),
            is_kept: false,
        })
    }

    /// Writes to its end.
    ///
    /// # Errors
    /// Not all of it could be written.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Has the disk have what was written.
    ///
    /// # Errors
    /// It can't be known that it has.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Lets it stay.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Removes it, unless its name is another file's by now.
    pub fn remove(mut self) {
        self.is_kept = false;
    }

    /// Whether its name is its own still. In between, who may write to the directory can give that name to another
    /// file there, which he could as well remove himself.
    fn has_its_name(&self) -> bool {
        let named = statat(&*self.directory, &*self.name, AtFlags::SYMLINK_NOFOLLOW);
        let is_same = |named: rustix::fs::Stat, own: rustix::fs::Stat| {
            (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino)
        };
        named.is_ok_and(|named| fstat(&self.file).is_ok_and(|own| is_same(named, own)))
    }
}

/// The directory that a path leads to, open, and the name in it.
fn place(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let bytes = path.as_os_str().as_bytes();
    let behind = bytes.iter().rposition(|byte| *byte == b'/');
    let (parent, name) = bytes.split_at(behind.map_or(0, |slash| slash + 1));
    if name.is_empty() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let parent = if parent.is_empty() { b"." } else { parent };
    let directory = open(parent, TO_NAME, Mode::empty())?;
    Ok((directory, OsStr::from_bytes(name)))
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept && self.has_its_name() {
            let _ = unlinkat(&*self.directory, &*self.name, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn it_is_new_and_for_this_user_and_stays_only_if_it_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let mut half = NewFile::create(&path).unwrap();
        half.write_all(b"half").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(half);
        assert!(!path.exists());
        let mut whole = NewFile::create(&path).unwrap();
        whole.write_all(b"whole").unwrap();
        whole.sync().unwrap();
        whole.keep();
        drop(whole);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        symlink("nowhere", directory.path().join("link")).unwrap();
        for there in ["a", "link", ".", "..", "a/", "a/b", "none/a", ""] {
            let path = directory.path().join(there);
            assert!(NewFile::create(&path).is_err(), "{there}");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_removed_is_what_was_made_wherever_its_path_leads_by_then() {
        let directory = tempfile::tempdir().unwrap();
        let [shared, mine] = ["shared", "mine"].map(|name| directory.path().join(name));
        for made in [&shared, &mine] {
            fs::create_dir(made).unwrap();
        }
        fs::write(mine.join("key"), "precious").unwrap();
        let file = NewFile::create(&shared.join("key")).unwrap();
        let moved = directory.path().join("moved");
        fs::rename(&shared, &moved).unwrap();
        symlink(&mine, &shared).unwrap();
        drop(file);
        assert_eq!(fs::read(mine.join("key")).unwrap(), b"precious");
        assert!(!moved.join("key").exists());

        // One that was there before goes only when it has served, and only itself.
        let adopted =
            || NewFile::adopt(&mine.join("state"), File::open(mine.join("state")).unwrap());
        for is_replaced in [false, true] {
            fs::write(mine.join("state"), "an upload").unwrap();
            drop(adopted().unwrap());
            let state = adopted().unwrap();
            if is_replaced {
                fs::write(mine.join("other"), "another").unwrap();
                fs::rename(mine.join("other"), mine.join("state")).unwrap();
            }
            state.remove();
            assert_eq!(mine.join("state").exists(), is_replaced);
        }

        // And its name may be another file's.
        let file = NewFile::create(&moved.join("a")).unwrap();
        fs::rename(mine.join("key"), moved.join("a")).unwrap();
        drop(file);
        assert_eq!(fs::read(moved.join("a")).unwrap(), b"precious");
    }
}
