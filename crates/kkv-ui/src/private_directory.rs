//! Private directories in memory: for files of a message that a command works on, and for an answer that an editor
//! writes. What is in them is overwritten and removed when they are dropped, and what killed programs have left by the
//! next one.

mod clear;

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kkv_base::in_memory::{candidates, is_in_memory};
use kkv_net::process::{ROOT, own_uid};
use rustix::fs::{
    AtFlags, Dir, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, open, openat, unlinkat,
};

use clear::clear;

/// Before the random part of their names, which is 16 digits of hex: those of killed programs are found by that.
const PREFIX: &str = "kkvc-";
/// Attempts to make one, where others that clear up take it for one that was left.
const TRIES: u32 = 100;
/// Of the mode of a directory: what is there is renamed and removed by its owner, the directory's, and root alone.
const STICKY: u32 = 0o1000;

/// A directory of mode 0700 in memory. Whoever holds its lock (flock(2)) uses it.
#[derive(Debug)]
pub struct PrivateDirectory {
    parent: OwnedFd,
    name: String,
    path: PathBuf,
    directory: OwnedFd,
}

impl PrivateDirectory {
    /// A new one, in the first of `$XDG_RUNTIME_DIR` and `/dev/shm` that is in memory, in which nobody else has a
    /// say, and that takes it. Removes what killed programs have left there. `None` if there is no such place.
    #[must_use]
    pub fn make() -> Option<Self> {
        remove_abandoned();
        Self::make_in(&candidates())
    }

    fn make_in(parents: &[PathBuf]) -> Option<Self> {
        let mut parents = parents.iter().filter_map(|parent| Parent::open(parent));
        parents.find_map(|parent| Self::make_below(&parent))
    }

    fn make_below(parent: &Parent) -> Option<Self> {
        let Parent {
            path,
            directory: parent,
        } = parent;
        for _ in 0..TRIES {
            // Others may make names in /dev/shm; none that nobody can guess.
            let name = random_name();
            mkdirat(parent, &name, Mode::RWXU).ok()?;
            // Until it is locked, who clears up may take it for one that was left, and remove it.
            let directory = openat(parent, &name, DIRECTORY, Mode::empty()).ok();
            let locked = directory.filter(|directory| is_ours(directory) && lock(directory));
            if let Some(directory) = locked
                && fstat(&directory).is_ok_and(|now| now.st_nlink > 0)
            {
                return Some(Self {
                    parent: parent.try_clone().ok()?,
                    path: path.join(&name),
                    name,
                    directory,
                });
            }
            let _ = unlinkat(parent, &name, AtFlags::REMOVEDIR);
        }
        None
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new file in it, of mode 0600. `name` has no separator in it.
    ///
    /// # Errors
    /// It can't be made, or is there.
    pub fn create(&self, name: &str) -> io::Result<File> {
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.directory, name, new, Mode::RUSR | Mode::WUSR)?;
        Ok(file.into())
    }

    /// A file that is in it, to be read. No link is followed.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(&self, name: &str) -> io::Result<File> {
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.directory, name, read, Mode::empty())?.into())
    }

    /// Its lock, for a command that is started as long as this is there: if this program is killed, nobody clears the
    /// directory up before that command has ended, and what it has started with it.
    ///
    /// # Errors
    /// There are too many descriptors.
    pub fn lock_for_a_command(&self) -> io::Result<OwnedFd> {
        Ok(rustix::io::dup(&self.directory)?) // which is not closed on exec
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        clear(&self.directory);
        let _ = unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR); // nothing but an empty one
    }
}

/// A directory in memory in which nobody but this user and root can put one thing in the place of another.
struct Parent {
    path: PathBuf,
    directory: OwnedFd,
}

impl Parent {
    /// `None` if it is on a disk, or others have a say in it or in a directory above it: who can rename what is there
    /// could have files of a message written into a directory of theirs, or a file of theirs read as an answer.
    fn open(path: &Path) -> Option<Self> {
        let path = path.canonicalize().ok()?;
        let directory = open(&path, DIRECTORY, Mode::empty()).ok()?;
        let is_fit = is_in_memory(&path) && path.ancestors().all(is_settled);
        is_fit.then_some(Self { path, directory })
    }
}

/// Whether nobody but this user and root can rename what they have in this directory.
fn is_settled(directory: &Path) -> bool {
    fs::symlink_metadata(directory).is_ok_and(|found| {
        let is_closed = found.mode() & 0o022 == 0 || found.mode() & STICKY != 0;
        is_closed && [ROOT, own_uid()].contains(&found.uid())
    })
}

/// What is opened is a directory, and no link to one. A command that is started doesn't get it, nor so its lock.
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Clears and removes the directories that killed programs of this user have left in memory.
pub fn remove_abandoned() {
    for parent in candidates()
        .iter()
        .filter_map(|parent| Parent::open(parent))
    {
        remove_abandoned_in(&parent);
    }
}

fn remove_abandoned_in(parent: &Parent) {
    let parent = &parent.directory;
    for name in names_in(parent).iter().filter(|name| is_name(name)) {
        let Ok(directory) = openat(parent, name, DIRECTORY, Mode::empty()) else {
            continue;
        };
        // Locked while it is removed: who has made it may be about to lock it.
        if is_ours(&directory) && lock(&directory) {
            clear(&directory);
            let _ = unlinkat(parent, name, AtFlags::REMOVEDIR);
        }
    }
}

/// What is in a directory, but for itself and the one above it.
fn names_in(directory: &OwnedFd) -> Vec<CString> {
    let entries = Dir::read_from(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_owned());
    names
        .filter(|name| !matches!(name.to_bytes(), b"." | b".."))
        .collect()
}

/// A new name, which nobody can guess.
fn random_name() -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("{PREFIX}{random:016x}")
}

/// Whether a directory is called so.
fn is_name(name: &CStr) -> bool {
    let name = name.to_str().ok();
    let random = name.and_then(|name| name.strip_prefix(PREFIX));
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    random.is_some_and(|random| random.len() == 16 && random.chars().all(is_digit))
}

/// Whether it is this user's, and nobody else's business.
fn is_ours(directory: &OwnedFd) -> bool {
    fstat(directory).is_ok_and(|stat| stat.st_uid == own_uid() && stat.st_mode & 0o077 == 0)
}

/// Whether this descriptor has the lock now. The kernel takes it from a program that ends, however that is.
fn lock(directory: &OwnedFd) -> bool {
    flock(directory, FlockOperation::NonBlockingLockExclusive).is_ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::io::{Read, Write};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::process::{Command, Stdio};

    use super::*;

    /// A directory in memory for one test, in which nothing else looks.
    fn memory() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    #[test]
    fn what_is_on_a_disk_or_takes_nothing_is_passed_over() {
        let memory = memory();
        let [on_disk, gone] = ["/proc", "/nonexistent"].map(PathBuf::from);
        assert!(PrivateDirectory::make_in(&[on_disk.clone(), gone.clone()]).is_none());
        // A directory that was removed is in memory as long as somebody has it, and takes nothing.
        let removed = memory.path().join("removed");
        fs::create_dir(&removed).unwrap();
        let held = open(&removed, DIRECTORY, Mode::empty()).unwrap();
        fs::remove_dir(&removed).unwrap();
        let held = std::os::fd::AsRawFd::as_raw_fd(&held);
        let takes_nothing = PathBuf::from(format!("/proc/self/fd/{held}"));
        assert!(is_in_memory(&takes_nothing));
        let places = [on_disk, gone, takes_nothing, memory.path().to_owned()];
        let made = PrivateDirectory::make_in(&places).unwrap();
        assert_eq!(made.path().parent(), Some(memory.path()));
        let name = made.path().file_name().map(OsStr::as_bytes).unwrap();
        assert!(is_name(&CString::new(name).unwrap()));
        let mode = fs::metadata(made.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_drop_overwrites_and_removes_all_that_is_in_it() {
        let memory = memory();
        let made = PrivateDirectory::make_in(&[memory.path().to_owned()]).unwrap();
        let path = made.path().to_owned();
        made.create("a").unwrap().write_all(b"secret").unwrap();
        assert!(made.create("a").is_err(), "it is there");
        let mut held = made.open("a").unwrap();
        drop(made);
        assert!(!path.exists());
        let mut text = Vec::new();
        held.read_to_end(&mut text).unwrap();
        assert_eq!(text, [0; 6], "what the program that has it open sees");
    }

    #[test]
    fn nobody_else_has_a_say_in_where_it_is() {
        let memory = memory();
        let inner = memory.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let makes = || PrivateDirectory::make_in(std::slice::from_ref(&inner)).is_some();
        assert!(makes());
        for closed in [&*inner, memory.path()] {
            let set_mode = |mode| {
                fs::set_permissions(closed, PermissionsExt::from_mode(mode)).unwrap();
            };
            for mode in [0o777, 0o770, 0o702] {
                set_mode(mode);
                assert!(!makes(), "{mode:o}");
                assert!(
                    Parent::open(&inner).is_none(),
                    "nor is anything cleared there"
                );
            }
            set_mode(0o1777);
            assert!(makes(), "as /dev/shm is");
            set_mode(0o700);
            let owned_by = |user| {
                chown(closed, Some(user), None).expect("run by root, or as scripts/test runs it");
            };
            owned_by(7);
            assert!(!makes());
            owned_by(own_uid());
        }
    }

    #[test]
    fn what_is_read_is_its_own_wherever_its_path_leads() {
        let memory = memory();
        let made = PrivateDirectory::make_in(&[memory.path().to_owned()]).unwrap();
        made.create("a").unwrap().write_all(b"mine").unwrap();
        let path = made.path().to_owned();
        fs::rename(&path, memory.path().join("moved")).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("a"), "another's").unwrap();
        let mut text = String::new();
        let file = made.open("a").unwrap();
        { file }.read_to_string(&mut text).unwrap();
        assert_eq!(text, "mine");
        symlink(path.join("a"), memory.path().join("moved/link")).unwrap();
        assert!(made.open("link").is_err());
    }

    #[test]
    fn a_command_keeps_it_from_those_who_clear_up_after_a_program_that_was_killed() {
        let memory = memory();
        let parent = Parent::open(memory.path()).unwrap();
        let made = PrivateDirectory::make_in(&[memory.path().to_owned()]).unwrap();
        let path = made.path().to_owned();
        let lock = made.lock_for_a_command().unwrap();
        let mut command = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        drop(lock);
        // A program that is killed closes what it has open, and does nothing more.
        let mut made = std::mem::ManuallyDrop::new(made);
        made.directory = open("/dev/null", OFlags::RDONLY, Mode::empty()).unwrap();
        remove_abandoned_in(&parent);
        assert!(path.exists());
        drop(command.stdin.take());
        assert!(command.wait().unwrap().success());
        remove_abandoned_in(&parent);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_program_has_left_goes_and_what_is_in_use_stays() {
        let memory = memory();
        let used = PrivateDirectory::make_in(&[memory.path().to_owned()]).unwrap();
        let left = |name: &str, mode: u32| {
            let path = memory.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("text"), "secret").unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            path
        };
        let abandoned = left("kkvc-0123456789abcdef", 0o700);
        let others = [
            left("kkvc-0123456789abcdee", 0o755),
            left("kkvc-0123456789abcdeF", 0o700),
            left("kkvc-0123456789abcde", 0o700),
            left("other-0123456789abcdef", 0o700),
        ];
        symlink(&others[0], memory.path().join("kkvc-0123456789abcded")).unwrap();
        remove_abandoned_in(&Parent::open(memory.path()).unwrap());
        assert!(!abandoned.exists());
        assert!(used.path().exists());
        for other in others {
            assert!(other.join("text").exists(), "{}", other.display());
        }
    }

    #[test]
    fn those_who_clear_up_take_none_that_is_in_use() {
        let memory = memory();
        let parent = [memory.path().to_owned()];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let made = PrivateDirectory::make_in(&parent).unwrap();
                        drop(made.create("text").unwrap());
                        remove_abandoned_in(&Parent::open(&parent[0]).unwrap());
                        assert!(made.path().join("text").exists());
                    }
                });
            }
        });
    }
}
