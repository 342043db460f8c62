//! The directory in which the Tor inside keeps what it must: on the disk from run to run, or in memory for one run.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use rustix::fs::{FlockOperation, flock, statfs};

use crate::process::own_uid;

/// What one-run directories are called, so that those of runs that were killed can be found.
const TEMPORARY: &str = "kkv-ephemeral-";
/// Directories for one run that are made before it is given up, if others remove them.
const TRIES: usize = 100;
/// Held locked by the program that uses the directory.
const LOCK: &str = "kkv.lock";
/// Kinds of file system that live in memory: tmpfs and ramfs (Linux's `magic.h`).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// A directory of mode 0700 for Tor's files. One for a single run is removed when dropped.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    temporary: bool,
    /// Whether this directory has been used before, so that an onion service in it may have been published a moment ago.
    used: bool,
    _lock: Option<File>,
}

/// Why there is no directory.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither `XDG_STATE_HOME` nor `HOME` says where.
    #[error("there is no place for Tor's files: neither XDG_STATE_HOME nor HOME is set")]
    Nowhere,
    /// Another relay has its address in it.
    #[error("{0} is in use by another kkv")]
    InUse(PathBuf),
    /// No file system in memory is to be had.
    #[error("there is no directory in memory to be had ($XDG_RUNTIME_DIR, /dev/shm)")]
    NoMemory,
    /// Others could read or change what is in it.
    #[error("{0} must belong to you, and nobody else may enter it (mode 0700)")]
    Open(PathBuf),
    /// The kernel says no.
    #[error("can't use {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// `$XDG_STATE_HOME/kkv`, or `~/.local/state/kkv` (XDG Base Directory Specification).
///
/// # Errors
/// Neither variable is an absolute path.
pub fn default_state_dir() -> Result<PathBuf, HomeError> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .ok_or(HomeError::Nowhere)?;
    Ok(state.join("kkv"))
}

impl Home {
    /// The relay's directory under `state_dir`, for this program alone: two relays can't have one address.
    ///
    /// # Errors
    /// In use, open to others, or not to be had.
    pub fn of_relay(state_dir: &Path) -> Result<Self, HomeError> {
        let path = state_dir.join("relay");
        let used = path.exists();
        make(&path)?;
        let lock = lock(&path)?.ok_or_else(|| HomeError::InUse(path.clone()))?;
        Ok(Self {
            path,
            temporary: false,
            used,
            _lock: Some(lock),
        })
    }

    /// The senders' directory under `state_dir`: what is known of the network, nothing about whom anyone wrote to. Several may use it at once.
    ///
    /// # Errors
    /// Open to others, or not to be had.
    pub fn of_senders(state_dir: &Path) -> Result<Self, HomeError> {
        let path = state_dir.join("send");
        make(&path)?;
        Ok(Self {
            path,
            temporary: false,
            used: false,
            _lock: None,
        })
    }

    /// A directory in memory (16 bytes of its name are drawn), which goes away with this value. Those of runs that were killed are removed.
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
            // A relay that starts at the same time may take the new directory for one that was left, until it is locked.
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

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes away with this value.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// Whether it has been used before.
    pub(super) fn used(&self) -> bool {
        self.used
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a directory of mode 0700, or checks that one that is there is private.
fn make(path: &Path) -> Result<(), HomeError> {
    let failed = |fault| HomeError::Io(path.to_owned(), fault);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.uid() != own_uid() || metadata.mode() & 0o077 != 0 {
        return Err(HomeError::Open(path.to_owned()));
    }
    Ok(())
}

/// Takes the lock of a directory, if nobody has it. The kernel gives it back when the program ends, however it does.
fn lock(directory: &Path) -> Result<Option<File>, HomeError> {
    let path = directory.join(LOCK);
    let file = File::create(&path).map_err(|fault| HomeError::Io(path, fault))?;
    let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    Ok(locked.then_some(file))
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
        // A directory without its lock file may be one that is being made.
        if ours && path.join(LOCK).exists() && matches!(lock(&path), Ok(Some(_))) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_relay_at_a_time_has_the_directory_and_nobody_else_enters_it() {
        let state = tempfile::tempdir().unwrap();
        let home = Home::of_relay(state.path()).unwrap();
        assert!(!home.used());
        let mode = fs::metadata(home.path()).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o700);
        let second = Home::of_relay(state.path());
        assert!(matches!(second, Err(HomeError::InUse(_))));
        drop(home);
        let again = Home::of_relay(state.path()).unwrap();
        assert!(again.used());
        assert!(again.path().is_dir());
    }

    #[test]
    fn a_directory_that_others_may_enter_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let relays = Home::of_relay(state.path()).unwrap().path().to_owned();
        fs::set_permissions(relays, fs::Permissions::from_mode(0o755)).unwrap();
        let refused = Home::of_relay(state.path());
        assert!(matches!(refused, Err(HomeError::Open(_))), "{refused:?}");
    }

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
        assert!(!left.exists());
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
