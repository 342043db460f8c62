//! What a person opens letters with, and how: only slots whose tags fit are tried, so an envelope that isn't for this
//! person costs one X25519 and a hash for each circle (LETTERS-FORMAT.md §10).

#[cfg(test)]
pub(crate) mod people;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use crate::circle::CircleKey;
use crate::clear::Reach;
use crate::direct;
use crate::envelope::{Envelope, KEM_BYTES, SEAL_BYTES, TAG_BYTES, tag_of};
use crate::identity::Identity;
use crate::ids::Fingerprint;
use crate::letter::{Letter, NoLetter, Purpose, Target};
use crate::sealing::SealingSecret;
use crate::slot::{ClearDigest, ContentKey};

/// Most slots for persons that are tried, whatever tags there are: two pairs may have the same tag by chance.
const TRIED: usize = 2;

/// A circle that one is in.
pub struct Membership {
    /// Its key in one epoch.
    pub key: CircleKey,
    /// Whose circle it is: others use it only to answer. None for a region, in which everybody writes.
    pub owner: Option<Fingerprint>,
}

/// All that a person opens with. Wiped on drop.
pub struct Keyring {
    identity: Identity,
    /// The newest first.
    pairs: Vec<SealingSecret>,
    circles: Vec<Membership>,
}

/// By what an envelope was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedBy {
    /// A circle, of this owner if it isn't a region's.
    Circle(Option<Fingerprint>),
    /// A sealing pair of the person's own.
    Person,
}

/// A letter, opened.
#[derive(Debug)]
pub struct Opened {
    /// Who wrote it: of a direct letter, as it is proved inside.
    pub author: Fingerprint,
    /// By what it was opened.
    pub by: OpenedBy,
    /// What is inside.
    pub letter: Letter,
}

/// Why what was sealed for this person can't be read: its author's program made it wrong, or an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotOpen {
    /// The envelope commits to another key, or its content isn't what was sealed with this one.
    #[error("its content is broken")]
    Broken,
    /// What was sealed is no letter.
    #[error(transparent)]
    NoLetter(#[from] NoLetter),
    /// A direct letter that doesn't prove who wrote it.
    #[error("it doesn't prove who wrote it")]
    Unproved,
    /// Somebody wrote to the readers of another's circle, and answers nothing.
    #[error("it is for the readers of somebody else")]
    Foreign,
    /// Its clear part says that it is an action, or that it isn't, and the letter says otherwise.
    #[error("it is no action, or is one")]
    Action,
}

impl Keyring {
    /// One with the identity's own circle and the open region's, and no sealing pair.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let own = Membership {
            key: CircleKey::new(identity.self_circle().bytes()),
            owner: Some(identity.public().author.fingerprint()),
        };
        let open = Membership {
            key: CircleKey::open_region(),
            owner: None,
        };
        Self {
            identity,
            pairs: Vec::new(),
            circles: vec![own, open],
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The pairs, the newest first.
    #[must_use]
    pub fn pairs(&self) -> &[SealingSecret] {
        &self.pairs
    }

    /// Takes a new pair.
    pub fn add_pair(&mut self, pair: SealingSecret) {
        self.pairs.insert(0, pair);
    }

    /// Keeps the pairs that `keep` says yes to, and wipes the others.
    pub fn retain_pairs(&mut self, keep: impl FnMut(&SealingSecret) -> bool) {
        self.pairs.retain(keep);
    }

    /// The circles: one's own and the open region's first.
    #[must_use]
    pub fn circles(&self) -> &[Membership] {
        &self.circles
    }

    /// Takes a circle in another epoch, or another circle.
    pub fn add_circle(&mut self, circle: Membership) {
        self.circles.push(circle);
    }

    /// Keeps the circles that `keep` says yes to, and wipes the others.
    pub fn retain_circles(&mut self, keep: impl FnMut(&Membership) -> bool) {
        self.circles.retain(keep);
    }

    /// What is inside. None if it isn't for this person, or has nothing inside. Whether the author has signed it, is
    /// for [`Envelope::verify`] to say, before.
    ///
    /// # Errors
    /// It is for this person, and can't be read.
    pub fn open(&self, envelope: &Envelope) -> Result<Option<Opened>, CannotOpen> {
        let clear = envelope.clear();
        if clear.is_bare() {
            return Ok(None);
        }
        let digest = ClearDigest::of(clear);
        let Some((by, content_key)) = self.content_key(envelope, &digest) else {
            return Ok(None);
        };
        if content_key.commitment(&digest) != *envelope.commitment() {
            return Err(CannotOpen::Broken);
        }
        let (sealed, tag) = envelope
            .content()
            .split_last_chunk::<SEAL_BYTES>()
            .ok_or(CannotOpen::Broken)?;
        let mut text = Zeroizing::new(sealed.to_vec());
        if !content_key.open(&digest, &mut text, tag) {
            return Err(CannotOpen::Broken);
        }
        let (author, letter) = match clear.reach {
            Reach::Carried => (clear.author, &text[..]),
            Reach::Direct => {
                let bound = direct::Bound {
                    clear: &digest,
                    content: &content_key,
                };
                direct::check(&text, &self.identity, &bound).ok_or(CannotOpen::Unproved)?
            }
        };
        let (author, letter) = (author.fingerprint(), Letter::read(letter)?);
        if letter.purpose.is_action() != clear.action {
            return Err(CannotOpen::Action);
        }
        let opened = Opened { author, by, letter };
        // A direct letter is for one person, who is told by a proof who wrote it: a circle brings it to nobody else.
        if clear.reach == Reach::Carried && opened.is_foreign() {
            return Err(CannotOpen::Foreign);
        }
        Ok(Some(opened))
    }

    /// The content key, from whichever slot is this person's.
    fn content_key(
        &self,
        envelope: &Envelope,
        digest: &ClearDigest,
    ) -> Option<(OpenedBy, ContentKey)> {
        for circle in &self.circles {
            let tag = circle.key.tag(digest);
            let mut slots = envelope.circle_slots();
            let Some(slot) = slots.find(|slot| tag_of(*slot) == tag) else {
                continue;
            };
            let sealed = slot.last_chunk().expect("a slot has 50 bytes");
            if let Some(key) = circle.key.slot(digest).open(sealed) {
                return Some((OpenedBy::Circle(circle.owner), key));
            }
        }
        self.persons_key(envelope, digest)
            .map(|key| (OpenedBy::Person, key))
    }

    fn persons_key(&self, envelope: &Envelope, digest: &ClearDigest) -> Option<ContentKey> {
        if self.pairs.is_empty() || envelope.clear().person_slots == 0 {
            return None;
        }
        let ephemeral = &envelope.clear().ephemeral;
        let meeting = self.identity.exchange().agree(ephemeral)?;
        let exchange = self.identity.exchange().public();
        let fits = self.pairs.iter().filter_map(|pair| {
            let tag = pair.public().tag(&meeting, digest);
            let mut slots = envelope.person_slots();
            slots
                .find(|slot| tag_of(*slot) == tag)
                .map(|slot| (pair, slot))
        });
        for (pair, slot) in fits.take(TRIED) {
            let ciphertext = slot[TAG_BYTES..].first_chunk::<KEM_BYTES>();
            let ciphertext = ciphertext.expect("a slot has 1,138 bytes");
            let sealed = slot.last_chunk().expect("a slot has 1,138 bytes");
            let key = pair.slot(&exchange, &meeting, ephemeral, ciphertext, digest);
            if let Some(key) = key.and_then(|key| key.open(sealed)) {
                return Some(key);
            }
        }
        None
    }
}

impl Opened {
    /// Whether its author used another's circle for something else than to answer or to like. In whose thread it is,
    /// is for whoever has all letters to see.
    fn is_foreign(&self) -> bool {
        let OpenedBy::Circle(Some(owner)) = self.by else {
            return false;
        };
        let letter = &self.letter;
        let is_allowed = match letter.purpose {
            Purpose::ActionLike => matches!(letter.target, Some(Target::Letter(_))),
            purpose => !purpose.is_action() && letter.replies_to.is_some(),
        };
        owner != self.author && !is_allowed
    }
}

opaque_debug!(Membership, Keyring);
