//! How much memory a process has, as the kernel counts it: all pages that are there, the program's own among them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to the tests and the benchmark, each of which uses a part of it"
)]

use crate::programs::{Process, comes_to};

/// KiB.
pub type Kib = u64;

/// What a relay behind a system Tor may take at most: 64 MiB with its connections, 16 MiB for files, which are there
/// from the start where they can be locked, and 8 MiB for as many sessions for asks as there may be (THREATS.md).
pub const MOST: Kib = (64 + 16 + 8) * 1024;

/// Memory that a process has now (proc(5), `status`, VmRSS).
pub fn now(process: &Process) -> Kib {
    field(process, "VmRSS:")
}

/// The most that it ever had (VmHWM).
pub fn peak(process: &Process) -> Kib {
    field(process, "VmHWM:")
}

fn field(process: &Process, name: &str) -> Kib {
    let pid = process.pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|kib| kib.parse().ok())
        .expect("a number of KiB")
}

/// Whether `now` is no more than a tenth over `before`.
pub fn is_back(now: Kib, before: Kib) -> bool {
    now <= before + before / 10
}

/// Waits until it has no more than a tenth over `before` and what is `kept`; returns how much it has then.
#[track_caller]
pub fn returns_to(process: &Process, before: Kib, kept: Kib) -> Kib {
    comes_to(|| {
        let now = now(process);
        let told = || {
            format!("{before} KiB before, and {now} KiB for long after, with {kept} KiB to keep")
        };
        is_back(now, before + kept).then_some(now).ok_or_else(told)
    })
}
