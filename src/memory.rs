//! Memory as secrets need it: wiped when it is freed, closed to other processes, and as far as the system allows never written to a disk.

mod pages;
mod process;

use std::alloc::System;

use serde::{Deserialize, Serialize};
use zeroizing_alloc::ZeroAlloc;

pub use pages::Page;
pub use process::{close, lockable_pages};

/// Wipes every block of the heap when it is freed, also those that nobody thought of: buffers of libraries, strings that grew and moved.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

/// What of this process's memory the kernel may not write to swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locked {
    /// All of it.
    Everything,
    /// The messages' slots.
    Messages,
    /// Nothing.
    Nothing,
}
