//! Temporary directories in memory, and those that killed programs have left.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use data_encoding::HEXLOWER;
use rand::CryptoRng;

use super::{LOCK, StateDir, StateDirError, lock, lock_existing};
use kkv_base::in_memory::{candidates, is_in_memory};
use kkv_net::process::own_uid;

/// Prefix of their names, so that those of killed programs can be found.
const PREFIX: &str = "kkv-ephemeral-";
/// Attempts to create one, if concurrent sweeps remove them.
const TRIES: usize = 100;

impl StateDir {
    /// Creates a temporary directory in memory (16 bytes are drawn for its name). Removes those of killed programs.
    ///
    /// # Errors
    /// There is no writable file system in memory.
    pub fn in_memory(rng: &mut impl CryptoRng) -> Result<Self, StateDirError> {
        let in_memory = candidates().into_iter().filter(|path| is_in_memory(path));
        for parent in in_memory {
            sweep(&parent);
            // Until it is locked, a concurrent sweep may take the new directory for a stale one.
            for _ in 0..TRIES {
                let path = parent.join(name(rng));
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
        Err(StateDirError::NoMemory)
    }
}

/// A random name.
fn name(rng: &mut impl CryptoRng) -> String {
    let mut token = [0; 16];
    rng.fill_bytes(&mut token);
    format!("{PREFIX}{}", HEXLOWER.encode(&token))
}

/// Removes the directories of killed programs.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir() && m.uid() == own_uid());
        // One without a lock file is being created or removed: creating the file here would give it two locks, or keep
        // it from being removed. One with a lock file is locked while it is removed: its creator may be about to lock
        // it.
        if ours && let Ok(Some(_held)) = lock_existing(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_in_memory_is_removed_and_so_are_those_of_killed_programs() {
        let rng = &mut rand::rng();
        let dir = StateDir::in_memory(rng).unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        let path = dir.path().to_owned();
        let other = StateDir::in_memory(rng).unwrap();
        assert!(path.exists(), "it is in use");
        drop(dir);
        assert!(!path.exists());

        let left = other.path().with_file_name(name(rng));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        drop(StateDir::in_memory(rng).unwrap());
        // Another program may be removing it already.
        let gone = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            !left.exists()
        });
        assert!(gone);
        assert!(other.path().exists());
    }

    #[test]
    fn relays_that_start_at_once_remove_no_directory_in_use() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let dir = StateDir::in_memory(&mut rand::rng()).unwrap();
                        assert!(dir._lock.is_some());
                        assert!(dir.path().join(LOCK).exists());
                    }
                });
            }
        });
    }
}
