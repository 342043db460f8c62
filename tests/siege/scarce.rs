//! A machine that gives the relay few file descriptors.

use std::net::TcpStream;
use std::process::Command;

use crate::deliver_both;
use crate::programs::{Process, Relay, through_shell};

/// Open files of a process.
fn descriptors(process: &Process) -> usize {
    let pid = process.pid().as_raw_nonzero();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd"));
    files.expect("it runs").count()
}

/// A relay that may have this many, soft and hard.
fn relay_with(limit: &str) -> Relay {
    Relay::start_with(&["-c", "1"], |command: &mut Command| {
        *command = through_shell(command, &format!("ulimit {limit}; exec \"$0\" \"$@\""));
        command
    })
}

#[test]
fn strangers_leave_descriptors_to_the_owner_however_few_there_are() {
    const HARD: usize = 128;
    let relay = relay_with(&format!("-n {HARD}"));
    let idle: Vec<TcpStream> = (0..2 * HARD)
        .map(|_| TcpStream::connect(relay.address()).unwrap())
        .collect();
    deliver_both(&relay);
    assert_eq!(relay.list().len(), 2);
    let open = descriptors(relay.process());
    assert!(open < HARD * 7 / 8, "{open} of {HARD} are taken");
    drop(idle);
}

#[test]
fn the_soft_limit_is_raised_by_the_relay_itself() {
    const SOFT: usize = 128;
    let relay = relay_with(&format!("-Sn {SOFT}"));
    let _idle: Vec<TcpStream> = (0..3 * SOFT)
        .map(|_| TcpStream::connect(relay.address()).unwrap())
        .collect();
    deliver_both(&relay);
    let open = descriptors(relay.process());
    assert!(open > 3 * SOFT, "only {open} are open");
}
