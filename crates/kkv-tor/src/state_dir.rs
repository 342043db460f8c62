//! The directory of the embedded Tor's files: persistent, or in memory for one run.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fs_mistrust::Mistrust;
use rand::CryptoRng;
use rustix::fs::{FlockOperation, OFlags, flock};

mod ephemeral;
mod key;
mod layout;
mod permissions;

use crate::settings::Settings;
pub use key::{AddressKey, KeyError};
use kkv_net::process::{ROOT, own_uid};
use kkv_net::tor::own_address;
use kkv_protocol::onion::OnionAddress;
pub(crate) use layout::{ARTI_STATE, CACHE, NICKNAME, records};
pub use permissions::{InsecureDir, Problem};

/// A file that the program using the directory keeps locked.
const LOCK: &str = "kkv.lock";

/// A directory of mode 0700 for Tor's files. A temporary one is removed on drop.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    temporary: bool,
    /// Whether it existed before, so that an onion service in it may have been published a moment ago.
    used: bool,
    _lock: Option<File>,
}

/// Why a directory can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateDirError {
    /// Neither `XDG_STATE_HOME` nor `HOME` is set.
    #[error("there is no place for Tor's files: neither XDG_STATE_HOME nor HOME is set")]
    Nowhere,
    /// Another relay has locked it.
    #[error("{0} is in use by another kkv")]
    InUse(PathBuf),
    /// There is no writable file system in memory.
    #[error("there is no directory in memory to be had ($XDG_RUNTIME_DIR, /dev/shm)")]
    NoMemory,
    /// Other users could read or change what is in it.
    #[error("{0}")]
    Insecure(InsecureDir),
    /// It has held an onion service, and the key of its address is missing.
    #[error("the key of your address is missing in {0}, where one has been before")]
    KeyMissing(PathBuf),
    /// The key of the address can't be used.
    #[error("the key of your address in {0} can't be used: {1}")]
    Key(PathBuf, KeyError),
    /// A new key can't be written. The address of the key that is still there, if any.
    #[error("the key of an address can't be written to {0}: {1}")]
    Unwritten(PathBuf, KeyError, Option<OnionAddress>),
    /// An operation on it failed.
    #[error("can't use {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// `$XDG_STATE_HOME/kkv`, or `~/.local/state/kkv` (XDG Base Directory Specification).
///
/// # Errors
/// Neither variable is an absolute path.
pub fn default_state_dir() -> Result<PathBuf, StateDirError> {
    own_address::default_state_dir().ok_or(StateDirError::Nowhere)
}

impl StateDir {
    /// Opens and locks the relay's directory under `parent`: two relays can't share an address.
    ///
    /// # Errors
    /// It is in use, insecure, or can't be created.
    pub fn for_relay(parent: &Path, settings: &Settings) -> Result<Self, StateDirError> {
        let path = own_address::relay_dir(parent);
        let used = path.exists();
        create(&path)?;
        // Locked before it is checked: the files of a Tor that uses it come and go.
        let lock = match lock(&path) {
            Ok(None) => return Err(StateDirError::InUse(path)),
            locked => {
                check(&path, settings)?;
                locked?
            }
        };
        key::recover(&path, &settings.mistrust())
            .map_err(|fault| StateDirError::Io(path.clone(), fault))?;
        Ok(Self {
            path,
            temporary: false,
            used,
            _lock: lock,
        })
    }

    /// Opens the senders' directory under `parent`. It holds the network's directory, and nothing about destinations.
    /// Several programs may use it at once.
    ///
    /// # Errors
    /// It is insecure, or can't be created.
    pub fn for_senders(parent: &Path, settings: &Settings) -> Result<Self, StateDirError> {
        let path = parent.join("send");
        create(&path)?;
        check(&path, settings)?;
        Ok(Self {
            path,
            temporary: false,
            used: false,
            _lock: None,
        })
    }

    /// Reads the key of the address in the relay's directory under `parent`, which another kkv may be using. `None` if
    /// there is no key. Root reads other users' keys, too.
    ///
    /// # Errors
    /// The directory is insecure, or the key can't be used.
    pub fn read_key(
        parent: &Path,
        settings: &Settings,
    ) -> Result<Option<AddressKey>, StateDirError> {
        let path = own_address::relay_dir(parent);
        if !path.exists() {
            return Ok(None);
        }
        // A service's user can't log in, so root reads its key.
        let mistrust = if own_uid() == ROOT {
            let owner = fs::metadata(&path).map(|found| found.uid());
            let owner = owner.map_err(|fault| StateDirError::Io(path.clone(), fault))?;
            let trusting = Mistrust::builder().trust_user(owner).build();
            trusting.unwrap_or_else(|_| settings.mistrust())
        } else {
            check(&path, settings)?;
            settings.mistrust()
        };
        key::read(&path, &mistrust).map_err(|fault| StateDirError::Key(path, fault))
    }

    /// The address of the key in here; `None` if there has never been one.
    ///
    /// # Errors
    /// There has been a key, and it is missing or can't be used.
    pub fn address(&self, settings: &Settings) -> Result<Option<OnionAddress>, StateDirError> {
        match self.key(settings)? {
            Some(key) => Ok(Some(key.address())),
            None if key::was_present(&self.path) => {
                Err(StateDirError::KeyMissing(self.path.clone()))
            }
            None => Ok(None),
        }
    }

    /// The key of the address, if there is one.
    ///
    /// # Errors
    /// It can't be used.
    pub fn key(&self, settings: &Settings) -> Result<Option<AddressKey>, StateDirError> {
        key::read(&self.path, &settings.mistrust()).map_err(|fault| self.unusable(fault))
    }

    /// Replaces the key of the address, and removes arti's records of the old service.
    ///
    /// # Errors
    /// The key can't be written. The old one is still there.
    pub fn put_key(&self, key: &AddressKey, settings: &Settings) -> Result<(), StateDirError> {
        key::put(&self.path, key, &settings.mistrust()).map_err(|fault| {
            let there = self.key(settings).ok().flatten();
            StateDirError::Unwritten(self.path.clone(), fault, there.map(|key| key.address()))
        })
    }

    /// Generates a key if there has never been one (32 bytes are drawn). Does nothing in a temporary directory.
    ///
    /// # Errors
    /// There has been a key, and it is missing or can't be used; or the new one can't be written.
    pub fn ensure_key(
        &self,
        settings: &Settings,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StateDirError> {
        if self.temporary || self.address(settings)?.is_some() {
            return Ok(());
        }
        self.put_key(&AddressKey::generate(rng), settings)
    }

    fn unusable(&self, fault: KeyError) -> StateDirError {
        StateDirError::Key(self.path.clone(), fault)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed on drop.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// Whether it existed before.
    pub(crate) fn was_used(&self) -> bool {
        self.used
    }
}

/// The address of the key in the relay's directory at `path`, if there is one.
pub(crate) fn address_in(
    path: &Path,
    mistrust: &Mistrust,
) -> Result<Option<OnionAddress>, KeyError> {
    Ok(key::read(path, mistrust)?.map(|key| key.address()))
}

impl Drop for StateDir {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Creates a directory of mode 0700, unless it exists.
fn create(path: &Path) -> Result<(), StateDirError> {
    let failed = |fault| StateDirError::Io(path.to_owned(), fault);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)
}

/// Checks that no other user has access to a directory or anything in it.
fn check(path: &Path, settings: &Settings) -> Result<(), StateDirError> {
    match InsecureDir::find(path, &settings.mistrust()) {
        Some(insecure) => Err(StateDirError::Insecure(insecure)),
        None => Ok(()),
    }
}

/// Locks a directory; `None` if another program has. The kernel releases the lock when the program ends, however it
/// does.
fn lock(directory: &Path) -> Result<Option<File>, StateDirError> {
    lock_with(OpenOptions::new().create(true).truncate(false), directory)
}

/// The same for a directory whose lock file must exist.
fn lock_existing(directory: &Path) -> Result<Option<File>, StateDirError> {
    lock_with(&mut OpenOptions::new(), directory)
}

fn lock_with(options: &mut OpenOptions, directory: &Path) -> Result<Option<File>, StateDirError> {
    let path = directory.join(LOCK);
    // Permissions have not been checked yet. Another user may have put a symlink or a named pipe here: don't follow the
    // one, don't block on the other, don't truncate.
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .write(true)
        .custom_flags(careful.bits().cast_signed())
        .open(&path)
        .map_err(|fault| StateDirError::Io(path, fault))?;
    let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    Ok(locked.then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_relay_at_a_time_locks_the_directory_and_others_have_no_access() {
        let state = tempfile::tempdir().unwrap();
        let settings = Settings::default();
        let dir = StateDir::for_relay(state.path(), &settings).unwrap();
        assert!(!dir.was_used());
        let mode = fs::metadata(dir.path()).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o700);
        let second = StateDir::for_relay(state.path(), &settings);
        assert!(matches!(second, Err(StateDirError::InUse(_))));
        // A directory in use is not checked: the files of the Tor in it come and go.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let second = StateDir::for_relay(state.path(), &settings);
        assert!(matches!(second, Err(StateDirError::InUse(_))), "{second:?}");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        drop(dir);
        let again = StateDir::for_relay(state.path(), &settings).unwrap();
        assert!(again.was_used());
        assert!(again.path().is_dir());
    }

    #[test]
    fn a_symlink_in_place_of_the_lock_is_neither_followed_nor_truncated() {
        let state = tempfile::tempdir().unwrap();
        let mine = state.path().join("mine");
        fs::write(&mine, "words").unwrap();
        let relay = own_address::relay_dir(state.path());
        create(&relay).unwrap();
        std::os::unix::fs::symlink(&mine, relay.join(LOCK)).unwrap();
        let refused = StateDir::for_relay(state.path(), &Settings::default());
        let link = Problem::Symlink(relay.canonicalize().unwrap().join(LOCK));
        match refused {
            Err(StateDirError::Insecure(insecure)) => assert_eq!(insecure.problems, [link]),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(mine).unwrap(), "words");
    }
}
