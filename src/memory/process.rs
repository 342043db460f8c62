//! What the kernel is asked for on behalf of the whole process.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::{CapabilitySet, capabilities};

use crate::limits::PAGE_BYTES;

/// Closes this process's memory to others of the same user, debuggers and core dumps alike, and locks all of it if any amount may be locked.
/// Returns whether it is locked. To be called first of all, before there is a secret.
///
/// With a limit, locking everything would be wrong: whoever asks the kernel for memory beyond it gets none.
#[must_use]
pub fn close() -> bool {
    // None of these can fail for a process that does it to itself, and where a kernel is odd, nothing better is to be had.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    raise(Resource::Memlock);
    let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let unlimited = getrlimit(Resource::Memlock).current.is_none() || is_above_limits();
    unlimited && mlockall(all).is_ok()
}

/// Whether limits of locked memory are not for this process: root's right `CAP_IPC_LOCK`, unless it is one within a user namespace only.
fn is_above_limits() -> bool {
    let has_right =
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let whole = ["0", "0", "4294967295"]; // user_namespaces(7): every id as itself
    has_right && map.split_whitespace().eq(whole)
}

/// Pages that may be locked at most; none if any number.
#[must_use]
pub fn lockable_pages() -> Option<u64> {
    let bytes = getrlimit(Resource::Memlock).current?;
    Some(bytes / PAGE_BYTES as u64)
}

/// Raises a limit as far as this process may.
fn raise(resource: Resource) {
    let limit = getrlimit(resource);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(resource, raised);
}
