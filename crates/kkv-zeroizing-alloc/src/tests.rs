//! Blocks are looked at in the moment in which the inner allocator gets them back.

extern crate std;

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::alloc::System;
use std::vec::Vec;

use super::*;

/// Allocates by the system's allocator, and counts what was asked for zeroed, and what comes back, wiped or not.
#[derive(Default)]
struct Inspector {
    wiped: AtomicUsize,
    unwiped: AtomicUsize,
    zeroed: AtomicUsize,
    is_exhausted: AtomicBool,
}

// SAFETY: all blocks are the system allocator's, which gets them back with their layouts. No method panics.
unsafe impl GlobalAlloc for Inspector {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.is_exhausted.load(Ordering::Relaxed) {
            return ptr::null_mut();
        }
        // SAFETY: the contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.zeroed.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let is_zero = |at| {
            // SAFETY: `at` is below the block's size.
            let byte = unsafe { block.add(at) };
            // SAFETY: the block has not been freed, and these tests initialise all of it.
            unsafe { byte.read() == 0 }
        };
        let count = match (0..layout.size()).all(is_zero) {
            true => &self.wiped,
            false => &self.unwiped,
        };
        count.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the contract is the same.
        unsafe { System.dealloc(block, layout) };
    }
}

type Allocator = ZeroizingAlloc<Inspector>;

impl Allocator {
    /// How many blocks came back wiped, and how many did not.
    fn freed(&self) -> (usize, usize) {
        let Self(inspector) = self;
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (count(&inspector.wiped), count(&inspector.unwiped))
    }
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("both are small")
}

/// A block full of bytes that are not zero: 1, 2, … 255, 1, …
fn filled(allocator: &Allocator, layout: Layout) -> *mut u8 {
    // SAFETY: no layout here has size zero.
    let block = unsafe { allocator.alloc(layout) };
    assert!(!block.is_null());
    assert_eq!(block.addr() % layout.align(), 0);
    for (at, byte) in pattern(layout.size()).enumerate() {
        // SAFETY: `at` is below the block's size.
        let place = unsafe { block.add(at) };
        // SAFETY: it is within the block.
        unsafe { place.write(byte) };
    }
    block
}

fn pattern(len: usize) -> impl Iterator<Item = u8> {
    (1..=u8::MAX).cycle().take(len)
}

fn content(block: *const u8, len: usize) -> Vec<u8> {
    // SAFETY: callers pass a block of at least `len` initialised bytes.
    unsafe { core::slice::from_raw_parts(block, len) }.to_vec()
}

/// Sizes around words, and one that takes many.
const SIZES: [usize; 10] = [1, 2, 7, 8, 9, 15, 16, 17, 64, 301];

#[test]
fn a_block_of_any_size_and_alignment_is_wiped_before_it_is_freed() {
    let allocator = Allocator::default();
    let mut count = 0;
    for size in SIZES {
        for align in [1, 2, 4, 8, 16, 64, 4096] {
            let layout = layout(size, align);
            let block = filled(&allocator, layout);
            // SAFETY: it was allocated with this layout, and is not used again.
            unsafe { allocator.dealloc(block, layout) };
            count += 1;
            assert_eq!(allocator.freed(), (count, 0), "{layout:?}");
        }
    }
}

#[test]
fn a_part_of_a_block_that_begins_anywhere_is_wiped_and_nothing_around_it() {
    const LEN: usize = 40;
    for from in 0..=LEN {
        for to in from..=LEN {
            let mut block: Vec<u8> = pattern(LEN).collect();
            // SAFETY: the range is within the vector.
            let start = unsafe { block.as_mut_ptr().add(from) };
            // SAFETY: as above.
            unsafe { wipe(start, to - from) };
            let expected = pattern(LEN).enumerate();
            let expected =
                expected.map(|(at, byte)| if (from..to).contains(&at) { 0 } else { byte });
            assert_eq!(block, expected.collect::<Vec<u8>>(), "{from}..{to}");
        }
    }
}

#[test]
fn a_block_that_grows_or_shrinks_keeps_its_bytes_and_the_old_one_is_wiped() {
    for align in [1, 8, 64] {
        for old in SIZES {
            for new in SIZES {
                let allocator = Allocator::default();
                let old_layout = layout(old, align);
                let block = filled(&allocator, old_layout);
                // SAFETY: it was allocated with this layout, and the new size is not zero.
                let moved = unsafe { allocator.realloc(block, old_layout, new) };
                assert!(!moved.is_null());
                assert_eq!(moved.addr() % align, 0);
                assert_eq!(allocator.freed(), (1, 0), "{old} to {new}");
                let kept = old.min(new);
                assert!(
                    content(moved, kept).into_iter().eq(pattern(kept)),
                    "{old} to {new}"
                );
                // What is beyond is not initialised, and the inspector reads it.
                for at in kept..new {
                    // SAFETY: `at` is below the block's size.
                    let place = unsafe { moved.add(at) };
                    // SAFETY: it is within the block.
                    unsafe { place.write(7) };
                }
                // SAFETY: it has this layout now, and is not used again.
                unsafe { allocator.dealloc(moved, layout(new, align)) };
                assert_eq!(allocator.freed(), (2, 0));
            }
        }
    }
}

#[test]
fn a_block_that_can_not_grow_stays_as_it_is() {
    let allocator = Allocator::default();
    let layout = layout(100, 8);
    let block = filled(&allocator, layout);
    allocator.0.is_exhausted.store(true, Ordering::Relaxed);
    // SAFETY: it was allocated with this layout, and the new size is not zero.
    let moved = unsafe { allocator.realloc(block, layout, 200) };
    assert!(moved.is_null());
    assert_eq!(allocator.freed(), (0, 0));
    assert!(content(block, 100).into_iter().eq(pattern(100)));
    // SAFETY: it is still allocated, and is not used again.
    unsafe { allocator.dealloc(block, layout) };
    assert_eq!(allocator.freed(), (1, 0));
}

#[test]
fn a_zeroed_block_is_asked_of_the_inner_allocator_as_such() {
    let allocator = Allocator::default();
    let layout = layout(100, 8);
    // SAFETY: the layout's size is not zero.
    let block = unsafe { allocator.alloc_zeroed(layout) };
    assert_eq!(content(block, 100), [0; 100]);
    // The trait's own would write zeros over pages that the system has just zeroed.
    assert_eq!(allocator.0.zeroed.load(Ordering::Relaxed), 1);
    // SAFETY: it was allocated with this layout, and is not used again.
    unsafe { allocator.dealloc(block, layout) };
}

#[test]
fn the_check_of_these_tests_notices_a_block_that_is_not_wiped() {
    let allocator = Allocator::default();
    let layout = layout(100, 8);
    let block = filled(&allocator, layout);
    // SAFETY: it was allocated by the inspector with this layout, and is not used again.
    unsafe { allocator.0.dealloc(block, layout) };
    assert_eq!(allocator.freed(), (0, 1));
}
