//! The key of the onion address, in the place where arti keeps it.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use fs_mistrust::Mistrust;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use tor_hscrypto::pk::HsIdKeypair;
use tor_hsservice::{HsIdKeypairSpecifier, HsNickname};
use tor_keymgr::{ArtiNativeKeystore, KeyMgr, KeyMgrBuilder, KeystoreSelector};
use tor_llcrypto::pk::ed25519::{ExpandedKeypair, Keypair};
use zeroize::Zeroizing;

use super::super::config::STATE;
use super::super::service::NICKNAME;
use super::super::{chain, trouble};
use kkv_protocol::ids::ServiceKey;
use kkv_protocol::onion::OnionAddress;

/// The secret key of an onion address: Ed25519's, expanded, as Tor's own files have it. Wiped on drop.
pub struct AddressKey {
    secret: Zeroizing<[u8; 64]>,
    address: OnionAddress,
}

/// Why a key can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system says no.
    #[error("{0}")]
    Io(io::Error),
    /// It can be read, and is none.
    #[error("it is damaged, or no key")]
    Damaged,
    /// arti says no.
    #[error("{0}")]
    Other(String),
}

impl KeyError {
    fn new(fault: impl std::error::Error + 'static) -> Self {
        match trouble::of_system(&fault) {
            // Once more, as arti shares its own.
            Some(io) => Self::Io(match io.raw_os_error() {
                Some(number) => io::Error::from_raw_os_error(number),
                None => io::Error::new(io.kind(), io.to_string()),
            }),
            None => Self::Other(chain(&fault)),
        }
    }

    /// Of a key that was to be read. Whether others may get at the files has been looked at before.
    fn unread(fault: impl std::error::Error + 'static) -> Self {
        match Self::new(fault) {
            Self::Io(io) if io.kind() == io::ErrorKind::InvalidData => Self::Damaged,
            Self::Other(_) => Self::Damaged,
            io => io,
        }
    }
}

impl AddressKey {
    /// Draws a new one (32 bytes).
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self::of(&ExpandedKeypair::from(&Keypair::from_bytes(&seed)))
    }

    /// The key with these bytes, a scalar and a prefix; none if they are not what [`Self::as_bytes`] gives.
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

    /// The address that it makes.
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

/// Its file.
const FILE: &str = "ks_hs_id.ed25519_expanded_private";
/// What a file begins with that is to become it.
const BEGUN: &str = "ks_hs_id.";
/// Where a key is until the one in its place is on the disk.
const ASIDE: &str = "address.before";

/// Whether the key of an address has been in `home`: there is more of it, or where it was.
pub(super) fn was_here(home: &Path) -> bool {
    notes(home).exists()
        || home.join(STATE).join("state/guards.json").exists()
        || keys_of_service(home).exists()
}

/// The key in `home`, if there is one.
pub(super) fn read(home: &Path, mistrust: &Mistrust) -> Result<Option<AddressKey>, KeyError> {
    if !keystore(home).exists() {
        return Ok(None); // looking makes none
    }
    let pair = keys(home, mistrust)?.get::<HsIdKeypair>(&name());
    let pair = pair.map_err(KeyError::unread)?;
    Ok(pair.map(|pair| AddressKey::of(&pair.into())))
}

/// Puts `key` in the place of whichever is in `home`. If that fails, whichever was there is there again.
pub(super) fn put(home: &Path, key: &AddressKey, mistrust: &Mistrust) -> Result<(), KeyError> {
    let pair = ExpandedKeypair::from_secret_key_bytes(*key.secret);
    let pair = pair.ok_or(KeyError::Damaged)?;
    let is_new = !keys_of_service(home).exists();
    set_aside(home, mistrust).map_err(KeyError::Io)?;
    let done = put_alone(home, pair, mistrust);
    if done.is_ok() {
        // Who gives an address up wants its key gone, too: now, or when the directory is next used (see `settle`).
        let _ = remove(&home.join(ASIDE));
        return done;
    }
    // What can't be undone now is when the directory is next used: see `settle`.
    let _ = bring_back(home);
    if is_new {
        // Nobody shall think that there was one.
        for directory in keys_of_service(home).ancestors().take(3) {
            let _ = fs::remove_dir(directory);
        }
    }
    done
}

/// What else is known of a service is of one address: the points where visitors ask for it, and its other keys. It goes
/// before the new key comes.
fn put_alone(home: &Path, pair: ExpandedKeypair, mistrust: &Mistrust) -> Result<(), KeyError> {
    missing_is_fine(fs::remove_dir_all(notes(home))).map_err(KeyError::Io)?;
    remove_all_but_the_key(&keys_of_service(home)).map_err(KeyError::Io)?;
    let inserted = keys(home, mistrust)?.insert(
        HsIdKeypair::from(pair),
        &name(),
        KeystoreSelector::Primary,
        true,
    );
    inserted.map_err(KeyError::new)?;
    // Before anybody is told that it is kept.
    sync(&keys_of_service(home)).map_err(KeyError::Io)
}

/// Ends what was begun with the key when the program was killed.
pub(super) fn settle(home: &Path, mistrust: &Mistrust) -> io::Result<()> {
    let aside = home.join(ASIDE);
    if aside.symlink_metadata().is_err() {
        return Ok(());
    }
    match read(home, mistrust) {
        Ok(Some(_)) => remove(&aside),
        _ => bring_back(home),
    }
}

/// Keeps the key for as long as it may be needed again. One that can't be read leaves its place, as arti puts none over
/// it.
fn set_aside(home: &Path, mistrust: &Mistrust) -> io::Result<()> {
    let (place, aside) = (keys_of_service(home).join(FILE), home.join(ASIDE));
    remove(&aside)?;
    if read(home, mistrust).is_err() {
        return missing_is_fine(fs::rename(place, aside));
    }
    // A file system without links has it in its place until the new one is whole, which is enough unless the disk
    // fails.
    let _ = fs::hard_link(place, aside);
    Ok(())
}

fn bring_back(home: &Path) -> io::Result<()> {
    let (directory, aside) = (keys_of_service(home), home.join(ASIDE));
    if aside.symlink_metadata().is_ok() {
        // What it is in may have been moved away meanwhile, and this may be the only copy.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        fs::rename(&aside, directory.join(FILE))?;
        remove(&aside)?; // one file with two names is not renamed
    }
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        if name != FILE && name.to_string_lossy().starts_with(BEGUN) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_all_but_the_key(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry?;
        if entry.file_name() != FILE {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes whatever is there, if anything is.
fn remove(path: &Path) -> io::Result<()> {
    let is_directory = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    missing_is_fine(if is_directory {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    })
}

fn missing_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Has the disk know of a directory and the files in it.
fn sync(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(directory)?.sync_all()
}

fn keystore(home: &Path) -> PathBuf {
    home.join(STATE).join("keystore")
}

fn keys_of_service(home: &Path) -> PathBuf {
    keystore(home).join("hss").join(NICKNAME)
}

/// What arti notes of the service.
fn notes(home: &Path) -> PathBuf {
    home.join(STATE).join("hss").join(NICKNAME)
}

fn keys(home: &Path, mistrust: &Mistrust) -> Result<KeyMgr, KeyError> {
    let store = ArtiNativeKeystore::from_path_and_mistrust(keystore(home), mistrust);
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
    use super::super::{Home, HomeError};
    use super::*;
    use crate::Settings;

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
    fn what_was_begun_when_the_program_was_killed_is_ended_at_the_next_start() {
        let settings = Settings::default();
        let state = tempfile::tempdir().unwrap();
        let home = Home::of_relay(state.path(), &settings).unwrap();
        let keys = [(); 2].map(|()| AddressKey::generate(&mut rand::rng()));
        let [first, second] = &keys;
        home.put_key(first, &settings).unwrap();
        let (aside, directory) = (home.path().join(ASIDE), keys_of_service(home.path()));
        assert!(directory.join(FILE).is_file() && !aside.exists());
        let again = || {
            let home = Home::of_relay(state.path(), &settings).unwrap();
            assert!(!aside.exists(), "no key of an address that was given up");
            home.address(&settings).unwrap()
        };
        // Before there is another in its place, and after.
        fs::rename(directory.join(FILE), &aside).unwrap();
        fs::write(directory.join("ks_hs_id.tmp"), "half").unwrap();
        drop(home);
        assert_eq!(again(), Some(first.address()));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        // And where what it was in has been moved away meanwhile.
        fs::rename(directory.join(FILE), &aside).unwrap();
        fs::remove_dir_all(keystore(&state.path().join("relay"))).unwrap();
        assert_eq!(again(), Some(first.address()));
        fs::hard_link(directory.join(FILE), &aside).unwrap();
        let home = state.path().join("relay");
        put_alone(
            &home,
            ExpandedKeypair::from_secret_key_bytes(*second.as_bytes()).unwrap(),
            &settings.mistrust(),
        )
        .unwrap();
        assert_eq!(again(), Some(second.address()));
    }

    #[test]
    fn where_the_key_was_it_is_missed_though_nothing_else_is_there() {
        let settings = Settings::default();
        let state = tempfile::tempdir().unwrap();
        let home = Home::of_relay(state.path(), &settings).unwrap();
        let rng = &mut rand::rng();
        home.first_key(&settings, rng).unwrap();
        let first = home.address(&settings).unwrap();
        home.first_key(&settings, rng).unwrap();
        assert_eq!(home.address(&settings).unwrap(), first);
        fs::remove_file(keys_of_service(home.path()).join(FILE)).unwrap();
        let missed = home.first_key(&settings, rng);
        assert!(
            matches!(missed, Err(HomeError::KeyMissing(_))),
            "{missed:?}"
        );
        assert!(matches!(home.key(&settings), Ok(None)));
    }
}
