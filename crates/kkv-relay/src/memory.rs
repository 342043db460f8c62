//! Memory as secrets need it: wiped when it is freed, closed to other processes, and for messages never written to a
//! disk.

mod closed;
mod pages;

use tikv_jemalloc_ctl::background_thread;
use tikv_jemallocator::Jemalloc;
use zeroizing_alloc::ZeroAlloc;

pub use closed::{close, lockable_pages};
pub use pages::Page;

/// Wipes every block of the heap when it is freed, also those that nobody thought of: buffers of libraries, strings
/// that grew and moved.
///
/// Under it is jemalloc, since the system's own gives back to the kernel only what is free at the end of its heap:
/// after an attack, much stays.
#[global_allocator]
static WIPING: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

/// Has a thread give back to the kernel what has been free for a second (ten, in a build without .cargo/config.toml),
/// from now on. To be called when the process has confined itself, since the thread begins here. Where it can't be had,
/// memory is given back in passing.
pub fn give_back_in_time() {
    let _ = background_thread::write(true);
}
