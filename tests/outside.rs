//! Both programs against their own promises, from outside the process: what their memory holds, what the kernel is
//! asked for, and what it would refuse.
//!
//! Memory is read through `/proc/PID/mem`, system calls through `strace`, which also holds a program that is about to
//! end. Where either is not allowed, the tests fail and say what it takes.

#[path = "support/programs.rs"]
mod programs;
#[path = "kkv1/published.rs"]
mod published;

mod outside {
    mod calls;
    mod client_contacts;
    mod client_memory;
    mod confined;
    mod expired;
    mod held;
    mod injected;
    mod keys;
    mod locked;
    mod marker;
    mod memory;
    mod process_memory;
    mod refused;
    mod rules;
    mod session_keys;
    mod sockaddr;
    mod stage;
    mod standing;
    mod stopped;
    mod stranger;
    mod taken_over;
    mod trace;
    mod traced;
}
