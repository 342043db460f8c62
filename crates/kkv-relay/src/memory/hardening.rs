//! Keeps other processes out of this one's memory, and raises the limit on locked memory.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

use kkv_base::limits::PAGE_BYTES;
use kkv_net::process::raise;

/// Forbids debuggers of the same user and core dumps (`PR_SET_DUMPABLE`, `RLIMIT_CORE`), and raises `RLIMIT_MEMLOCK` to
/// its hard limit. Call it first of all, before there is a secret.
///
/// It doesn't mlockall(2): locked pages can't be returned to the kernel after an attack.
pub fn harden() {
    // A process may do these to itself, so they don't fail; and there would be no alternative.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = raise(Resource::Memlock, None);
}

/// How many pages may be locked; `None` without a limit.
#[must_use]
pub fn lockable_pages() -> Option<u64> {
    let bytes = getrlimit(Resource::Memlock).current?;
    Some(bytes / PAGE_BYTES as u64)
}
