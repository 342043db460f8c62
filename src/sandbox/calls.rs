//! seccomp: calls that these programs have no use for, and whoever takes one over would: other programs, other processes' memory, other kinds
//! of socket, the kernel's own workings.
//!
//! A list of what is refused, not of what is allowed: what libraries call differs from version to version, and a relay that stops when one is
//! updated helps nobody. What is refused fails with `EPERM`.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare,
    SeccompCondition as Condition, SeccompFilter, SeccompRule as Rule, apply_filter,
};

use super::Confined;

/// Refused whatever their arguments are.
const REFUSED: [libc::c_long; 42] = [
    // other programs
    libc::SYS_execve,
    libc::SYS_execveat,
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
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
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
];

/// Kinds of socket, without their flags: see `socket(2)`.
const KIND: u64 = 0xf;

/// From here on they are refused.
pub(super) fn confine() -> Confined {
    match filter().map(|filter| apply_filter(&filter)) {
        Some(Ok(())) => Confined::Fully,
        Some(Err(_)) | None => Confined::Not,
    }
}

/// None on a machine for which there are no filters.
fn filter() -> Option<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<Rule>> = REFUSED.map(|call| (call, Vec::new())).into();
    rules.insert(libc::SYS_socket, sockets()?);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        std::env::consts::ARCH.try_into().ok()?,
    );
    filter.ok()?.try_into().ok()
}

/// All sockets but streams, on this machine or by TCP: no datagrams, and so no look-up of names; nothing raw, nothing of the kernel's.
fn sockets() -> Option<Vec<Rule>> {
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
    let other_family = families
        .map(|family| Condition::new(0, Length::Dword, Compare::Ne, family as u64))
        .into_iter()
        .collect::<Result<Vec<_>, _>>();
    let stream = libc::SOCK_STREAM as u64;
    let kinds = (0..=KIND).filter(|kind| *kind != stream);
    let other_kinds = kinds.map(|kind| {
        let kind = Condition::new(1, Length::Dword, Compare::MaskedEq(KIND), kind);
        Rule::new(vec![kind.ok()?]).ok()
    });
    let mut rules = vec![Rule::new(other_family.ok()?).ok()?];
    for rule in other_kinds {
        rules.push(rule?);
    }
    Some(rules)
}
