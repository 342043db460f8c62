//! The feed: what one person sees of a bag, with his keys.
//!
//! It follows the bag as its [`Watcher`]: of each chain it knows the newest version, and nothing of what is inside
//! until that is opened. [`Feed::settle`] opens, as far as the work for strangers' letters reaches. What is inside is
//! kept in indexes of a few bytes for each letter (when, which hashtags, what it answers); texts are only in a
//! bounded memory of those that were read last, and are opened again for whatever else is shown.
//!
//! Which letters are shown, and in what state, follows from the set of envelopes alone, whatever their order and
//! however often they come: each index is a set, and each question to it has one answer.
//!
//! - `opening`: how letters are opened, and what becomes of what is inside.
//! - `facts`: what the owner has said of people and groups. `people`: who is who by that.
//! - `reader`: pages, threads, one post, its history; `likes`; `due`: what has to be written anew.
//! - `fold`: texts as they are searched; `inside`: what is in a letter.

mod due;
pub mod facts;
pub mod fold;
mod inside;
mod item;
mod likes;
mod opening;
mod people;
mod reader;
mod threads;
mod work;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod days;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod size;
#[cfg(test)]
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kkv_letters::Fingerprint;

use crate::bag::{Place, Standing, Stored, Watcher};
use facts::Facts;
use inside::Cache;
use item::{Item, Key, Pending, State, StateKey};
use people::People;

pub use due::Due;
pub use inside::{Inside, Opener};
pub use kkv_letters::{ChainRef, Letter, Purpose, Target};
pub use likes::Likes;
pub use opening::Settled;
pub use people::Person;
pub use reader::{Cursor, Filter, Page, Post, Reader};
pub use threads::MAX_DEPTH;
pub use work::Work;

/// How many bytes of opened letters are kept at most, so that what is shown again isn't opened again: 1 MiB.
pub const OPENED_BYTES: usize = 1 << 20;

/// What one person sees of a bag. `Debug` prints how much.
pub struct Feed {
    me: Fingerprint,
    /// By [`Place`].
    items: Vec<Item>,
    pending: BTreeSet<Pending>,
    /// How many letters came to be opened so far: they are in the order of it.
    came: u32,
    people: People,
    /// All posts, in the order of display.
    timeline: BTreeSet<Key>,
    /// Of each chain, what answers it.
    replies: BTreeSet<(ChainRef, Key)>,
    /// By the hash of a folded hashtag.
    tags: BTreeSet<(u32, Key)>,
    /// Of each chain, who likes it.
    likes: BTreeSet<(ChainRef, u32, Place)>,
    states: BTreeSet<StateKey>,
    facts: Facts,
    /// People of whom something has changed since the bag was told who is who.
    changed: BTreeSet<Fingerprint>,
    /// What the bag was told last, but for strangers.
    told: BTreeMap<Fingerprint, Standing>,
    opened: Cache,
}

impl Feed {
    /// The feed of this person, of an empty bag.
    #[must_use]
    pub fn new(me: Fingerprint) -> Self {
        Self {
            me,
            items: Vec::new(),
            pending: BTreeSet::new(),
            came: 0,
            people: People::default(),
            timeline: BTreeSet::new(),
            replies: BTreeSet::new(),
            tags: BTreeSet::new(),
            likes: BTreeSet::new(),
            states: BTreeSet::new(),
            facts: Facts::default(),
            changed: BTreeSet::from([me]),
            told: BTreeMap::new(),
            opened: Cache::new(OPENED_BYTES),
        }
    }

    /// Whose feed it is.
    #[must_use]
    pub fn me(&self) -> Fingerprint {
        self.me
    }

    /// How many posts it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timeline.len()
    }

    /// Whether it knows no post.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timeline.is_empty()
    }

    fn item(&self, place: Place) -> Option<&Item> {
        self.items.get(place.index())
    }

    /// Takes a letter out of all indexes.
    fn forget(&mut self, place: Place) {
        self.opened.remove(place);
        let Some(item) = self.items.get_mut(place.index()) else {
            return;
        };
        let item = std::mem::take(item);
        let key = item.key(place);
        match item.state {
            State::Empty | State::Closed | State::Other => {}
            State::Pending(pending) => {
                self.pending.remove(&pending);
            }
            State::Post(post) => {
                self.timeline.remove(&key);
                if let Some(parent) = &post.parent {
                    self.replies.remove(&(**parent, key));
                }
                for tag in post.tags() {
                    self.tags.remove(&(*tag, key));
                }
            }
            State::Like(target) => {
                self.likes.remove(&(*target, item.author, place));
            }
            State::Said(state) => {
                self.states.remove(&state);
                if let Some(person) = self.people.get(state.person) {
                    self.changed.insert(person);
                }
            }
        }
        self.people.release(item.author);
    }

    /// Puts a letter with those that are to be opened.
    fn await_opening(&mut self, stored: &Stored<'_>) {
        let at = stored.place.index();
        if at >= self.items.len() {
            if at >= self.items.capacity() {
                // By an eighth at a time, as the bag's places.
                self.items
                    .reserve_exact((at + 1 - self.items.len()).max(at / 8));
            }
            self.items.resize_with(at + 1, Item::default);
        }
        self.came = self.came.wrapping_add(1);
        let pending = Pending {
            is_stranger: stored.standing <= Standing::Stranger && stored.author != self.me,
            came: self.came,
            place: stored.place,
        };
        self.pending.insert(pending);
        self.items[at] = Item {
            author: self.people.hold(&stored.author),
            since: stored.since,
            mix: item::mix(&stored.author, &stored.chain),
            state: State::Pending(pending),
        };
    }
}

impl Watcher for Feed {
    fn newest(&mut self, stored: Stored<'_>, replaced: Option<Place>) {
        if let Some(replaced) = replaced {
            self.forget(replaced);
        }
        self.await_opening(&stored);
    }

    fn gone(&mut self, place: Place, is_deleted: bool) {
        if is_deleted {
            self.forget_follower(place);
        }
        self.forget(place);
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("posts", &self.timeline.len())
            .field("to_be_opened", &self.pending.len())
            .finish_non_exhaustive()
    }
}
