//! Private directories in memory: for files of a message that a command works on, and for an answer that an editor
//! writes. What is in them is overwritten and removed when they are dropped, and what killed programs have left by the
//! next one.

use std::ffi::{CStr, OsStr};
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use kkv_base::in_memory::{candidates, is_in_memory};
use kkv_net::process::own_uid;
use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, open, openat, unlinkat,
};

/// Before the random part of their names, which is 16 digits of hex: those of killed programs are found by that.
const PREFIX: &str = "kkvc-";
/// Attempts to make one, where others that clear up take it for one that was left.
const TRIES: u32 = 100;
/// Zeros that are written over a file at most. A command may have made it longer than any message.
const MAX_OVERWRITTEN: u64 = 16 << 20;
/// Directories in one another that are cleared; what a command has put below them stays.
const MAX_DEPTH: u32 = 32;

/// A directory of mode 0700 in memory. Whoever holds its lock (flock(2)) uses it.
#[derive(Debug)]
pub struct PrivateDirectory {
    path: PathBuf,
    directory: OwnedFd,
}

impl PrivateDirectory {
    /// A new one, in the first of `$XDG_RUNTIME_DIR` and `/dev/shm` that is in memory and takes it. Removes what killed
    /// programs have left there. `None` if there is no such place.
    #[must_use]
    pub fn make() -> Option<Self> {
        remove_abandoned();
        Self::make_in(&candidates())
    }

    fn make_in(parents: &[PathBuf]) -> Option<Self> {
        let in_memory = parents.iter().filter(|parent| is_in_memory(parent));
        in_memory
            .filter_map(|parent| Self::make_below(parent))
            .next()
    }

    fn make_below(parent: &Path) -> Option<Self> {
        for _ in 0..TRIES {
            // Others may make names in /dev/shm; none that nobody can guess.
            let random = RandomState::new().hash_one(std::process::id());
            let path = parent.join(format!("{PREFIX}{random:016x}"));
            DirBuilder::new().mode(0o700).create(&path).ok()?;
            // Until it is locked, who clears up may take it for one that was left, and remove it.
            let directory = open(&path, DIRECTORY, Mode::empty()).ok();
            let locked = directory.filter(|directory| is_ours(directory) && lock(directory));
            if let Some(directory) = locked
                && fstat(&directory).is_ok_and(|now| now.st_nlink > 0)
            {
                return Some(Self { path, directory });
            }
            let _ = fs::remove_dir(&path);
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
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        clear(&self.directory, MAX_DEPTH);
        let _ = fs::remove_dir(&self.path); // which removes nothing but an empty one
    }
}

/// What is opened is a directory, and no link to one. A command that is started doesn't get it, nor so its lock.
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Clears and removes the directories that killed programs of this user have left in memory.
pub fn remove_abandoned() {
    for parent in candidates().iter().filter(|parent| is_in_memory(parent)) {
        remove_abandoned_in(parent);
    }
}

fn remove_abandoned_in(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !is_name(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        let Ok(directory) = open(&path, DIRECTORY, Mode::empty()) else {
            continue;
        };
        // Locked while it is removed: who has made it may be about to lock it.
        if is_ours(&directory) && lock(&directory) {
            clear(&directory, MAX_DEPTH);
            let _ = fs::remove_dir(&path);
        }
    }
}

/// Whether a directory is called so.
fn is_name(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
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

/// Removes all that is in a directory, and overwrites files before. Nothing is reached by a path, and no link followed:
/// what is removed is in this directory.
fn clear(directory: &OwnedFd, depth: u32) {
    let entries = Dir::read_from(directory).into_iter().flatten().flatten();
    let names: Vec<_> = entries.map(|entry| entry.file_name().to_owned()).collect();
    for name in names.iter().filter(|name| !is_dot(name)) {
        if let Ok(inner) = openat(directory, name, DIRECTORY, Mode::empty()) {
            if depth > 0 {
                clear(&inner, depth - 1);
            }
            let _ = unlinkat(directory, name, AtFlags::REMOVEDIR);
            continue;
        }
        // A pipe without a reader is not waited for.
        let to_write = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(file) = openat(directory, name, to_write, Mode::empty()) {
            overwrite(file);
        }
        let _ = unlinkat(directory, name, AtFlags::empty());
    }
}

fn is_dot(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// Writes zeros over a file that has no other name.
fn overwrite(file: OwnedFd) {
    let Ok(stat) = fstat(&file) else {
        return;
    };
    if !FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_nlink != 1 {
        return;
    }
    let mut left = u64::try_from(stat.st_size)
        .unwrap_or(0)
        .min(MAX_OVERWRITTEN);
    let mut file = File::from(file);
    while left > 0 {
        let zeros = &[0; 4096][..left.min(4096) as usize];
        if file.write_all(zeros).is_err() {
            return;
        }
        left -= zeros.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};
    use std::os::unix::fs::{PermissionsExt, symlink};

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
        assert!(is_name(made.path().file_name().unwrap()));
        let mode = fs::metadata(made.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_drop_overwrites_and_removes_all_that_is_in_it_and_nothing_else() {
        let memory = memory();
        let beside = memory.path().join("beside");
        fs::write(&beside, "mine").unwrap();
        let made = PrivateDirectory::make_in(&[memory.path().to_owned()]).unwrap();
        let path = made.path().to_owned();
        made.create("a").unwrap().write_all(b"secret").unwrap();
        assert!(made.create("a").is_err(), "it is there");
        fs::create_dir(path.join("below")).unwrap();
        fs::write(path.join("below/b"), "secret").unwrap();
        symlink(&beside, path.join("link")).unwrap();
        symlink(memory.path(), path.join("directory")).unwrap();
        fs::hard_link(&beside, path.join("hard")).unwrap();
        let mut held = ["a", "below/b"].map(|name| File::open(path.join(name)).unwrap());
        drop(made);
        assert!(!path.exists());
        for file in &mut held {
            let mut text = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut text).unwrap();
            assert_eq!(text, [0; 6], "what the program that has it open sees");
        }
        assert_eq!(fs::read(&beside).unwrap(), b"mine");
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
        remove_abandoned_in(memory.path());
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
                        remove_abandoned_in(&parent[0]);
                        assert!(made.path().join("text").exists());
                    }
                });
            }
        });
    }
}
