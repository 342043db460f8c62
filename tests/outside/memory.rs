//! "RAM only": what was deleted, has expired or was wiped is nowhere in the relay's memory, not even 16 bytes of it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use super::marker::Marker;
use super::process_memory::{Found, scan};
use crate::programs::{LIMIT, Relay};

/// A short message and one of nearly all that kkv/1 can carry.
const LENGTHS: [usize; 2] = [60, 2900];

/// How often a short and a long message are sent: often enough that every thread of the relay has had some.
const ROUNDS: usize = 3;

/// A relay, the messages that were sent to it, and how it was when it had nothing to do.
struct Stage {
    relay: Relay,
    markers: Vec<Marker>,
    idle_files: usize,
}

impl Stage {
    /// Starts a relay and has messages delivered to it in `suite`. None of them can be among its arguments: they are made after its start.
    fn new(suite: &str, arguments: &[&str]) -> Self {
        let relay = Relay::start(arguments);
        let idle_files = open_files(id(&relay));
        let lengths = LENGTHS.repeat(ROUNDS);
        let markers: Vec<Marker> = lengths.into_iter().map(Marker::new).collect();
        for marker in &markers {
            let sent = relay.send(["-", "--suite", suite]).stdin(marker.text());
            sent.finish().must_end_with(0);
        }
        Self {
            relay,
            markers,
            idle_files,
        }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let outcome = self.relay.owner(arguments).finish().must_end_with(0);
        outcome.stdout_text()
    }

    fn numbers(&self) -> impl Iterator<Item = String> {
        (1..=self.markers.len()).map(|number| number.to_string())
    }

    /// Lets the relay come to rest, and looks for every message in its memory.
    fn scan(&self) -> Vec<Found> {
        until("the relay to have nothing to do", || {
            let process = id(&self.relay);
            open_files(process) == self.idle_files && all_threads_sleep(process)
        });
        scan(id(&self.relay), &self.markers)
    }

    /// Fails the test unless every message is in memory once: proves that the scan finds what is there.
    #[track_caller]
    fn holds_each_once(&self) {
        for (found, marker) in self.scan().iter().zip(&self.markers) {
            assert_eq!(found.copies(), 1, "{found:?}");
            assert_eq!(found.pieces(), marker.pieces(), "{found:?}");
        }
    }

    /// Fails the test if there is a piece of any message in memory.
    #[track_caller]
    fn holds_nothing(&self) {
        let found = self.scan();
        let left = found.iter().filter(|found| found.pieces() > 0);
        let left: Vec<_> = left.collect();
        assert!(left.is_empty(), "still in memory: {left:#?}");
    }
}

fn id(relay: &Relay) -> i32 {
    relay.process().pid().as_raw_nonzero().get()
}

fn open_files(process: i32) -> usize {
    let files = fs::read_dir(format!("/proc/{process}/fd")).expect("a relay that runs has files");
    files.count()
}

fn all_threads_sleep(process: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it has threads");
    let mut states = threads.map(|thread| {
        let path = thread.expect("an entry").path().join("stat");
        fs::read_to_string(path).unwrap_or_default()
    });
    // "PID (NAME) STATE …", and the name may have anything in it.
    states.all(|stat| {
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('S'))
    })
}

/// Waits for a condition that nothing announces.
#[expect(clippy::disallowed_methods, reason = "a real process takes real time")]
fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < LIMIT, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn deleted(suite: &str, arguments: &[&str]) {
    let stage = Stage::new(suite, arguments);
    stage.holds_each_once();
    // One stays: what is searched is the right memory to the end.
    let (last, others) = stage.markers.split_last().expect("there are some");
    let numbers: Vec<String> = stage.numbers().take(others.len()).collect();
    let mut command = vec!["delete"];
    command.extend(numbers.iter().map(String::as_str));
    stage.run(&command);
    let found = stage.scan();
    let (kept, gone) = found.split_last().expect("one for each");
    assert!(gone.iter().all(|found| found.pieces() == 0), "{gone:#?}");
    assert_eq!(
        (kept.copies(), kept.pieces()),
        (1, last.pieces()),
        "{kept:?}"
    );
    stage.run(&["delete", "--all", "--yes"]);
    stage.holds_nothing();
}

#[test]
fn a_kkv1_message_is_in_memory_once_and_after_it_was_deleted_nowhere() {
    deleted("1", &[]);
}

#[test]
fn a_kkv2_message_is_in_memory_once_and_after_it_was_deleted_nowhere() {
    deleted("2", &[]);
}

#[test]
fn behind_a_system_tor_nothing_stays_in_memory_either() {
    for suite in ["1", "2"] {
        deleted(suite, &["--tor", "external"]);
    }
}

fn read_and_deleted(suite: &str) {
    let stage = Stage::new(suite, &[]);
    for (number, marker) in stage.numbers().zip(&stage.markers) {
        let text = std::str::from_utf8(marker.text()).expect("a marker is ASCII");
        assert!(stage.run(&["read", &number]).contains(text));
        assert!(stage.run(&["read", &number, "--json"]).contains(text));
        assert!(stage.run(&["export", &number]).contains(text));
        stage.run(&["list"]);
        stage.run(&["mark", &number, "--unread"]);
    }
    stage.holds_each_once();
    stage.run(&["delete", "--all", "--yes"]);
    stage.holds_nothing();
}

#[test]
fn a_kkv1_message_that_was_read_and_then_deleted_is_nowhere_in_memory() {
    read_and_deleted("1");
}

#[test]
fn a_kkv2_message_that_was_read_and_then_deleted_is_nowhere_in_memory() {
    read_and_deleted("2");
}

#[test]
fn a_message_that_has_expired_is_nowhere_in_memory() {
    for suite in ["1", "2"] {
        let stage = Stage::new(suite, &["--ttl", "1s"]);
        until("the messages to expire", || stage.relay.list().is_empty());
        stage.holds_nothing();
    }
}

#[test]
fn a_message_leaves_memory_when_it_expires_even_if_nobody_asks() {
    let stage = Stage::new("2", &["--ttl", "1s"]);
    until("the messages to leave memory", || {
        stage.scan().iter().all(|found| found.copies() == 0)
    });
    stage.holds_nothing();
}

fn wiped(suite: &str) {
    let stage = Stage::new(suite, &[]);
    stage.holds_each_once();
    let mut socket = UnixStream::connect(stage.relay.socket()).expect("the owner can connect");
    socket
        .write_all(
            b"POST /wipe HTTP/1.1\r\nhost: kkv\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        )
        .expect("the owner can ask");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(socket);
    assert!(stage.relay.list().is_empty());
    stage.holds_nothing();
}

#[test]
fn after_a_wipe_no_kkv1_message_is_anywhere_in_memory() {
    wiped("1");
}

#[test]
fn after_a_wipe_no_kkv2_message_is_anywhere_in_memory() {
    wiped("2");
}
