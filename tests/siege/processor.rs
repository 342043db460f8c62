//! How much processor time a process has spent, the kernel's for it included.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to the tests and the benchmarks, each of which uses a part of it"
)]

use std::fs;
use std::time::Duration;

use crate::programs::Process;

/// Of all its threads, of those that have ended too, in hundredths of a second (proc(5), `stat`, fields 14 and 15).
pub fn of_all(process: &Process) -> Duration {
    let pid = process.pid().as_raw_nonzero();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(')').expect("its name is in brackets");
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_secs(ticks) / 100 // USER_HZ is 100 on every architecture of Linux that Rust has
}

/// Of its first thread, which is the one that serves strangers in a relay, in nanoseconds (proc(5), `schedstat`).
pub fn of_the_first(process: &Process) -> Duration {
    let pid = process.pid().as_raw_nonzero();
    let told = fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).expect("it runs");
    let first = told.split_whitespace().next();
    let nanos = first.and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}
