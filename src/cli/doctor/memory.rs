//! Whether anything that is in memory could get onto a disk: by swapping, or by a dump.

use std::io;

use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

use super::Finding;
use super::relay::Seen;
use kkv_base::count::counted;
use kkv_base::limits::{DEFAULT_LARGE_BYTES, DEFAULT_MESSAGES, SLOT_BYTES};
use kkv_relay::memory::{Page, Share, lockable_pages};
use kkv_ui::fields::size;

const CHECK: &str = "memory";
const KIB_PER_SLOT: u64 = SLOT_BYTES as u64 >> 10;

/// What a relay has memory for, and how much of that is locked.
struct Memory {
    messages: u64,
    are_messages_locked: bool,
    /// Bytes for messages with files.
    files: u64,
    locked_files: u64,
}

/// Whether messages, and then those with files, are kept out of swap: the relay's own, or those of one that this user
/// started now with what is the default. `swaps`: whether there is swap on a disk.
pub(super) fn locked(seen: &Seen, swaps: bool) -> Finding {
    let Some(status) = seen.running() else {
        let pages = Page::allocate(DEFAULT_MESSAGES as usize);
        // The slots are locked first, and stay so meanwhile.
        let share = Share::new(DEFAULT_LARGE_BYTES);
        let memory = Memory {
            messages: DEFAULT_MESSAGES.into(),
            are_messages_locked: pages.is_ok_and(|pages| pages.iter().all(Page::is_locked)),
            files: DEFAULT_LARGE_BYTES as u64,
            locked_files: share.map_or(0, |share| share.locked_bytes() as u64),
        };
        return could_be_locked(&memory, lockable_pages(), swaps);
    };
    let memory = Memory {
        messages: status.queue.capacity.into(),
        are_messages_locked: status.locked,
        files: status.room.bytes,
        locked_files: status.room.locked,
    };
    let open = memory.unlocked_files();
    if memory.are_messages_locked && (open == 0 || !swaps) {
        let what = format!(
            "what fits into kkv, {}, is locked, never swapped to a disk{}",
            memory.locked(),
            not_locked(open)
        );
        return Finding::ok(CHECK, what);
    }
    let what = match memory.are_messages_locked {
        true => format!(
            "{} of kkv's {} for files aren't locked, so files in messages may be swapped to a disk",
            size(open),
            size(memory.files)
        ),
        false => "kkv's messages aren't locked, so they may be swapped to a disk".to_owned(),
    };
    let limit = seen
        .limits
        .as_ref()
        .and_then(|l| l.now("Max locked memory"));
    let mend = memory.mend(limit.map(|bytes| bytes >> 10));
    Finding::warning(CHECK, what, format!("{mend}, and start kkv again"))
}

/// Whether as much as there is by default could be locked, and if not, how many pages may be.
fn could_be_locked(memory: &Memory, pages: Option<u64>, swaps: bool) -> Finding {
    let open = memory.unlocked_files();
    if memory.are_messages_locked && (open == 0 || !swaps) {
        let what = format!(
            "{} can be locked, so that none is swapped to a disk{}",
            memory.locked(),
            not_locked(open)
        );
        return Finding::ok(CHECK, what);
    }
    let what = match memory.are_messages_locked {
        true => format!("{} of {} for files", size(open), size(memory.files)),
        false => counted(memory.messages, "message"),
    };
    Finding::warning(
        CHECK,
        format!("{what} can't be locked, and may be swapped to a disk"),
        memory.mend(pages.map(|pages| pages * KIB_PER_SLOT)),
    )
}

/// What is said of memory for files that isn't locked where there is no swap.
fn not_locked(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        bytes => format!(
            "; of that for files {} aren't, which matters once swap is turned on (it is off)",
            size(bytes)
        ),
    }
}

impl Memory {
    fn unlocked_files(&self) -> u64 {
        self.files.saturating_sub(self.locked_files)
    }

    /// What is locked, once the slots are.
    fn locked(&self) -> String {
        let messages = counted(self.messages, "message");
        match self.locked_files.min(self.files) {
            0 => messages,
            bytes => format!("{messages} and {} of files", size(bytes)),
        }
    }

    /// What lets all of it be locked, where `kib` may be.
    fn mend(&self, kib: Option<u64>) -> String {
        let slots = self.messages * KIB_PER_SLOT;
        let needed = slots.saturating_add(self.files >> 10);
        match kib {
            Some(kib) if kib < needed => format!(
                "raise memlock from {kib} KiB to {needed} or more (in /etc/security/limits.conf, or LimitMEMLOCK= in a unit)"
            ),
            _ => "it is not the limit; see what keeps programs here from it (the rules of a container?), or turn swap off".to_owned(),
        }
    }
}

/// Whether nothing is swapped to a disk now. (Without a kernel that tells, it may be.)
pub(in crate::cli) fn is_swap_off() -> bool {
    match std::fs::read_to_string("/proc/swaps") {
        Ok(swaps) => onto_disks(&swaps).is_empty(),
        Err(fault) => fault.kind() == io::ErrorKind::NotFound, // a kernel without
    }
}

/// Those of `/proc/swaps` that are on a disk. What zram takes stays in memory.
fn onto_disks(swaps: &str) -> Vec<&str> {
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
    use kkv_owner::{Room, Status};

    #[test]
    fn messages_that_are_not_locked_come_with_the_limit_that_would_do() {
        assert_eq!(locked(&seen(Ok(well())), true).state, Well);
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
            let finding = locked(&open, false);
            assert_eq!(finding.state, Warning);
            assert!(finding.line().contains(told), "{finding:?}");
        }
        let memory = |are_messages_locked, locked_files| Memory {
            messages: 50,
            are_messages_locked,
            files: 16 << 20,
            locked_files,
        };
        let well = could_be_locked(&memory(true, 16 << 20), Some(0), true);
        assert_eq!(well.state, Well);
        let none = could_be_locked(&memory(false, 0), Some(16), false);
        assert!(none.line().contains("from 64 KiB to 16584"), "{none:?}");
        assert!(none.line().contains("50 messages can't"), "{none:?}");
    }

    #[test]
    fn memory_for_files_that_is_not_locked_is_told_and_is_a_fault_where_there_is_swap() {
        let mut some = seen(Ok(Status {
            room: Room {
                bytes: 16 << 20,
                locked: 7 << 20,
                ..Room::default()
            },
            ..well()
        }));
        some.limits = Some(Limits::new("Max locked memory 8388608 8388608 bytes"));
        let finding = locked(&some, true);
        assert_eq!(finding.state, Warning);
        for part in ["9 MiB of kkv's 16 MiB", "from 8192 KiB to 16584 or more"] {
            assert!(finding.line().contains(part), "{finding:?}");
        }
        let finding = locked(&some, false);
        assert_eq!(finding.state, Well);
        for part in [
            "50 messages and 7 MiB of files",
            "; of that for files 9 MiB aren't",
        ] {
            assert!(finding.line().contains(part), "{finding:?}");
        }
        let could = |swaps| {
            let memory = Memory {
                messages: 50,
                are_messages_locked: true,
                files: 16 << 20,
                locked_files: 7 << 20,
            };
            could_be_locked(&memory, Some(2048), swaps)
        };
        assert_eq!(could(true).state, Warning);
        let line = could(true).line();
        assert!(line.contains("9 MiB of 16 MiB for files can't"), "{line}");
        assert_eq!(could(false).state, Well);
        let line = could(false).line();
        assert!(line.contains("; of that for files 9 MiB aren't"), "{line}");
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
