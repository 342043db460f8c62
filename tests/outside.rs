//! Both programs against their own promises, from outside the process: what their memory holds, what the kernel is
//! asked for, and what it would refuse.
//!
//! Memory is read through `/proc/PID/mem`, system calls through `strace`, which also holds a program that is about to
//! end. Where either is not allowed, the tests fail and say what it takes.

mod answers;
mod calls;
mod client_contacts;
mod client_memory;
mod client_typed;
mod confined;
mod expired;
mod files;
mod held;
mod injected;
pub(crate) mod keys;
mod locked;
pub(crate) mod marker;
mod memory;
mod page;
mod posts;
pub(crate) mod process_memory;
mod refused;
pub(crate) mod rules;
mod session_keys;
pub(crate) mod sockaddr;
mod spread;
mod stage;
pub(crate) mod standing;
mod stopped;
mod stranger;
mod taken_over;
pub(crate) mod trace;
pub(crate) mod traced;
mod uploading;
