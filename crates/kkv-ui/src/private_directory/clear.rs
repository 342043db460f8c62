//! Overwrites and removes all that is in a directory, however a program has left it: deep, read-only, or with links.

use std::ffi::CStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, chmod, fstat, openat, renameat, unlinkat};

use super::{DIRECTORY, names_in, random_name};

/// Zeros that are written over a file at most. A command may have made it longer than any message.
const MAX_OVERWRITTEN: u64 = 16 << 20;
/// Directories in one another that are cleared in one go: as many are open at once.
const MAX_DEPTH: u32 = 32;
/// Times that what was deeper is moved up and cleared. A program that still runs, and makes more, isn't followed for
/// ever.
const MAX_ROUNDS: u32 = 1024;

/// Removes all that is in a directory, and overwrites files before. Nothing is reached by a path, and no link followed:
/// what is removed is in this directory.
pub(super) fn clear(directory: &OwnedFd) {
    for _ in 0..MAX_ROUNDS {
        if !clear_to(directory, directory, MAX_DEPTH) {
            return;
        }
    }
}

/// Whether there was more, deeper than this: then it was moved up to `top`.
fn clear_to(directory: &OwnedFd, top: &OwnedFd, depth: u32) -> bool {
    let mut has_moved = false;
    for name in names_in(directory) {
        make_accessible(directory, &name);
        if let Ok(inner) = openat(directory, &name, DIRECTORY, Mode::empty()) {
            if depth == 0 {
                // A name that nobody has given to anything there.
                has_moved |= renameat(directory, &name, top, random_name()).is_ok();
            } else {
                has_moved |= clear_to(&inner, top, depth - 1);
                let _ = unlinkat(directory, &name, AtFlags::REMOVEDIR);
            }
            continue;
        }
        // A pipe without a reader is not waited for.
        let to_write = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(file) = openat(directory, &name, to_write, Mode::empty()) {
            overwrite(file);
        }
        let _ = unlinkat(directory, &name, AtFlags::empty());
    }
    has_moved
}

/// Lets this user at a file or directory that a command has made read-only, as `tar` does if an archive says so. By
/// what was opened: chmod(2) of a name would follow a link.
fn make_accessible(directory: &OwnedFd, name: &CStr) {
    let look = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(found) = openat(directory, name, look, Mode::empty()) else {
        return;
    };
    let is_closed = |stat: &Stat| stat.st_mode & 0o700 != 0o700;
    if fstat(&found).is_ok_and(|stat| is_closed(&stat) && is_only_here(&stat)) {
        let path = format!("/proc/self/fd/{}", found.as_raw_fd());
        let _ = chmod(path, Mode::RWXU);
    }
}

/// Whether it is a directory, or a file that has no other name.
fn is_only_here(stat: &Stat) -> bool {
    let kind = FileType::from_raw_mode(stat.st_mode);
    kind.is_dir() || kind.is_file() && stat.st_nlink == 1
}

/// Writes zeros over a file that has no other name.
fn overwrite(file: OwnedFd) {
    let Ok(stat) = fstat(&file) else {
        return;
    };
    if !is_only_here(&stat) {
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
    use std::fs;
    use std::io::{Read, Seek};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use rustix::fs::open;
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    use super::*;

    fn opened(path: &Path) -> OwnedFd {
        open(path, DIRECTORY, Mode::empty()).unwrap()
    }

    fn is_empty(path: &Path) -> bool {
        fs::read_dir(path).unwrap().next().is_none()
    }

    /// What a program sees that has a file open.
    fn content(file: &mut File) -> Vec<u8> {
        let mut content = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut content).unwrap();
        content
    }

    #[test]
    fn files_are_overwritten_and_nothing_else_is_touched() {
        let memory = tempfile::tempdir().unwrap();
        let beside = memory.path().join("beside");
        fs::write(&beside, "mine").unwrap();
        fs::set_permissions(&beside, PermissionsExt::from_mode(0o400)).unwrap();
        let path = memory.path().join("in");
        fs::create_dir_all(path.join("below")).unwrap();
        for name in ["a", "below/b"] {
            fs::write(path.join(name), "secret").unwrap();
        }
        symlink(&beside, path.join("link")).unwrap();
        symlink(memory.path(), path.join("directory")).unwrap();
        fs::hard_link(&beside, path.join("hard")).unwrap();
        let mut held = ["a", "below/b"].map(|name| File::open(path.join(name)).unwrap());
        clear(&opened(&path));
        assert!(is_empty(&path));
        for file in &mut held {
            assert_eq!(content(file), [0; 6]);
        }
        assert_eq!(fs::read(&beside).unwrap(), b"mine");
        let mode = fs::metadata(&beside).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o400, "nobody's but ours");
    }

    #[test]
    fn however_deep_something_is_it_is_reached() {
        let memory = tempfile::tempdir().unwrap();
        let mut deepest = opened(memory.path());
        for _ in 0..5 * MAX_DEPTH {
            rustix::fs::mkdirat(&deepest, "d", Mode::RWXU).unwrap();
            deepest = openat(&deepest, "d", DIRECTORY, Mode::empty()).unwrap();
        }
        let new = OFlags::RDWR | OFlags::CREATE;
        let file = openat(&deepest, "s", new, Mode::RWXU).unwrap();
        let mut file = File::from(file);
        file.write_all(b"secret").unwrap();
        clear(&opened(memory.path()));
        assert!(is_empty(memory.path()));
        assert_eq!(content(&mut file), [0; 6]);
    }

    #[test]
    fn what_was_made_read_only_is_overwritten_and_removed_as_well() {
        let memory = tempfile::tempdir().unwrap();
        let inner = memory.path().join("closed");
        let deep = inner.join("no entry");
        fs::create_dir_all(&deep).unwrap();
        let path = deep.join("s");
        fs::write(&path, "secret").unwrap();
        let mut file = File::open(&path).unwrap();
        for (path, mode) in [(&path, 0o400), (&deep, 0), (&inner, 0o500)] {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
        // As anybody else than root, whom no mode keeps out.
        let directory = opened(memory.path());
        let cleared = std::thread::spawn(move || {
            let mut sets = capabilities(None).unwrap();
            let over = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
            sets.effective.remove(over);
            set_capabilities(None, sets).unwrap();
            clear(&directory);
        });
        cleared.join().unwrap();
        assert!(is_empty(memory.path()));
        assert_eq!(content(&mut file), [0; 6]);
    }
}
