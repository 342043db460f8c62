//! What the terminal says, read by a thread of its own: nothing else waits for it.

use std::io;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use zeroize::{Zeroize, Zeroizing};

use super::super::event::Input;
use super::decode::Decoder;
use kkv_protocol::crypto::scrub;

/// Read at once: as much as a terminal's own buffer holds (N_TTY_BUF_SIZE).
const READ_BYTES: usize = 4096;

/// Reads that wait to be taken into account. What comes faster waits in the terminal, and whoever sends it.
const READS: usize = 2;

/// Begins to read. What each read brought comes at once: by a pointer, since a place in the channel is not wiped, as
/// the block behind it is when it is freed. The channel closes once the terminal is gone; an error is the last that
/// comes.
pub(in crate::tui) fn inputs() -> io::Result<Receiver<io::Result<Vec<Input>>>> {
    let (to, inputs) = channel(READS);
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            if let Err(fault) = scrub::run_then_wipe_stack(|| read_all(&to)) {
                _ = to.blocking_send(Err(fault)); // or the program ends
            }
        })?;
    Ok(inputs)
}

/// Reads until the terminal is gone, or nobody wants to know any more.
fn read_all(to: &Sender<io::Result<Vec<Input>>>) -> io::Result<()> {
    let stdin = io::stdin();
    let mut decoder = Decoder::default();
    let mut bytes = Zeroizing::new([0; READ_BYTES]);
    loop {
        let patience = decoder.patience().map(|patience| Timespec {
            tv_sec: 0,
            tv_nsec: patience.subsec_nanos().into(),
        });
        let mut readable = [PollFd::new(&stdin, PollFlags::IN)];
        let inputs = match poll(&mut readable, patience.as_ref()) {
            Ok(0) => decoder.pause(),
            Ok(_) => match read(&stdin, bytes.as_mut_slice()) {
                Ok(0) | Err(Errno::IO) => return Ok(()),
                Ok(count) => {
                    let inputs = decoder.feed(&bytes[..count]);
                    bytes.zeroize();
                    inputs
                }
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(fault) => return Err(fault.into()),
            },
            Err(Errno::INTR) => continue,
            Err(fault) => return Err(fault.into()),
        };
        if !inputs.is_empty() && to.blocking_send(Ok(inputs)).is_err() {
            return Ok(());
        }
    }
}
