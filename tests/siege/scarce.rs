//! A machine that gives the relay few file descriptors.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::process::Command;

use super::deliver_both;
use crate::programs::{Relay, through_shell};

/// A relay that may have this many, soft and hard or as `limit` says.
fn relay_with(limit: &str) -> Relay {
    Relay::start_with(&["-c", "1"], |command: &mut Command| {
        *command = through_shell(command, &format!("ulimit {limit}; exec \"$0\" \"$@\""));
        command
    })
}

fn idle(relay: &Relay, connections: usize) -> Vec<TcpStream> {
    let connect = |_| TcpStream::connect(relay.address()).expect("the relay listens");
    (0..connections).map(connect).collect()
}

/// How many of them the relay has not ended.
fn open(connections: &[TcpStream]) -> usize {
    let is_open = |mut stream: &TcpStream| {
        stream.set_nonblocking(true).expect("a TCP stream");
        let read = stream.read(&mut [0]);
        read.is_err_and(|fault| fault.kind() == ErrorKind::WouldBlock)
    };
    connections.iter().filter(|stream| is_open(stream)).count()
}

#[test]
fn strangers_leave_descriptors_to_the_owner_however_few_there_are() {
    const HARD: usize = 128;
    let relay = relay_with(&format!("-n {HARD}"));
    let idle = idle(&relay, 2 * HARD);
    deliver_both(&relay); // whoever came before has a place by then, or had one
    assert_eq!(relay.list().len(), 2);
    let open = open(&idle);
    assert!(open <= HARD * 3 / 4, "{open} of {HARD} are taken");
}

#[test]
fn the_soft_limit_is_raised_by_the_relay_itself() {
    const SOFT: usize = 128;
    let relay = relay_with(&format!("-Sn {SOFT}"));
    let idle = idle(&relay, 3 * SOFT);
    deliver_both(&relay);
    assert_eq!(open(&idle), idle.len(), "there is room for all of them");
}
