//! The file for a relay's receipt.

use std::io;
use std::path::PathBuf;

use super::output::{print, require_output};
use kkv_protocol::proof::Proof;
use kkv_terminal::json::ascii_json;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::new_file::NewFile;

/// Where a receipt goes.
pub(super) enum ReceiptPlace {
    /// Standard output, for `-`.
    Output,
    /// A new file.
    File(ReceiptFile),
}

/// The file a receipt will be written to: made first, so that a wrong name costs no proof of work, and taken away if
/// there is none.
pub(super) struct ReceiptFile {
    path: PathBuf,
    file: NewFile,
}

impl ReceiptPlace {
    /// # Errors
    /// The file can't be made, or is there already; standard output leads nowhere.
    pub(super) fn of(path: PathBuf) -> Result<Self, CliError> {
        if path.as_os_str() == "-" {
            require_output("nothing was sent")?;
            return Ok(Self::Output);
        }
        ReceiptFile::create(path).map(Self::File)
    }

    /// Puts it there. `is_printed`: standard output has it already, as a part of what `--json` prints.
    ///
    /// # Errors
    /// It can't be written; then it is in the hint.
    pub(super) fn fill(&mut self, proof: &Proof, is_printed: bool) -> Result<(), CliError> {
        match self {
            Self::File(file) => file.fill(proof),
            Self::Output if is_printed => Ok(()),
            Self::Output => {
                let line = format!("{}\n", ascii_json(proof));
                print(&line).map_err(|failed| unwritten(&failed.what, &line))
            }
        }
    }
}

impl ReceiptFile {
    fn create(path: PathBuf) -> Result<Self, CliError> {
        let file = NewFile::create(&path).map_err(|fault| {
            let what = format!("can't make {} for the receipt: {fault}", quoted(&path));
            let failed = CliError::new(Exit::of_io(&fault), format!("{what}; nothing was sent"));
            match fault.kind() {
                io::ErrorKind::AlreadyExists => failed.hint(
                    "It is left as it is, since it may be another message's receipt: name a new file.",
                ),
                _ => failed,
            }
        })?;
        Ok(Self { path, file })
    }

    fn fill(&mut self, proof: &Proof) -> Result<(), CliError> {
        let line = format!("{}\n", ascii_json(proof));
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync())
            .map_err(|fault| {
                let path = quoted(&self.path);
                unwritten(&format!("can't write {path}: {fault}"), &line)
            })?;
        self.file.keep();
        Ok(())
    }
}

/// What is said when a receipt is there and nobody has it.
fn unwritten(why: &str, line: &str) -> CliError {
    let what = format!("the message was accepted, but {why}");
    let hint = format!(
        "This is the receipt that should be in it: {}",
        line.trim_end()
    );
    CliError::new(Exit::DoneUnreported, what).hint(hint)
}
