//! The key of the onion address, in arti's keystore.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use fs_mistrust::Mistrust;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use tor_hscrypto::pk::HsIdKeypair;
use tor_hsservice::{HsIdKeypairSpecifier, HsNickname};
use tor_keymgr::{ArtiNativeKeystore, KeyMgr, KeyMgrBuilder, KeystoreSelector};
use tor_llcrypto::pk::ed25519::{ExpandedKeypair, Keypair};
use zeroize::Zeroizing;

use super::layout::{KEY_FILE, NICKNAME, guards, keystore, service_keys, service_records};
use crate::error::chain;
use crate::faults;
use kkv_protocol::ids::ServiceKey;
use kkv_protocol::onion::OnionAddress;

/// The secret key of an onion address: an expanded Ed25519 key (64 bytes), as in Tor's files. Wiped on drop.
pub struct AddressKey {
    secret: Zeroizing<[u8; 64]>,
    address: OnionAddress,
}

/// Why a key can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A system call failed.
    #[error("{0}")]
    Io(io::Error),
    /// The file is no valid key.
    #[error("it is damaged, or no key")]
    Damaged,
    /// Another error of arti's.
    #[error("{0}")]
    Other(String),
}

impl KeyError {
    fn new(fault: impl std::error::Error + 'static) -> Self {
        match faults::io_source(&fault) {
            // A copy, because arti has its own in an `Arc`.
            Some(io) => Self::Io(match io.raw_os_error() {
                Some(number) => io::Error::from_raw_os_error(number),
                None => io::Error::new(io.kind(), io.to_string()),
            }),
            None => Self::Other(chain(&fault)),
        }
    }

    /// An error of reading. Permissions were checked before, so what is no I/O error is the file's content.
    fn reading(fault: impl std::error::Error + 'static) -> Self {
        match Self::new(fault) {
            Self::Io(io) if io.kind() == io::ErrorKind::InvalidData => Self::Damaged,
            Self::Other(_) => Self::Damaged,
            io => io,
        }
    }
}

impl AddressKey {
    /// A new key (32 bytes are drawn).
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self::of(&ExpandedKeypair::from(&Keypair::from_bytes(&seed)))
    }

    /// The key with these bytes, a scalar and a prefix. `None` unless [`Self::as_bytes`] returns the same: a scalar
    /// that is not reduced and clamped would be another one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Option<Self> {
        let key = Self::of(&ExpandedKeypair::from_secret_key_bytes(*bytes)?);
        bool::from(key.secret.ct_eq(bytes)).then_some(key)
    }

    fn of(pair: &ExpandedKeypair) -> Self {
        Self {
            secret: Zeroizing::new(pair.to_secret_key_bytes()),
            address: OnionAddress::from_public_key(ServiceKey(pair.public().to_bytes())),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.secret
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> OnionAddress {
        self.address
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddressKey({})", self.address)
    }
}

/// Prefix of arti's temporary files of the key.
const TEMPORARY: &str = "ks_hs_id.";
/// Where the old key is until the new one is on the disk.
const BACKUP: &str = "address.before";

/// Whether a key has been in the directory: other traces of a service are there.
pub(super) fn was_present(dir: &Path) -> bool {
    service_records(dir).exists() || guards(dir).exists() || service_keys(dir).exists()
}

/// The key in the directory, if there is one.
pub(super) fn read(dir: &Path, mistrust: &Mistrust) -> Result<Option<AddressKey>, KeyError> {
    if !keystore(dir).exists() {
        return Ok(None); // arti would create one
    }
    let pair = keys(dir, mistrust)?.get::<HsIdKeypair>(&name());
    let pair = pair.map_err(KeyError::reading)?;
    Ok(pair.map(|pair| AddressKey::of(&pair.into())))
}

/// Replaces the key in the directory. If that fails, the old one is restored.
pub(super) fn put(dir: &Path, key: &AddressKey, mistrust: &Mistrust) -> Result<(), KeyError> {
    let pair = ExpandedKeypair::from_secret_key_bytes(*key.secret);
    let pair = pair.ok_or(KeyError::Damaged)?;
    let is_new = !service_keys(dir).exists();
    back_up(dir, mistrust).map_err(KeyError::Io)?;
    let done = replace(dir, pair, mistrust);
    if done.is_ok() {
        // An address that was given up must not leave its key: now, or at the next start (see `recover`).
        let _ = remove(&dir.join(BACKUP));
        return done;
    }
    // What fails here is retried at the next start: see `recover`.
    let _ = restore(dir);
    if is_new {
        // Or `was_present` would say that there was one.
        for directory in service_keys(dir).ancestors().take(3) {
            let _ = fs::remove_dir(directory);
        }
    }
    done
}

/// Replaces the key without a backup. Removes first what belongs to the old address: its introduction points and other
/// keys.
fn replace(dir: &Path, pair: ExpandedKeypair, mistrust: &Mistrust) -> Result<(), KeyError> {
    ignore_missing(fs::remove_dir_all(service_records(dir))).map_err(KeyError::Io)?;
    remove_all_but_the_key(&service_keys(dir)).map_err(KeyError::Io)?;
    let inserted = keys(dir, mistrust)?.insert(
        HsIdKeypair::from(pair),
        &name(),
        KeystoreSelector::Primary,
        true,
    );
    inserted.map_err(KeyError::new)?;
    // Durable before it is reported.
    sync(&service_keys(dir)).map_err(KeyError::Io)
}

/// Completes or undoes a replacement that was interrupted when the program was killed.
pub(super) fn recover(dir: &Path, mistrust: &Mistrust) -> io::Result<()> {
    let backup = dir.join(BACKUP);
    if backup.symlink_metadata().is_err() {
        return Ok(());
    }
    match read(dir, mistrust) {
        Ok(Some(_)) => remove(&backup),
        _ => restore(dir),
    }
}

/// Links the key to its backup. One that can't be read is moved there, because arti doesn't overwrite it.
fn back_up(dir: &Path, mistrust: &Mistrust) -> io::Result<()> {
    let (place, backup) = (service_keys(dir).join(KEY_FILE), dir.join(BACKUP));
    remove(&backup)?;
    if read(dir, mistrust).is_err() {
        return ignore_missing(fs::rename(place, backup));
    }
    // Without hard links there is no backup. arti replaces the file by a rename, which is enough unless the disk fails.
    let _ = fs::hard_link(place, backup);
    Ok(())
}

fn restore(dir: &Path) -> io::Result<()> {
    let (directory, backup) = (service_keys(dir), dir.join(BACKUP));
    if backup.symlink_metadata().is_ok() {
        // The directory may be gone meanwhile, and this may be the only copy.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        fs::rename(&backup, directory.join(KEY_FILE))?;
        remove(&backup)?; // rename(2) does nothing if both are links to one file
    }
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        if name != KEY_FILE && name.to_string_lossy().starts_with(TEMPORARY) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_all_but_the_key(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry?;
        if entry.file_name() != KEY_FILE {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file or directory, if it exists.
fn remove(path: &Path) -> io::Result<()> {
    let is_directory = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    ignore_missing(if is_directory {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    })
}

fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Flushes a directory and its files to the disk (fsync(2)).
fn sync(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(directory)?.sync_all()
}

fn keys(dir: &Path, mistrust: &Mistrust) -> Result<KeyMgr, KeyError> {
    let store = ArtiNativeKeystore::from_path_and_mistrust(keystore(dir), mistrust);
    let store = store.map_err(KeyError::new)?;
    let keys = KeyMgrBuilder::default()
        .primary_store(Box::new(store))
        .build();
    keys.map_err(KeyError::new)
}

fn name() -> HsIdKeypairSpecifier {
    let nickname: HsNickname = NICKNAME.parse().expect("it is a valid nickname");
    HsIdKeypairSpecifier::new(nickname)
}

#[cfg(test)]
mod tests {
    use super::super::{StateDir, StateDirError};
    use super::*;
    use crate::Settings;

    #[test]
    fn a_missing_key_is_an_error_and_a_new_one_is_found() {
        let rng = &mut rand::rng();
        let settings = Settings::default();
        let state = tempfile::tempdir().unwrap();
        let dir = StateDir::for_relay(state.path(), &settings).unwrap();
        assert_eq!(dir.address(&settings).unwrap(), None);
        let (first, second) = (AddressKey::generate(rng), AddressKey::generate(rng));
        dir.put_key(&first, &settings).unwrap();
        assert_eq!(dir.address(&settings).unwrap(), Some(first.address()));
        let records = dir.path().join("state/hss/kkv");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&records)
            .unwrap();
        dir.put_key(&second, &settings).unwrap();
        assert_eq!(dir.address(&settings).unwrap(), Some(second.address()));
        assert!(!records.exists(), "records of another service");

        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&records)
            .unwrap();
        let keys = dir.path().join("state/keystore/hss/kkv");
        for entry in fs::read_dir(&keys).unwrap() {
            fs::write(entry.unwrap().path(), "no key").unwrap();
        }
        assert!(matches!(
            dir.address(&settings),
            Err(StateDirError::Key(..))
        ));
        dir.put_key(&second, &settings).unwrap();
        assert_eq!(dir.address(&settings).unwrap(), Some(second.address()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&records)
            .unwrap();
        fs::remove_dir_all(keys).unwrap();
        assert!(matches!(
            dir.address(&settings),
            Err(StateDirError::KeyMissing(_))
        ));
        dir.put_key(&first, &settings).unwrap();
        drop(dir);
        let key = StateDir::read_key(state.path(), &settings)
            .unwrap()
            .unwrap();
        assert_eq!(key.as_bytes(), first.as_bytes());
        assert_eq!(
            format!("{key:?}"),
            format!("AddressKey({})", first.address())
        );
    }

    #[test]
    fn an_interrupted_replacement_is_completed_or_undone_at_the_next_start() {
        let settings = Settings::default();
        let state = tempfile::tempdir().unwrap();
        let dir = StateDir::for_relay(state.path(), &settings).unwrap();
        let keys = [(); 2].map(|()| AddressKey::generate(&mut rand::rng()));
        let [first, second] = &keys;
        dir.put_key(first, &settings).unwrap();
        let (backup, directory) = (dir.path().join(BACKUP), service_keys(dir.path()));
        assert!(directory.join(KEY_FILE).is_file() && !backup.exists());
        let again = || {
            let dir = StateDir::for_relay(state.path(), &settings).unwrap();
            assert!(!backup.exists(), "a key of an address that was given up");
            dir.address(&settings).unwrap()
        };
        // Before the new key is in place, and after.
        fs::rename(directory.join(KEY_FILE), &backup).unwrap();
        fs::write(directory.join("ks_hs_id.tmp"), "half").unwrap();
        drop(dir);
        assert_eq!(again(), Some(first.address()));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        // And if its directory is gone meanwhile.
        fs::rename(directory.join(KEY_FILE), &backup).unwrap();
        fs::remove_dir_all(keystore(&state.path().join("relay"))).unwrap();
        assert_eq!(again(), Some(first.address()));
        fs::hard_link(directory.join(KEY_FILE), &backup).unwrap();
        let dir = state.path().join("relay");
        replace(
            &dir,
            ExpandedKeypair::from_secret_key_bytes(*second.as_bytes()).unwrap(),
            &settings.mistrust(),
        )
        .unwrap();
        assert_eq!(again(), Some(second.address()));
    }

    #[test]
    fn an_empty_key_directory_is_a_missing_key() {
        let settings = Settings::default();
        let state = tempfile::tempdir().unwrap();
        let dir = StateDir::for_relay(state.path(), &settings).unwrap();
        let rng = &mut rand::rng();
        dir.ensure_key(&settings, rng).unwrap();
        let first = dir.address(&settings).unwrap();
        dir.ensure_key(&settings, rng).unwrap();
        assert_eq!(dir.address(&settings).unwrap(), first);
        fs::remove_file(service_keys(dir.path()).join(KEY_FILE)).unwrap();
        let missing = dir.ensure_key(&settings, rng);
        assert!(
            matches!(missing, Err(StateDirError::KeyMissing(_))),
            "{missing:?}"
        );
        assert!(matches!(dir.key(&settings), Ok(None)));
    }
}
