use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::sock_filter;

use super::table::{ABSENT, ALLOWED, LIMITED, NEWEST, REFUSED};
use super::*;

/// The number of the process that is asked about.
const OWN: u32 = 4711;

/// Those of a relay that connects, or doesn't.
fn asked(connects: bool) -> Filters {
    filters(connects, OWN).unwrap()
}

/// What a caller gets to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passes,
    Refused,
    Absent,
}
use Verdict::{Absent, Passes, Refused};

/// What the filters say to a call, worked out as the kernel does: see `linux/filter.h`. (To make some of these calls
/// takes `unsafe` code, or what a test must not risk.)
fn verdict(filters: &Filters, call: c_long, arguments: &[u64]) -> Verdict {
    let Filters { known, unrefused } = filters;
    let error = |number| libc::SECCOMP_RET_ERRNO | number as u32;
    let [known, unrefused] = [known, unrefused].map(|filter| run(filter, call, arguments));
    // Of the same kind of end, that of the filter which came last counts.
    match (known, unrefused) {
        (libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_ALLOW) => Passes,
        (_, refused) if refused == error(libc::EPERM) => Refused,
        (absent, libc::SECCOMP_RET_ALLOW) if absent == error(libc::ENOSYS) => Absent,
        others => panic!("{others:x?}"),
    }
}

fn run(filter: &[sock_filter], call: c_long, arguments: &[u64]) -> u32 {
    let look = |offset: u32| match offset {
        0 => call as u32,
        4 => architecture(),
        16.. => {
            let argument = arguments.get((offset as usize - 16) / 8).unwrap_or(&0);
            (argument >> ((offset % 8) * 8)) as u32 // the lower half comes first
        }
        _ => panic!("it looks at {offset}"),
    };
    let (mut value, mut at) = (0, 0);
    loop {
        let step = &filter[at];
        let holds = match step.code {
            0x06 => return step.k,
            0x20 => {
                value = look(step.k);
                None
            }
            0x54 => {
                value &= step.k;
                None
            }
            0x05 => {
                at += step.k as usize;
                None
            }
            0x15 => Some(value == step.k),
            0x25 => Some(value > step.k),
            0x35 => Some(value >= step.k),
            other => panic!("a step of an unknown kind: {other:#x}"),
        };
        let jump = holds.map_or(0, |holds| if holds { step.jt } else { step.jf });
        at += 1 + usize::from(jump);
    }
}

/// `AUDIT_ARCH_*` of `linux/audit.h`.
fn architecture() -> u32 {
    match std::env::consts::ARCH {
        "x86_64" => 0xc000_003e,
        "aarch64" => 0xc000_00b7,
        "riscv64" => 0xc000_00f3,
        other => panic!("no filter can be made for {other}"),
    }
}

/// Numbers that belong to no call of today's kernels: never given, or of calls that are gone.
#[cfg(target_arch = "x86_64")]
fn is_free(call: c_long) -> bool {
    const GONE: [c_long; 12] = [
        156, // _sysctl
        174, // create_module
        177, // get_kernel_syms
        178, // query_module
        181, // getpmsg
        182, // putpmsg
        183, // afs_syscall
        184, // tuxcall
        185, // security
        214, // epoll_ctl_old
        215, // epoll_wait_old
        236, // vserver
    ];
    GONE.contains(&call) || (337..424).contains(&call)
}
#[cfg(not(target_arch = "x86_64"))]
fn is_free(call: c_long) -> bool {
    // riscv64 has no renameat.
    let on_aarch64_alone = call == 38 && cfg!(not(target_arch = "aarch64"));
    (244..260).contains(&call) || (295..424).contains(&call) || on_aarch64_alone
}

#[test]
fn every_call_of_the_kernel_has_been_looked_at_and_is_in_one_list() {
    let mut lists: BTreeMap<c_long, u32> = BTreeMap::new();
    let [allowed, refused] = [ALLOWED, REFUSED].map(<[_]>::concat);
    for call in [&allowed, LIMITED, &refused, ABSENT].into_iter().flatten() {
        *lists.entry(*call).or_default() += 1;
    }
    let twice: Vec<_> = lists.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let forgotten: Vec<_> = (0..=NEWEST)
        .filter(|call| !lists.contains_key(call) && !is_free(*call))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

#[test]
fn each_list_is_held_to() {
    for filters in [false, true].map(asked) {
        for call in ALLOWED.concat() {
            assert_eq!(verdict(&filters, call, &[u64::MAX; 6]), Passes, "{call}");
        }
        for call in REFUSED.concat() {
            assert_eq!(verdict(&filters, call, &[0; 6]), Refused, "{call}");
        }
        for call in ABSENT {
            assert_eq!(verdict(&filters, *call, &[0; 6]), Absent, "{call}");
        }
    }
}

#[test]
fn a_call_that_is_not_known_is_absent_whatever_its_number() {
    let filters = asked(true);
    let later = NEWEST + 1..NEWEST + 1000;
    let of_x32 = (0..1000).map(|call| call | 0x4000_0000); // execve has a number of its own there
    for call in later.chain(of_x32).chain([-1, c_long::from(i32::MAX)]) {
        assert_eq!(verdict(&filters, call, &[0; 6]), Absent, "{call}");
    }
}

#[test]
fn what_serves_passes() {
    let filters = asked(false);
    for call in [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_accept4,
        libc::SYS_openat,
        libc::SYS_futex,
        libc::SYS_exit_group,
    ] {
        assert_eq!(verdict(&filters, call, &[]), Passes, "{call}");
    }
    assert_eq!(verdict(&asked(true), libc::SYS_connect, &[]), Passes);
    assert_eq!(verdict(&filters, libc::SYS_connect, &[]), Refused);
}

/// What of a call passes, and what is refused, by one argument; whatever the upper half is, which the kernel ignores.
#[track_caller]
fn by_argument(call: c_long, argument: usize, passes: &[u64], refused: &[u64]) {
    let filters = asked(true);
    for (values, expected) in [(passes, Passes), (refused, Refused)] {
        for value in values.iter().flat_map(|value| [*value, value | 1 << 32]) {
            let mut arguments = [0; 6];
            arguments[argument] = value;
            assert_eq!(verdict(&filters, call, &arguments), expected, "{value:#x}");
        }
    }
}

#[test]
fn nothing_is_typed_on_the_owners_terminal_and_no_file_gets_attributes() {
    let (typing, attributes, owner) = ([0x5412, 0x541c], [0x4008_6602, 0x401c_5820], 0x8901);
    let refused = [&typing[..], &attributes, &[owner]].concat();
    by_argument(libc::SYS_ioctl, 1, &[0x5413, 0x5401, 0x5421], &refused);
}

#[test]
fn nobody_is_signalled_or_kept_waiting_by_way_of_a_file() {
    let [set_owner, set_signal, lease, notify] = [8, 10, 1024, 1026];
    let refused = [set_owner, set_signal, 15, lease, notify];
    by_argument(libc::SYS_fcntl, 1, &[1, 3, 4, 6, 1030], &refused);
}

#[test]
fn it_stays_closed_to_debuggers() {
    let [dumpable, tracer, core] = [4, 0x5961_6d61, 62];
    by_argument(
        libc::SYS_prctl,
        0,
        &[15, 0x5356_4d41],
        &[dumpable, tracer, core],
    );
}

#[test]
fn it_signals_and_limits_nobody_but_itself() {
    let (own, all) = (u64::from(OWN), u64::from(u32::MAX)); // -1
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_tkill] {
        by_argument(call, 0, &[own], &[0, 1, own + 1, all]);
    }
    by_argument(libc::SYS_prlimit64, 0, &[0, own], &[1, own + 1, all]);
}

#[test]
fn it_has_new_threads_and_no_child_or_namespace_of_its_own() {
    let thread = 0x003d_0f00; // what libraries start one with
    let namespaces = [
        0x2_0000,
        0x200_0000,
        0x400_0000,
        0x800_0000,
        0x1000_0000,
        0x2000_0000,
        0x4000_0000,
    ];
    let into = namespaces.map(|namespace| thread | namespace);
    let forked = [0x11, 0x4111, 0]; // fork, vfork, nothing
    by_argument(
        libc::SYS_clone,
        0,
        &[thread],
        &[&into[..], &forked].concat(),
    );
}

#[test]
fn with_embedded_tor_it_sets_times_of_what_it_has_open_and_of_nothing_by_name() {
    let utimensat = |connects, name| verdict(&asked(connects), libc::SYS_utimensat, &[3, name]);
    assert_eq!(utimensat(true, 0), Passes);
    for name in [1, 1 << 32, u64::MAX] {
        assert_eq!(utimensat(true, name), Refused);
    }
    for name in [0, 1] {
        assert_eq!(utimensat(false, name), Refused);
    }
}

#[test]
fn nothing_connects_by_sending() {
    let (fast_open, quiet) = (0x2000_0000, libc::MSG_NOSIGNAL as u64);
    for (call, flags) in [
        (libc::SYS_sendto, 3),
        (libc::SYS_sendmsg, 2),
        (libc::SYS_sendmmsg, 3),
    ] {
        by_argument(call, flags, &[quiet], &[fast_open, fast_open | quiet]);
    }
}
