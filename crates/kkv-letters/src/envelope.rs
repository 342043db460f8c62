//! An envelope as it travels: its parts found, what needs no key checked, its id computed (LETTERS-FORMAT.md §4).

use zeroize::Zeroizing;

use crate::author::{AuthorKey, BadSignature, SIGNATURE_BYTES};
use crate::clear::{BadClear, Clear, Untimely};
use crate::ids::EnvelopeId;
use crate::labels;
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_SLOTS};

/// Bytes of the commitment to the content key.
pub(crate) const COMMITMENT_BYTES: usize = 32;
/// Bytes of a slot's tag.
pub(crate) const TAG_BYTES: usize = 2;
/// Bytes of the sealed content key.
pub(crate) const SEALED_KEY_BYTES: usize = 48;
/// Bytes of a KEM ciphertext.
pub(crate) const KEM_BYTES: usize = 1088;
/// Bytes of a circle's slot.
pub(crate) const CIRCLE_SLOT_BYTES: usize = TAG_BYTES + SEALED_KEY_BYTES;
/// Bytes of a person's slot.
pub(crate) const PERSON_SLOT_BYTES: usize = TAG_BYTES + KEM_BYTES + SEALED_KEY_BYTES;
/// Bytes that sealing adds to the content.
pub(crate) const SEAL_BYTES: usize = 16;

/// An envelope: its bytes, and what they say. Wiped on drop.
///
/// It has the layout and the numbers of one; whether its author has signed it, [`verify`](Self::verify) tells, and
/// whether its time is right, [`check`](Self::check).
pub struct Envelope {
    bytes: Zeroizing<Vec<u8>>,
    clear: Clear,
    id: EnvelopeId,
}

/// Why bytes are no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadEnvelope {
    /// More than 256 KiB.
    #[error("it is larger than an envelope may be")]
    TooLarge,
    /// It is shorter or longer than its clear part says.
    #[error("it has another length than it says")]
    Length,
    /// The commitment of a tombstone or erase, which has no content, is not zero.
    #[error("it commits to a key, and has no content")]
    Commitment,
    /// Two slots have the same tag, so that one reader would have to try both.
    #[error("two of its slots have the same tag")]
    Tags,
    /// Its clear part is none.
    #[error(transparent)]
    Clear(#[from] BadClear),
}

impl Envelope {
    /// Reads an envelope, and computes its id. Nothing is taken from it that wasn't looked at, and no byte is left
    /// over.
    ///
    /// # Errors
    /// It is none. Whatever the bytes are, this takes time in proportion to their number.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BadEnvelope> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(BadEnvelope::TooLarge);
        }
        let clear = Clear::parse(&bytes)?;
        if bytes.len() != length(&clear) {
            return Err(BadEnvelope::Length);
        }
        let id = EnvelopeId(*blake3::hash(&bytes[..bytes.len() - SIGNATURE_BYTES]).as_bytes());
        let envelope = Self { bytes, clear, id };
        if clear.is_bare() && envelope.commitment() != &[0; COMMITMENT_BYTES] {
            return Err(BadEnvelope::Commitment);
        }
        if !envelope.has_distinct_tags() {
            return Err(BadEnvelope::Tags);
        }
        Ok(envelope)
    }

    /// A tombstone or an erase, which has nothing but its clear part, signed by `key`, whose author it becomes.
    ///
    /// # Errors
    /// It is another kind of envelope, or out of bounds.
    pub fn bare(clear: &Clear, key: &AuthorKey) -> Result<Self, BadEnvelope> {
        if !clear.is_bare() {
            return Err(BadEnvelope::Length);
        }
        let clear = Clear {
            author: key.author(),
            ..*clear
        };
        Self::assemble(&clear, &[0; COMMITMENT_BYTES], &[], key)
    }

    /// Puts the parts together and signs them: clear part, commitment, slots and content as they follow.
    pub(crate) fn assemble(
        clear: &Clear,
        commitment: &[u8; COMMITMENT_BYTES],
        rest: &[u8],
        key: &AuthorKey,
    ) -> Result<Self, BadEnvelope> {
        let mut bytes = Vec::with_capacity(length(clear));
        clear.write(&mut bytes);
        bytes.extend_from_slice(commitment);
        bytes.extend_from_slice(rest);
        let id = blake3::hash(&bytes);
        let signature = key.sign(labels::ENVELOPE, &[id.as_bytes()]);
        bytes.extend_from_slice(&signature);
        Self::parse(bytes)
    }

    /// Whether it is to be taken at this time.
    ///
    /// # Errors
    /// It is too early or too late.
    pub fn check(&self, now: crate::Minutes) -> Result<(), Untimely> {
        self.clear.check(now)
    }

    /// Whether its author has signed it: Ed25519 strictly, over the id, which stands for all bytes of the body.
    ///
    /// # Errors
    /// The signature doesn't fit.
    pub fn verify(&self) -> Result<(), BadSignature> {
        let (_, signature) = self
            .bytes
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(BadSignature)?;
        self.clear
            .author
            .verify(labels::ENVELOPE, &[&self.id.0], signature)
    }

    /// What stands in it for everybody to read.
    #[must_use]
    pub fn clear(&self) -> &Clear {
        &self.clear
    }

    /// BLAKE3 of its body, that is of all but the signature.
    #[must_use]
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// As it travels.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes it has: 216 to [`MAX_ENVELOPE_BYTES`].
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // none is empty
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// To the content key.
    pub(crate) fn commitment(&self) -> &[u8; COMMITMENT_BYTES] {
        let (_, rest) = self.bytes.split_at(self.clear.length());
        rest.first_chunk().expect("its length was checked")
    }

    /// Those of circles.
    pub(crate) fn circle_slots(&self) -> impl Iterator<Item = &[u8; CIRCLE_SLOT_BYTES]> {
        let start = self.clear.length() + COMMITMENT_BYTES;
        let end = start + usize::from(self.clear.circle_slots) * CIRCLE_SLOT_BYTES;
        self.bytes[start..end].as_chunks().0.iter()
    }

    /// Those of persons.
    pub(crate) fn person_slots(&self) -> impl Iterator<Item = &[u8; PERSON_SLOT_BYTES]> {
        let end = self.content_start();
        let start = end - usize::from(self.clear.person_slots) * PERSON_SLOT_BYTES;
        self.bytes[start..end].as_chunks().0.iter()
    }

    /// The sealed content, with its tag.
    pub(crate) fn content(&self) -> &[u8] {
        let end = self.bytes.len() - SIGNATURE_BYTES;
        &self.bytes[self.content_start()..end]
    }

    fn content_start(&self) -> usize {
        content_start(&self.clear)
    }

    /// Of tags alone, without allocating: at most 64 are sorted.
    fn has_distinct_tags(&self) -> bool {
        let mut tags = [0_u16; MAX_SLOTS];
        let circles = self.circle_slots().map(|slot| tag_of(slot));
        let persons = self.person_slots().map(|slot| tag_of(slot));
        let mut count = 0;
        for (place, tag) in tags.iter_mut().zip(circles.chain(persons)) {
            *place = u16::from_le_bytes(tag);
            count += 1;
        }
        let tags = &mut tags[..count];
        tags.sort_unstable();
        tags.windows(2).all(|pair| pair[0] != pair[1])
    }
}

/// The first bytes of a slot.
pub(crate) fn tag_of(slot: &[u8]) -> [u8; TAG_BYTES] {
    [slot[0], slot[1]]
}

/// Where the content begins.
fn content_start(clear: &Clear) -> usize {
    clear.length()
        + COMMITMENT_BYTES
        + usize::from(clear.circle_slots) * CIRCLE_SLOT_BYTES
        + usize::from(clear.person_slots) * PERSON_SLOT_BYTES
}

/// Of a whole envelope.
pub(crate) fn length(clear: &Clear) -> usize {
    let content = match clear.content_bytes {
        0 => 0,
        bytes => bytes as usize + SEAL_BYTES,
    };
    content_start(clear) + content + SIGNATURE_BYTES
}

opaque_debug!(Envelope);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ChainTag, MailboxTag, RegionTag};
    use crate::limits::MAX_LIFETIME;
    use crate::{Author, Minutes, Reach};
    use proptest::prelude::*;

    fn tombstone(key: &AuthorKey) -> Envelope {
        let clear = Clear {
            author: Author([0; 32]),
            created: Minutes(3_600_000),
            lifetime: MAX_LIFETIME,
            region: RegionTag([1; 16]),
            action: false,
            reach: Reach::Carried,
            tombstone: true,
            erase_before: None,
            chain: ChainTag([2; 16]),
            revision: 64 * 3_600_000,
            circle_slots: 0,
            person_slots: 0,
            content_bytes: 0,
            ephemeral: [3; 32],
            mailboxes: [MailboxTag([0; 16]); 4],
        };
        Envelope::bare(&clear, key).unwrap()
    }

    #[test]
    fn a_tombstone_reads_back_and_its_author_has_signed_it() {
        let key = AuthorKey::generate(&mut rand::rng());
        let written = tombstone(&key);
        assert_eq!(written.len(), 216);
        let read = Envelope::parse(written.bytes().to_vec()).unwrap();
        assert_eq!(read.clear(), written.clear());
        assert_eq!(read.clear().author, key.author());
        assert_eq!(read.id(), written.id());
        assert_eq!(read.verify(), Ok(()));
    }

    #[test]
    fn one_flipped_bit_of_a_tombstone_is_refused() {
        let written = tombstone(&AuthorKey::generate(&mut rand::rng()));
        for bit in 0..written.len() * 8 {
            let mut bytes = written.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let taken = Envelope::parse(bytes).is_ok_and(|envelope| envelope.verify().is_ok());
            assert!(!taken, "bit {bit}");
        }
    }

    #[test]
    fn time_is_checked_from_both_sides() {
        let envelope = tombstone(&AuthorKey::generate(&mut rand::rng()));
        let created = envelope.clear().created;
        assert_eq!(envelope.check(created), Ok(()));
        assert_eq!(envelope.check(Minutes(created.0 - 10)), Ok(()));
        let early = envelope.check(Minutes(created.0 - 11));
        assert_eq!(early, Err(Untimely::TooEarly));
        let expires = envelope.clear().expires();
        assert_eq!(envelope.check(Minutes(expires.0 - 1)), Ok(()));
        assert_eq!(envelope.check(expires), Err(Untimely::Expired));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(
            bytes in prop::collection::vec(any::<u8>(), 0..600),
            version in any::<bool>(),
        ) {
            let mut bytes = bytes;
            if let (true, Some(first)) = (version, bytes.first_mut()) {
                *first = 1;
            }
            if let Ok(envelope) = Envelope::parse(bytes) {
                let _ = envelope.verify();
            }
        }
    }
}
