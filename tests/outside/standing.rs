//! A program that is held where it is, by strace, at a call to the kernel: its end above all. Then its memory can be
//! looked at.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::marker::Marker;
use super::process_memory::{Found, about, must_be_nowhere, scan};
use crate::programs::{Process, Run, through, until};

/// Where to hold it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At<'p> {
    /// Everything is done: next, the kernel takes its memory away.
    Exit,
    /// Before the first connection.
    Connect,
    /// Before it writes to standard output, which is this file.
    Output(&'p Path),
}

/// What it takes to hold one program.
pub(crate) struct Hold<'p> {
    at: At<'p>,
    /// A text in its environment: shows that what is searched is its memory.
    own: Marker,
}

/// A program that is held, until this is dropped.
pub(crate) struct Held<'h> {
    process: i32,
    strace: Pid,
    hold: &'h Hold<'h>,
}

impl<'p> Hold<'p> {
    pub(crate) fn new(at: At<'p>) -> Self {
        let own = Marker::text(48);
        Self { at, own }
    }

    fn call(&self) -> (&'static str, libc::c_long) {
        match self.at {
            At::Exit => ("exit_group", libc::SYS_exit_group),
            At::Connect => ("connect", libc::SYS_connect),
            At::Output(_) => ("write", libc::SYS_write),
        }
    }

    /// Changes a command so that it will stand there. strace is out of its way (-D): what is started is the program
    /// itself.
    pub(crate) fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let (name, _) = self.call();
        let mut strace = Command::new("strace");
        strace.args(["-D", "-f", "-q", "-o", "/dev/null"]);
        strace.args(["-e", &format!("trace={name}")]);
        strace.args(["-e", &format!("inject={name}:delay_enter=300s")]);
        if let At::Output(path) = self.at {
            strace.arg("-P").arg(path);
        }
        strace.arg("--");
        let mut strace = through(strace, command);
        strace.env("KKV_TEST_MARK", self.own.as_str());
        *command = strace;
        command
    }

    /// Waits until the program stands. Where it is its end, it has to say that all is well.
    #[track_caller]
    pub(crate) fn wait(&self, process: &Process) -> Held<'_> {
        let id = process.pid().as_raw_nonzero().get();
        let said = || (process.stdout(), process.stderr());
        until("the program to stand", || {
            assert!(process.is_running(), "it ended: {:?}", said());
            self.is_there(id)
        });
        if let At::Exit = self.at {
            let call = about(id, "syscall");
            assert_eq!(call.split(' ').nth(1), Some("0x0"), "{:?}", said());
        }
        Held {
            process: id,
            strace: tracer(id),
            hold: self,
        }
    }

    /// Whether the process is stopped before the call: in its first thread, or, to write to standard output, in
    /// whichever thread of its does that.
    fn is_there(&self, process: i32) -> bool {
        let At::Output(_) = self.at else {
            return self.stands(process, "");
        };
        // They come and go while the list is read.
        let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter();
        tasks.flatten().flatten().any(|task| {
            let task = format!("task/{}/", task.file_name().to_string_lossy());
            self.stands(process, &task)
        })
    }

    fn stands(&self, process: i32, task: &str) -> bool {
        let asked = about(process, &format!("{task}syscall"));
        let mut words = asked.split(' ');
        let number = words.next().map(str::parse);
        let meant = !matches!(self.at, At::Output(_)) || words.next() == Some("0x1");
        let status = about(process, &format!("{task}status"));
        let stopped = status.contains("\nState:\tt (tracing stop)");
        number == Some(Ok(self.call().1)) && meant && stopped
    }
}

impl Held<'_> {
    /// Looks for all of these in its memory.
    #[track_caller]
    pub(crate) fn scan(&self, markers: &[Marker]) -> Vec<Found> {
        let own = std::slice::from_ref(&self.hold.own);
        let mut found = scan(self.process, &[own, markers].concat());
        let own = found.remove(0);
        assert!(own.copies() >= 1, "this is not its memory: {own:?}");
        found
    }
}

/// The program can't be killed while it is held, so its strace has to go first, which lives for as long as it holds it.
impl Drop for Held<'_> {
    fn drop(&mut self) {
        let _ = kill_process(self.strace, Signal::KILL);
    }
}

fn tracer(process: i32) -> Pid {
    let status = about(process, "status");
    let mut lines = status.lines();
    let number = lines.find_map(|line| line.strip_prefix("TracerPid:"));
    let number = number.and_then(|number| number.trim().parse().ok());
    number.and_then(Pid::from_raw).expect("somebody holds it")
}

/// Runs `kkvc` until it has to be there, and looks for all of these in its memory.
#[track_caller]
pub(crate) fn look_into(run: Run, at: At<'_>, markers: &[Marker]) -> Vec<Found> {
    let hold = Hold::new(at);
    let process = run.with(|command| hold.prepare(command)).start();
    hold.wait(&process).scan(markers)
}

/// Runs `kkvc` to its end, and fails the test if any of these is in its memory there.
#[track_caller]
pub(crate) fn must_forget(run: Run, markers: &[Marker]) {
    must_be_nowhere(&look_into(run, At::Exit, markers));
}
