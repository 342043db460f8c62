//! What the terminal says, read by a thread of its own: nothing else waits for it.

use std::io;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::{Zeroize, Zeroizing};

use super::super::event::Input;
use super::decode::Decoder;
use kkv_protocol::crypto::scrub;

/// Read at once. A terminal's own buffer holds four times as much.
const READ_BYTES: usize = 1024;

/// Begins to read. The channel closes once the terminal is gone; an error is the last that comes.
pub(in crate::tui) fn inputs() -> io::Result<UnboundedReceiver<io::Result<Input>>> {
    let (to, inputs) = unbounded_channel();
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            if let Err(fault) = scrub::run_then_wipe_stack(|| read_all(&to)) {
                _ = to.send(Err(fault)); // or the program ends
            }
        })?;
    Ok(inputs)
}

/// Reads until the terminal is gone, or nobody wants to know any more.
fn read_all(to: &UnboundedSender<io::Result<Input>>) -> io::Result<()> {
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
        for input in inputs {
            if to.send(Ok(input)).is_err() {
                return Ok(());
            }
        }
    }
}
