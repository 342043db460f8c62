//! Which arguments of the calls in `LIMITED` are refused.

use std::collections::BTreeMap;

use seccompiler::{
    SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition as Condition,
    SeccompRule as Rule,
};

/// Calls that send, and the index of their flags. `MSG_FASTOPEN` makes them connect, which Landlock doesn't check.
const SENDING: [(libc::c_long, u8); 3] = [
    (libc::SYS_sendto, 3),
    (libc::SYS_sendmsg, 2),
    (libc::SYS_sendmmsg, 3),
];

/// Requests of ioctl(2): blocking mode, bytes to read, window size. Not: typing on the owner's terminal (`TIOCSTI`,
/// `TIOCLINUX`), attributes on the disk (`FS_IOC_SETFLAGS`), or whom a file signals (`FIOSETOWN`).
const IOCTL_REQUESTS: [u64; 8] = [
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x541b,      // FIONREAD
    0x5401,      // TCGETS
    0x802c_542a, // TCGETS2
    0x540f,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
];

/// Operations of fcntl(2): descriptors, blocking mode, locks. Not: whom a file signals (`F_SETOWN`), directory
/// notifications (`F_NOTIFY`), or leases, which block others (`F_SETLEASE`).
const FCNTL_OPERATIONS: [u64; 12] = [
    0,    // F_DUPFD
    1,    // F_GETFD
    2,    // F_SETFD
    3,    // F_GETFL
    4,    // F_SETFL
    5,    // F_GETLK
    6,    // F_SETLK
    7,    // F_SETLKW
    36,   // F_OFD_GETLK
    37,   // F_OFD_SETLK
    38,   // F_OFD_SETLKW
    1030, // F_DUPFD_CLOEXEC
];

/// Operations of prctl(2): names of threads and memory, and what libraries query. Not: admitting debuggers again
/// (`PR_SET_DUMPABLE`, `PR_SET_PTRACER`), or sharing a core with others (`PR_SCHED_CORE`).
const PRCTL_OPERATIONS: [u64; 9] = [
    15,          // PR_SET_NAME
    16,          // PR_GET_NAME
    3,           // PR_GET_DUMPABLE
    23,          // PR_CAPBSET_READ
    38,          // PR_SET_NO_NEW_PRIVS
    39,          // PR_GET_NO_NEW_PRIVS
    42,          // PR_GET_THP_DISABLE
    0x5356_4d41, // PR_SET_VMA
    0x4155_5856, // PR_GET_AUXV
];

/// The flags of clone(2) that make namespaces.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Mask of a socket's type, without its flags (socket(2)).
const SOCKET_TYPE: u64 = 0xf;

/// The rules for each call in `LIMITED`; a call that matches any of its rules is refused. `own` is the process's id.
pub(super) fn refused(connects: bool, own: u32) -> Option<BTreeMap<i64, Vec<Rule>>> {
    let always = Vec::new; // no rule: refused with any arguments
    let own = u64::from(own);
    let mut rules = BTreeMap::new();
    rules.insert(
        libc::SYS_socket,
        if connects { all_but_tcp()? } else { always() },
    );
    if !connects {
        rules.insert(libc::SYS_connect, always());
    }
    let fast_open = libc::MSG_FASTOPEN as u64;
    for (call, flags) in SENDING {
        rules.insert(call, vec![when(&[(flags, has(fast_open), fast_open)])?]);
    }
    // Threads only: a child process would outlive the relay.
    let thread = libc::CLONE_THREAD as u64;
    let mut clone = vec![when(&[(0, has(thread), 0)])?];
    for namespace in NAMESPACES {
        clone.push(when(&[(0, has(namespace as u64), namespace as u64)])?);
    }
    rules.insert(libc::SYS_clone, clone);
    rules.insert(libc::SYS_kill, vec![unless(0, &[own])?]);
    rules.insert(libc::SYS_tgkill, vec![unless(0, &[own])?]);
    // tkill(2) names a thread of any process, and a filter can't tell whose. The main thread's id is the process's, so
    // musl's `abort` works there; in other threads this is refused, and musl ends the process by SIGSEGV instead.
    rules.insert(libc::SYS_tkill, vec![unless(0, &[own])?]);
    rules.insert(libc::SYS_prlimit64, vec![unless(0, &[0, own])?]);
    rules.insert(libc::SYS_ioctl, vec![unless(1, &IOCTL_REQUESTS)?]);
    rules.insert(libc::SYS_fcntl, vec![unless(1, &FCNTL_OPERATIONS)?]);
    rules.insert(libc::SYS_prctl, vec![unless(0, &PRCTL_OPERATIONS)?]);
    // arti touches its lock files by their descriptors: the path is NULL then. No other use is needed.
    let named = Condition::new(1, Length::Qword, Compare::Ne, 0).ok()?;
    let times = if connects {
        vec![Rule::new(vec![named]).ok()?]
    } else {
        always()
    };
    rules.insert(libc::SYS_utimensat, times);
    rules.insert(libc::SYS_seccomp, always()); // this is the last filter
    Some(rules)
}

/// Matches all sockets but TCP's: datagrams and so DNS, Unix and netlink sockets, raw sockets, and other stream
/// protocols (MPTCP, SCTP), which Landlock doesn't check.
fn all_but_tcp() -> Option<Vec<Rule>> {
    let number = |number: libc::c_int| number as u64;
    let types = (0..=SOCKET_TYPE).filter(|kind| *kind != number(libc::SOCK_STREAM));
    let other_types = types.map(|other| when(&[(1, has(SOCKET_TYPE), other)]));
    let others = [
        unless(0, &[number(libc::AF_INET), number(libc::AF_INET6)]),
        unless(2, &[0, number(libc::IPPROTO_TCP)]),
    ];
    others.into_iter().chain(other_types).collect()
}

/// Matches if the argument is none of `allowed`.
fn unless(argument: u8, allowed: &[u64]) -> Option<Rule> {
    let others: Vec<_> = allowed
        .iter()
        .map(|value| (argument, Compare::Ne, *value))
        .collect();
    when(&others)
}

/// Compares only the bits in `mask`.
fn has(mask: u64) -> Compare {
    Compare::MaskedEq(mask)
}

/// Matches if all of these arguments compare so, by their lower 32 bits: the kernel ignores the rest of an `int`.
fn when(arguments: &[(u8, Compare, u64)]) -> Option<Rule> {
    let conditions = arguments.iter().map(|(argument, compare, value)| {
        Condition::new(*argument, Length::Dword, compare.clone(), *value).ok()
    });
    Rule::new(conditions.collect::<Option<_>>()?).ok()
}
