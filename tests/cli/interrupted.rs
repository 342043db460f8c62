//! Ctrl-C while a stranger's text comes to the terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::programs::{Process, Relay, Signal};

/// Has a terminal end lines at its edge, and go on in the next one.
const ENDS: &[u8] = b"\x1b[?7l";
const GOES_ON: &[u8] = b"\x1b[?7h";

/// A terminal that takes what a test reads of it, and both its ends.
fn terminal() -> (File, File) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .expect("a pseudo-terminal");
    grantpt(&far).expect("a pseudo-terminal");
    unlockpt(&far).expect("a pseudo-terminal");
    let name = ptsname(&far, Vec::new()).expect("a pseudo-terminal");
    let size = Winsize {
        ws_row: 24,
        ws_col: 20,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&far, size).expect("a pseudo-terminal");
    let near = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(OFlags::NOCTTY.bits()).expect("a small flag"))
        .open(name.to_str().expect("ASCII"))
        .expect("a pseudo-terminal");
    (File::from(far), near)
}

fn last(seen: &[u8], wanted: &[u8]) -> Option<usize> {
    seen.windows(wanted.len()).rposition(|part| part == wanted)
}

#[test]
fn ctrl_c_within_a_text_leaves_the_terminal_as_it_was() {
    let relay = Relay::start(&["-c", "0"]);
    for _ in 0..20 {
        relay.deliver("жжж ".repeat(500).as_bytes()); // more than a terminal holds, and again after Ctrl-C
    }
    let all = ["read", "1-20"];
    for lines in 1..6 {
        let (mut far, near) = terminal();
        let mut command = relay.owner(all).into_command();
        command.env("TERM", "xterm");
        command.stdin(near.try_clone().unwrap());
        command.stdout(near.try_clone().unwrap());
        command.stderr(Stdio::from(near));
        let process = Process::watch(command.spawn().unwrap());
        drop(command); // with its copies of the terminal's end
        let (mut seen, mut byte) = (Vec::new(), [0]);
        for _ in 0..lines {
            let told = seen.len();
            while !seen[told..].ends_with(ENDS) {
                far.read_exact(&mut byte).unwrap();
                seen.extend(byte);
            }
        }
        // The terminal isn't its own, so that it gets no signal by the key; but its output is forgotten, by a worker of
        // the kernel that shows the key afterwards.
        far.write_all(b"\x03").unwrap();
        while !seen.ends_with(b"^C") {
            far.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        process.signal(Signal::INT);
        while far.read_exact(&mut byte).is_ok() {
            seen.extend(byte);
        }
        let shown = String::from_utf8_lossy(&seen).into_owned();
        assert!(last(&seen, GOES_ON) > last(&seen, ENDS), "{shown:?}");
        assert_eq!(process.ended().0.code(), Some(130), "{shown:?}");
        assert!(shown.contains("cancelled"), "{shown:?}");
    }
}
