//! The outputs, and how one of them is written to.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use crate::signals::stop_is_requested;

/// What has become of something that was to be written: whether it was taken (false if nobody reads any more), or why
/// it can't be.
pub type Taken = io::Result<bool>;

/// An output.
#[derive(Debug, Clone)]
pub enum Sink {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// The terminal that the program was started from.
    Terminal(Arc<File>),
}

impl Sink {
    pub(super) fn file<'s>(&'s self, out: &'s io::Stdout, err: &'s io::Stderr) -> BorrowedFd<'s> {
        match self {
            Self::Out => out.as_fd(),
            Self::Err => err.as_fd(),
            Self::Terminal(file) => file.as_fd(),
        }
    }

    /// Whether it is a terminal that others write to when this program has ended.
    pub(super) fn is_shared_terminal(&self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
            Self::Terminal(_) => false, // the interactive client leaves it as it was
        }
    }

    /// Whether a write would not have to wait, as far as the system tells.
    pub(super) fn takes_more(&self) -> bool {
        let (out, err) = (io::stdout(), io::stderr());
        let file = self.file(&out, &err);
        let mut looked = [PollFd::from_borrowed_fd(file, PollFlags::OUT)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut looked, Some(&now)).is_ok_and(|ready| ready > 0)
    }
}

fn is_device(file: BorrowedFd<'_>) -> bool {
    fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_char_device())
}

/// Writes all of it, past the buffers of the standard library: one of those is locked for as long as a write lasts.
pub(super) fn all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Taken {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                _ = poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None);
            }
            Err(Errno::PIPE) => return Ok(false),
            // A terminal that is gone; on a disk it would be a fault.
            Err(Errno::IO) if is_device(to) => return Ok(false),
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(true)
}

/// Writes one line after the other, until the program is asked to end meanwhile.
pub(super) fn lines(to: BorrowedFd<'_>, bytes: &[u8]) -> Taken {
    let before = stop_is_requested();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if stop_is_requested() && !before {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if !all(to, line)? {
            return Ok(false);
        }
    }
    Ok(true)
}
