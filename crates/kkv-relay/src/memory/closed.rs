//! This process's memory, closed to others, and how much of it may be locked.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

use kkv_base::limits::PAGE_BYTES;
use kkv_net::process::raise;

/// Closes this process's memory to others of the same user, debuggers and core dumps alike, and lets it lock as much as
/// it may. To be called first of all, before there is a secret.
///
/// Not all of its memory is locked, though where there is no limit it could be: locked pages can't be given back when
/// an attack is over.
pub fn close() {
    // None of these can fail for a process that does it to itself, and where a kernel is odd, nothing better is to be
    // had.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = raise(Resource::Memlock, None);
}

/// Pages that may be locked at most; none if any number.
#[must_use]
pub fn lockable_pages() -> Option<u64> {
    let bytes = getrlimit(Resource::Memlock).current?;
    Some(bytes / PAGE_BYTES as u64)
}
