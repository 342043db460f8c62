//! An identity at home in the running kkv: its keys, what it writes, and the feed that it reads.
//!
//! All of it is in memory, and goes with [`Agent`]'s drop. No I/O and no clock: `now` and randomness are arguments.
//!
//! - `keys`: what the identity signs, seals and opens with.
//! - `posting`: posts, written and deleted. `audience`: who can read them.
//! - `reading`: the feed, one post. `numbers`: what a person calls a post.

mod audience;
mod keys;
mod numbers;
mod posting;
mod reading;

#[cfg(test)]
mod tests;

use std::fmt;

use kkv_feed::bag::Bag;
use kkv_feed::feed::{Feed, Work};
use kkv_letters::{Author, CheckNumber, Fingerprint, Identity, Minutes};
use rand::CryptoRng;

use keys::Keys;
use numbers::Numbers;

pub use audience::Audience;
pub use numbers::Number;
pub use posting::{MAX_POST_BYTES, NotPosted};
pub use reading::{Page, Post};

/// What envelopes and their index take of memory at most, in bytes: 64 MiB.
pub const BAG_BYTES: usize = 64 << 20;

/// Numbers of posts that are gone are forgotten once there are so many more than posts.
const SPARE_NUMBERS: usize = 1024;

/// One identity, with its bag and its feed. `Debug` prints how much there is.
pub struct Agent {
    keys: Keys,
    bag: Bag,
    feed: Feed,
    work: Work,
    numbers: Numbers,
}

/// How much of the bag is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Posts that are in it.
    pub posts: usize,
    /// Bytes that it takes, its index included.
    pub bytes: usize,
    /// Bytes that it may take.
    pub budget: usize,
}

impl Agent {
    /// Takes in an identity, with nothing in its bag. Keys that its words don't bring back are drawn.
    pub fn new(identity: Identity, now: Minutes, rng: &mut impl CryptoRng) -> Self {
        Self::with_room(BAG_BYTES, identity, now, rng)
    }

    fn with_room(
        budget: usize,
        identity: Identity,
        now: Minutes,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let me = identity.public().author.fingerprint();
        Self {
            keys: Keys::new(identity, rng),
            bag: Bag::new(budget, seed),
            feed: Feed::new(me),
            work: Work::new(now),
            numbers: Numbers::default(),
        }
    }

    /// The key by which others check what it signs.
    #[must_use]
    pub fn author(&self) -> Author {
        self.keys.author()
    }

    /// By what two people compare that key.
    #[must_use]
    pub fn check_number(&self) -> CheckNumber {
        CheckNumber::of(&self.author())
    }

    /// Its fingerprint.
    #[must_use]
    pub fn me(&self) -> Fingerprint {
        self.feed.me()
    }

    /// How much of its bag is taken.
    #[must_use]
    pub fn room(&self) -> Room {
        Room {
            posts: self.feed.len(),
            bytes: self.bag.bytes(),
            budget: self.bag.budget(),
        }
    }

    /// Ends what has expired by `now`, keys too: it is overwritten. Returns when the next ends, if anything does.
    pub fn expire(&mut self, now: Minutes) -> Option<Minutes> {
        self.bag.expire(now, &mut self.feed);
        let next = [self.bag.next_end(), self.keys.expire(now)];
        next.into_iter().flatten().min()
    }

    /// Opens what has come.
    fn settle(&mut self, now: Minutes) {
        self.feed
            .settle(&mut self.bag, &self.keys, &mut self.work, now);
        if self.numbers.len() > self.feed.len() + SPARE_NUMBERS {
            let bag = &self.bag;
            self.numbers
                .keep(|post| bag.place_of(&post.author, &post.chain).is_some());
        }
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("bag", &self.bag)
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}
