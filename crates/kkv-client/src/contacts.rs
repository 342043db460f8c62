//! Names for addresses: what an owner knows of the inboxes that are written to, in memory, or in one encrypted file if
//! that is asked for.

mod backup;
mod book;
mod contact;
mod disk;
mod error;
mod file;
mod link;
mod name;
mod passphrase;
mod recipient;
mod sealed;
mod stored;
mod words;

pub use backup::Backup;
pub use book::{Added, Book, BookError};
pub use contact::Contact;
pub use error::{BadEntry, ChangeError, FileError};
pub use file::{BookFile, SealedBook};
pub use link::{Invitation, Link, ParseLinkError, link_text, without_token};
pub use name::alike;
pub use name::{BadName, Name};
pub use passphrase::{BadPassphrase, Passphrase};
pub use recipient::Recipient;
pub use words::Words;
