//! Threads: replies hang on the chain that they answer, to a bounded depth.
//!
//! A reply hangs on a post that is here. What hangs in a circle, or deeper than [`MAX_DEPTH`], hangs on nothing and is
//! shown by itself; so does what answers something that isn't here.

use std::collections::BTreeSet;

use kkv_letters::ChainRef;
use kkv_letters::EnvelopeId;

use super::Feed;
use super::item::Key;
use crate::bag::{Bag, Place};

/// How deep replies hang on each other.
pub const MAX_DEPTH: usize = 64;

/// What a post hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hangs {
    /// On nothing: it begins a thread, of this chain.
    Begins,
    /// In a thread that this chain begins.
    In(ChainRef),
    /// In a circle, or too deep.
    Nowhere,
}

impl Feed {
    /// The chain that a post is the newest version of.
    fn chain_of(&self, bag: &Bag, place: Place) -> Option<ChainRef> {
        let stored = bag.get(place)?;
        Some(ChainRef {
            author: stored.author,
            chain: stored.chain,
        })
    }

    /// The place of the post that this chain shows.
    pub(super) fn place_of(&self, bag: &Bag, letter: &ChainRef) -> Option<Place> {
        let place = bag.place_of(&letter.author, &letter.chain)?;
        self.item(place)?.post().map(|_| place)
    }

    fn hangs(&self, bag: &Bag, place: Place) -> Hangs {
        let mut at = place;
        for depth in 0..=MAX_DEPTH {
            let parent = self
                .item(at)
                .and_then(|item| item.post()?.parent.as_deref());
            let Some(parent) = parent.and_then(|parent| self.place_of(bag, parent)) else {
                return match self.chain_of(bag, at) {
                    Some(first) if depth > 0 => Hangs::In(first),
                    _ => Hangs::Begins,
                };
            };
            at = parent;
        }
        Hangs::Nowhere
    }

    /// Whether a post is shown by itself rather than below another one.
    pub(super) fn is_root(&self, bag: &Bag, place: Place) -> bool {
        let parent = self
            .item(place)
            .and_then(|item| item.post()?.parent.as_deref());
        parent.is_none() || !matches!(self.hangs(bag, place), Hangs::In(_))
    }

    /// Whether a post may be shown: one that was opened by somebody else's circle counts only in that person's threads.
    pub(super) fn is_allowed(&self, bag: &Bag, place: Place) -> bool {
        let guest_of = self
            .item(place)
            .and_then(|item| item.post()?.guest_of.as_deref());
        let Some(owner) = guest_of else {
            return true;
        };
        match self.hangs(bag, place) {
            Hangs::In(first) => first.author == *owner,
            Hangs::Begins | Hangs::Nowhere => false,
        }
    }

    /// The chain that begins the thread of this one.
    #[must_use]
    pub fn thread_of(&self, bag: &Bag, letter: &ChainRef) -> Option<ChainRef> {
        let place = self.place_of(bag, letter)?;
        match self.hangs(bag, place) {
            Hangs::In(first) => Some(first),
            Hangs::Begins | Hangs::Nowhere => Some(*letter),
        }
    }

    /// What answers a chain, the earliest first.
    pub(super) fn replies_to(&self, letter: &ChainRef) -> impl DoubleEndedIterator<Item = Key> {
        let all = (*letter, Key::FIRST)..=(*letter, Key::LAST);
        self.replies.range(all).map(|(_, key)| *key)
    }

    /// The places of a thread, with how deep each hangs: what answers a post comes after it, the earliest first. At
    /// most
    /// `most`.
    pub(super) fn walk(&self, bag: &Bag, first: &ChainRef, most: usize) -> Vec<(usize, Place)> {
        let Some(place) = self.place_of(bag, first) else {
            return Vec::new();
        };
        let mut walked = Vec::new();
        let mut seen = BTreeSet::from([place]);
        let mut next = vec![(0, place)];
        while let Some((depth, place)) = next.pop() {
            if walked.len() >= most {
                break;
            }
            walked.push((depth, place));
            let Some(chain) = self.chain_of(bag, place).filter(|_| depth < MAX_DEPTH) else {
                continue;
            };
            for reply in self.replies_to(&chain).rev() {
                if self.is_allowed(bag, reply.place) && seen.insert(reply.place) {
                    next.push((depth + 1, reply.place));
                }
            }
        }
        walked
    }

    /// How many answers a chain has, of those that may be shown.
    pub(super) fn count_replies(&self, bag: &Bag, letter: &ChainRef) -> usize {
        let replies = self.replies_to(letter);
        replies
            .filter(|reply| self.is_allowed(bag, reply.place))
            .count()
    }

    /// The chain of the letter with this id, if that is a post, of whatever version.
    #[must_use]
    pub fn find(&self, bag: &Bag, id: &EnvelopeId) -> Option<ChainRef> {
        let stored = bag.find(id)?;
        let letter = ChainRef {
            author: stored.author,
            chain: stored.chain,
        };
        self.place_of(bag, &letter).map(|_| letter)
    }

    /// The chains of all posts, the oldest first: to look for one by a short name.
    pub fn chains<'f>(&'f self, bag: &'f Bag) -> impl DoubleEndedIterator<Item = ChainRef> + 'f {
        let keys = self.timeline.iter();
        keys.filter_map(|key| self.chain_of(bag, key.place))
    }
}
