//! Keyed hashing and slabs: what the bag's tables are made of, and what they take of its budget.

use hashbrown::HashTable;

/// No place in a slab.
pub(super) const NONE: u32 = u32::MAX;

/// Hashes with a key that nobody outside knows. Ids and chain tags are chosen by strangers, who could else make many
/// that fall into the same bucket.
pub(super) struct Keyed(pub(super) [u8; 32]);

impl Keyed {
    /// BLAKE3 keyed hash of the parts, one behind the other, cut to 64 bits.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part);
        }
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        u64::from_le_bytes(first)
    }
}

/// A vector whose places are used again. Places stay the same for as long as what is in them.
pub(super) struct Slab<T> {
    places: Vec<Slot<T>>,
    free: u32,
    taken: usize,
}

enum Slot<T> {
    Free { next: u32 },
    Taken(T),
}

/// By how many places at least a slab grows.
const SLAB_STEP: usize = 16;

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self {
            places: Vec::new(),
            free: NONE,
            taken: 0,
        }
    }

    /// Puts `value` into a free place. By an eighth at a time: doubling would take much of a budget at once.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        self.taken += 1;
        let place = self.free;
        if let Some(slot) = self.places.get_mut(place as usize) {
            if let Slot::Free { next } = slot {
                self.free = *next;
            }
            *slot = Slot::Taken(value);
            return place;
        }
        if self.places.len() == self.places.capacity() {
            self.places.reserve_exact(self.step());
        }
        let place = u32::try_from(self.places.len()).unwrap_or(NONE);
        self.places.push(Slot::Taken(value));
        place
    }

    pub(super) fn remove(&mut self, place: u32) -> Option<T> {
        let slot = self.places.get_mut(place as usize)?;
        if let Slot::Free { .. } = slot {
            return None;
        }
        let taken = std::mem::replace(slot, Slot::Free { next: self.free });
        self.free = place;
        self.taken -= 1;
        match taken {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    pub(super) fn get(&self, place: u32) -> Option<&T> {
        match self.places.get(place as usize)? {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        match self.places.get_mut(place as usize)? {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.places)
            .filter_map(|(place, slot)| match slot {
                Slot::Taken(value) => Some((place, value)),
                Slot::Free { .. } => None,
            })
    }

    pub(super) fn len(&self) -> usize {
        self.taken
    }

    fn step(&self) -> usize {
        (self.places.capacity() / 8).max(SLAB_STEP)
    }

    /// What it takes of memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Slot<T>>()
    }

    /// How many bytes more it takes to insert one.
    pub(super) fn growth(&self) -> usize {
        if self.free != NONE || self.places.len() < self.places.capacity() {
            return 0;
        }
        self.step() * size_of::<Slot<T>>()
    }
}

/// How many bytes more a table takes once one is inserted: a full one doubles, the smallest has four buckets.
pub(super) fn table_growth<T>(table: &HashTable<T>) -> usize {
    if table.len() < table.capacity() {
        return 0;
    }
    table.allocation_size().max(8 * (size_of::<T>() + 1) + 64)
}

/// The most that a B-tree of `len` entries of `entry` bytes takes: its nodes have room for eleven and are never less
/// than five full, but for the root.
pub(super) const fn tree_bytes(len: usize, entry: usize) -> usize {
    let leaf = 11 * entry + 32;
    (len / 5 + 1) * leaf + (len / 30 + 1) * (leaf + 96)
}

/// The most that `count` entries more add to [`tree_bytes`].
pub(super) const fn tree_growth(count: usize, entry: usize) -> usize {
    let leaf = 11 * entry + 32;
    count.div_ceil(5) * leaf + count.div_ceil(30) * (leaf + 96)
}

/// What an allocation of so many bytes takes of memory: jemalloc has four classes between one power of two and the
/// next, and glibc puts up to 16 bytes beside each.
pub(super) const fn allocated(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16) + 16;
    }
    let spacing = 1 << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(spacing) + 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_slab_are_used_again_and_stay_for_as_long_as_their_values() {
        let mut slab = Slab::new();
        let places: Vec<u32> = (0..100).map(|n| slab.insert(n)).collect();
        assert_eq!(slab.remove(places[3]), Some(3));
        assert_eq!(slab.remove(places[3]), None);
        assert_eq!(slab.growth(), 0, "a place is free");
        assert_eq!(slab.insert(7), places[3]);
        assert_eq!(
            (slab.get(places[3]), slab.get(places[99])),
            (Some(&7), Some(&99))
        );
        assert_eq!(slab.len(), 100);
        assert_eq!(slab.iter().count(), 100);
    }

    #[test]
    fn growth_is_told_before_it_happens() {
        let mut slab = Slab::new();
        let mut table = HashTable::new();
        for n in 0..5000_u32 {
            let (before, growth) = (slab.bytes(), slab.growth());
            slab.insert(u64::from(n));
            assert_eq!(slab.bytes(), before + growth);
            let (before, growth) = (table.allocation_size(), table_growth(&table));
            table.insert_unique(u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15), n, |n| {
                u64::from(*n).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            });
            assert!(table.allocation_size() <= before + growth, "{n}");
        }
    }

    #[test]
    fn an_allocation_counts_as_much_as_its_class() {
        assert_eq!(allocated(1), 32);
        assert_eq!(allocated(128), 144);
        assert_eq!(allocated(129), 160 + 16);
        assert_eq!(allocated(1280), 1280 + 16);
        assert_eq!(allocated(1281), 1536 + 16);
        assert_eq!(allocated(262_144), 262_144 + 16);
    }
}
