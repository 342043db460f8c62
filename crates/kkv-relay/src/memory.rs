//! Memory for secrets: wiped when it is freed, unreadable to other processes, and for messages never swapped.

mod hardening;
mod pages;
mod share;

use kkv_zeroizing_alloc::ZeroizingAlloc;
use tikv_jemalloc_ctl::background_thread;
use tikv_jemallocator::Jemalloc;

pub use hardening::{harden, lockable_pages};
pub use pages::Page;
pub use share::{Block, Share, UNIT_BYTES};

/// Wipes every heap block when it is freed, including what no type of ours wipes: buffers of libraries, and the old
/// blocks of strings that grew.
///
/// On jemalloc, because glibc's allocator returns only the free end of its heap to the kernel: after an attack, much
/// would stay.
#[global_allocator]
static ALLOCATOR: ZeroizingAlloc<Jemalloc> = ZeroizingAlloc(Jemalloc);

/// Starts jemalloc's background thread, which returns memory to the kernel that has been free for a second (ten, in a
/// build without .cargo/config.toml). Call it after the process has confined itself, so that the thread is confined,
/// too. If the thread can't be started, jemalloc purges during allocations instead.
pub fn start_background_purging() {
    let _ = background_thread::write(true);
}
