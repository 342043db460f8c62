//! What is in the bag, to read.

use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};

use super::entry::Stored;
use super::{Bag, Place, Refusal, STUB};

impl Bag {
    /// How many envelopes are in it, older versions too, without tombstones and erases.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no envelope is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this envelope is here, as a letter, a tombstone or an erase.
    #[must_use]
    pub fn holds(&self, id: &EnvelopeId) -> bool {
        self.find_id(id).is_some()
    }

    /// Whether this envelope is worth asking for: it is neither here nor remembered as gone.
    ///
    /// # Errors
    /// Why it isn't.
    pub fn lacks(&self, id: &EnvelopeId) -> Result<(), Refusal> {
        if self.holds(id) {
            return Err(Refusal::Known);
        }
        if self.ring.contains(&self.key, id) {
            return Err(Refusal::Gone);
        }
        Ok(())
    }

    /// The bytes of an envelope, of a tombstone and an erase as well.
    #[must_use]
    pub fn bytes_of(&self, id: &EnvelopeId) -> Option<&[u8]> {
        let slot = self.find_id(id)?;
        match slot & STUB {
            0 => self.entries.get(slot).map(|entry| entry.sealed.bytes()),
            _ => self.stubs.get(slot & !STUB)?.bytes(),
        }
    }

    /// The ids of all that is here to be carried: letters, tombstones, erases.
    pub fn ids(&self) -> impl Iterator<Item = EnvelopeId> {
        let letters = self.entries.iter().map(|(_, entry)| entry.id);
        letters.chain(self.stub_ids())
    }

    /// The ids of the tombstones and erases that are here to be carried.
    pub fn stub_ids(&self) -> impl Iterator<Item = EnvelopeId> {
        self.stubs.iter().filter_map(|(_, stub)| stub.id())
    }

    /// The letter with this id.
    #[must_use]
    pub fn find(&self, id: &EnvelopeId) -> Option<Stored<'_>> {
        let slot = self.find_id(id)?;
        self.get(Place(slot))
    }

    /// The letter at this place.
    #[must_use]
    pub fn get(&self, place: Place) -> Option<Stored<'_>> {
        let entry = self.entries.get(place.0)?;
        Some(Stored::new(place.0, entry, &self.accounts))
    }

    /// All versions of a chain, the newest first.
    #[must_use]
    pub fn versions(&self, author: &Fingerprint, chain: &ChainTag) -> Vec<Stored<'_>> {
        let versions = self.chain_versions(author, chain);
        let stored = |slot: u32| self.get(Place(slot));
        versions.into_iter().filter_map(stored).collect()
    }

    /// How many versions of a chain are here.
    #[must_use]
    pub fn count_versions(&self, author: &Fingerprint, chain: &ChainTag) -> usize {
        self.chain_versions(author, chain).len()
    }

    /// Where the newest version of a chain is.
    #[must_use]
    pub fn place_of(&self, author: &Fingerprint, chain: &ChainTag) -> Option<Place> {
        self.find_chain(author, chain).map(Place)
    }

    /// The newest of every chain.
    pub fn newest(&self) -> impl Iterator<Item = Stored<'_>> {
        let newest = self.entries.iter().filter(|(_, entry)| !entry.superseded);
        newest.map(|(slot, entry)| Stored::new(slot, entry, &self.accounts))
    }

    /// Whether this chain has ended by a tombstone.
    #[must_use]
    pub fn has_ended(&self, author: &Fingerprint, chain: &ChainTag) -> bool {
        self.find_ended(author, chain).is_some()
    }

    /// Before which time this author's letters are erased.
    #[must_use]
    pub fn is_erased_before(&self, author: &Fingerprint) -> Option<Minutes> {
        self.erased_before(self.accounts.find(author)?)
    }

    pub(super) fn find_id(&self, id: &EnvelopeId) -> Option<u32> {
        let same = |slot: &u32| match slot & STUB {
            0 => self.entries.get(*slot).map(|entry| entry.id) == Some(*id),
            _ => self.stubs.get(slot & !STUB).and_then(super::Stub::id) == Some(*id),
        };
        self.ids.find(self.hash_id(id), same).copied()
    }
}
