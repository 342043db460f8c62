//! seccomp: calls that these programs have no use for, and whoever takes one over would: other programs, other processes' memory, whose a file is,
//! any socket more but for TCP, the kernel's own workings.
//!
//! A list of what is refused, not of what is allowed: what libraries call differs from version to version, and a relay that stops when one is
//! updated helps nobody. What is refused fails with `EPERM`.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare,
    SeccompCondition as Condition, SeccompFilter, SeccompRule as Rule, apply_filter, sock_filter,
};

use super::Confined;

/// Refused whatever their arguments are.
const REFUSED: [libc::c_long; 54] = [
    // other programs
    libc::SYS_execve,
    libc::SYS_execveat,
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_shmat,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_mq_open,
    // strangers and the owner come by sockets that listen already
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_socketpair,
    // files by their names, as far as Landlock leaves them open: whose they are, who may use them, and before Linux 6.2 how long they are
    libc::SYS_truncate,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchownat,
    // ways around what is refused here
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at,
    libc::SYS_memfd_create,
    // other views of the system
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // the kernel's workings
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
];

/// The same number on every machine. (libc has no name for it on some.)
const FCHMODAT2: libc::c_long = 452;

/// Older forms of calls that are refused, where there are any.
#[cfg(target_arch = "x86_64")]
const REFUSED_OF_OLD: &[libc::c_long] = &[libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_OF_OLD: &[libc::c_long] = &[];

/// Calls that send, and which argument has their flags. With `MSG_FASTOPEN` they connect as well, and Landlock doesn't see it.
const SENDING: [(libc::c_long, u8); 3] = [
    (libc::SYS_sendto, 3),
    (libc::SYS_sendmsg, 2),
    (libc::SYS_sendmmsg, 3),
];

/// `TIOCSTI` and `TIOCLINUX` (`asm-generic/ioctls.h`): what types on a terminal in the owner's place, commands for the shell that kkv was started from.
const TYPING: [u64; 2] = [0x5412, 0x541c];

/// Kinds of socket, without their flags: see `socket(2)`.
const KIND: u64 = 0xf;

/// From here on numbers are those of the x32 ABI of x86-64, under which a list would not know the same calls. No other machine has such numbers.
const X32: u32 = 0x4000_0000;

/// From here on they are refused. `connects`: whether it connects to others by TCP.
pub(super) fn confine(connects: bool) -> Confined {
    match filter(connects).map(|filter| apply_filter(&filter)) {
        Some(Ok(())) => Confined::Fully,
        Some(Err(_)) | None => Confined::Not,
    }
}

/// Where the kernel says which ends of a filter it knows.
const ACTIONS: &str = "/proc/sys/kernel/seccomp/actions_avail";

/// Whether this kernel has filters.
pub(super) fn possible() -> Confined {
    let actions = std::fs::read_to_string(ACTIONS).unwrap_or_default();
    let knows = actions.split_whitespace().any(|action| action == "errno");
    if knows && filter(true).is_some() {
        Confined::Fully
    } else {
        Confined::Not
    }
}

/// None on a machine for which there are no filters.
fn filter(connects: bool) -> Option<BpfProgram> {
    let always = |call: &libc::c_long| (*call, Vec::new());
    let refused = REFUSED.iter().chain(REFUSED_OF_OLD);
    let mut rules: BTreeMap<i64, Vec<Rule>> = refused.map(always).collect();
    if connects {
        rules.insert(libc::SYS_socket, all_but_tcp()?);
    } else {
        rules.extend([libc::SYS_socket, libc::SYS_connect].iter().map(always));
    }
    let typing = TYPING.map(|request| when(&[(1, Compare::Eq, request)]));
    rules.insert(libc::SYS_ioctl, typing.into_iter().collect::<Option<_>>()?);
    let fast_open = libc::MSG_FASTOPEN as u64;
    for (call, flags) in SENDING {
        let rule = when(&[(flags, Compare::MaskedEq(fast_open), fast_open)])?;
        rules.insert(call, vec![rule]);
    }
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        std::env::consts::ARCH.try_into().ok()?,
    );
    let program: BpfProgram = filter.ok()?.try_into().ok()?;
    Some(no_x32().into_iter().chain(program).collect())
}

/// All sockets but TCP's own: no datagrams, and so no look-up of names; none of this machine's other services; nothing raw, nothing of the
/// kernel's, nor what carries TCP under another name (MPTCP, SCTP), of which Landlock knows nothing.
fn all_but_tcp() -> Option<Vec<Rule>> {
    let [family, kind, protocol] = [0, 1, 2];
    let number = |number: libc::c_int| number as u64;
    let kinds = (0..=KIND).filter(|kind| *kind != number(libc::SOCK_STREAM));
    let other_kinds = kinds.map(|other| when(&[(kind, Compare::MaskedEq(KIND), other)]));
    let others = [
        when(&[
            (family, Compare::Ne, number(libc::AF_INET)),
            (family, Compare::Ne, number(libc::AF_INET6)),
        ]),
        when(&[
            (protocol, Compare::Ne, 0),
            (protocol, Compare::Ne, number(libc::IPPROTO_TCP)),
        ]),
    ];
    others.into_iter().chain(other_kinds).collect()
}

/// When all of these arguments compare so.
fn when(arguments: &[(u8, Compare, u64)]) -> Option<Rule> {
    let conditions = arguments.iter().map(|(argument, compare, value)| {
        Condition::new(*argument, Length::Dword, compare.clone(), *value).ok()
    });
    Rule::new(conditions.collect::<Option<_>>()?).ok()
}

/// The beginning of a filter, which refuses all calls from that number on.
fn no_x32() -> [sock_filter; 3] {
    let step = |code: u32, jf, k| sock_filter {
        code: code as u16,
        jt: 0,
        jf,
        k,
    };
    let number = 0; // the first field of what a filter looks at
    [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, number),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, X32),
        step(
            libc::BPF_RET | libc::BPF_K,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSAL: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;

    /// What the filter says to a call, worked out as the kernel does: see `linux/filter.h`. (To make some of these calls takes `unsafe` code, or what a
    /// test must not risk.)
    fn refuses(connects: bool, call: i64, arguments: &[u64]) -> bool {
        let program = filter(connects).unwrap();
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
        let verdict = loop {
            let step = &program[at];
            let holds = match step.code {
                0x06 => break step.k,
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
        };
        assert!([REFUSAL, libc::SECCOMP_RET_ALLOW].contains(&verdict));
        verdict == REFUSAL
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

    #[test]
    fn what_would_take_the_machine_over_is_refused_and_what_serves_is_not() {
        for connects in [false, true] {
            for call in [
                libc::SYS_execve,
                libc::SYS_execveat,
                libc::SYS_ptrace,
                libc::SYS_process_vm_writev,
                libc::SYS_io_uring_setup,
                libc::SYS_mount,
                libc::SYS_bpf,
                libc::SYS_init_module,
                libc::SYS_kexec_load,
                libc::SYS_kexec_file_load,
                libc::SYS_reboot,
                libc::SYS_shmat,
                libc::SYS_truncate,
                libc::SYS_fchmodat,
                FCHMODAT2,
                libc::SYS_fchownat,
                libc::SYS_bind,
                libc::SYS_listen,
                libc::SYS_socketpair,
            ] {
                assert!(refuses(connects, call, &[]), "{call}");
            }
            for call in [
                libc::SYS_read,
                libc::SYS_write,
                libc::SYS_accept4,
                libc::SYS_openat,
                libc::SYS_futex,
                libc::SYS_fchmod,
                libc::SYS_exit_group,
            ] {
                assert!(!refuses(connects, call, &[]), "{call}");
            }
            assert_eq!(refuses(connects, libc::SYS_connect, &[]), !connects);
        }
    }

    #[test]
    fn nothing_is_typed_on_the_owners_terminal() {
        for high in [0, 1 << 32] {
            for request in [0x5412, 0x541c] {
                assert!(refuses(true, libc::SYS_ioctl, &[0, request | high]));
            }
            let size = 0x5413; // TIOCGWINSZ
            assert!(!refuses(true, libc::SYS_ioctl, &[0, size | high]));
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
            let with = |value| {
                let mut arguments = [u64::MAX; 6];
                arguments[flags] = value;
                refuses(false, call, &arguments)
            };
            assert!(with(fast_open) && with(fast_open | quiet), "{call}");
            assert!(!with(quiet), "{call}");
        }
    }

    #[test]
    fn no_call_passes_under_another_number() {
        for call in [
            libc::SYS_read,
            libc::SYS_ptrace,
            libc::SYS_socket,
            libc::SYS_ioctl,
            520, // execve, which has a number of its own there
        ] {
            assert!(refuses(true, call | 0x4000_0000, &[]), "{call}");
        }
    }
}
