//! A program in front of a terminal: a pseudo-terminal that the test types on and looks at.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{PipeWriter, Read, Write, pipe};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::ioctl_fionread;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, LocalModes, Winsize, tcflow, tcgetattr, tcsetwinsize};

use super::process::{LIMIT, Process};

/// A terminal with one program on it. It is not the program's controlling terminal, so Ctrl-C is sent as the signal
/// that it stands for.
#[derive(Debug)]
pub struct Terminal {
    process: Process,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// To the byte: what comes at once may end within a character.
    seen: Vec<u8>,
    /// Reads what comes to the screen until the other end of the pipe is closed.
    reader: Option<(thread::JoinHandle<()>, PipeWriter)>,
}

impl Terminal {
    /// Starts `command` on one of this size.
    pub fn start(command: Command, columns: u16, rows: u16) -> Self {
        Self::start_after(command, columns, rows, |_| {})
    }

    /// The same on one that takes no output, as after Ctrl-S, until [`Self::go_on`].
    pub fn start_stopped(command: Command, columns: u16, rows: u16) -> Self {
        Self::start_after(command, columns, rows, |near| {
            tcflow(near, Action::OOff).expect("output can be stopped");
        })
    }

    fn start_after(
        mut command: Command,
        columns: u16,
        rows: u16,
        prepare: impl FnOnce(&File),
    ) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo-terminal");
        grantpt(&master).expect("its other end can be opened");
        unlockpt(&master).expect("its other end can be opened");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("it has a size");
        let near = opened(OsStr::from_bytes(name.as_bytes()));
        prepare(&near);
        let again = || Stdio::from(near.try_clone().expect("a file can be shared"));
        command
            .env("TERM", "xterm")
            .stdin(again())
            .stdout(again())
            .stderr(again());
        let child = command.spawn().expect("the program starts");
        drop((command, near)); // so that the program's end of the terminal closes with the program
        let keyboard = File::from(master);
        let mut from = keyboard.try_clone().expect("a file can be shared");
        let (to, screen) = channel();
        let (stop, stopper) = pipe().expect("a pipe");
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let mut ready = [
                    PollFd::new(&from, PollFlags::IN),
                    PollFd::new(&stop, PollFlags::IN),
                ];
                poll(&mut ready, None).expect("files can be waited for");
                if !ready[1].revents().is_empty() {
                    break;
                }
                match from.read(&mut buffer) {
                    Ok(n @ 1..) if to.send(buffer[..n].to_vec()).is_ok() => {}
                    _ => break,
                }
            }
        });
        Self {
            process: Process::watch(child),
            keyboard,
            screen,
            seen: Vec::new(),
            reader: Some((reader, stopper)),
        }
    }

    /// Closes it, as when somebody closes the window. The program that was on it.
    pub fn close(mut self) -> Process {
        if let Some((reader, stopper)) = self.reader.take() {
            drop(stopper);
            reader.join().expect("it does not panic");
        }
        self.process
    }

    /// Has it take no more output, as Ctrl-S does.
    pub fn stop(&self) {
        tcflow(self.near(), Action::OOff).expect("output can be stopped");
    }

    /// Has it take output again, as Ctrl-Q does.
    pub fn go_on(&self) {
        tcflow(self.near(), Action::OOn).expect("output can go on");
    }

    fn near(&self) -> File {
        let name = ptsname(&self.keyboard, Vec::new()).expect("it has a name");
        opened(OsStr::from_bytes(name.as_bytes()))
    }

    /// Types. `\n` is Enter, `\x04` Ctrl-D.
    pub fn press(&mut self, keys: &(impl AsRef<[u8]> + ?Sized)) {
        self.keyboard
            .write_all(keys.as_ref())
            .expect("the terminal is open");
    }

    /// How many bytes of what was typed the program has not read.
    pub fn unread(&self) -> u64 {
        ioctl_fionread(self.near()).expect("the terminal is open")
    }

    /// Waits until `text` has been on the screen.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_for_times(text, 1);
    }

    /// Waits until `text` has been on the screen so many times.
    pub fn wait_for_times(&mut self, text: &str, times: usize) {
        self.wait_until(text, |seen| seen.matches(text).count() >= times);
    }

    /// Waits until all that has been on the screen so far is as wished.
    pub fn wait_until(&mut self, what: &str, ready: impl Fn(&str) -> bool) {
        while !ready(&self.seen()) {
            match self.screen.recv_timeout(LIMIT) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(_) => panic!("{what:?} did not come; instead: {:?}", self.seen()),
            }
        }
    }

    /// Whether what is typed comes up on the screen, as the program has set the terminal.
    pub fn shows_what_is_typed(&self) -> bool {
        let settings = tcgetattr(&self.keyboard).expect("the terminal is open");
        settings.local_modes.contains(LocalModes::ECHO)
    }

    /// The program.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits for the program's end: its exit code, and all that was on the screen, escapes included.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let (status, _) = self.process.ended();
        loop {
            match self.screen.recv_timeout(LIMIT) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the terminal stayed open"),
            }
        }
        (status.code(), self.seen())
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

/// The program's end of a terminal.
fn opened(name: &OsStr) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(OFlags::NOCTTY.bits()).expect("a small flag"))
        .open(name)
        .expect("the program's end opens")
}
