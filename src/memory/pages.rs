//! Pages of memory for what strangers wrote: locked against swapping, left out of core dumps, wiped when they are given back.

use std::fmt;
use std::hint::black_box;
use std::io;
use std::sync::Mutex;

use memmap2::{Advice, MmapMut};

use crate::limits::PAGE_BYTES;

/// One page. Wiped when it is dropped, and kept for the next who takes some.
pub struct Page {
    /// Given back to [`SPARE`] and never to the kernel, so that a page has one owner at a time for as long as the process lives.
    bytes: Option<&'static mut [u8; PAGE_BYTES]>,
    locked: bool,
}

/// Wiped pages that nobody has at the moment.
static SPARE: Mutex<Vec<Page>> = Mutex::new(Vec::new());

impl Page {
    /// Takes `count` pages, filled with zeros. They are asked of the kernel in one piece; what it lets nobody lock is taken all the same, and
    /// [`is_locked`](Self::is_locked) tells.
    ///
    /// # Errors
    /// There is not so much memory.
    pub fn take(count: usize) -> io::Result<Vec<Self>> {
        let mut spare = crate::lock(&SPARE);
        let left = spare.len().saturating_sub(count);
        let mut pages = spare.split_off(left);
        drop(spare); // pages that are given back on an error go there
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
        self.bytes.as_deref_mut().expect("it goes only on drop")
    }

    /// Fills it with zeros.
    pub fn wipe(&mut self) {
        wipe(self.bytes_mut());
    }
}

/// In words, not byte by byte as `zeroize` would: the page outlives its owner, so the compiler can't know that nobody reads the zeros.
fn wipe(bytes: &mut [u8; PAGE_BYTES]) {
    bytes.fill(0);
    black_box(bytes);
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            wipe(bytes);
            crate::lock(&SPARE).push(Self {
                bytes: Some(bytes),
                locked: self.locked,
            });
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
    let memory: &'static mut MmapMut = Box::leak(Box::new(memory));
    let (pages, _) = memory.as_chunks_mut();
    Ok(pages.iter_mut().map(move |bytes| Page {
        bytes: Some(bytes),
        locked,
    }))
}

#[cfg(test)]
mod tests {
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
        let mut first = Page::take(1).unwrap().remove(0);
        first.bytes_mut().fill(7);
        let place = first.bytes().as_ptr().addr();
        drop(first);
        let pages = Page::take(64).unwrap();
        assert!(pages.iter().all(|page| page.bytes() == &[0; PAGE_BYTES]));
        let mut places: Vec<usize> = pages.iter().map(|p| p.bytes().as_ptr().addr()).collect();
        // Another test of this process may have it by now.
        assert!(places.contains(&place) || std::env::var_os("NEXTEST").is_none());
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 64, "each has one owner");
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert!(Page::take(usize::MAX).is_err());
        assert!(Page::take(usize::MAX / PAGE_BYTES).is_err());
    }
}
