//! Pages of memory for what strangers wrote: locked against swapping, left out of core dumps, wiped when they are given
//! back.

use std::fmt;
use std::hint::black_box;
use std::io;
use std::sync::Mutex;

use memmap2::{Advice, MmapMut};

use kkv_base::limits::PAGE_BYTES;

/// One page. Wiped when it is dropped, and kept for the next who takes some.
pub struct Page {
    /// Given back to [`SPARE`] and never to the kernel, so that a page has one owner at a time for as long as the
    /// process lives.
    bytes: Option<&'static mut [u8; PAGE_BYTES]>,
    locked: bool,
    /// Whether anybody may have written to it since it was zeros. Who wipes one that nobody has written to makes the
    /// kernel lend memory for it, where it is not locked: 400 MB at the end of a large queue.
    written: bool,
}

/// Wiped pages that nobody has at the moment.
static SPARE: Mutex<Vec<Page>> = Mutex::new(Vec::new());

impl Page {
    /// Takes `count` pages, filled with zeros. They are asked of the kernel in one piece; what it lets nobody lock is
    /// taken all the same, and [`is_locked`](Self::is_locked) tells.
    ///
    /// # Errors
    /// There is not so much memory.
    pub fn take(count: usize) -> io::Result<Vec<Self>> {
        let mut pages = out_of(&mut crate::lock(&SPARE), count); // let go at once: pages that are given back on an error go there
        if pages.len() < count {
            let missing = count - pages.len();
            pages.extend(map(missing)?);
        }
        Ok(pages)
    }

    /// Whether the kernel keeps it out of swap.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Its memory.
    #[must_use]
    pub fn bytes(&self) -> &[u8; PAGE_BYTES] {
        self.bytes.as_deref().expect("it goes only on drop")
    }

    /// Its memory, to write to.
    pub fn bytes_mut(&mut self) -> &mut [u8; PAGE_BYTES] {
        self.written = true;
        self.bytes.as_deref_mut().expect("it goes only on drop")
    }

    /// Fills it with zeros, if it isn't anyway.
    pub fn wipe(&mut self) {
        if self.written {
            wipe(self.bytes_mut());
            self.written = false;
        }
    }

    /// The same page for another owner, wiped. This one has nothing left.
    fn given_back(&mut self) -> Option<Self> {
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

/// As many of the spare ones as are wanted and there.
fn out_of(spare: &mut Vec<Page>, count: usize) -> Vec<Page> {
    let left = spare.len().saturating_sub(count);
    spare.split_off(left)
}

/// In words, not byte by byte as `zeroize` would: the page outlives its owner, so the compiler can't know that nobody
/// reads the zeros.
fn wipe(bytes: &mut [u8; PAGE_BYTES]) {
    bytes.fill(0);
    black_box(bytes);
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(page) = self.given_back() {
            crate::lock(&SPARE).push(page);
        }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page(..)")
    }
}

/// New pages from the kernel.
fn map(count: usize) -> io::Result<impl Iterator<Item = Page>> {
    let bytes = count
        .checked_mul(PAGE_BYTES)
        .ok_or(io::ErrorKind::OutOfMemory)?;
    let memory = MmapMut::map_anon(bytes)?;
    let locked = memory.lock().is_ok();
    let _ = memory.advise(Advice::DontDump); // as well as no dump at all, see `close`
    Ok(owned(memory, locked))
}

/// The pages of a piece of memory, for good.
fn owned(memory: MmapMut, locked: bool) -> impl Iterator<Item = Page> {
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
    fn a_page_is_zeros_begins_at_a_page_and_is_nobody_elses() {
        let mut pages = Page::take(3).unwrap();
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
    fn a_page_that_was_given_back_is_wiped_and_given_out_again() {
        let place = |page: &Page| page.bytes().as_ptr().addr();
        let mut first = Page::take(1).unwrap().remove(0);
        first.bytes_mut().fill(7);
        let before = place(&first);
        // Not by way of the pages that all tests of a process share: another one may have it then.
        let mut spare = vec![first.given_back().unwrap()];
        assert!(first.given_back().is_none(), "it has one owner");
        let again = out_of(&mut spare, 64).remove(0);
        assert_eq!(place(&again), before);
        assert_eq!(again.bytes(), &[0; PAGE_BYTES]);
        assert!(spare.is_empty());

        drop((first, again));
        let pages = Page::take(64).unwrap();
        assert!(pages.iter().all(|page| page.bytes() == &[0; PAGE_BYTES]));
        let mut places: Vec<usize> = pages.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 64, "each has one owner");
    }

    #[test]
    fn a_page_is_wiped_whenever_it_was_lent_for_writing_and_never_otherwise() {
        let mut page = Page::take(1).unwrap().remove(0);
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
    fn pages_that_nobody_writes_to_take_no_memory_also_not_when_they_are_given_back() {
        const PAGES: usize = 16_384;
        let memory = MmapMut::map_anon(PAGES * PAGE_BYTES).unwrap();
        let mut pages: Vec<Page> = owned(memory, false).collect();
        let first = pages[0].bytes().as_ptr().addr() / PAGE_BYTES;
        // Eight bytes for each page, and the last bit says whether there is memory behind it: see proc_pid_pagemap(5).
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
        let back: Vec<Page> = pages.iter_mut().filter_map(Page::given_back).collect();
        assert_eq!(back.len(), PAGES);
        // One, or one large one.
        assert!((1..=512).contains(&resident()), "{} pages", resident());
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert!(Page::take(usize::MAX).is_err());
        assert!(Page::take(usize::MAX / PAGE_BYTES).is_err());
    }
}
