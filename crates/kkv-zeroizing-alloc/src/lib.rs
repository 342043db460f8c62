//! A global allocator that wipes every block before it is freed.
//!
//! `zeroize` wipes values whose types ask for it. Heap blocks hold secrets in other places, too: buffers inside
//! libraries, and the old blocks of vectors and strings that grew. This wipes them all. It doesn't reach stacks and
//! registers, blocks that are never freed, or the rest of a size class beyond the requested size, which nobody writes
//! to.
//!
//! This is the only crate of the workspace with `unsafe` code, because `GlobalAlloc` is an unsafe trait, and there is
//! nothing else in it. `cargo +nightly miri test -p kkv-zeroizing-alloc` checks it for undefined behaviour.

#![no_std]

#[cfg(test)]
mod tests;

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

/// Allocates by `A`, and wipes each block before it goes back to `A`.
///
/// ```
/// use std::alloc::System;
///
/// use kkv_zeroizing_alloc::ZeroizingAlloc;
///
/// #[global_allocator]
/// static ALLOCATOR: ZeroizingAlloc<System> = ZeroizingAlloc(System);
/// # fn main() {}
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct ZeroizingAlloc<A>(pub A);

// SAFETY: `A` fulfils the contract of `GlobalAlloc`. Every block is one of `A`'s, is passed back to `A` with the layout
// that it was allocated with, and is written to only within its size, before it is passed back. No method panics.
unsafe impl<A: GlobalAlloc> GlobalAlloc for ZeroizingAlloc<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `alloc`, which is the same.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `alloc_zeroed`, which is the same.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller passes a block of this layout, which is not used after this call.
        unsafe { wipe(block, layout.size()) };
        // SAFETY: `block` was allocated by `A` with this layout, since `alloc`, `alloc_zeroed` and `realloc` return
        // only such blocks.
        unsafe { self.0.dealloc(block, layout) };
    }

    /// Always moves to a new block. `A`'s own `realloc` might move, too, and free the old block without wiping it.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller ensures that `new_size`, rounded up to the alignment, doesn't overflow `isize`; the
        // alignment is that of a valid layout.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the caller ensures that `new_size` is not zero.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            let kept = layout.size().min(new_size);
            // SAFETY: both blocks are at least `kept` bytes long, and as the old one has not been freed, they don't
            // overlap.
            unsafe { ptr::copy_nonoverlapping(block, new, kept) };
            // SAFETY: the caller passes a block of this layout, and gives it up, since this doesn't fail.
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}

/// Fills `len` bytes with zeros, by volatile writes: the compiler must not drop them, though nobody reads the block
/// again. In words where the alignment allows it, because volatile writes are not merged.
///
/// # Safety
/// `block` must be valid for writes of `len` bytes.
unsafe fn wipe(block: *mut u8, len: usize) {
    const WORD: usize = size_of::<u64>();
    let head = block.align_offset(WORD).min(len);
    let words = (len - head) / WORD;
    let tail = head + words * WORD;
    for at in (0..head).chain(tail..len) {
        // SAFETY: `at` < `len`.
        let byte = unsafe { block.add(at) };
        // SAFETY: the caller ensures that `block` is valid for writes of `len` bytes.
        unsafe { byte.write_volatile(0) };
    }
    for word in 0..words {
        // SAFETY: `head + word * WORD + WORD` <= `tail` <= `len`.
        let word = unsafe { block.add(head + word * WORD) };
        // SAFETY: valid as above, and aligned, because `head` bytes after `block` is a multiple of `WORD`.
        unsafe { word.cast::<u64>().write_volatile(0) };
    }
}
