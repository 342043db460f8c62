//! A file with a secret key: made for its owner alone, and read only if nobody else can.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::exit::Failed;

/// Makes a new file of mode 0600.
///
/// # Errors
/// It exists, or can't be written; then it is not there.
pub(super) fn make(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path); // half a key helps nobody
    }
    written
}

/// Reads a file. `maker` is the command that makes such files.
pub(super) fn read(path: &Path, maker: &str) -> Result<Zeroizing<String>, Failed> {
    let metadata = fs::metadata(path).map_err(|fault| unusable(path, &fault, maker))?;
    if metadata.is_dir() {
        let what = format!("{} is a directory, not a file with a key", path.display());
        return Err(Failed::usage(what).hint(format!("Name a file in it; `{maker}` makes one.")));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        let what = format!("other users may get at the key in {}", path.display());
        return Err(Failed::usage(what).hint(format!("Run: chmod 600 {}", path.display())));
    }
    let text = fs::read_to_string(path).map_err(|fault| unusable(path, &fault, maker))?;
    Ok(Zeroizing::new(text))
}

/// What is said of a file that can't be made or read.
pub(super) fn unusable(path: &Path, fault: &io::Error, maker: &str) -> Failed {
    let failed = Failed::usage(format!("can't use the key in {}: {fault}", path.display()));
    if fault.kind() == io::ErrorKind::NotFound {
        failed.hint(format!("`{maker}` makes one, in a directory that exists."))
    } else {
        failed
    }
}
