//! Data on standard output: plain lines, or JSON that a terminal can show without harm. What is said beside it goes to
//! standard error.

use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, major, minor};
use serde::Serialize;
use zeroize::Zeroizing;

use kkv_terminal::bar::{columns, ends_lines, hanging};
use kkv_terminal::json::ascii_json;
use kkv_terminal::signals::{Listening, stop_is_requested};
use kkv_terminal::stderr::{Verbosity, verbosity};
use kkv_terminal::writer::{self, Sink};
use kkv_ui::error::{CliError, Exit};

/// The version of what `--json` prints, first in each line: see docs/JSON.md for what may change within one.
const SCHEMA: u32 = 1;
/// The device that throws everything away, by Linux's table of devices.
const DEV_NULL: (u32, u32) = (1, 3);

/// Writes lines for people in which a stranger's words may stand, such as a name: see [`hanging`].
pub(super) fn print_lines(lines: &str) -> Result<(), CliError> {
    print(&hanging(lines, columns()))
}

/// Says on standard output what is done, if anything is to be said. Nothing waits until somebody hears it.
pub(super) fn notice(lines: impl Display) {
    laid_out(&*hanging(&lines.to_string(), columns()));
}

/// The same in lines that fit the terminal already.
pub(super) fn laid_out(lines: impl Display) {
    if verbosity() != Verbosity::Quiet {
        writer::words(Sink::Out, lines.to_string());
    }
}

/// Refuses to print what was asked for to nobody, where standard output was closed when the program started; `so` is
/// what didn't come of it.
///
/// The standard library opens /dev/null in its place before anything of this program runs, for reading and writing. A
/// shell's `> /dev/null` is for writing alone, and meant. Some programs that start this one open it for both and mean
/// it (Python's DEVNULL), and nothing tells these from a closed output: they are told what to open instead. Help and
/// the version are printed all the same: whoever asks whether the program is there asks for them.
pub(super) fn require_output(so: &str) -> Result<(), CliError> {
    if !is_dev_null_for_both(io::stdout().as_fd()) {
        return Ok(());
    }
    let what = format!("standard output is closed (or /dev/null, opened for reading too); {so}");
    Err(CliError::usage(what)
        .hint("Write it to a terminal, a file or a program; `> /dev/null` throws it away."))
}

fn is_dev_null_for_both(file: BorrowedFd<'_>) -> bool {
    let is_null = fstat(file).is_ok_and(|stat| {
        let is_device = FileType::from_raw_mode(stat.st_mode).is_char_device();
        is_device && (major(stat.st_rdev), minor(stat.st_rdev)) == DEV_NULL
    });
    is_null && fcntl_getfl(file).is_ok_and(|flags| flags & OFlags::ACCMODE == OFlags::RDWR)
}

/// Writes data, and waits until it is written. A reader that has gone away (`kkvc list | head`) is no fault.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    write_all(text.as_bytes()).map(drop)
}

/// Writes what has come of something that is done already: `done` says what, so that nobody takes a fault of the output
/// for one of that.
pub(super) fn print_outcome(done: impl Display, text: &str) -> Result<(), CliError> {
    print(text).map_err(|failed| {
        let exit = match failed.exit {
            Exit::Cancelled => Exit::Cancelled,
            _ => Exit::DoneUnreported,
        };
        let what = format!("{done}; only its output failed: {}", failed.what);
        CliError::new(exit, what)
    })
}

/// Writes all of `bytes`. Whether they were taken: false if nobody reads any more.
pub(super) fn write_all(bytes: &[u8]) -> Result<bool, CliError> {
    let cancelled = || {
        let what = "cancelled before standard output had taken everything";
        CliError::new(Exit::Cancelled, what)
    };
    // Where a signal ended the program, it would leave the terminal as a line of a text has it.
    let listening = ends_lines(bytes).then(Listening::begin).transpose()?;
    let before = stop_is_requested();
    let taken = writer::written(Sink::Out, Zeroizing::new(bytes.to_vec()));
    if listening.is_some() && stop_is_requested() && !before {
        return Err(cancelled()); // a terminal forgets at Ctrl-C what it hasn't shown yet
    }
    taken.map_err(|fault| match fault.kind() {
        io::ErrorKind::Interrupted => cancelled(),
        _ => CliError::new(
            Exit::Refused,
            format!("can't write to standard output: {fault}"),
        ),
    })
}

/// Writes `value`, which is an object, as one line of JSON: see [`json_line`].
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    print(&json_line(value))
}

/// `value`, which is an object, as one line of JSON that begins with the version of its schema.
pub(super) fn json_line(value: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Versioned<'v, T> {
        schema: u32,
        #[serde(flatten)]
        value: &'v T,
    }
    let value = Versioned {
        schema: SCHEMA,
        value,
    };
    ascii_json(&value) + "\n"
}
