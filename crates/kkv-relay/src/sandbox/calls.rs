//! seccomp: which system calls a confined process may make.
//!
//! A list of what is allowed (`table`), which errs on the side of what stays in the process, so that another version
//! of a library finds what it needs. What is refused fails with `EPERM`. What is in no list, above all a call that is
//! newer than this program, fails with `ENOSYS`, as on a kernel that doesn't have it: libraries then use an older one.

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

use super::Confined;

/// From here on no other calls are made. `connects`: whether it connects to others by TCP.
pub(super) fn confine(connects: bool) -> Confined {
    let Some(Filters { known, unrefused }) = filters(connects, std::process::id()) else {
        return Confined::Not;
    };
    // The second one refuses to be followed by another.
    match apply_filter(&known).and_then(|()| apply_filter(&unrefused)) {
        Ok(()) => Confined::Fully,
        Err(_) => Confined::Not,
    }
}

/// Where the kernel says which ends of a filter it knows.
const ACTIONS: &str = "/proc/sys/kernel/seccomp/actions_avail";

/// Whether this kernel has filters.
pub(super) fn possible() -> Confined {
    let actions = std::fs::read_to_string(ACTIONS).unwrap_or_default();
    let knows = actions.split_whitespace().any(|action| action == "errno");
    if knows && filters(true, std::process::id()).is_some() {
        Confined::Fully
    } else {
        Confined::Not
    }
}

/// A call passes if both let it. Where both don't, the later one's error is what the caller gets.
struct Filters {
    /// All but the calls that are allowed, if only in part, are absent.
    known: BpfProgram,
    /// What is refused is refused.
    unrefused: BpfProgram,
}

/// None on a machine for which there is no table. `own` is the process's number.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
fn filters(_connects: bool, _own: u32) -> Option<Filters> {
    None
}

/// None on a machine for which there is no table. `own` is the process's number.
///
/// Calls of another machine that this one can make too, i386's on x86-64, end the process. Those of the x32 ABI have
/// numbers that are in no list.
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
