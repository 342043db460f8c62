//! The sandbox, so that whoever takes over this process can't break "Tor only" and "RAM only": Landlock restricts files
//! and signals, seccomp restricts system calls.
//!
//! Both apply to the calling thread and the threads it starts later. So a program enters the sandbox from its first
//! thread, before there is another.

mod calls;
mod files;

use std::path::PathBuf;

pub use kkv_owner::{Confined, Sandbox};

/// What a process may still do inside the sandbox.
#[derive(Debug, Default)]
pub struct Needs {
    /// The directory that it may write in.
    pub writes: Option<PathBuf>,
    /// Directories that it may remove its sockets from at the end. Landlock's right covers all files below them, so
    /// there must be nothing else in them.
    pub removes: Vec<PathBuf>,
    /// The directory that it may remove `writes` from at the end. It may remove other empty directories there, too.
    pub removed_from: Option<PathBuf>,
    /// Whether it may connect by TCP. Listening sockets must be bound before.
    pub connects: bool,
}

/// How far this kernel would enforce the sandbox. Enforces nothing.
#[must_use]
pub fn possible() -> Sandbox {
    Sandbox {
        files: files::possible(),
        calls: calls::possible(),
        writes: None,
    }
}

/// Enters the sandbox, for good. What an older kernel can't enforce is no error; the result tells.
#[must_use]
pub fn enter(needs: Needs) -> Sandbox {
    Sandbox {
        files: files::confine(&needs).unwrap_or(Confined::Not),
        calls: calls::confine(needs.connects),
        writes: needs.writes,
    }
}
