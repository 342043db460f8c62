//! The directory in which the Tor inside keeps what it must: on the disk from run to run, or in memory for one run.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use fs_mistrust::Mistrust;
use rand::CryptoRng;
use rustix::fs::{FlockOperation, OFlags, flock, statfs};

mod key;
mod safe;

use super::Settings;
use crate::onion::OnionAddress;
use crate::process::own_uid;
pub use key::{AddressKey, KeyError};
pub use safe::{Exposed, Fault};

/// What one-run directories are called, so that those of runs that were killed can be found.
const TEMPORARY: &str = "kkv-ephemeral-";
/// Directories for one run that are made before it is given up, if others remove them.
const TRIES: usize = 100;
/// The relay's directory under the one for Tor's files.
const RELAY: &str = "relay";
/// The user who may read everything anyway.
const ROOT: u32 = 0;
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
    #[error("{0}")]
    Exposed(Exposed),
    /// There is an onion service in this directory, and the key of its address is gone.
    #[error("the key of your address is missing in {0}, where an inbox has been before")]
    KeyMissing(PathBuf),
    /// That key is there, and of no use.
    #[error("the key of your address in {0} can't be used: {1}")]
    Key(PathBuf, KeyError),
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
        Ok(Self {
            path,
            temporary: false,
            used,
            _lock: lock,
        })
    }

    /// The senders' directory under `state_dir`: what is known of the network, nothing about whom anyone wrote to. Several may use it at once.
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

    /// Reads the key of the address in the relay's directory under `state_dir`, which another kkv may be using; none if there is none. Root reads
    /// another user's, too.
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

    /// The address of which the key is here; none if no inbox has been here yet.
    ///
    /// # Errors
    /// An inbox has been here, and its key is gone or of no use.
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
    /// It can't be written.
    pub fn put_key(&self, key: &AddressKey, settings: &Settings) -> Result<(), HomeError> {
        key::put(&self.path, key, &settings.mistrust()).map_err(|fault| self.unusable(fault))
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
    let path = directory.join(LOCK);
    // Nobody has looked yet who else may write here: what another user has put in its place is neither followed nor emptied, and holds nobody up.
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(careful.bits().cast_signed())
        .open(&path)
        .map_err(|fault| HomeError::Io(path, fault))?;
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
        assert!(matches!(refused, Err(HomeError::Io(..))), "{refused:?}");
        assert_eq!(fs::read_to_string(mine).unwrap(), "words");
    }

    /// What is said of `state`, and what the commands that come with it make of it.
    fn mended(state: &Path) -> Vec<Fault> {
        let settings = Settings::default();
        let refused = Home::of_relay(state, &settings);
        let Err(HomeError::Exposed(exposed)) = refused else {
            panic!("{refused:?}");
        };
        let commands = exposed
            .mended_by(|path| path.display().to_string())
            .unwrap();
        let ran = std::process::Command::new("sh")
            .args(["-c", &commands])
            .status();
        assert!(ran.unwrap().success(), "{commands}");
        Home::of_relay(state, &settings).expect("one paste is enough");
        exposed.faults
    }

    #[test]
    fn whatever_a_copy_has_made_of_the_directory_one_command_mends_it() {
        let private = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let state = tempfile::tempdir().unwrap();
        let relay = state.path().join("relay");
        let keys = relay.join("state/keystore/hss");
        drop(Home::of_relay(state.path(), &Settings::default()).unwrap());
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join("key"), "x").unwrap();
        // As `cp -r` leaves it.
        for path in [
            &relay,
            &relay.join("state"),
            &relay.join("state/keystore"),
            &keys,
        ] {
            private(path, 0o755);
        }
        assert_eq!(mended(state.path()).len(), 4);
        private(&keys, 0o500);
        assert_eq!(mended(state.path()), [Fault::Mode(keys.clone(), 0o040_500)]);
        private(&keys.join("key"), 0o664);
        assert_eq!(mended(state.path()).len(), 1, "arti wouldn't take it");
        for path in [&relay, &keys.join("key")] {
            std::os::unix::fs::chown(path, Some(7), Some(8))
                .expect("run by root, or as scripts/test runs it");
            assert_eq!(mended(state.path()), [Fault::Owner(path.clone(), 7)]);
        }
    }

    #[test]
    fn only_a_directory_of_ones_own_on_the_way_is_to_be_changed_and_never_by_root() {
        let around = tempfile::tempdir().unwrap();
        let state = around.path().join("state");
        drop(Home::of_relay(&state, &Settings::default()).unwrap());
        // As /var/local is on Debian: root's, and writable to a group.
        std::os::unix::fs::chown(around.path(), Some(ROOT), Some(8))
            .expect("run by root, or as scripts/test runs it");
        fs::set_permissions(around.path(), fs::Permissions::from_mode(0o2775)).unwrap();
        let refused = Home::of_relay(&state, &Settings::default());
        let Err(HomeError::Exposed(exposed)) = refused else {
            panic!("{refused:?}");
        };
        let commands = |user| exposed.mended_by_user(user, |path| path.display().to_string());
        assert_eq!([commands(ROOT), commands(7)], [None, None]);
        std::os::unix::fs::chown(around.path(), Some(7), None).unwrap();
        let own = format!("chmod go-w {}", around.path().display());
        assert_eq!(
            [commands(7), commands(8), commands(ROOT)],
            [Some(own), None, None]
        );
    }

    #[test]
    fn where_another_user_owns_the_way_no_command_is_made_up() {
        let others = tempfile::tempdir().unwrap();
        let state = others.path().join("state");
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(others.path(), Some(7), Some(8))
            .expect("run by root, or as scripts/test runs it");
        let refused = Home::of_relay(&state, &Settings::default());
        let Err(HomeError::Exposed(exposed)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(exposed.faults, [Fault::Owner(others.path().to_owned(), 7)]);
        assert_eq!(exposed.mended_by(|_| String::new()), None);
    }

    #[test]
    fn a_key_that_was_there_is_missed_and_one_that_is_put_there_is_found() {
        let rng = &mut rand::rng();
        let settings = Settings::default();
        let state = tempfile::tempdir().unwrap();
        let home = Home::of_relay(state.path(), &settings).unwrap();
        assert_eq!(home.address(&settings).unwrap(), None);
        let (first, second) = (AddressKey::generate(rng), AddressKey::generate(rng));
        home.put_key(&first, &settings).unwrap();
        assert_eq!(home.address(&settings).unwrap(), Some(first.address()));
        let noted = home.path().join("state/hss/kkv");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&noted)
            .unwrap();
        home.put_key(&second, &settings).unwrap();
        assert_eq!(home.address(&settings).unwrap(), Some(second.address()));
        assert!(!noted.exists(), "what was noted was of another service");

        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&noted)
            .unwrap();
        let keys = home.path().join("state/keystore/hss/kkv");
        for entry in fs::read_dir(&keys).unwrap() {
            fs::write(entry.unwrap().path(), "no key").unwrap();
        }
        assert!(matches!(home.address(&settings), Err(HomeError::Key(..))));
        home.put_key(&second, &settings).unwrap();
        assert_eq!(home.address(&settings).unwrap(), Some(second.address()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&noted)
            .unwrap();
        fs::remove_dir_all(keys).unwrap();
        assert!(matches!(
            home.address(&settings),
            Err(HomeError::KeyMissing(_))
        ));
        home.put_key(&first, &settings).unwrap();
        drop(home);
        let key = Home::read_key(state.path(), &settings).unwrap().unwrap();
        assert_eq!(key.as_bytes(), first.as_bytes());
        assert_eq!(
            format!("{key:?}"),
            format!("AddressKey({})", first.address())
        );
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
