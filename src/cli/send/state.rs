//! The file by which another run goes on with a message with files: for whom it is, what was paid, and the sealed
//! pieces.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use kkv_pow::Cost;
use kkv_protocol::v2::upload::kept::MAX_BYTES;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_terminal::visible::quoted;
use kkv_ui::advice::close_file;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::new_file::NewFile;
use kkv_ui::secret_file;

/// Room for the line with the address.
const MAX_LINE_BYTES: usize = 256;

/// An upload that another run has begun.
pub(super) struct Begun {
    pub(super) to: String,
    pub(super) cost: Cost,
    pub(super) upload: Upload,
}

/// A line with the address and what was paid, and behind it the upload.
pub(super) fn write(
    path: &Path,
    to: &str,
    upload: &Upload,
    cost: Cost,
) -> Result<NewFile, CliError> {
    let line = format!("{to} {}\n", cost.bits());
    let kept = upload.keep();
    // In one piece: a vector that grows leaves copies of the key of the acknowledgements behind.
    let mut state = Zeroizing::new(Vec::with_capacity(line.len() + kept.len()));
    state.extend_from_slice(line.as_bytes());
    state.extend_from_slice(&kept);
    let mut file = secret_file::written(path, &state).map_err(|fault| {
        let what = format!(
            "can't make {}: {fault}; nothing was delivered",
            quoted(path)
        );
        CliError::new(Exit::of_io(&fault), what)
    })?;
    file.keep();
    Ok(file)
}

/// What another run has begun, if it has, and the file that says so.
pub(super) fn read(path: &Path) -> Result<Option<(Begun, NewFile)>, CliError> {
    let unreadable = |fault: &io::Error| {
        let what = format!("{}: {fault}; nothing was sent", quoted(path));
        CliError::new(Exit::of_io(fault), what)
    };
    let file = match File::open(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|fault| unreadable(&fault))?,
    };
    let metadata = file.metadata().map_err(|fault| unreadable(&fault))?;
    // Whoever can write to it could have another message sent, under this name.
    if metadata.mode() & 0o077 != 0 {
        let what = format!(
            "other users may get at what was begun in {}; nothing was sent",
            quoted(path)
        );
        return Err(close_file(CliError::usage(what), path, &metadata));
    }
    let most = MAX_BYTES + MAX_LINE_BYTES;
    let mut state = Zeroizing::new(Vec::with_capacity(most));
    let read = (&file).take(most as u64).read_to_end(&mut state);
    read.map_err(|fault| unreadable(&fault))?;
    let file = NewFile::adopt(path, file).map_err(|fault| unreadable(&fault))?;
    let begun = parsed(&state).ok_or_else(|| {
        let what = format!(
            "{} is no upload that was begun; nothing was sent",
            quoted(path)
        );
        CliError::new(Exit::Refused, what)
    })?;
    Ok(Some((begun, file)))
}

fn parsed(state: &[u8]) -> Option<Begun> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&state[..end]).ok()?;
    let (to, cost) = line.split_once(' ')?;
    Some(Begun {
        to: to.to_owned(),
        cost: Cost::new(cost.parse().ok()?).ok()?,
        upload: Upload::again(&state[end + 1..]).ok()?,
    })
}
