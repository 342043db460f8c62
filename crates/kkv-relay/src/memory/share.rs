//! The memory of large messages: a share of fixed size, mapped and locked (mlock(2)) at start, and handed out in blocks
//! of 16, 64, 256 KiB and 1 MiB. Never a text's slot: those are pages of their own.
//!
//! Blocks are those of a buddy allocator with four buddies: a free block is split into four, and four free ones are
//! merged again, within a mapping of 1 MiB. Each mapping is behind a lock of its own, which is what lets a block be
//! split and merged without `unsafe` code. It is held for as long as a piece is copied or opened, or a whole message is
//! checked: who reads or writes another block of that mapping waits so long, and nobody else. Which blocks are free is
//! behind a lock that is held for no more than a look.

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

struct Inner {
    mappings: Vec<Mutex<MmapMut>>,
    free: Mutex<Free>,
    bytes: usize,
    locked_bytes: usize,
}

/// What is free.
#[derive(Default)]
struct Free {
    /// Free blocks of each size, by mapping and offset. Mappings that are locked come first, and the first is taken.
    blocks: [BTreeSet<(usize, usize)>; 4],
    bytes: usize,
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
        let (mut mappings, mut free) = (Vec::new(), Free::default());
        let mut locked_bytes = 0;
        let mut may_lock = true;
        while mappings.len() * MAPPING_BYTES < bytes {
            let mapped = mappings.len() * MAPPING_BYTES;
            let length = (bytes - mapped).min(MAPPING_BYTES);
            let mapping = MmapMut::map_anon(length)?;
            // After the first that can't be, the rest isn't tried: locked mappings come first.
            may_lock = may_lock && mapping.lock().is_ok();
            locked_bytes += if may_lock { length } else { 0 };
            let _ = mapping.advise(Advice::DontDump); // in addition to `harden`
            free.add(mappings.len(), length);
            mappings.push(Mutex::new(mapping));
        }
        Ok(Self(Arc::new(Inner {
            mappings,
            free: Mutex::new(free),
            bytes,
            locked_bytes,
        })))
    }

    /// Takes a block of zeros. `None` if no block of this size is free.
    #[must_use]
    pub fn take(&self, size: LargeSize) -> Option<Block> {
        let (mapping, offset) = crate::lock(&self.0.free).take(size)?;
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
        let free = crate::lock(&self.0.free);
        free.blocks[level(size)..]
            .iter()
            .any(|blocks| !blocks.is_empty())
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// Bytes in no block that was taken.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        crate::lock(&self.0.free).bytes
    }

    /// Bytes that are locked in memory, and so never swapped.
    #[must_use]
    pub fn locked_bytes(&self) -> usize {
        self.0.locked_bytes
    }
}

impl Free {
    /// Adds a mapping, as the largest blocks that it has.
    fn add(&mut self, number: usize, length: usize) {
        let mut offset = 0;
        for size in LargeSize::ALL.into_iter().rev() {
            while length - offset >= size.bytes() {
                self.blocks[level(size)].insert((number, offset));
                offset += size.bytes();
            }
        }
        self.bytes += length;
    }

    fn take(&mut self, size: LargeSize) -> Option<(usize, usize)> {
        let mut from = (level(size)..4).find(|level| !self.blocks[*level].is_empty())?;
        let place = self.blocks[from].pop_first()?;
        while from > level(size) {
            from -= 1;
            let bytes = LargeSize::ALL[from].bytes();
            let rest = (1..4).map(|buddy| (place.0, place.1 + buddy * bytes));
            self.blocks[from].extend(rest);
        }
        self.bytes -= size.bytes();
        Some(place)
    }

    fn give_back(&mut self, size: LargeSize, (mapping, mut offset): (usize, usize)) {
        self.bytes += size.bytes();
        for size in LargeSize::ALL.into_iter().skip(level(size)) {
            let blocks = &mut self.blocks[level(size)];
            blocks.insert((mapping, offset));
            if size == LargeSize::Mib1 {
                return;
            }
            let first = offset - offset % (4 * size.bytes());
            let buddies = [0, 1, 2, 3].map(|buddy| (mapping, first + buddy * size.bytes()));
            if !buddies.iter().all(|buddy| blocks.contains(buddy)) {
                return;
            }
            for buddy in &buddies {
                blocks.remove(buddy);
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

    /// Calls `read` with a part of its content, under the lock of its mapping.
    ///
    /// # Panics
    /// The range is out of bounds.
    pub fn read<T>(&self, range: Range<usize>, read: impl FnOnce(&[u8]) -> T) -> T {
        let mapping = crate::lock(&self.share.mappings[self.mapping]);
        read(&mapping[self.offset..][..self.size.bytes()][range])
    }

    /// The same for writing.
    ///
    /// # Panics
    /// The range is out of bounds.
    pub fn write<T>(&mut self, range: Range<usize>, write: impl FnOnce(&mut [u8]) -> T) -> T {
        self.written = true;
        let mut mapping = crate::lock(&self.share.mappings[self.mapping]);
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
        if self.written {
            let mut mapping = crate::lock(&self.share.mappings[self.mapping]);
            wipe(&mut mapping[self.offset..][..self.size.bytes()]);
        }
        let place = (self.mapping, self.offset);
        crate::lock(&self.share.free).give_back(self.size, place);
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

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free_bytes = crate::lock(&self.free).bytes;
        write!(f, "Share({free_bytes} of {} free)", self.bytes)
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

    #[test]
    fn who_works_on_a_block_holds_up_nobody_but_who_wants_its_mapping() {
        let share = Share::new(2 * MAPPING_BYTES).unwrap();
        let mut worked_on = share.take(LargeSize::Mib1).unwrap();
        let mut other = share.take(LargeSize::Kib16).unwrap();
        // With one lock for all of it, this would wait for itself.
        worked_on.write(0..1, |_| {
            assert!(share.has_room(LargeSize::Kib256) && !share.has_room(LargeSize::Mib1));
            assert_eq!(share.free_bytes(), MAPPING_BYTES - UNIT_BYTES);
            other.write(0..1, |bytes| bytes.fill(7));
            assert_eq!(other.read(0..1, <[u8]>::to_vec), [7]);
            drop(share.take(LargeSize::Kib64).unwrap());
        });
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
