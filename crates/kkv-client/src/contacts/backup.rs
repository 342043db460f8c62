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
