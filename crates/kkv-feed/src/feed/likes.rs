//! Likes of a letter: those of people whom the owner follows by name, and how many others.

use kkv_letters::ChainRef;
use kkv_letters::Fingerprint;

use super::Feed;
use super::facts::About;
use crate::bag::{Place, Standing};

/// Who likes a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Likes {
    /// Whether the owner does.
    pub mine: bool,
    /// People whom the owner follows, in the order of their fingerprints.
    pub followed: Vec<Fingerprint>,
    /// How many others.
    pub others: usize,
}

impl Feed {
    /// Who likes a letter: each person once, whichever version he saw.
    #[must_use]
    pub fn likes(&self, letter: &ChainRef) -> Likes {
        let first = (*letter, 0, Place::FIRST);
        let last = (*letter, u32::MAX, Place::LAST);
        let mut likes = Likes::default();
        let mut before = None;
        for (_, person, _) in self.likes.range(first..=last) {
            if before.replace(*person) == Some(*person) {
                continue;
            }
            let Some(who) = self.people.get(*person) else {
                continue;
            };
            if who == self.me {
                likes.mine = true;
            } else if self.standing(&who) < Standing::Stranger {
                // Of whom nothing is wanted, likes aren't either.
            } else if self.facts.is(About::Follow, &who) {
                likes.followed.push(who);
            } else {
                likes.others += 1;
            }
        }
        likes.followed.sort_unstable();
        likes
    }
}
