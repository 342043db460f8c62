//! The file by which another run goes on with a message with files: for whom it is, what was paid, and the sealed
//! pieces.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags, access};
use rustix::io::Errno;

use zeroize::Zeroizing;

use kkv_net::process::own_uid;
use kkv_pow::Cost;
use kkv_protocol::v2::upload::kept::MAX_BYTES;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_terminal::visible::quoted;
use kkv_ui::advice::close_file;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::new_file::NewFile;
use kkv_ui::secret_file;
use kkv_ui::way::Paid;

/// Room for the line with the address.
const MAX_LINE_BYTES: usize = 256;
/// Stands for what was paid where nothing was, by invitation.
const INVITED: &str = "invited";

/// An upload that another run has begun.
pub(super) struct Begun {
    pub(super) to: String,
    pub(super) paid: Paid,
    pub(super) upload: Upload,
}

/// A line with the address and what was paid, and behind it the upload.
pub(super) fn write(
    path: &Path,
    to: &str,
    upload: &Upload,
    paid: Paid,
) -> Result<NewFile, CliError> {
    let line = match paid.invited {
        true => format!("{to} {INVITED}\n"),
        false => format!("{to} {}\n", paid.cost.bits()),
    };
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

/// What another run has begun, if it has, and the file that says so. It never waits: with signals caught, nothing would
/// end that.
///
/// # Errors
/// It can't be read, is no file of this user's own, or can't be made once there is something to keep.
pub(super) fn read(path: &Path) -> Result<Option<(Begun, NewFile)>, CliError> {
    let unreadable = |fault: &io::Error| {
        let what = format!("{}: {fault}; nothing was sent", quoted(path));
        CliError::new(Exit::of_io(fault), what)
    };
    let refused = |why: &str| {
        let what = format!("{} {why}; nothing was sent", quoted(path));
        CliError::usage(what).hint("Name a file of your own, or one that isn't there yet.")
    };
    let file = match opened(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            may_be_made(path).map_err(|fault| {
                let what = format!("can't make {}: {fault}; nothing was sent", quoted(path));
                CliError::new(Exit::of_io(&fault), what)
            })?;
            return Ok(None);
        }
        // What it leads to would stay when it has served.
        Err(fault) if fault.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(refused("is a link"));
        }
        file => file.map_err(|fault| unreadable(&fault))?,
    };
    let metadata = file.metadata().map_err(|fault| unreadable(&fault))?;
    if !metadata.is_file() {
        return Err(refused("is no file"));
    }
    // Whoever can write to it could have another message sent, under this name.
    if metadata.uid() != own_uid() {
        return Err(refused("is another user's"));
    }
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

/// Without waiting for who writes into a pipe.
fn opened(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let mut options = OpenOptions::new();
    options.custom_flags(flags.bits().cast_signed());
    options.read(true).open(path)
}

/// Whether there can be a file in its directory: else one would have paid for nothing.
fn may_be_made(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    Ok(access(parent, Access::WRITE_OK | Access::EXEC_OK)?)
}

fn parsed(state: &[u8]) -> Option<Begun> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&state[..end]).ok()?;
    let (to, paid) = line.split_once(' ')?;
    let (cost, invited) = match paid {
        INVITED => (Cost::FREE, true),
        cost => (Cost::new(cost.parse().ok()?).ok()?, false),
    };
    Some(Begun {
        to: to.to_owned(),
        paid: Paid { cost, invited },
        upload: Upload::again(&state[end + 1..]).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_no_file_of_ones_own_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let made = Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        for name in ["own", "theirs"] {
            fs::write(path(name), "x 4\n").unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(0o600)).unwrap();
        }
        chown(path("theirs"), Some(7), None).expect("run by root, or as scripts/test runs it");
        symlink("own", path("link")).unwrap();
        for (name, why) in [
            ("pipe", "is no file"),
            (".", "is no file"),
            ("link", "is a link"),
            ("theirs", "is another user's"),
            ("own", "is no upload that was begun"),
            ("none/state", "No such file"),
        ] {
            let failed = read(&path(name)).err().expect(name);
            assert!(failed.what.contains(why), "{}", failed.what);
            assert!(failed.what.contains("nothing was sent"), "{}", failed.what);
        }
        assert!(read(&path("new")).unwrap().is_none());
    }
}
