//! Whether anything that is in memory could get onto a disk: by swapping, or by a dump.

use std::io;

use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

use super::Finding;
use super::relay::Seen;
use kkv_base::count::counted;
use kkv_base::limits::{DEFAULT_MESSAGES, SLOT_BYTES};
use kkv_relay::memory::{Page, lockable_pages};

const KIB_PER_SLOT: u64 = SLOT_BYTES as u64 >> 10;

/// Whether messages are kept out of swap: the relay's own, or those of one that this user started now.
pub(super) fn locked(seen: &Seen) -> Finding {
    let Some(status) = seen.running() else {
        let pages = Page::allocate(DEFAULT_MESSAGES as usize);
        let locked = pages.is_ok_and(|pages| pages.iter().all(Page::is_locked));
        return could_be_locked(locked, lockable_pages());
    };
    let messages = u64::from(status.queue.capacity);
    if status.locked {
        let what = format!(
            "what fits into kkv, {}, is locked, never swapped to a disk",
            counted(messages, "message")
        );
        return Finding::ok(CHECK, what);
    }
    let limit = seen
        .limits
        .as_ref()
        .and_then(|l| l.now("Max locked memory"));
    Finding::warning(
        CHECK,
        "kkv's messages aren't locked, so they may be swapped to a disk",
        format!(
            "{}, and start kkv again",
            mend(messages, limit.map(|bytes| bytes >> 10))
        ),
    )
}

const CHECK: &str = "memory";

/// Whether as many messages as there are by default could be locked, and if not, how many pages may be.
fn could_be_locked(locked: bool, pages: Option<u64>) -> Finding {
    let messages = u64::from(DEFAULT_MESSAGES);
    if locked {
        return Finding::ok(
            CHECK,
            format!(
                "{} can be locked, so that none is swapped to a disk",
                counted(messages, "message")
            ),
        );
    }
    Finding::warning(
        CHECK,
        format!(
            "{} can't be locked, and may be swapped to a disk",
            counted(messages, "message")
        ),
        mend(messages, pages.map(|pages| pages * KIB_PER_SLOT)),
    )
}

/// What lets so many messages be locked, where `kib` may be.
fn mend(messages: u64, kib: Option<u64>) -> String {
    let needed = messages * KIB_PER_SLOT;
    match kib {
        Some(kib) if kib < needed => format!(
            "raise memlock from {kib} KiB to {needed} or more (in /etc/security/limits.conf, or LimitMEMLOCK= in a unit)"
        ),
        _ => "it is not the limit; see what keeps programs here from it (the rules of a container?), or turn swap off".to_owned(),
    }
}

/// Those of `/proc/swaps` that are on a disk. What zram takes stays in memory.
pub(in crate::cli) fn onto_disks(swaps: &str) -> Vec<&str> {
    let lines = swaps.lines().skip(1);
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| !name.starts_with("/dev/zram"))
        .collect()
}

/// What there is to swap to, as `/proc/swaps` has it.
pub(super) fn swap(swaps: io::Result<String>) -> Finding {
    const CHECK: &str = "swap";
    let swaps = match swaps {
        Ok(swaps) => swaps,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => String::new(), // a kernel without
        Err(fault) => {
            let what = format!("it can't be known whether there is any (/proc/swaps: {fault})");
            return Finding::warning(CHECK, what, "look with `swapon --show`");
        }
    };
    let onto_disks = onto_disks(&swaps);
    if onto_disks.is_empty() {
        return Finding::ok(CHECK, "none on a disk");
    }
    Finding::warning(
        CHECK,
        format!(
            "{}: what isn't locked may be written there, kkvc's memory too",
            onto_disks.join(", ")
        ),
        "if it isn't encrypted and memory is free enough (free -h): sudo swapoff -a",
    )
}

/// Whether a program that crashes would be written to a disk.
pub(super) fn dumps(seen: &Seen) -> Finding {
    let own = getrlimit(Resource::Core).current == Some(0)
        && dumpable_behavior().is_ok_and(|behaviour| behaviour == DumpableBehavior::NotDumpable);
    let relay = seen
        .limits
        .as_ref()
        .and_then(|limits| limits.now("Max core file size"));
    dumped(own, relay)
}

/// `own`: whether they are off for this program; `relay`: how long one of the relay may be.
fn dumped(own: bool, relay: Option<u64>) -> Finding {
    const CHECK: &str = "dumps";
    match (own, relay) {
        (true, None) => Finding::ok(CHECK, "off for kkvc; kkv turns its own off as well"),
        (true, Some(0)) => Finding::ok(CHECK, "off for kkv and kkvc"),
        (true, Some(_)) => Finding::warning(
            CHECK,
            "the limit for kkv was raised after its start",
            "find out by whom, and start kkv again",
        ),
        (false, _) => Finding::wrong(
            CHECK,
            "they can't be turned off here, so a crash could write messages to a disk",
            "sudo sysctl kernel.core_pattern=/dev/null",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State::{Ok as Well, Warning, Wrong};
    use super::super::relay::Limits;
    use super::super::relay::tests::{seen, well};
    use super::*;
    use kkv_client::owner::ClientError;
    use kkv_owner::Status;

    #[test]
    fn messages_that_are_not_locked_come_with_the_limit_that_would_do() {
        assert_eq!(locked(&seen(Ok(well()))).state, Well);
        let mut open = seen(Ok(Status {
            locked: false,
            ..well()
        }));
        for (limit, told) in [
            (
                "Max locked memory 65536 65536 bytes",
                "from 64 KiB to 200 or more",
            ),
            (
                "Max locked memory unlimited unlimited bytes",
                "not the limit",
            ),
            ("", "not the limit"),
        ] {
            open.limits = Some(Limits::new(limit));
            let finding = locked(&open);
            assert_eq!(finding.state, Warning);
            assert!(finding.line().contains(told), "{finding:?}");
        }
        assert_eq!(could_be_locked(true, Some(0)).state, Well);
        let none = could_be_locked(false, Some(16));
        assert!(none.line().contains("from 64 KiB to 200"), "{none:?}");
    }

    #[test]
    fn swap_on_a_disk_is_told_and_zram_is_not() {
        const HEAD: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        const ZRAM: &str = "/dev/zram0    partition\t4194300\t\t0\t\t100\n";
        const FILE: &str = "/swap\\040file    file\t\t8388604\t\t0\t\t-2\n";
        const DISK: &str = "/dev/sda2    partition\t8388604\t\t0\t\t-3\n";
        for (swaps, told) in [
            (String::new(), "ok       swap      none on a disk\n"),
            (HEAD.to_owned(), "ok       swap      none on a disk\n"),
            (
                format!("{HEAD}{ZRAM}"),
                "ok       swap      none on a disk\n",
            ),
            (
                format!("{HEAD}{ZRAM}{DISK}"),
                "warning  swap      /dev/sda2: what",
            ),
            (format!("{HEAD}{FILE}{DISK}"), "/swap\\040file, /dev/sda2"),
        ] {
            let line = swap(Ok(swaps)).line();
            assert!(line.contains(told), "{line}");
        }
        let hidden = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(swap(Err(hidden)).state, Warning);
        assert_eq!(swap(Err(io::ErrorKind::NotFound.into())).state, Well);
    }

    #[test]
    fn dumps_have_to_be_off_for_both_programs() {
        for (own, relay, state) in [
            (true, None, Well),
            (true, Some(0), Well),
            (true, Some(1), Warning),
            (true, Some(u64::MAX), Warning),
            (false, Some(0), Wrong),
            (false, None, Wrong),
        ] {
            assert_eq!(dumped(own, relay).state, state, "{own} {relay:?}");
        }
        // This test's own process has not been closed.
        assert_eq!(dumps(&seen(Err(ClientError::Silent))).state, Wrong);
        kkv_relay::memory::harden();
        assert_eq!(dumps(&seen(Err(ClientError::Silent))).state, Well);
    }
}
