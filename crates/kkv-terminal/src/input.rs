//! What comes in and may be a message or a key: read without a buffer between, since std's own is never wiped.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// Standard input as a file like any other.
pub fn stdin() -> io::Result<File> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(File::from(input))
}

/// Whether the terminal on standard input is gone, if it was one: its window was closed, or the way to it is lost.
pub fn terminal_is_gone() -> bool {
    let gone = PollFlags::HUP | PollFlags::ERR;
    stdin_is(PollFlags::empty()).intersects(gone)
}

/// Whether there is something in it that nobody has read yet.
pub fn terminal_has_input() -> bool {
    io::stdin().is_terminal() && stdin_is(PollFlags::IN).contains(PollFlags::IN)
}

/// How standard input is, as far as it is asked for.
fn stdin_is(asked: PollFlags) -> PollFlags {
    let stdin = io::stdin();
    let mut looked = [PollFd::new(&stdin, asked)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match poll(&mut looked, Some(&now)) {
        Ok(_) => looked[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}

/// Whether this is what reading from such a terminal comes to: then nobody is there to answer, and nothing is wrong
/// with the program.
pub fn is_of_no_terminal(fault: &io::Error) -> bool {
    fault.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// Reads a text of `most` bytes at most, into one buffer that is wiped.
///
/// # Errors
/// It can't be read; it is longer (`FileTooLarge`), or no UTF-8 (`InvalidData`).
pub fn text(source: impl Read, most: usize) -> io::Result<Zeroizing<String>> {
    // More room than is ever read, so that it never moves and leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1 + 32));
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let what = format!("it is longer than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(fault) => {
            drop(Zeroizing::new(fault.into_bytes()));
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it isn't UTF-8 text",
            ))
        }
    }
}
