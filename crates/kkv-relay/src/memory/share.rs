//! The memory of large messages: a share of fixed size, mapped and locked (mlock(2)) at start, and handed out in blocks
//! of 16, 64, 256 KiB and 1 MiB. Never a text's slot: those are pages of their own.
//!
//! Blocks are those of a buddy allocator with four buddies: a free block is split into four, and four free ones are
//! merged again. All of the share is behind one lock, which is what lets a block be split and merged without `unsafe`
//! code. It is held for as long as a piece of 64 KiB is copied or opened, or a whole message is checked.

use std::collections::BTreeSet;
use std::fmt;
use std::hint::black_box;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use memmap2::{Advice, MmapMut};

use kkv_protocol::v2::purpose::LargeSize;

/// Bytes of a mapping: the largest block. Each is locked by itself, so that as much is locked as may be.
const MAPPING_BYTES: usize = LargeSize::Mib1.bytes();

/// Bytes of the smallest block, by which a share is counted.
pub const UNIT_BYTES: usize = LargeSize::Kib16.bytes();

/// The share. Clones are the same.
#[derive(Debug, Clone)]
pub struct Share(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    memory: Mutex<Memory>,
    bytes: usize,
    locked_bytes: usize,
}

struct Memory {
    mappings: Vec<MmapMut>,
    /// Free blocks of each size, by mapping and offset. Mappings that are locked come first, and the first is taken.
    free: [BTreeSet<(usize, usize)>; 4],
    free_bytes: usize,
}

/// A block that has one owner. On drop it is wiped and goes back to the share.
pub struct Block {
    share: Arc<Inner>,
    mapping: usize,
    offset: usize,
    size: LargeSize,
    /// Whether it may hold anything but zeros: wiping what was never written would make the kernel back it with memory.
    written: bool,
}

impl Share {
    /// A share of so many bytes, rounded down to whole units. If the kernel doesn't lock all of it, it is there all the
    /// same; see [`locked_bytes`](Self::locked_bytes).
    ///
    /// # Errors
    /// The kernel has not enough memory.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let bytes = bytes / UNIT_BYTES * UNIT_BYTES;
        let mut memory = Memory {
            mappings: Vec::new(),
            free: Default::default(),
            free_bytes: bytes,
        };
        let mut locked_bytes = 0;
        let mut may_lock = true;
        while memory.mappings.len() * MAPPING_BYTES < bytes {
            let mapped = memory.mappings.len() * MAPPING_BYTES;
            let length = (bytes - mapped).min(MAPPING_BYTES);
            let mapping = MmapMut::map_anon(length)?;
            // After the first that can't be, the rest isn't tried: locked mappings come first.
            may_lock = may_lock && mapping.lock().is_ok();
            locked_bytes += if may_lock { length } else { 0 };
            let _ = mapping.advise(Advice::DontDump); // in addition to `harden`
            memory.add(mapping);
        }
        Ok(Self(Arc::new(Inner {
            memory: Mutex::new(memory),
            bytes,
            locked_bytes,
        })))
    }

    /// Takes a block of zeros. `None` if no block of this size is free.
    #[must_use]
    pub fn take(&self, size: LargeSize) -> Option<Block> {
        let (mapping, offset) = crate::lock(&self.0.memory).take(size)?;
        Some(Block {
            share: Arc::clone(&self.0),
            mapping,
            offset,
            size,
            written: false,
        })
    }

    /// Whether a block of this size is free.
    #[must_use]
    pub fn has_room(&self, size: LargeSize) -> bool {
        let memory = crate::lock(&self.0.memory);
        memory.free[level(size)..]
            .iter()
            .any(|free| !free.is_empty())
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// Bytes in no block that was taken.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        crate::lock(&self.0.memory).free_bytes
    }

    /// Bytes that are locked in memory, and so never swapped.
    #[must_use]
    pub fn locked_bytes(&self) -> usize {
        self.0.locked_bytes
    }
}

impl Memory {
    /// Adds a mapping, as the largest blocks that it has.
    fn add(&mut self, mapping: MmapMut) {
        let (number, mut offset) = (self.mappings.len(), 0);
        for size in LargeSize::ALL.into_iter().rev() {
            while mapping.len() - offset >= size.bytes() {
                self.free[level(size)].insert((number, offset));
                offset += size.bytes();
            }
        }
        self.mappings.push(mapping);
    }

    fn take(&mut self, size: LargeSize) -> Option<(usize, usize)> {
        let mut from = (level(size)..4).find(|level| !self.free[*level].is_empty())?;
        let place = self.free[from].pop_first()?;
        while from > level(size) {
            from -= 1;
            let bytes = LargeSize::ALL[from].bytes();
            let rest = (1..4).map(|buddy| (place.0, place.1 + buddy * bytes));
            self.free[from].extend(rest);
        }
        self.free_bytes -= size.bytes();
        Some(place)
    }

    fn give_back(&mut self, size: LargeSize, (mapping, mut offset): (usize, usize)) {
        self.free_bytes += size.bytes();
        for size in LargeSize::ALL.into_iter().skip(level(size)) {
            let free = &mut self.free[level(size)];
            free.insert((mapping, offset));
            if size == LargeSize::Mib1 {
                return;
            }
            let first = offset - offset % (4 * size.bytes());
            let buddies = [0, 1, 2, 3].map(|buddy| (mapping, first + buddy * size.bytes()));
            if !buddies.iter().all(|buddy| free.contains(buddy)) {
                return;
            }
            for buddy in &buddies {
                free.remove(buddy);
            }
            offset = first;
        }
    }
}

impl Block {
    /// Its size.
    #[must_use]
    pub fn size(&self) -> LargeSize {
        self.size
    }

    /// Calls `read` with a part of its content, under the lock of the share.
    ///
    /// # Panics
    /// The range is out of bounds.
    pub fn read<T>(&self, range: Range<usize>, read: impl FnOnce(&[u8]) -> T) -> T {
        let memory = crate::lock(&self.share.memory);
        let mapping = &memory.mappings[self.mapping];
        read(&mapping[self.offset..][..self.size.bytes()][range])
    }

    /// The same for writing.
    ///
    /// # Panics
    /// The range is out of bounds.
    pub fn write<T>(&mut self, range: Range<usize>, write: impl FnOnce(&mut [u8]) -> T) -> T {
        self.written = true;
        let mut memory = crate::lock(&self.share.memory);
        let mapping = &mut memory.mappings[self.mapping];
        write(&mut mapping[self.offset..][..self.size.bytes()][range])
    }

    /// Fills a part of it with zeros.
    ///
    /// # Panics
    /// The range is out of bounds.
    pub fn wipe(&mut self, range: Range<usize>) {
        if self.written {
            self.write(range, wipe);
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut memory = crate::lock(&self.share.memory);
        if self.written {
            let mapping = &mut memory.mappings[self.mapping];
            wipe(&mut mapping[self.offset..][..self.size.bytes()]);
        }
        memory.give_back(self.size, (self.mapping, self.offset));
    }
}

/// A memset that `black_box` keeps, as for pages.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

fn level(size: LargeSize) -> usize {
    usize::from(size as u8) - 1
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("free_bytes", &self.free_bytes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({:?})", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIB: usize = 1024;

    #[test]
    fn a_share_is_as_large_as_was_asked_for_and_no_block_is_taken_beyond_it() {
        let share = Share::new(2 * KIB * KIB + 300 * KIB + 5).unwrap();
        assert_eq!(share.bytes(), (2 * KIB + 288) * KIB);
        let mut taken = Vec::new();
        for (size, number) in [
            (LargeSize::Mib1, 2),
            (LargeSize::Kib256, 1),
            (LargeSize::Kib64, 0),
            (LargeSize::Kib16, 2),
        ] {
            let before = taken.len();
            while let Some(block) = share.take(size) {
                taken.push(block);
            }
            assert_eq!(taken.len() - before, number, "{size:?}");
            assert!(!share.has_room(size));
        }
        assert_eq!(share.free_bytes(), 0);
        taken.clear();
        assert_eq!(share.free_bytes(), share.bytes());
        assert!(share.take(LargeSize::Mib1).is_some(), "merged again");
        let none = Share::new(UNIT_BYTES - 1).unwrap();
        assert!(none.take(LargeSize::Kib16).is_none());
    }

    #[test]
    fn a_block_is_wiped_before_it_has_another_owner() {
        let share = Share::new(MAPPING_BYTES).unwrap();
        let mut block = share.take(LargeSize::Kib64).unwrap();
        block.write(0..64 * KIB, |bytes| bytes.fill(7));
        block.wipe(KIB..2 * KIB);
        assert!(block.read(KIB..2 * KIB, |bytes| bytes.iter().all(|byte| *byte == 0)));
        assert!(block.read(0..KIB, |bytes| bytes.iter().all(|byte| *byte == 7)));
        drop(block);
        let whole = share.take(LargeSize::Mib1).unwrap();
        assert!(whole.read(0..MAPPING_BYTES, |bytes| {
            bytes.iter().all(|byte| *byte == 0)
        }));
    }

    proptest! {
        #[test]
        fn blocks_never_overlap_and_all_comes_back(
            operations in prop::collection::vec((any::<bool>(), 0..4_usize, any::<prop::sample::Index>()), 0..200),
        ) {
            let share = Share::new(3 * MAPPING_BYTES - 5 * UNIT_BYTES).unwrap();
            let mut taken: Vec<Block> = Vec::new();
            for (takes, size, index) in operations {
                if takes {
                    let size = LargeSize::ALL[size];
                    let room = share.has_room(size);
                    let block = share.take(size);
                    prop_assert_eq!(block.is_some(), room);
                    taken.extend(block);
                } else if !taken.is_empty() {
                    taken.swap_remove(index.index(taken.len()));
                }
                let bytes: usize = taken.iter().map(|block| block.size.bytes()).sum();
                prop_assert_eq!(share.free_bytes(), share.bytes() - bytes);
                let mut places: Vec<_> = taken
                    .iter()
                    .map(|block| (block.mapping, block.offset, block.offset + block.size.bytes()))
                    .collect();
                places.sort_unstable();
                prop_assert!(places.windows(2).all(|two| two[0].0 < two[1].0 || two[0].2 <= two[1].1));
            }
            taken.clear();
            prop_assert_eq!(share.free_bytes(), share.bytes());
            let whole = [(); 2].map(|()| share.take(LargeSize::Mib1).is_some());
            prop_assert_eq!(whole, [true, true]);
        }
    }
}
