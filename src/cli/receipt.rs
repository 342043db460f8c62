//! The file for a relay's receipt.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::exit::{Exit, Failed};
use super::output::ascii_json;
use super::proof::Proof;

/// The file a receipt will be written to: made first, so that a wrong name costs no proof of work, and taken away if there is none.
pub(super) struct ReceiptFile {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl ReceiptFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, Failed> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|fault| {
                let what = format!("can't make {} for the receipt: {fault}", path.display());
                Failed::usage(format!("{what}; nothing was sent"))
            })?;
        Ok(Self {
            path,
            file,
            filled: false,
        })
    }

    pub(super) fn fill(&mut self, proof: &Proof) -> Result<(), Failed> {
        let line = format!("{}\n", ascii_json(proof));
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(|fault| {
                let path = self.path.display();
                let what = format!("the message was accepted, but can't write {path}: {fault}");
                Failed::new(Exit::AcceptedUntold, what).hint(format!(
                    "This is the receipt that should be in it: {}",
                    line.trim_end()
                ))
            })?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for ReceiptFile {
    fn drop(&mut self) {
        if !self.filled {
            let _ = fs::remove_file(&self.path);
        }
    }
}
