//! Pages of memory for messages: locked (mlock(2)), excluded from core dumps, wiped on drop.

use std::fmt;
use std::hint::black_box;
use std::io;
use std::sync::Mutex;

use memmap2::{Advice, MmapMut};

use kkv_base::limits::PAGE_BYTES;

/// One page. On drop it is wiped and goes to the free list.
pub struct Page {
    /// Never unmapped, hence `'static`; owned by one `Page` at a time. `None` only during drop.
    bytes: Option<&'static mut [u8; PAGE_BYTES]>,
    locked: bool,
    /// Whether it may hold anything but zeros. Wiping an unlocked page that was never written would make the kernel
    /// back it with memory: 400 MB at the end of a large queue.
    written: bool,
}

/// The free list: wiped pages without an owner.
static FREE: Mutex<Vec<Page>> = Mutex::new(Vec::new());

impl Page {
    /// Allocates `count` pages of zeros, from the free list and one mapping. If the kernel doesn't lock them, they are
    /// returned all the same; see [`is_locked`](Self::is_locked).
    ///
    /// # Errors
    /// The kernel has not enough memory.
    pub fn allocate(count: usize) -> io::Result<Vec<Self>> {
        // Unlocked at once: on an error, dropping these pages locks the list again.
        let mut pages = take_free(&mut crate::lock(&FREE), count);
        if pages.len() < count {
            let missing = count - pages.len();
            pages.extend(map(missing)?);
        }
        Ok(pages)
    }

    /// Whether it is locked in memory, and so never swapped.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Its content.
    #[must_use]
    pub fn bytes(&self) -> &[u8; PAGE_BYTES] {
        self.bytes.as_deref().expect("taken only on drop")
    }

    /// Its content, for writing.
    pub fn bytes_mut(&mut self) -> &mut [u8; PAGE_BYTES] {
        self.written = true;
        self.bytes.as_deref_mut().expect("taken only on drop")
    }

    /// Fills it with zeros.
    pub fn wipe(&mut self) {
        if self.written {
            wipe(self.bytes_mut());
            self.written = false;
        }
    }

    /// Moves the memory into a wiped page for another owner. `None` if it was moved before.
    fn recycle(&mut self) -> Option<Self> {
        if self.bytes.is_some() {
            self.wipe();
        }
        Some(Self {
            bytes: Some(self.bytes.take()?),
            locked: self.locked,
            written: false,
        })
    }
}

/// Takes up to `count` pages from a free list.
fn take_free(free: &mut Vec<Page>, count: usize) -> Vec<Page> {
    let left = free.len().saturating_sub(count);
    free.split_off(left)
}

/// A memset that `black_box` keeps: faster than `zeroize`, which writes byte by byte. The memory is reused, so the
/// compiler can't treat the zeros as dead.
fn wipe(bytes: &mut [u8; PAGE_BYTES]) {
    bytes.fill(0);
    black_box(bytes);
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(page) = self.recycle() {
            crate::lock(&FREE).push(page);
        }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page(..)")
    }
}

/// Maps new pages.
fn map(count: usize) -> io::Result<impl Iterator<Item = Page>> {
    let bytes = count
        .checked_mul(PAGE_BYTES)
        .ok_or(io::ErrorKind::OutOfMemory)?;
    let memory = MmapMut::map_anon(bytes)?;
    let locked = memory.lock().is_ok();
    let _ = memory.advise(Advice::DontDump); // in addition to `harden`
    Ok(split(memory, locked))
}

/// Splits a mapping into pages, and leaks it.
fn split(memory: MmapMut, locked: bool) -> impl Iterator<Item = Page> {
    let memory: &'static mut MmapMut = Box::leak(Box::new(memory));
    let (pages, _) = memory.as_chunks_mut();
    pages.iter_mut().map(move |bytes| Page {
        bytes: Some(bytes),
        locked,
        written: false,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn a_page_is_zeroed_aligned_and_has_one_owner() {
        let mut pages = Page::allocate(3).unwrap();
        for (number, page) in pages.iter_mut().enumerate() {
            assert_eq!(page.bytes(), &[0; PAGE_BYTES]);
            assert_eq!(page.bytes().as_ptr().addr() % PAGE_BYTES, 0);
            page.bytes_mut().fill(number as u8 + 1);
        }
        for (number, page) in pages.iter().enumerate() {
            assert_eq!(page.bytes(), &[number as u8 + 1; PAGE_BYTES]);
        }
    }

    #[test]
    fn a_dropped_page_is_wiped_and_allocated_again() {
        let place = |page: &Page| page.bytes().as_ptr().addr();
        let mut first = Page::allocate(1).unwrap().remove(0);
        first.bytes_mut().fill(7);
        let before = place(&first);
        // Not by the shared free list: another test may take it from there.
        let mut free = vec![first.recycle().unwrap()];
        assert!(first.recycle().is_none(), "it has one owner");
        let again = take_free(&mut free, 64).remove(0);
        assert_eq!(place(&again), before);
        assert_eq!(again.bytes(), &[0; PAGE_BYTES]);
        assert!(free.is_empty());

        drop((first, again));
        let pages = Page::allocate(64).unwrap();
        assert!(pages.iter().all(|page| page.bytes() == &[0; PAGE_BYTES]));
        let mut places: Vec<usize> = pages.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 64, "each has one owner");
    }

    #[test]
    fn a_page_is_wiped_if_and_only_if_it_was_borrowed_for_writing() {
        let mut page = Page::allocate(1).unwrap().remove(0);
        assert!(!page.written);
        for _ in 0..2 {
            // As a reservation does, which keeps its page from write to write.
            page.bytes_mut()[0] = 7;
            page.bytes_mut()[PAGE_BYTES - 1] = 7;
            assert!(page.written);
            page.wipe();
            assert!(!page.written);
            assert_eq!(page.bytes(), &[0; PAGE_BYTES]);
        }
    }

    #[test]
    fn pages_that_are_never_written_take_no_memory_also_when_they_are_recycled() {
        const PAGES: usize = 16_384;
        let memory = MmapMut::map_anon(PAGES * PAGE_BYTES).unwrap();
        let mut pages: Vec<Page> = split(memory, false).collect();
        let first = pages[0].bytes().as_ptr().addr() / PAGE_BYTES;
        // Eight bytes for each page; the highest bit tells whether it is resident: proc_pid_pagemap(5).
        let resident = || {
            let map = std::fs::File::open("/proc/self/pagemap").unwrap();
            let mut entries = vec![0; PAGES * 8];
            map.read_exact_at(&mut entries, first as u64 * 8).unwrap();
            let entries = entries.chunks_exact(8);
            entries.filter(|entry| entry[7] & 0x80 != 0).count()
        };
        pages[0].bytes_mut()[0] = 7;
        for page in &mut pages {
            page.wipe();
        }
        let back: Vec<Page> = pages.iter_mut().filter_map(Page::recycle).collect();
        assert_eq!(back.len(), PAGES);
        // One, or one large one.
        assert!((1..=512).contains(&resident()), "{} pages", resident());
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert!(Page::allocate(usize::MAX).is_err());
        assert!(Page::allocate(usize::MAX / PAGE_BYTES).is_err());
    }
}
