//! What the feed keeps of a letter, in a few bytes.

use kkv_letters::ChainRef;
use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};

use crate::bag::Place;

/// What is known of the letter at a place.
pub(super) struct Item {
    /// Who wrote it, by his number among the people.
    pub(super) author: u32,
    pub(super) since: Minutes,
    pub(super) mix: u32,
    pub(super) state: State,
}

impl Default for Item {
    fn default() -> Self {
        Self {
            author: u32::MAX,
            since: Minutes(0),
            mix: 0,
            state: State::Empty,
        }
    }
}

impl Item {
    pub(super) fn key(&self, place: Place) -> Key {
        Key {
            since: self.since,
            mix: self.mix,
            place,
        }
    }

    pub(super) fn post(&self) -> Option<&PostItem> {
        match &self.state {
            State::Post(post) => Some(post),
            _ => None,
        }
    }
}

pub(super) enum State {
    /// There is no letter, or an older version.
    Empty,
    /// It is to be opened.
    Pending(Pending),
    /// It can't be opened with today's keys.
    Closed,
    Post(PostItem),
    /// That its author likes a letter.
    Like(Box<ChainRef>),
    /// What its author says of himself or of somebody.
    Said(Box<StateKey>),
    /// Nothing that is shown.
    Other,
}

pub(super) struct PostItem {
    pub(super) parent: Option<Box<ChainRef>>,
    /// Whose circle opened it, if that isn't its author's: then it counts only in that person's threads.
    pub(super) guest_of: Option<Box<Fingerprint>>,
    /// Hashes of its hashtags, if it has any: most have none.
    #[expect(clippy::box_collection, reason = "8 bytes rather than 24 in each item")]
    tags: Option<Box<Vec<u32>>>,
}

impl PostItem {
    pub(super) fn new(
        parent: Option<Box<ChainRef>>,
        guest_of: Option<Box<Fingerprint>>,
        tags: Vec<u32>,
    ) -> Self {
        Self {
            parent,
            guest_of,
            tags: (!tags.is_empty()).then(|| Box::new(tags)),
        }
    }

    pub(super) fn tags(&self) -> &[u32] {
        self.tags.as_deref().map_or(&[], |tags| tags)
    }
}

/// The order of display: by time, and by chain within a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) since: Minutes,
    pub(super) mix: u32,
    pub(super) place: Place,
}

impl Key {
    pub(super) const FIRST: Self = Self {
        since: Minutes(0),
        mix: 0,
        place: Place::FIRST,
    };
    pub(super) const LAST: Self = Self {
        since: Minutes(u32::MAX),
        mix: u32::MAX,
        place: Place::LAST,
    };
}

/// A letter that is to be opened: those of people one knows first, then in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pending {
    pub(super) is_stranger: bool,
    pub(super) came: u32,
    pub(super) place: Place,
}

/// What a person says by an action that the next of its kind replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Follow,
    Name,
    Profile,
    Image,
    Move,
}

/// A saying of a person, in the order in which the last one of a kind and target counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StateKey {
    pub(super) person: u32,
    pub(super) what: What,
    pub(super) target: Option<Fingerprint>,
    pub(super) revision: u32,
    pub(super) id: EnvelopeId,
    /// Whether it says so, or takes it back.
    pub(super) is_on: bool,
    pub(super) place: Place,
}

/// Orders chains within a minute, alike at whoever looks.
pub(super) fn mix(author: &Fingerprint, chain: &ChainTag) -> u32 {
    let hash = blake3::Hasher::new()
        .update(&author.0)
        .update(&chain.0)
        .finalize();
    hash_head(&hash)
}

/// The number by which a folded hashtag is found. Two may share one, so that what is found is looked at.
pub(super) fn tag_number(folded: &str) -> u32 {
    hash_head(&blake3::hash(folded.as_bytes()))
}

fn hash_head(hash: &blake3::Hash) -> u32 {
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_small() {
        assert!(size_of::<Item>() <= 48, "{}", size_of::<Item>());
        assert_eq!(size_of::<Key>(), 12);
    }
}
