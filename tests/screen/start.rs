//! A relay that is started from the screen.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, Signal, kill_process};

use super::tmux::Tmux;
use crate::programs::{Relay, kkv};

/// A relay that this test has not started itself. Ended when dropped.
struct Started(Pid);

impl Started {
    fn at(socket: &Path) -> Self {
        let line = UnixStream::connect(socket).expect("it listens");
        Self(socket_peercred(line).expect("it has a process").pid)
    }

    /// What the kernel says of it.
    fn of(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.0.as_raw_nonzero());
        fs::read_to_string(path).expect("it runs")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::TERM);
    }
}

/// A relay that has ended, and a terminal where `client` offers to start another, which has `settings` in its
/// environment.
fn offered(client: &str, settings: &str) -> (Relay, Tmux) {
    let before = Relay::start(&[]);
    before.process().signal(Signal::TERM);
    before.process().ended();
    let terminal = Tmux::new(&before, 80, 24);
    terminal.types(&format!("{settings} \"{client}\" --socket \"$SOCKET\"\n"));
    terminal.wait_for("s starts it.");
    (before, terminal)
}

fn take(terminal: &Tmux) {
    terminal.press(&["s"]);
    terminal.wait_for("Start your relay?");
    terminal.agrees();
}

/// What starts a relay that is reached from this machine only.
const ALONE: &str = "KKV_TOR=off KKV_LISTEN=127.0.0.1:0 KKV_COST_POW=4";

#[test]
fn where_no_relay_runs_one_is_offered_started_and_outlives_the_client() {
    let (before, terminal) = offered("$KKVC", ALONE);
    take(&terminal);
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
    let (_before, terminal) = offered("$KKVC", "KKV_TOR=off KKV_LISTEN=192.0.2.1:80");
    take(&terminal);
    terminal.wait_for("invalid value");
}

#[test]
fn the_relay_is_the_clients_own_program_also_where_that_is_gone_and_path_has_another() {
    let place = tempfile::tempdir().unwrap();
    let [client, other] = ["kkvc", "kkv"].map(|name| place.path().join(name));
    fs::copy(kkv().get_program(), &client).unwrap();
    let settings = format!("PATH=\"{}:$PATH\" {ALONE}", place.path().display());
    let (before, terminal) = offered(client.to_str().unwrap(), &settings);
    fs::remove_file(&client).unwrap(); // as an update does
    symlink("/bin/false", &other).unwrap();
    take(&terminal);
    terminal.wait_for("No messages.");
    let started = Started::at(before.socket());
    assert_eq!(started.of("comm"), "kkv\n", "pkill -x kkv doesn't end it");
    let called = started.of("cmdline");
    assert!(called.starts_with("kkv\0--socket\0"), "{called:?}");
}
