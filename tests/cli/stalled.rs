//! Outputs that take nothing: a terminal after Ctrl-S, a pipe that nobody reads. Whoever runs the programs can end them
//! all the same.

use std::fs;
use std::io::{PipeReader, pipe};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pipe::fcntl_setpipe_size;
use tempfile::TempDir;

use crate::programs::{Process, Relay, Signal, Terminal, kkv, kkvc, until};

/// What stopping a relay may take, by its own promise, and what a client may take: long before anybody takes it for
/// stuck.
const PROMISED: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_secs(10);

#[expect(
    clippy::disallowed_methods,
    reason = "a real process ends in real time"
)]
fn now() -> Instant {
    Instant::now()
}

/// A pipe that is full, and its other end.
fn full_pipe() -> (Stdio, PipeReader) {
    let (reader, writer) = pipe().expect("a pipe");
    let bytes = fcntl_setpipe_size(&writer, 4096).expect("a smaller pipe");
    let mut filler = writer.try_clone().expect("the same pipe once more");
    std::io::Write::write_all(&mut filler, &vec![b'\n'; bytes]).expect("it fits exactly");
    (Stdio::from(writer), reader)
}

/// A relay's command, and where its owner's socket is.
fn relay(directory: &TempDir) -> (Command, String) {
    let socket = directory.path().join("kkv.sock");
    let socket = socket.to_str().expect("a path of ours is UTF-8").to_owned();
    let mut command = kkv();
    command.args(["--tor", "off", "--listen", "127.0.0.1:0", "-c", "0"]);
    command.args(["--socket", &socket]);
    (command, socket)
}

/// Waits until somebody listens at `socket`, which is there a moment before.
fn wait_for(socket: &str, process: &Process) {
    until("the owner's socket", || {
        assert!(process.is_running(), "{}", process.stderr());
        UnixStream::connect(socket).is_ok()
    });
}

/// The relay answers its owner, and ends in time when it is told to.
fn answers_and_ends(process: &Process, socket: &str) -> Duration {
    wait_for(socket, process);
    // It may be measuring how fast this machine is before it serves.
    let status = kkvc(["status", "--socket", socket]).finish();
    status.must_end_with(0);
    let before = now();
    process.signal(Signal::TERM);
    let (status, ended) = process.ended();
    assert_eq!(status.code(), Some(0));
    assert!(
        !std::path::Path::new(socket).exists(),
        "its socket stayed behind"
    );
    ended - before
}

/// It is run until it has kept the promise once. Whatever else the machine does can only make it longer, and a program
/// that takes longer takes it each time.
#[track_caller]
fn in_time(limit: Duration, run: impl Fn() -> Duration) {
    const TRIES: usize = 30;
    let mut took = (0..TRIES).map(|_| run());
    assert!(took.any(|took| took < limit), "never in {TRIES} times");
}

#[test]
fn a_relay_whose_terminal_takes_nothing_answers_and_ends_in_time() {
    in_time(PROMISED, || {
        let directory = tempfile::tempdir().unwrap();
        let (command, socket) = relay(&directory);
        let terminal = Terminal::start_stopped(command, 80, 24);
        answers_and_ends(terminal.process(), &socket)
    });
}

#[test]
fn a_relay_whose_pipes_nobody_reads_answers_and_ends_in_time() {
    in_time(PROMISED, || {
        let directory = tempfile::tempdir().unwrap();
        let (mut command, socket) = relay(&directory);
        let ((out, _out), (err, _err)) = (full_pipe(), full_pipe());
        command.stdout(out).stderr(err);
        let child = command.spawn().unwrap();
        answers_and_ends(&Process::watch(child), &socket)
    });
}

#[test]
fn a_relay_that_cant_start_ends_though_nobody_hears_why() {
    let directory = tempfile::tempdir().unwrap();
    let (mut command, socket) = relay(&directory);
    fs::write(&socket, "no socket").unwrap();
    let (err, _err) = full_pipe();
    command.stderr(err);
    let process = Process::watch(command.spawn().unwrap());
    assert_eq!(process.ended().0.code(), Some(1));
}

#[test]
fn what_a_terminal_did_not_take_is_there_when_it_takes_something_again() {
    let directory = tempfile::tempdir().unwrap();
    let (command, socket) = relay(&directory);
    let mut terminal = Terminal::start_stopped(command, 80, 24);
    wait_for(&socket, terminal.process());
    kkvc(["status", "--socket", &socket])
        .finish()
        .must_end_with(0);
    terminal.go_on();
    terminal.wait_for("\n  key ");
    terminal.process().signal(Signal::TERM);
    assert_eq!(terminal.finish().0, Some(0));
}

/// Ends `terminal`'s program with `signal`, while it takes no output.
fn must_end(terminal: &Terminal, signal: Signal) -> (Option<i32>, Duration) {
    let before = now();
    terminal.process().signal(signal);
    let (status, ended) = terminal.process().ended();
    (status.code(), ended - before)
}

#[test]
fn a_delivery_on_a_terminal_that_takes_nothing_is_cancelled_by_a_signal() {
    let relay = Relay::start(&["-c", "50"]);
    let cancelled = |is_stopped_later: bool| {
        let command = relay.send(["-m", "x", "--anyway"]).into_command();
        let terminal = if is_stopped_later {
            let mut terminal = Terminal::start(command, 80, 24);
            terminal.wait_for("0 of 16 found");
            terminal.stop();
            terminal
        } else {
            Terminal::start_stopped(command, 80, 24)
        };
        // It listens to signals once it has asked for a challenge.
        let pid = terminal.process().pid().as_raw_nonzero();
        let listens = |status: &str| {
            let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
            caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 2 != 0)
        };
        while !listens(&fs::read_to_string(format!("/proc/{pid}/status")).unwrap()) {
            std::thread::yield_now();
        }
        let (code, took) = must_end(&terminal, Signal::INT);
        assert_eq!(code, Some(130));
        took
    };
    for is_stopped_later in [true, false] {
        in_time(SOON, || cancelled(is_stopped_later));
    }
}

#[test]
fn a_result_that_nobody_reads_is_given_up_by_a_signal_and_told_beside_it() {
    let relay = Relay::start(&["-c", "0"]);
    let mut command = relay.send(["-m", "x", "--json"]).into_command();
    let (out, _out) = full_pipe();
    command.stdout(out).stderr(Stdio::piped());
    let process = Process::watch(command.spawn().unwrap());
    while relay.list().is_empty() {
        assert!(process.is_running(), "{}", process.stderr());
    }
    process.signal(Signal::INT);
    let (status, _) = process.ended();
    // The signal may have come before the answer did.
    let said = process.finish().stderr;
    match status.code() {
        Some(8) => assert!(said.contains("the message was accepted, but"), "{said}"),
        code => assert_eq!(code, Some(130), "{said}"),
    }
}

#[test]
fn the_interactive_client_ends_though_its_terminal_takes_nothing() {
    let relay = Relay::start(&[]);
    let ended = |by_key: bool| {
        let command = relay.owner([""; 0]).into_command();
        let mut terminal = Terminal::start(command, 80, 24);
        terminal.wait_for("slots");
        terminal.stop();
        relay.deliver(b"which has something drawn");
        let before = now();
        if by_key {
            terminal.press("\x03");
        } else {
            terminal.process().signal(Signal::TERM);
        }
        let (status, ended) = terminal.process().ended();
        assert_eq!(status.code(), Some(0));
        assert!(terminal.shows_what_is_typed(), "its modes are as before");
        ended - before
    };
    for by_key in [true, false] {
        in_time(SOON, || ended(by_key));
    }
}
