//! seccomp: which system calls a process in the sandbox may make.
//!
//! An allowlist (`table`). It includes calls that have no effect outside the process even if nothing makes them today,
//! so that other versions of libraries work. A refused call fails with `EPERM`. A call in no list, such as one newer
//! than this program, fails with `ENOSYS`, as on an older kernel: libraries then fall back.

#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
mod arguments;
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
mod table;

use seccompiler::{BpfProgram, apply_filter};

use kkv_owner::Confined;

/// Restricts the calls of this thread and of those it starts. `connects`: whether it may connect by TCP.
pub(super) fn confine(connects: bool) -> Confined {
    let Some(Filters { known, unrefused }) = filters(connects, std::process::id()) else {
        return Confined::Not;
    };
    // In this order: the second filter refuses seccomp(2).
    match apply_filter(&known).and_then(|()| apply_filter(&unrefused)) {
        Ok(()) => Confined::Fully,
        Err(_) => Confined::Not,
    }
}

/// Lists the actions that the kernel knows (seccomp(2)).
const ACTIONS: &str = "/proc/sys/kernel/seccomp/actions_avail";

/// Whether this kernel has seccomp filters, and we have a table for its machine.
pub(super) fn possible() -> Confined {
    let actions = std::fs::read_to_string(ACTIONS).unwrap_or_default();
    let knows = actions.split_whitespace().any(|action| action == "errno");
    if knows && filters(true, std::process::id()).is_some() {
        Confined::Fully
    } else {
        Confined::Not
    }
}

/// Two filters, as one has only one action for what it matches. A call passes if both allow it. If both don't, the one
/// that was installed last decides the error.
struct Filters {
    /// `ENOSYS` for all but the calls in [`table::ALLOWED`] and [`table::LIMITED`].
    known: BpfProgram,
    /// `EPERM` for refused calls and arguments.
    unrefused: BpfProgram,
}

/// There is no table for this machine.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
fn filters(_connects: bool, _own: u32) -> Option<Filters> {
    None
}

/// The filters for the process with this id, `own`.
///
/// Calls of another architecture's ABI, such as i386's on x86-64, kill the process. Those of the x32 ABI have numbers
/// in no list.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
fn filters(connects: bool, own: u32) -> Option<Filters> {
    use std::collections::BTreeMap;

    use seccompiler::{SeccompAction as Action, SeccompFilter, SeccompRule as Rule};
    use table::{ALLOWED, LIMITED, REFUSED};

    type Rules = BTreeMap<i64, Vec<Rule>>;
    let always = |call: &libc::c_long| (*call, Vec::new());
    let compiled = |rules: Rules, otherwise: Action, then: Action| {
        let machine = std::env::consts::ARCH.try_into().ok()?;
        let filter = SeccompFilter::new(rules, otherwise, then, machine).ok()?;
        filter.try_into().ok()
    };
    let known: Rules = ALLOWED.concat().iter().chain(LIMITED).map(always).collect();
    let mut refused: Rules = REFUSED.concat().iter().map(always).collect();
    refused.extend(arguments::refused(connects, own)?);
    Some(Filters {
        known: compiled(known, Action::Errno(libc::ENOSYS as u32), Action::Allow)?,
        unrefused: compiled(refused, Action::Allow, Action::Errno(libc::EPERM as u32))?,
    })
}

#[cfg(test)]
mod tests;
