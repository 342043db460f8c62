//! One running program: what it has written so far, signals by its id, and its end.

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::Value;

/// Longest time that anything may take on a busy machine. Nothing waits for it but a test that fails.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Everything that is known of a process, and the way to wait for more.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    out: Stream,
    err: Stream,
    ended: Option<(ExitStatus, Instant)>,
}

#[derive(Debug, Default)]
struct Stream {
    bytes: Vec<u8>,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `ready`; None if it takes longer than `limit`.
    fn wait(
        &self,
        limit: Duration,
        ready: impl Fn(&State) -> bool,
    ) -> Option<MutexGuard<'_, State>> {
        let (state, result) = self
            .changed
            .wait_timeout_while(self.lock(), limit, |state| !ready(state))
            .unwrap_or_else(PoisonError::into_inner);
        (!result.timed_out()).then_some(state)
    }
}

/// A program that runs, or has run. Killed when dropped, and then gone, with its sockets and locks.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    shared: Arc<Shared>,
}

impl Process {
    /// Starts `command`, with its output and errors collected, and `input` to read if there is one.
    pub fn spawn(mut command: Command, input: Option<Vec<u8>>) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command
            .spawn()
            .unwrap_or_else(|fault| panic!("can't start {command:?}: {fault}"));
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            thread::spawn(move || {
                let _ = stdin.write_all(&input); // a program need not read all it is given
            });
        }
        Self::watch(child)
    }

    /// Takes over a child; what it has in pipes is collected.
    pub fn watch(mut child: Child) -> Self {
        let shared = Arc::new(Shared::default());
        let pid = Pid::from_child(&child);
        match child.stdout.take() {
            Some(out) => collect(out, &shared, |state| &mut state.out),
            None => shared.change(|state| state.out.closed = true),
        }
        match child.stderr.take() {
            Some(err) => collect(err, &shared, |state| &mut state.err),
            None => shared.change(|state| state.err.closed = true),
        }
        let watched = Arc::clone(&shared);
        thread::spawn(move || {
            // The process is taken off the table only under the lock under which it is signalled, so that no signal
            // hits another one.
            let _ = waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            );
            #[expect(
                clippy::disallowed_methods,
                reason = "a real process ends in real time"
            )]
            let now = Instant::now();
            watched.change(|state| {
                let status = child.wait().expect("it has ended");
                state.ended = Some((status, now));
            });
        });
        Self { pid, shared }
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.shared.lock().out.bytes).into_owned()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.shared.lock().err.bytes).into_owned()
    }

    /// Waits until `ready` is true of its standard output.
    pub fn wait_for_stdout(&self, what: &str, ready: impl Fn(&str) -> bool) {
        self.wait_for(what, |state| {
            ready(&String::from_utf8_lossy(&state.out.bytes))
        });
    }

    /// Waits until its standard error contains `text`.
    pub fn wait_for_stderr(&self, text: &str) {
        self.wait_for(text, |state| {
            String::from_utf8_lossy(&state.err.bytes).contains(text)
        });
    }

    fn wait_for(&self, what: &str, ready: impl Fn(&State) -> bool) {
        let over = |state: &State| state.ended.is_some() && state.out.closed && state.err.closed;
        // Looked at once each time: what was so a moment ago, on a screen say, may be otherwise now.
        let seen = Cell::new(false);
        self.shared.wait(LIMIT, |state| {
            seen.set(ready(state));
            seen.get() || over(state)
        });
        assert!(
            seen.get(),
            "{what} did not come; instead: {}{}",
            self.stdout(),
            self.stderr()
        );
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.shared.lock().ended.is_none()
    }

    /// Sends it a signal, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        let state = self.shared.lock();
        if state.ended.is_none() {
            kill_process(self.pid, signal).expect("a child can be signalled");
        }
    }

    /// Waits for its end: how it ended and when.
    pub fn ended(&self) -> (ExitStatus, Instant) {
        let ended = self
            .shared
            .wait(LIMIT, |state| state.ended.is_some())
            .and_then(|state| state.ended);
        ended.unwrap_or_else(|| {
            panic!(
                "it did not end; it said: {}{}",
                self.stdout(),
                self.stderr()
            )
        })
    }

    /// Waits for its end and for all that it has written.
    pub fn finish(&self) -> Outcome {
        let (status, _) = self.ended();
        let state = self
            .shared
            .wait(LIMIT, |state| state.out.closed && state.err.closed)
            .expect("an ended program's pipes are closed");
        Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: state.out.bytes.clone(),
            stderr: String::from_utf8_lossy(&state.err.bytes).into_owned(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // Not `ended`, which panics: a test may be failing already.
        let _ = self.shared.wait(LIMIT, |state| state.ended.is_some());
    }
}

fn collect(
    mut source: impl Read + Send + 'static,
    shared: &Arc<Shared>,
    stream: fn(&mut State) -> &mut Stream,
) {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            match source.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(n) => shared.change(|state| stream(state).bytes.extend_from_slice(&buffer[..n])),
            }
        }
        shared.change(|state| stream(state).closed = true);
    });
}

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output, to the byte.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Fails the test unless it ended with this code. A panic is never an end that a test accepts.
    #[track_caller]
    pub fn must_end_with(self, code: i32) -> Self {
        let panicked = self.stderr.contains("internal error");
        assert!(!panicked, "{}", self.stderr);
        assert_eq!(
            self.code,
            Some(code),
            "{}{}",
            self.stdout_text(),
            self.stderr
        );
        self
    }

    /// Fails the test unless standard error has `text` in it. Line ends count as spaces.
    #[track_caller]
    pub fn must_say(self, text: &str) -> Self {
        let flat = self.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(text), "no {text:?} in {:?}", self.stderr);
        self
    }

    /// Standard output as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard output, which has to be one line of JSON in printable ASCII and nothing else.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = self.stdout_text();
        let line = text
            .strip_suffix('\n')
            .unwrap_or_else(|| panic!("no line: {text:?} {}", self.stderr));
        assert!(line.bytes().all(|b| (0x20..0x7f).contains(&b)), "{line:?}");
        serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"))
    }
}
