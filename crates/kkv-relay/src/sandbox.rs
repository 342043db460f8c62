//! The sandbox, so that whoever takes over this process can't break "Tor only" and "RAM only": Landlock restricts files
//! and signals, seccomp restricts system calls.
//!
//! Both apply to the calling thread and the threads it starts later. So a program enters the sandbox from its first
//! thread, before there is another.

mod calls;
mod files;

pub use files::Needs;
pub use kkv_owner::{Confined, Sandbox};

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
