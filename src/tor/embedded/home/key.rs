//! The key of the onion address, in the place where arti keeps it.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fs_mistrust::Mistrust;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use tor_hscrypto::pk::HsIdKeypair;
use tor_hsservice::{HsIdKeypairSpecifier, HsNickname};
use tor_keymgr::{ArtiNativeKeystore, KeyMgr, KeyMgrBuilder, KeystoreSelector};
use tor_llcrypto::pk::ed25519::{ExpandedKeypair, Keypair};
use zeroize::Zeroizing;

use super::super::chain;
use super::super::config::STATE;
use super::super::service::NICKNAME;
use crate::onion::OnionAddress;

/// The secret key of an onion address: Ed25519's, expanded, as Tor's own files have it. Wiped on drop.
pub struct AddressKey {
    secret: Zeroizing<[u8; 64]>,
    address: OnionAddress,
}

/// Why a key can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

impl KeyError {
    fn new(fault: impl std::error::Error + 'static) -> Self {
        Self(chain(&fault))
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
            address: OnionAddress::from_public_key(pair.public().to_bytes()),
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

/// What the name of its file begins with.
const ID: &str = "ks_hs_id.";

/// Whether an onion service has been in `home`: there is more of it than its key.
pub(super) fn was_here(home: &Path) -> bool {
    notes(home).exists() || home.join(STATE).join("state/guards.json").exists()
}

/// The key in `home`, if there is one.
pub(super) fn read(home: &Path, mistrust: &Mistrust) -> Result<Option<AddressKey>, KeyError> {
    if !keystore(home).exists() {
        return Ok(None); // looking makes none
    }
    let pair = keys(home, mistrust)?.get::<HsIdKeypair>(&name());
    let pair = pair.map_err(KeyError::new)?;
    Ok(pair.map(|pair| AddressKey::of(&pair.into())))
}

/// Puts `key` in the place of whichever is in `home`.
pub(super) fn put(home: &Path, key: &AddressKey, mistrust: &Mistrust) -> Result<(), KeyError> {
    let pair = ExpandedKeypair::from_secret_key_bytes(*key.secret);
    let pair = pair.ok_or_else(|| KeyError("it is no key".to_owned()))?;
    // What else is known of a service is of one address: the points where visitors ask for it, and its other keys. The key itself goes last, when the
    // new one takes its place at once, so that there is always one; but one that can't be read would not let it.
    let of_no_use = read(home, mistrust).is_err();
    let missing_is_fine = |removed: io::Result<()>| match removed {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(KeyError::new(fault)),
        _ => Ok(()),
    };
    missing_is_fine(fs::remove_dir_all(notes(home)))?;
    let keys_of_service = keystore(home).join("hss").join(NICKNAME);
    for entry in fs::read_dir(&keys_of_service).into_iter().flatten() {
        let entry = entry.map_err(KeyError::new)?;
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_it = entry.file_name().to_string_lossy().starts_with(ID);
        match (is_it && !of_no_use, is_directory) {
            (true, _) => {}
            (false, true) => missing_is_fine(fs::remove_dir_all(entry.path()))?,
            (false, false) => missing_is_fine(fs::remove_file(entry.path()))?,
        }
    }
    let keys = keys(home, mistrust)?;
    let inserted = keys.insert(
        HsIdKeypair::from(pair),
        &name(),
        KeystoreSelector::Primary,
        true,
    );
    inserted.map_err(KeyError::new)?;
    // Before anybody is told that it is kept.
    sync(&keys_of_service).map_err(KeyError::new)
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
    use std::fs::DirBuilder;
    use std::os::unix::fs::DirBuilderExt;

    use super::super::{Home, HomeError};
    use super::*;
    use crate::tor::embedded::Settings;

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
}
