//! What the kernel holds this process to, so that a fault in it can't break "Tor only" and "RAM only": files and
//! signals by Landlock, system calls by seccomp.
//!
//! Both bind the thread that asks for them and all that it starts later. So a program confines itself from its first
//! thread, before there is another.

mod calls;
mod files;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a process still needs when it has confined itself.
#[derive(Debug, Default)]
pub struct Needs {
    /// The one directory where it writes, if there is one.
    pub writes: Option<PathBuf>,
    /// Directories out of which it removes at its end the sockets that it has made there before. It could remove every
    /// file below them, and so they must be its own.
    pub removes: Vec<PathBuf>,
    /// Out of which directory it removes `writes` at its end, if it does. It can remove empty directories there, and
    /// nothing else.
    pub removed_from: Option<PathBuf>,
    /// Whether it connects to others by TCP. (It listens already, on whatever it listens to.)
    pub connects: bool,
}

/// What has come of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Whether the kernel keeps it from writing anywhere else, and from signals to others.
    pub files: Confined,
    /// Whether the kernel keeps it from calls that it has no use for.
    pub calls: Confined,
    /// Where it writes.
    pub writes: Option<PathBuf>,
}

/// How far a rule is enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confined {
    /// Wholly.
    Fully,
    /// As far as this kernel can.
    Partly,
    /// Not at all: this kernel can't.
    #[default]
    Not,
}

/// How far this kernel could confine a process, which it doesn't do here.
#[must_use]
pub fn possible() -> Sandbox {
    Sandbox {
        files: files::possible(),
        calls: calls::possible(),
        writes: None,
    }
}

/// Gives up, for good, everything but what is needed. What an older kernel can't enforce is told, and is no error.
#[must_use]
pub fn enter(needs: Needs) -> Sandbox {
    Sandbox {
        files: files::confine(&needs).unwrap_or(Confined::Not),
        calls: calls::confine(needs.connects),
        writes: needs.writes,
    }
}
