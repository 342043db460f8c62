//! The directory in which the Tor inside keeps what it must: on the disk from run to run, or in memory for one run.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fs_mistrust::Mistrust;
use rand::CryptoRng;
use rustix::fs::{FlockOperation, OFlags, flock};

mod key;
mod one_run;
mod safe;

use super::Settings;
pub use key::{AddressKey, KeyError};
use kkv_net::process::own_uid;
use kkv_protocol::onion::OnionAddress;
pub use safe::{Exposed, Fault};

/// The relay's directory under the one for Tor's files.
const RELAY: &str = "relay";
/// The user who may read everything anyway.
const ROOT: u32 = 0;
/// Held locked by the program that uses the directory.
const LOCK: &str = "kkv.lock";

/// A directory of mode 0700 for Tor's files. One for a single run is removed when dropped.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    temporary: bool,
    /// Whether this directory has been used before, so that an onion service in it may have been published a moment
    /// ago.
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
    #[error("{0}")]
    Exposed(Exposed),
    /// There is an onion service in this directory, and the key of its address is gone.
    #[error("the key of your address is missing in {0}, where one has been before")]
    KeyMissing(PathBuf),
    /// That key is there, and of no use.
    #[error("the key of your address in {0} can't be used: {1}")]
    Key(PathBuf, KeyError),
    /// Another key can't take its place; the address that is there still, if one is.
    #[error("the key of an address can't be written to {0}: {1}")]
    Unwritten(PathBuf, KeyError, Option<OnionAddress>),
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
    pub fn of_relay(state_dir: &Path, settings: &Settings) -> Result<Self, HomeError> {
        let path = state_dir.join(RELAY);
        let used = path.exists();
        create(&path)?;
        // Before it is looked through: a Tor that is in it makes files and removes them meanwhile.
        let lock = match lock(&path) {
            Ok(None) => return Err(HomeError::InUse(path)),
            locked => {
                check(&path, settings)?;
                locked?
            }
        };
        key::settle(&path, &settings.mistrust())
            .map_err(|fault| HomeError::Io(path.clone(), fault))?;
        Ok(Self {
            path,
            temporary: false,
            used,
            _lock: lock,
        })
    }

    /// The senders' directory under `state_dir`: what is known of the network, nothing about whom anyone wrote to.
    /// Several may use it at once.
    ///
    /// # Errors
    /// Open to others, or not to be had.
    pub fn of_senders(state_dir: &Path, settings: &Settings) -> Result<Self, HomeError> {
        let path = state_dir.join("send");
        create(&path)?;
        check(&path, settings)?;
        Ok(Self {
            path,
            temporary: false,
            used: false,
            _lock: None,
        })
    }

    /// Reads the key of the address in the relay's directory under `state_dir`, which another kkv may be using; none if
    /// there is none. Root reads another user's, too.
    ///
    /// # Errors
    /// The directory is open to others, or the key is of no use.
    pub fn read_key(
        state_dir: &Path,
        settings: &Settings,
    ) -> Result<Option<AddressKey>, HomeError> {
        let path = state_dir.join(RELAY);
        if !path.exists() {
            return Ok(None);
        }
        // Root reads the key of a service, whose user nobody can log in as.
        let mistrust = if own_uid() == ROOT {
            let owner = fs::metadata(&path).map(|found| found.uid());
            let owner = owner.map_err(|fault| HomeError::Io(path.clone(), fault))?;
            let trusting = Mistrust::builder().trust_user(owner).build();
            trusting.unwrap_or_else(|_| settings.mistrust())
        } else {
            check(&path, settings)?;
            settings.mistrust()
        };
        key::read(&path, &mistrust).map_err(|fault| HomeError::Key(path, fault))
    }

    /// The address of which the key is here; none if there has been none yet.
    ///
    /// # Errors
    /// There has been one, and its key is gone or of no use.
    pub fn address(&self, settings: &Settings) -> Result<Option<OnionAddress>, HomeError> {
        match self.key(settings)? {
            Some(key) => Ok(Some(key.address())),
            None if key::was_here(&self.path) => Err(HomeError::KeyMissing(self.path.clone())),
            None => Ok(None),
        }
    }

    /// The key of the address, if there is one.
    ///
    /// # Errors
    /// It is of no use.
    pub fn key(&self, settings: &Settings) -> Result<Option<AddressKey>, HomeError> {
        key::read(&self.path, &settings.mistrust()).map_err(|fault| self.unusable(fault))
    }

    /// Puts `key` in the place of whichever is there, and forgets what was noted of that one's service.
    ///
    /// # Errors
    /// It can't be written; then whichever was there is there still.
    pub fn put_key(&self, key: &AddressKey, settings: &Settings) -> Result<(), HomeError> {
        key::put(&self.path, key, &settings.mistrust()).map_err(|fault| {
            let there = self.key(settings).ok().flatten();
            HomeError::Unwritten(self.path.clone(), fault, there.map(|key| key.address()))
        })
    }

    /// Makes the key of an address (32 bytes are drawn) where none has been, unless the address is for one run.
    ///
    /// # Errors
    /// One has been here, and is gone or of no use; or none can be written.
    pub fn first_key(
        &self,
        settings: &Settings,
        rng: &mut impl CryptoRng,
    ) -> Result<(), HomeError> {
        if self.temporary || self.address(settings)?.is_some() {
            return Ok(());
        }
        self.put_key(&AddressKey::generate(rng), settings)
    }

    fn unusable(&self, fault: KeyError) -> HomeError {
        HomeError::Key(self.path.clone(), fault)
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

/// The address of which the key is in the relay's directory at `path`, if there is one.
pub(super) fn address_in(
    path: &Path,
    mistrust: &Mistrust,
) -> Result<Option<OnionAddress>, KeyError> {
    Ok(key::read(path, mistrust)?.map(|key| key.address()))
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a directory of mode 0700, unless there is one.
fn create(path: &Path) -> Result<(), HomeError> {
    let failed = |fault| HomeError::Io(path.to_owned(), fault);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)
}

/// Checks that a directory is its owner's alone, with all that is in it.
fn check(path: &Path, settings: &Settings) -> Result<(), HomeError> {
    match Exposed::find(path, &settings.mistrust()) {
        Some(exposed) => Err(HomeError::Exposed(exposed)),
        None => Ok(()),
    }
}

/// Takes the lock of a directory, if nobody has it. The kernel gives it back when the program ends, however it does.
fn lock(directory: &Path) -> Result<Option<File>, HomeError> {
    lock_with(OpenOptions::new().create(true).truncate(false), directory)
}

/// The same for a directory that has a lock file, which is not made anew.
fn lock_again(directory: &Path) -> Result<Option<File>, HomeError> {
    lock_with(&mut OpenOptions::new(), directory)
}

fn lock_with(options: &mut OpenOptions, directory: &Path) -> Result<Option<File>, HomeError> {
    let path = directory.join(LOCK);
    // Nobody has looked yet who else may write here: what another user has put in its place is neither followed nor
    // emptied, and holds nobody up.
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .write(true)
        .custom_flags(careful.bits().cast_signed())
        .open(&path)
        .map_err(|fault| HomeError::Io(path, fault))?;
    let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    Ok(locked.then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_relay_at_a_time_has_the_directory_and_nobody_else_enters_it() {
        let state = tempfile::tempdir().unwrap();
        let settings = Settings::default();
        let home = Home::of_relay(state.path(), &settings).unwrap();
        assert!(!home.used());
        let mode = fs::metadata(home.path()).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o700);
        let second = Home::of_relay(state.path(), &settings);
        assert!(matches!(second, Err(HomeError::InUse(_))));
        // What is in a directory in use is its user's business: his Tor makes files and removes them.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let second = Home::of_relay(state.path(), &settings);
        assert!(matches!(second, Err(HomeError::InUse(_))), "{second:?}");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        drop(home);
        let again = Home::of_relay(state.path(), &settings).unwrap();
        assert!(again.used());
        assert!(again.path().is_dir());
    }

    #[test]
    fn what_another_user_has_put_in_the_place_of_the_lock_is_neither_followed_nor_emptied() {
        let state = tempfile::tempdir().unwrap();
        let mine = state.path().join("mine");
        fs::write(&mine, "words").unwrap();
        let relay = state.path().join(RELAY);
        create(&relay).unwrap();
        std::os::unix::fs::symlink(&mine, relay.join(LOCK)).unwrap();
        let refused = Home::of_relay(state.path(), &Settings::default());
        let link = Fault::Link(relay.canonicalize().unwrap().join(LOCK));
        match refused {
            Err(HomeError::Exposed(exposed)) => assert_eq!(exposed.faults, [link]),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(mine).unwrap(), "words");
    }
}
