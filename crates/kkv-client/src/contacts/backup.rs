//! A secret in a file of its own, encrypted with a passphrase as contacts are: what an owner keeps elsewhere.

use std::path::Path;

use zeroize::Zeroizing;

use super::disk::{Beside, open, read};
use super::error::FileError;
use super::passphrase::Passphrase;
use super::sealed;
use kkv_base::limits::CONTACTS_WORK_FACTOR;

/// A backup as it lies on the disk, read but not opened.
#[derive(Debug)]
pub struct Backup(Vec<u8>);

impl Backup {
    /// Makes a new file of mode 0600 with `plain` in it, encrypted.
    ///
    /// # Errors
    /// There is one already, or it can't be written.
    pub fn create(path: &Path, passphrase: &Passphrase, plain: &[u8]) -> Result<(), FileError> {
        let bytes = sealed::seal(plain, passphrase, CONTACTS_WORK_FACTOR)?;
        Beside::write(path, &bytes)?.put(path)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It isn't there, can't be read, or others can read it too.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Ok(Self(read(&open(path)?)?))
    }

    /// What is in it. Takes the time that a guess is to take: part of a second.
    ///
    /// # Errors
    /// The passphrase is wrong, or the file is something else, or not whole.
    pub fn open(&self, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, FileError> {
        sealed::unseal(&self.0, passphrase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_gives_back_what_was_put_in_to_who_has_the_passphrase() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backup.age");
        let passphrase = |text: &str| Passphrase::new(&Zeroizing::new(text.to_owned())).unwrap();
        Backup::create(&path, &passphrase("right"), b"the key").unwrap();
        let backup = Backup::read(&path).unwrap();
        assert_eq!(**backup.open(&passphrase("right")).unwrap(), b"the key"[..]);
        assert!(backup.open(&passphrase("wrong")).is_err());
        // Never over a file that is there.
        assert!(Backup::create(&path, &passphrase("right"), b"another").is_err());
        let again = Backup::read(&path).unwrap();
        assert_eq!(**again.open(&passphrase("right")).unwrap(), b"the key"[..]);
    }
}
