//! Data on standard output: plain lines, or JSON that a terminal can show without harm. What is said beside it goes to
//! standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, major, minor};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use zeroize::Zeroizing;

use super::bar::{columns, ends_lines, hanging};
use super::exit::{CliError, Exit};
use super::signals::{Listening, stop_is_requested};
use super::stderr::{Verbosity, verbosity};
use super::writer::{self, Sink};

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
    if verbosity() != Verbosity::Quiet {
        writer::words(Sink::Out, lines.to_string());
    }
}

/// Refuses what would be shown to nobody where standard output was closed when the program started; `so` is what didn't
/// come of it.
///
/// The standard library opens /dev/null in its place before anything of this program runs, for reading and writing. A
/// shell's `> /dev/null` is for writing alone, and meant. Some programs that start this one open it for both and mean
/// it (Python's DEVNULL), and nothing tells these from a closed output. So what else a command prints is taken as
/// thrown away; refused is only what can't be had again, or has no use but to be seen.
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

/// JSON in ASCII: every other character is written as `\uXXXX`, so that no text of a stranger steers a terminal, while
/// whoever parses it gets exactly what was sent.
///
/// # Panics
/// `value` can't be JSON: none of our own types is like that.
pub fn ascii_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Ascii);
    value
        .serialize(&mut serializer)
        .expect("our own types are always JSON");
    String::from_utf8(bytes).expect("ASCII is UTF-8")
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if c.is_ascii() && c != '\x7f' {
                writer.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_of_every_kind_are_escaped() {
        let json = ascii_json(&"\x1b\x7f\u{9b}\u{202e}é🙂\"");
        let want = "\"\\u001b\\u007f\\u009b\\u202e\\u00e9\\ud83d\\ude42\\\"\"";
        assert_eq!(json, want);
    }

    proptest! {
        #[test]
        fn it_is_printable_ascii_and_says_the_same(text: String) {
            let json = ascii_json(&text);
            prop_assert!(json.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
