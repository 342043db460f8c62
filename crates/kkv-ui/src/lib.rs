//! What the command line and the interactive client share: how a message gets to an inbox, and all that both say alike.
//!
//! ```text
//! tor, way, key, secret_file          how a message gets there; the embedded Tor; keys to closed inboxes
//! steps, estimate, outcome, explain   a delivery: where it is, how long it takes, what has become of it
//! error, advice                       what did not work, with the exit code and what to do
//! fields, preview, selection          messages, keys and addresses as people read and name them
//! replies                             reply words and answers
//! new_file, save, private_directory   files that are made; those of messages, saved or in memory for a command
//! ```
//!
//! It is apart from `kkv-client`, whose errors are data: what is said here names options and commands of `kkvc`.

pub mod advice;
pub mod error;
pub mod estimate;
pub mod explain;
pub mod fields;
pub mod file_name;
pub mod key;
pub mod new_file;
pub mod outcome;
pub mod preview;
pub mod private_directory;
pub mod replies;
pub mod save;
pub mod secret_file;
pub mod selection;
pub mod steps;
pub mod tor;
pub mod way;
