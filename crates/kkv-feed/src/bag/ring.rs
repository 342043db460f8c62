//! What was purged, superseded, deleted or erased lately: a ring of fixed size, so that it isn't taken or asked for
//! again.

use hashbrown::HashTable;

use super::lookup::Keyed;
use kkv_letters::EnvelopeId;

/// Half of an id is remembered: to find another envelope with the same half takes 2^128 tries.
const REMEMBERED_BYTES: usize = 16;

/// Bytes that one of `2^k` buckets takes: 4 + 1 of the table, and 7/16 of a remembered half id.
const BYTES_PER_BUCKET: usize = 12;

/// The part of the bag's budget that the ring may take: a fortieth. 57,344 ids of a bag of 64 MiB.
const SHARE: usize = 40;

/// Remembers the last ids that were put into it.
pub(super) struct Ring {
    ids: Vec<[u8; REMEMBERED_BYTES]>,
    capacity: usize,
    next: usize,
    places: HashTable<u32>,
}

impl Ring {
    /// A ring for a bag of so many bytes. All its memory is taken at once.
    pub(super) fn new(budget: usize) -> Self {
        let most = (budget / SHARE / BYTES_PER_BUCKET).max(64);
        let buckets = 1 << most.ilog2();
        // Half of what the table has room for, so that it makes room among its own buckets for ever and never grows.
        let capacity = buckets * 7 / 16;
        Self {
            ids: Vec::with_capacity(capacity),
            capacity,
            next: 0,
            places: HashTable::with_capacity(2 * capacity),
        }
    }

    pub(super) fn contains(&self, key: &Keyed, id: &EnvelopeId) -> bool {
        let half = half(id);
        let place = self.places.find(key.hash(&[&half]), |place| {
            self.ids.get(*place as usize) == Some(&half)
        });
        place.is_some()
    }

    /// Remembers `id`, and forgets the one that was put in first if all places are taken.
    pub(super) fn insert(&mut self, key: &Keyed, id: &EnvelopeId) {
        if self.contains(key, id) {
            return;
        }
        let half = half(id);
        let place = u32::try_from(self.next).unwrap_or(0);
        if let Some(first) = self.ids.get(self.next) {
            let hash = key.hash(&[first]);
            if let Ok(entry) = self.places.find_entry(hash, |at| *at == place) {
                entry.remove();
            }
            self.ids[self.next] = half;
        } else {
            self.ids.push(half);
        }
        let ids = &self.ids;
        self.places
            .insert_unique(key.hash(&[&half]), place, |place| {
                ids.get(*place as usize).map_or(0, |id| key.hash(&[id]))
            });
        self.next = (self.next + 1) % self.capacity;
    }

    /// What it takes of memory, in bytes: always the same.
    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * REMEMBERED_BYTES + self.places.allocation_size()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }
}

fn half(id: &EnvelopeId) -> [u8; REMEMBERED_BYTES] {
    let mut half = [0; REMEMBERED_BYTES];
    half.copy_from_slice(&id.0[..REMEMBERED_BYTES]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> EnvelopeId {
        EnvelopeId(*blake3::hash(&n.to_le_bytes()).as_bytes())
    }

    #[test]
    fn the_last_ids_are_remembered_and_its_memory_never_grows() {
        let key = Keyed([7; 32]);
        let mut ring = Ring::new(1 << 20);
        let (capacity, bytes) = (ring.capacity(), ring.bytes());
        assert!(bytes <= (1 << 20) / SHARE, "{bytes}");
        let most = u32::try_from(capacity).unwrap();
        for n in 0..10 * most {
            ring.insert(&key, &id(n));
            ring.insert(&key, &id(n));
            assert!(ring.contains(&key, &id(n)));
            assert!(!ring.contains(&key, &id(n.wrapping_sub(most))));
            assert_eq!(ring.bytes(), bytes);
        }
        for n in 9 * most..10 * most {
            assert!(ring.contains(&key, &id(n)), "{n}");
        }
    }

    #[test]
    fn a_bag_of_64_mib_remembers_57344() {
        assert_eq!(Ring::new(64 << 20).capacity(), 57_344);
    }
}
