//! What of a call is refused by its arguments, of the calls that are allowed in part.

use std::collections::BTreeMap;

use seccompiler::{
    SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition as Condition,
    SeccompRule as Rule,
};

/// Calls that send, and which argument has their flags. With `MSG_FASTOPEN` they connect as well, and Landlock doesn't
/// see it.
const SENDING: [(libc::c_long, u8); 3] = [
    (libc::SYS_sendto, 3),
    (libc::SYS_sendmsg, 2),
    (libc::SYS_sendmmsg, 3),
];

/// What is asked of a file or terminal: whether it waits, how much there is to read, how large the window is. Not to
/// type on a terminal in the owner's place (`TIOCSTI`, `TIOCLINUX`), nor what a file system keeps with a file
/// (`FS_IOC_SETFLAGS`), nor whom a file signals (`FIOSETOWN`).
const ASKED_OF_FILES: [u64; 8] = [
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x541b,      // FIONREAD
    0x5401,      // TCGETS
    0x802c_542a, // TCGETS2
    0x540f,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
];

/// Descriptors, whether they wait, and locks. Not whom a file signals (`F_SETOWN`), who is told of what happens in a
/// directory (`F_NOTIFY`), or who has to wait to open a file (`F_SETLEASE`).
const ASKED_OF_DESCRIPTORS: [u64; 12] = [
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

/// What a thread and its memory are called, and what libraries ask. Not to be open to debuggers again
/// (`PR_SET_DUMPABLE`, `PR_SET_PTRACER`), nor to share a core with others (`PR_SCHED_CORE`).
const ASKED_OF_ITSELF: [u64; 9] = [
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

/// `clone` into namespaces: those that have a flag there.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Kinds of socket, without their flags: see `socket(2)`.
const KIND: u64 = 0xf;

/// What is refused, any of several rules, of each call that is allowed in part. `own` is the process's number.
pub(super) fn refused(connects: bool, own: u32) -> Option<BTreeMap<i64, Vec<Rule>>> {
    let whatever = Vec::new; // a call with no rule is refused whatever its arguments are
    let own = u64::from(own);
    let mut rules = BTreeMap::new();
    rules.insert(
        libc::SYS_socket,
        if connects { all_but_tcp()? } else { whatever() },
    );
    if !connects {
        rules.insert(libc::SYS_connect, whatever());
    }
    let fast_open = libc::MSG_FASTOPEN as u64;
    for (call, flags) in SENDING {
        rules.insert(call, vec![when(&[(flags, has(fast_open), fast_open)])?]);
    }
    // A process of its own would live on when the relay has been told to stop.
    let thread = libc::CLONE_THREAD as u64;
    let mut clone = vec![when(&[(0, has(thread), 0)])?];
    for namespace in NAMESPACES {
        clone.push(when(&[(0, has(namespace as u64), namespace as u64)])?);
    }
    rules.insert(libc::SYS_clone, clone);
    rules.insert(libc::SYS_kill, vec![unless(0, &[own])?]);
    rules.insert(libc::SYS_tgkill, vec![unless(0, &[own])?]);
    // It names a thread of any process, and no filter knows whose that is; but the first thread has the number of its
    // process. So musl's `abort` there ends it by SIGABRT. In other threads it ends by SIGSEGV, after this is refused.
    rules.insert(libc::SYS_tkill, vec![unless(0, &[own])?]);
    rules.insert(libc::SYS_prlimit64, vec![unless(0, &[0, own])?]);
    rules.insert(libc::SYS_ioctl, vec![unless(1, &ASKED_OF_FILES)?]);
    rules.insert(libc::SYS_fcntl, vec![unless(1, &ASKED_OF_DESCRIPTORS)?]);
    rules.insert(libc::SYS_prctl, vec![unless(0, &ASKED_OF_ITSELF)?]);
    // Tor inside keeps its locks fresh by the times of files that it has open. By their names it needs none.
    let named = Condition::new(1, Length::Qword, Compare::Ne, 0).ok()?;
    let times = if connects {
        vec![Rule::new(vec![named]).ok()?]
    } else {
        whatever()
    };
    rules.insert(libc::SYS_utimensat, times);
    rules.insert(libc::SYS_seccomp, whatever()); // it was needed until now
    Some(rules)
}

/// All sockets but TCP's own: no datagrams, and so no look-up of names; none of this machine's other services; nothing
/// raw, nothing of the kernel's, nor what carries TCP under another name (MPTCP, SCTP), of which Landlock knows
/// nothing.
fn all_but_tcp() -> Option<Vec<Rule>> {
    let number = |number: libc::c_int| number as u64;
    let kinds = (0..=KIND).filter(|kind| *kind != number(libc::SOCK_STREAM));
    let other_kinds = kinds.map(|other| when(&[(1, has(KIND), other)]));
    let others = [
        unless(0, &[number(libc::AF_INET), number(libc::AF_INET6)]),
        unless(2, &[0, number(libc::IPPROTO_TCP)]),
    ];
    others.into_iter().chain(other_kinds).collect()
}

/// When the argument is none of these.
fn unless(argument: u8, allowed: &[u64]) -> Option<Rule> {
    let others: Vec<_> = allowed
        .iter()
        .map(|value| (argument, Compare::Ne, *value))
        .collect();
    when(&others)
}

/// Compares the bits of `mask` alone.
fn has(mask: u64) -> Compare {
    Compare::MaskedEq(mask)
}

/// When all of these arguments compare so. Their lower halves: the kernel looks at no more of numbers like these.
fn when(arguments: &[(u8, Compare, u64)]) -> Option<Rule> {
    let conditions = arguments.iter().map(|(argument, compare, value)| {
        Condition::new(*argument, Length::Dword, compare.clone(), *value).ok()
    });
    Rule::new(conditions.collect::<Option<_>>()?).ok()
}
