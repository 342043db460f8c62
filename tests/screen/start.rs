//! A relay that is started from the screen.

use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, Signal, kill_process};

use super::tmux::Tmux;
use crate::programs::Relay;

/// A relay that this test has not started itself. Ended when dropped.
struct Started(Pid);

impl Started {
    fn at(socket: &Path) -> Self {
        let line = UnixStream::connect(socket).expect("it listens");
        Self(socket_peercred(line).expect("it has a process").pid)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::TERM);
    }
}

/// A relay that has ended, and a terminal where it was agreed to start another, which has `settings` in its
/// environment.
fn asked_to_start(settings: &str) -> (Relay, Tmux) {
    let before = Relay::start(&[]);
    before.process().signal(Signal::TERM);
    before.process().ended();
    let terminal = Tmux::new(&before, 80, 24);
    terminal.types(&format!("{settings} \"$KKVC\" --socket \"$SOCKET\"\n"));
    terminal.wait_for("s starts it.");
    terminal.press(&["s"]);
    terminal.wait_for("Start your relay?");
    terminal.agrees();
    (before, terminal)
}

#[test]
fn where_no_relay_runs_one_is_offered_started_and_outlives_the_client() {
    let (before, terminal) = asked_to_start("KKV_TOR=off KKV_LISTEN=127.0.0.1:0 KKV_COST_POW=4");
    terminal.wait_for("No messages.");
    let started = Started::at(before.socket());
    terminal.press(&["q"]);
    terminal.wait_for_shell();
    let status = before.owner(["status", "--json"]).finish().must_end_with(0);
    assert_eq!(status.json()["tor"], "off");
    drop(started);
}

#[test]
fn why_one_cannot_be_started_is_said() {
    let (_before, terminal) = asked_to_start("KKV_TOR=off KKV_LISTEN=192.0.2.1:80");
    terminal.wait_for("invalid value");
}
