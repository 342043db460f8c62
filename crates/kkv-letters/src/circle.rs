//! Circles, which are audiences: each a key of 32 bytes for as long as an epoch lasts (LETTERS-FORMAT.md §11). And the
//! region, by whose key carriers know the envelopes that are theirs.

use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::clear::Clear;
use crate::envelope::{Envelope, TAG_BYTES};
use crate::ids::RegionTag;
use crate::labels;
use crate::slot::{ClearDigest, SlotKey};

/// The key of a circle in one of its epochs. Wiped on drop.
pub struct CircleKey {
    key: Zeroizing<[u8; 32]>,
    tags: Zeroizing<[u8; 32]>,
    slots: Zeroizing<[u8; 32]>,
}

/// By what the members of a region know its envelopes: derived from the key of the region's circle. Wiped on drop.
///
/// It keeps strangers to the region out, and proves nothing of a member: each can make its tags.
pub struct RegionKey(Zeroizing<[u8; 32]>);

/// The circle of the open region: published, so that everybody is in it.
const OPEN_REGION: [u8; 32] = *b"kkv: the region that all may use";

impl CircleKey {
    /// A new one: 32 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut_slice());
        Self::from(key)
    }

    /// Takes one that is there already.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self::from(Zeroizing::new(*bytes))
    }

    /// That of the open region.
    #[must_use]
    pub fn open_region() -> Self {
        Self::new(&OPEN_REGION)
    }

    fn from(key: Zeroizing<[u8; 32]>) -> Self {
        Self {
            tags: labels::CIRCLE_TAG.derive(&[&*key]),
            slots: labels::CIRCLE_SLOT.derive(&[&*key]),
            key,
        }
    }

    /// The 32 bytes, to be sealed for whoever comes in.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The region's key, if this is the circle of a region.
    #[must_use]
    pub fn region(&self) -> RegionKey {
        RegionKey(labels::REGION.derive(&[&*self.key]))
    }

    /// By what its slot in an envelope is found: BLAKE3 keyed_hash(D("circle tag", key), clear digest)[..2].
    pub(crate) fn tag(&self, clear: &ClearDigest) -> [u8; TAG_BYTES] {
        let [first, second, ..] = *blake3::keyed_hash(&self.tags, &clear.0).as_bytes();
        [first, second]
    }

    /// What opens its slot: BLAKE3 keyed_hash(D("circle slot", key), clear digest). The clear part has an ephemeral key
    /// of this envelope's own, so no two envelopes have the same.
    pub(crate) fn slot(&self, clear: &ClearDigest) -> SlotKey {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(&self.slots));
        hasher.update(&clear.0);
        let mut key = Zeroizing::new([0; 32]);
        hasher.finalize_xof().fill(key.as_mut_slice());
        SlotKey::new(key)
    }
}

impl RegionKey {
    /// That of the open region, in which everybody is who isn't in another.
    #[must_use]
    pub fn open() -> Self {
        CircleKey::open_region().region()
    }

    /// BLAKE3 keyed_hash(key, clear part with zeros in place of the tag)[..16].
    pub(crate) fn tag(&self, clear: &Clear) -> RegionTag {
        let mut bytes = Vec::with_capacity(clear.length());
        let untagged = Clear {
            region: RegionTag([0; 16]),
            ..*clear
        };
        untagged.write(&mut bytes);
        let hash = blake3::keyed_hash(&self.0, &bytes);
        RegionTag(*hash.as_bytes().first_chunk().expect("32 bytes have 16"))
    }

    /// Whether the envelope was made by a member of this region.
    #[must_use]
    pub fn has(&self, envelope: &Envelope) -> bool {
        let tag = self.tag(envelope.clear());
        tag.0.ct_eq(&envelope.clear().region.0).into()
    }
}

opaque_debug!(CircleKey, RegionKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circles_keys_are_not_each_others() {
        let circle = CircleKey::new(&[1; 32]);
        let keys = [&circle.key, &circle.tags, &circle.slots, &circle.region().0].map(|key| **key);
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[place + 1..].contains(key), "{place}");
        }
        assert_eq!(
            format!("{circle:?} {:?}", RegionKey::open()),
            "CircleKey(..) RegionKey(..)"
        );
    }

    #[test]
    fn a_slot_is_found_anew_in_each_envelope() {
        let circle = CircleKey::generate(&mut rand::rng());
        let again = CircleKey::new(circle.bytes());
        let clear = ClearDigest([7; 32]);
        assert_eq!(circle.tag(&clear), again.tag(&clear));
        let tags = (0..64).map(|at| circle.tag(&ClearDigest([at; 32])));
        let tags: std::collections::BTreeSet<_> = tags.collect();
        assert!(tags.len() > 60, "{}", tags.len());
    }
}
