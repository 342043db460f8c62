//! Standard input, read without a buffer between: std's own is never wiped, and what comes in may be a message.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// Standard input as a file like any other.
pub(super) fn stdin() -> io::Result<File> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(File::from(input))
}
