//! What the terminal says, read by a thread of its own: nothing else waits for it.

use std::io;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::{Zeroize, Zeroizing};

use super::super::event::Input;
use super::decode::{Decoder, MAX_PASTE_BYTES};
use crate::crypto::scrub;

/// A paste that says nothing for so long has stalled. Within a burst of input, pauses are shorter, but for slow lines.
const PASTE_PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 400_000_000,
};
/// Read at once. A terminal's own buffer holds four times as much.
const READ_BYTES: usize = 1024;

/// The most that is taken of one paste, in bytes.
pub(in crate::tui) const PASTE_LIMIT: usize = MAX_PASTE_BYTES;

/// Begins to read. The channel closes once the terminal is gone.
pub(in crate::tui) fn inputs() -> io::Result<UnboundedReceiver<Input>> {
    let (to, inputs) = unbounded_channel();
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || scrub::run_then_wipe_stack(|| read_all(&to)))?;
    Ok(inputs)
}

fn read_all(to: &UnboundedSender<Input>) {
    let stdin = io::stdin();
    let mut decoder = Decoder::default();
    let mut bytes = Zeroizing::new([0; READ_BYTES]);
    loop {
        let patience = decoder.waits_for_pause().then_some(PASTE_PAUSE);
        let mut readable = [PollFd::new(&stdin, PollFlags::IN)];
        let inputs = match poll(&mut readable, patience.as_ref()) {
            Ok(0) => decoder.pause(),
            Ok(_) => match read(&stdin, bytes.as_mut_slice()) {
                Ok(0) => return,
                Ok(count) => {
                    let inputs = decoder.feed(&bytes[..count], count == READ_BYTES);
                    bytes.zeroize();
                    inputs
                }
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(_) => return,
            },
            Err(Errno::INTR) => continue,
            Err(_) => return,
        };
        for input in inputs {
            if to.send(input).is_err() {
                return; // the program ends
            }
        }
    }
}
