//! A program that is held where it is, by strace, at a call to the kernel: its end above all. Then its memory can be looked at.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::marker::Marker;
use super::process_memory::{Found, scan};
use super::stage::until;
use crate::programs::{Process, Run, Terminal};

/// Where to hold it.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'p> {
    /// Everything is done: next, the kernel takes its memory away.
    Exit,
    /// Before the first connection.
    Connect,
    /// Before it writes to standard output, which is this file.
    Output(&'p Path),
}

/// A program held at a call. Killed when dropped.
pub(super) struct Standing<P> {
    /// To go before the program, which can't be killed while it is held.
    strace: Option<Strace>,
    program: P,
    /// A text in its environment: shows that what is searched is its memory.
    own: Marker,
    call: libc::c_long,
}

/// The strace that holds a program. Killed when dropped, and lets it go.
struct Strace(Pid);

impl Strace {
    /// Whoever holds this process, which is alive for as long as it does.
    fn of(process: Pid) -> Self {
        let path = format!("/proc/{}/status", process.as_raw_nonzero());
        let status = fs::read_to_string(path).expect("it stands");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("TracerPid:"));
        let number = line.and_then(|number| number.trim().parse().ok());
        Self(number.and_then(Pid::from_raw).expect("somebody holds it"))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
    }
}

impl At<'_> {
    fn call(self) -> (&'static str, libc::c_long) {
        match self {
            Self::Exit => ("exit_group", libc::SYS_exit_group),
            Self::Connect => ("connect", libc::SYS_connect),
            Self::Output(_) => ("write", libc::SYS_write),
        }
    }

    /// Changes a command so that it will stand there. strace is out of its way (-D): what is started is the program itself.
    fn traced(self, command: &mut Command, own: &Marker) {
        let mut strace = Command::new("strace");
        let name = self.call().0;
        strace.args(["-D", "-f", "-q", "-o", "/dev/null"]);
        strace.args(["-e", &format!("trace={name}")]);
        strace.args(["-e", &format!("inject={name}:delay_enter=300s")]);
        if let Self::Output(path) = self {
            strace.arg("-P").arg(path);
        }
        strace
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            strace.current_dir(directory);
        }
        strace.env("KKV_TEST_MARK", own.as_str());
        *command = strace;
    }
}

impl Standing<Process> {
    /// Starts `run` and waits until it stands there.
    #[track_caller]
    pub(super) fn start(run: Run, at: At<'_>) -> Self {
        let own = Marker::text(48);
        let run = run.with(|command| {
            at.traced(command, &own);
            command
        });
        let mut standing = Self {
            strace: None,
            program: run.start(),
            own,
            call: at.call().1,
        };
        standing.strace = Some(standing.held(&standing.program));
        standing
    }

    /// What it has written.
    pub(super) fn process(&self) -> &Process {
        &self.program
    }

    /// Looks for all of these in its memory.
    #[track_caller]
    pub(super) fn scan(&self, markers: &[Marker]) -> Vec<Found> {
        self.scan_of(&self.program, markers)
    }
}

impl Standing<Terminal> {
    /// Starts `run` in front of a terminal. Once everything is typed, it is to be waited for with [`ended`](Self::ended).
    pub(super) fn start_on_terminal(run: Run, at: At<'_>) -> Self {
        let own = Marker::text(48);
        let run = run.with(|command| {
            at.traced(command, &own);
            command
        });
        Self {
            strace: None,
            program: run.start_on(80, 24),
            own,
            call: at.call().1,
        }
    }

    /// The terminal, to type on.
    pub(super) fn terminal(&mut self) -> &mut Terminal {
        &mut self.program
    }

    /// Waits until it stands, and looks for all of these in its memory.
    #[track_caller]
    pub(super) fn scan(&mut self, markers: &[Marker]) -> Vec<Found> {
        self.strace = Some(self.held(self.program.process()));
        self.scan_of(self.program.process(), markers)
    }
}

impl<P> Standing<P> {
    /// Waits until it stands. Where it is its end, the program says that all is well.
    #[track_caller]
    fn held(&self, process: &Process) -> Strace {
        let id = process.pid().as_raw_nonzero();
        until("the program to stand", || {
            assert!(process.is_running(), "it ended: {}", process.stderr());
            stands_at(id.get(), self.call)
        });
        if self.call == libc::SYS_exit_group {
            let call = fs::read_to_string(format!("/proc/{id}/syscall")).expect("it stands");
            let code = call.split(' ').nth(1);
            assert_eq!(
                code,
                Some("0x0"),
                "{}{}",
                process.stdout(),
                process.stderr()
            );
        }
        Strace::of(process.pid())
    }

    #[track_caller]
    fn scan_of(&self, process: &Process, markers: &[Marker]) -> Vec<Found> {
        let markers = [std::slice::from_ref(&self.own), markers].concat();
        let mut found = scan(process.pid().as_raw_nonzero().get(), &markers);
        let own = found.remove(0);
        assert!(own.copies() >= 1, "not its memory: {own:?}");
        found
    }
}

/// Whether a thread of the process is stopped before this call; a write counts only if it is one to standard output.
fn stands_at(process: i32, call: libc::c_long) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return false;
    };
    threads.flatten().any(|thread| {
        let read = |file: &str| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
        let asked = read("syscall");
        let mut words = asked.split(' ');
        let number = words.next().map(str::parse);
        let meant = call != libc::SYS_write || words.next() == Some("0x1");
        number == Some(Ok(call)) && meant && read("status").contains("\nState:\tt (tracing stop)")
    })
}
