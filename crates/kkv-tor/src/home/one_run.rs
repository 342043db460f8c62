//! Directories in memory for one run, which go away with it, and what killed runs have left of theirs.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use rustix::fs::statfs;

use super::{Home, HomeError, LOCK, lock, lock_again};
use kkv_net::process::own_uid;

/// What one-run directories are called, so that those of runs that were killed can be found.
const TEMPORARY: &str = "kkv-ephemeral-";
/// Directories for one run that are made before it is given up, if others remove them.
const TRIES: usize = 100;
/// Kinds of file system that live in memory: tmpfs and ramfs (Linux's `magic.h`).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

impl Home {
    /// A directory in memory (16 bytes of its name are drawn), which goes away with this value. Those of runs that were
    /// killed are removed.
    ///
    /// # Errors
    /// There is no file system in memory that can be written to.
    pub fn in_memory(rng: &mut impl CryptoRng) -> Result<Self, HomeError> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        for parent in runtime.into_iter().chain(["/dev/shm".into()]) {
            let in_memory = statfs(&parent).is_ok_and(|fs| IN_MEMORY.contains(&fs.f_type));
            if !in_memory {
                continue;
            }
            sweep(&parent);
            // A relay that starts at the same time may take the new directory for one that was left, until it is
            // locked.
            for _ in 0..TRIES {
                let path = parent.join(one_run(rng));
                if DirBuilder::new().mode(0o700).create(&path).is_err() {
                    break;
                }
                if let Some(lock) = lock(&path).ok().flatten()
                    && path.join(LOCK).exists()
                {
                    return Ok(Self {
                        path,
                        temporary: true,
                        used: false,
                        _lock: Some(lock),
                    });
                }
                let _ = fs::remove_dir_all(&path);
            }
        }
        Err(HomeError::NoMemory)
    }
}

/// A name for a directory of one run.
fn one_run(rng: &mut impl CryptoRng) -> String {
    let mut token = [0; 16];
    rng.fill_bytes(&mut token);
    format!("{TEMPORARY}{}", HEXLOWER.encode(&token))
}

/// Removes what killed runs left.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY)
            && fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir() && m.uid() == own_uid());
        // A directory without its lock file is being made, or removed. With a new one it would have two, and two users;
        // or it would stay. One that has it is locked until it is gone: who makes it may be about to lock it.
        if ours && let Ok(Some(_held)) = lock_again(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_in_memory_goes_away_and_so_does_what_a_killed_run_left() {
        let rng = &mut rand::rng();
        let home = Home::in_memory(rng).unwrap();
        fs::write(home.path().join("file"), "x").unwrap();
        let path = home.path().to_owned();
        let other = Home::in_memory(rng).unwrap();
        assert!(path.exists(), "it is in use");
        drop(home);
        assert!(!path.exists());

        let left = other.path().with_file_name(one_run(rng));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        drop(Home::in_memory(rng).unwrap());
        // Another program may have found it first, and be removing it: that takes a moment, and no more.
        let gone = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            !left.exists()
        });
        assert!(gone);
        assert!(other.path().exists());
    }

    #[test]
    fn relays_that_start_at_once_take_no_directory_from_each_other() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let home = Home::in_memory(&mut rand::rng()).unwrap();
                        assert!(home._lock.is_some());
                        assert!(home.path().join(LOCK).exists());
                    }
                });
            }
        });
    }
}
