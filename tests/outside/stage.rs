//! A relay whose memory is looked at: what is sent to it, what its owner does, and when it has come to rest.

use std::fs;

use serde_json::Value;

use super::marker::Marker;
use super::process_memory::{Found, open_files, possible_keys, scan};
use crate::programs::{Relay, until};

/// How often each life is lived: by a relay of its own each time.
pub(super) const RUNS: usize = 20;

/// The ways by which strangers come that a relay has without embedded Tor, by turns.
pub(super) fn way(run: usize) -> [&'static str; 2] {
    ["--tor", ["off", "external"][run % 2]]
}

/// Texts to send in `suite`, of four lengths by which they can be told apart: two short ones, and two of nearly all
/// that it can carry.
pub(super) fn texts(suite: &str) -> [Marker; 4] {
    let longest = if suite == "1" { 2920 } else { 3500 };
    [60, longest - 3, 71, longest].map(Marker::text)
}

/// A relay, and how it was when it had nothing to do.
pub(super) struct Stage {
    pub relay: Relay,
    idle_files: usize,
}

impl Stage {
    /// Starts a relay. No text can be among its arguments: they are made afterwards.
    pub(super) fn new(arguments: &[&str]) -> Self {
        let relay = Relay::start(arguments);
        let idle_files = open_files(id(&relay));
        Self { relay, idle_files }
    }

    /// Has all of these texts delivered in `suite`, at once.
    pub(super) fn deliver(&self, suite: &str, texts: &[Marker]) {
        let sends = texts.iter().map(|text| {
            let send = self.relay.send(["-", "--suite", suite]);
            send.stdin(text.bytes()).start()
        });
        let sends: Vec<_> = sends.collect();
        for send in sends {
            send.finish().must_end_with(0);
        }
    }

    /// The number of each text's message, which is known by its length.
    pub(super) fn numbers(&self, texts: &[Marker]) -> Vec<String> {
        let list = self.relay.list();
        let number = |text: &Marker| {
            let bytes = Value::from(text.bytes().len());
            let message = list.iter().find(|message| message["bytes"] == bytes);
            message.expect("it was delivered")["id"].to_string()
        };
        texts.iter().map(number).collect()
    }

    /// Runs `kkvc` for the owner; what it has written.
    pub(super) fn run(&self, arguments: &[&str]) -> String {
        let outcome = self.relay.owner(arguments).finish().must_end_with(0);
        outcome.stdout_text()
    }

    /// Lets the relay come to rest, and looks for all of these in its memory.
    pub(super) fn scan(&self, markers: &[Marker]) -> Vec<Found> {
        self.rest();
        scan(id(&self.relay), markers)
    }

    /// Lets the relay come to rest; see [`possible_keys`].
    pub(super) fn possible_keys(&self) -> Vec<([u8; 32], String)> {
        self.rest();
        possible_keys(id(&self.relay))
    }

    /// Fails the test unless there is one copy of each text, whole, in memory that is never written to a disk.
    #[track_caller]
    pub(super) fn holds_each_once(&self, texts: &[Marker]) {
        for found in self.scan(texts) {
            found.must_be_one_copy();
            let kept = found.whole().all(|place| place.is_kept_in_memory);
            assert!(kept, "it is not in a slot: {found:?}");
        }
    }

    fn rest(&self) {
        until("the relay to have nothing to do", || {
            let process = id(&self.relay);
            open_files(process) == self.idle_files && all_threads_sleep(process)
        });
    }
}

fn id(relay: &Relay) -> i32 {
    relay.process().pid().as_raw_nonzero().get()
}

pub(super) fn all_threads_sleep(process: i32) -> bool {
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
