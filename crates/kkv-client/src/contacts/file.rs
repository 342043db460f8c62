//! Contacts in one file, encrypted with a passphrase (age, its scrypt recipient). Nothing of it is ever on the disk
//! unencrypted.
//!
//! A change reads the file anew under a lock and replaces it: two programs can have the same file open.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::book::{Book, BookError};
use super::disk::{Beside, held, missing, open, read};
use super::error::{ChangeError, FileError};
use super::passphrase::Passphrase;
use super::{sealed, stored};
use kkv_base::limits::CONTACTS_WORK_FACTOR;

/// A file of contacts as it lies on the disk, read but not opened.
#[derive(Debug)]
pub struct SealedBook {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Contacts whose file is open.
#[derive(Debug)]
pub struct BookFile {
    sealed: SealedBook,
    passphrase: Passphrase,
    book: Book,
    /// What [`Self::refresh`] has found last: a file, or none. `None` if it is to look again in any case.
    refreshed: Option<Option<Version>>,
    /// Whether the system kept it from reading, which was told.
    is_failing: bool,
}

/// What tells a file from the one that replaces it, or from itself once it was written to or others were let in or kept
/// out. The mode shows a change that comes so soon after another that the time is the same.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    inode: u64,
    length: u64,
    mode: u32,
    changed: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            length: metadata.size(),
            mode: metadata.mode(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl SealedBook {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It isn't there, can't be read, or others can read it too.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let path = fs::canonicalize(path).map_err(missing)?; // what is replaced is never a link
        let bytes = read(&open(&path)?)?;
        Ok(Self { path, bytes })
    }

    /// Opens it. Takes the time that a guess is to take: part of a second.
    ///
    /// # Errors
    /// The passphrase is wrong, or it isn't a file of contacts, or not a whole one.
    pub fn open(self, passphrase: Passphrase) -> Result<BookFile, FileError> {
        let book = unseal(&self.bytes, &passphrase)?;
        Ok(BookFile {
            sealed: self,
            passphrase,
            book,
            refreshed: None,
            is_failing: false,
        })
    }
}

impl BookFile {
    /// Makes a new file of mode 0600 with `book` in it.
    ///
    /// # Errors
    /// There is one already, or it can't be written.
    pub fn create(path: &Path, passphrase: Passphrase, book: Book) -> Result<Self, FileError> {
        let bytes = seal(&book, &passphrase, CONTACTS_WORK_FACTOR)?;
        let new = Beside::write(path, &bytes)?;
        new.put(path)?;
        let path = fs::canonicalize(path)?;
        Ok(Self {
            sealed: SealedBook { path, bytes },
            passphrase,
            book,
            refreshed: None,
            is_failing: false,
        })
    }

    /// What is in it, as far as this program has seen it.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Reads what another program has written, if any has since this was called last. Whether the contacts are others
    /// now. Costs one look at the file while nothing changes, and the time of [`SealedBook::open`] when something has.
    ///
    /// # Errors
    /// The file can't be read or opened any more. That is told once for each version of it. What the system refuses is
    /// tried again each time, as it may pass and leave no trace on the file, and is told once until it has passed.
    pub fn refresh(&mut self) -> Result<bool, FileError> {
        let result = self.read_anew();
        let is_failing = matches!(result, Err(FileError::Io(_)));
        if is_failing {
            self.refreshed = None;
        }
        let was_failing = std::mem::replace(&mut self.is_failing, is_failing);
        if is_failing && was_failing {
            return Ok(false);
        }
        result
    }

    /// Reads the file if it isn't the one that was found last.
    fn read_anew(&mut self) -> Result<bool, FileError> {
        let metadata = fs::metadata(&self.sealed.path).map_err(missing);
        let version = metadata.as_ref().ok().map(Version::of);
        if self.refreshed.as_ref() == Some(&version) {
            return Ok(false);
        }
        self.refreshed = Some(version);
        metadata?;
        let bytes = read(&open(&self.sealed.path)?)?;
        if bytes == self.sealed.bytes {
            return Ok(false);
        }
        let book = unseal(&bytes, &self.passphrase)?;
        self.sealed.bytes = bytes;
        let is_another = book != self.book;
        self.book = book;
        Ok(is_another)
    }

    /// Changes what is in it now, whoever has written it meanwhile; the file is written anew if something differs then.
    ///
    /// # Errors
    /// The change is refused, or the file can't be read or written any more; then it is as it was.
    pub fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Book) -> Result<T, BookError>,
    ) -> Result<T, ChangeError> {
        let held = held(&self.sealed.path)?;
        let bytes = read(&held)?;
        if bytes != self.sealed.bytes {
            self.book = unseal(&bytes, &self.passphrase)?;
            self.sealed.bytes = bytes;
        }
        let mut book = self.book.clone();
        let done = change(&mut book)?;
        if book != self.book {
            let bytes = seal(&book, &self.passphrase, CONTACTS_WORK_FACTOR)?;
            let new = Beside::write(&self.sealed.path, &bytes)?;
            new.replace(&self.sealed.path, &held)?;
            self.sealed.bytes = bytes;
            self.book = book;
        }
        Ok(done)
    }
}

fn seal(book: &Book, passphrase: &Passphrase, work: u8) -> Result<Vec<u8>, FileError> {
    sealed::seal(&stored::write(book), passphrase, work)
}

fn unseal(bytes: &[u8], passphrase: &Passphrase) -> Result<Book, FileError> {
    stored::read(&sealed::unseal(bytes, passphrase)?)
}

#[cfg(test)]
mod tests;
