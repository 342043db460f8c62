//! Why a file of contacts can't be had or changed.

use std::io;

use super::book::BookError;
use super::name::BadName;
use kkv_base::limits::{CONTACTS_LOCK_TIMEOUT, MAX_CONTACTS_WORK_FACTOR};
use kkv_net::tor::ParseTargetError;
use kkv_protocol::crypto::identity::BadPublicKey;
use kkv_protocol::v2::invitation::BadToken;

/// Why a file of contacts can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It isn't there.
    #[error("there is no such file")]
    Missing,
    /// It is there, and was to be made.
    #[error("there is such a file already")]
    Exists,
    /// It is a directory or the like.
    #[error("it is no file")]
    NotAFile,
    /// Another program changes it, and doesn't get done.
    #[error("another program has held it for {} s", CONTACTS_LOCK_TIMEOUT.as_secs())]
    Busy,
    /// Its mode lets others in.
    #[error("other users may get at it")]
    Exposed,
    /// It is something else.
    #[error("it is no file of contacts")]
    Foreign,
    /// It is not as it was written.
    #[error("it has been cut off or altered")]
    Altered,
    /// It is closed to this passphrase. (The place where that shows may have been altered as well.)
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// It would take too long, or too much memory, to open it.
    #[error(
        "to open it takes 2^{0} steps of scrypt, and 2^{MAX_CONTACTS_WORK_FACTOR} are done at most"
    )]
    TooMuchWork(u8),
    /// It comes from another version of the program.
    #[error("it is of version {0}, and only version 1 is known")]
    Version(u64),
    /// It was not made by this program.
    #[error("what is in it can't be contacts: {0}")]
    Malformed(#[from] BadEntry),
    /// The system says no.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Why what stands in a file can't be contacts.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadEntry {
    /// Its fields are not those of this version.
    #[error("it has other fields than a file of contacts")]
    Fields,
    /// A name is none.
    #[error(transparent)]
    Name(#[from] BadName),
    /// An address is none that can be written to.
    #[error(transparent)]
    Address(#[from] ParseTargetError),
    /// An invitation is none.
    #[error("an invitation in it is none: {0}")]
    Invitation(#[from] BadToken),
    /// A key can't have signed anything.
    #[error(transparent)]
    Sender(#[from] BadPublicKey),
    /// It doesn't go with the others: two have one address or key, or there are too many.
    #[error(transparent)]
    Book(#[from] BookError),
}

/// Why contacts in a file stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// They can't be changed like that.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The file can't be had, or written anew.
    #[error(transparent)]
    File(#[from] FileError),
}
