//! How letters are opened, and what becomes of what is inside.

use std::sync::Arc;

use kkv_letters::{EnvelopeId, Fingerprint, Minutes};
use kkv_letters::{Purpose, Target};

use super::facts::{About, FACTS_TYPE, Facts};
use super::inside::{Inside, Opener};
use super::item::{PostItem, State, StateKey, What, tag_number};
use super::{Feed, Work, fold};
use crate::bag::{Bag, Place, Standing, Stored};

/// What has come of opening letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many were opened.
    pub opened: usize,
    /// How many wait for work.
    pub waiting: usize,
    /// Letters that are for the keys' home and not for the feed: keys that are handed on, and moves to another key.
    /// Nothing in the feed follows from them.
    pub keys: Vec<EnvelopeId>,
}

impl Feed {
    /// Opens what has come, those of people one knows all and of strangers' as many as `work` allows, and tells the bag
    /// who is who by now. Letters of people who are blocked leave the bag, also where only the inside tells who wrote
    /// them.
    pub fn settle(
        &mut self,
        bag: &mut Bag,
        opener: &impl Opener,
        work: &mut Work,
        now: Minutes,
    ) -> Settled {
        let mut settled = Settled::default();
        loop {
            self.tell_standings(bag);
            let Some(next) = self.pending.first().copied() else {
                break;
            };
            if next.is_stranger && !work.take(now) {
                break;
            }
            self.pending.remove(&next);
            settled.opened += 1;
            let Some(stored) = bag.get(next.place) else {
                continue;
            };
            let (id, revision) = (stored.id, stored.revision);
            let inside = opener.open(stored.bytes).map(Arc::new);
            let (state, author) = match &inside {
                None => (State::Closed, stored.author),
                Some(inside) => (self.state_of(&stored, inside), inside.author),
            };
            if self.is_unwanted(&author, stored.action) {
                bag.discard(&id, self);
                continue;
            }
            if let Some(inside) = inside {
                if matches!(
                    inside.letter.purpose,
                    Purpose::ShareKey | Purpose::ActionMove
                ) {
                    settled.keys.push(id);
                }
                self.enter(next.place, revision, &inside, state);
            } else if let Some(item) = self.items.get_mut(next.place.index()) {
                item.state = State::Closed;
            }
        }
        self.facts.tidy(now);
        settled.waiting = self.pending.len();
        settled
    }

    /// Tries what couldn't be opened again: there are new keys.
    pub fn keys_changed(&mut self, bag: &Bag) {
        let closed = |item: &super::Item| matches!(item.state, State::Closed);
        let places = (0..).zip(&self.items).filter(|(_, item)| closed(item));
        let places: Vec<Place> = places.map(|(at, _)| Place::at(at)).collect();
        for place in places {
            self.forget(place);
            if let Some(stored) = bag.get(place) {
                self.await_opening(&stored);
            }
        }
    }

    /// What the owner has said of people and groups.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes in what the owner says of people and groups now. What follows from it is seen after the next
    /// [`settle`](Self::settle).
    pub fn say(&mut self, about: About, key: &[u8], value: &[u8], now: Minutes) -> bool {
        let is_new = self.facts.say(about, key, value, now);
        if is_new {
            self.facts_changed();
        }
        is_new
    }

    /// Takes in facts from somewhere else: a backup.
    pub fn learn(&mut self, facts: &Facts) {
        if self.facts.merge(facts) {
            self.facts_changed();
        }
    }

    fn facts_changed(&mut self) {
        let about = [About::Follow, About::Block, About::Mute, About::Name];
        for about in about {
            self.changed.extend(self.facts.people(about));
        }
        self.changed.extend(self.told.keys());
    }

    /// Tells the bag who is who, as far as that has changed.
    fn tell_standings(&mut self, bag: &mut Bag) {
        while let Some(person) = self.changed.pop_first() {
            self.remember_follower(&person);
            let standing = self.standing(&person);
            let before = match standing {
                Standing::Stranger => self.told.remove(&person),
                _ => self.told.insert(person, standing),
            };
            if before.unwrap_or(Standing::Stranger) != standing {
                bag.set_standing(&person, standing, self);
                self.drop_unwanted(&person, bag);
            }
        }
    }

    /// Drops what the bag can't know to be of somebody of whom nothing is wanted any more: direct letters that are
    /// open.
    fn drop_unwanted(&mut self, person: &Fingerprint, bag: &mut Bag) {
        let Some(number) = self
            .people
            .find(person)
            .filter(|_| self.is_unwanted(person, false))
        else {
            return;
        };
        let of = (0..)
            .zip(&self.items)
            .filter(|(_, item)| item.author == number);
        let places: Vec<Place> = of.map(|(at, _)| Place::at(at)).collect();
        for place in places {
            if let Some(stored) = bag.get(place)
                && self.is_unwanted(person, stored.action)
            {
                let id = stored.id;
                bag.discard(&id, self);
            }
        }
    }

    /// Whether nothing of the kind is wanted of this person.
    fn is_unwanted(&self, author: &Fingerprint, is_action: bool) -> bool {
        match self.told.get(author) {
            Some(Standing::Blocked) => true,
            Some(Standing::Muted) => !is_action,
            _ => false,
        }
    }

    /// What is to be known of a letter, by what is in it.
    fn state_of(&self, stored: &Stored<'_>, inside: &Inside) -> State {
        // Only a direct letter is signed by another key than its author's.
        let is_own_key = stored.direct || stored.author == inside.author;
        if !is_own_key || stored.action != inside.letter.purpose.is_action() {
            return State::Other;
        }
        let is_on = !inside.letter.content.is_empty();
        let said = |what, target| {
            State::Said(Box::new(StateKey {
                person: u32::MAX,
                what,
                target,
                revision: stored.revision,
                id: stored.id,
                is_on,
                place: stored.place,
            }))
        };
        match (inside.letter.purpose, inside.letter.target) {
            (Purpose::ShareText | Purpose::ShareImage | Purpose::ShareData, _) => {
                State::Post(post_of(inside))
            }
            (Purpose::ActionLike, Some(Target::Letter(letter))) if is_on => {
                State::Like(Box::new(letter))
            }
            (Purpose::ActionFollow, Some(Target::Person(whom))) if whom != inside.author => {
                said(What::Follow, Some(whom))
            }
            (Purpose::ActionName, _) => said(What::Name, None),
            (Purpose::ActionProfile, _) => said(What::Profile, None),
            (Purpose::ActionImage, _) => said(What::Image, None),
            (Purpose::ActionMove, _) => said(What::Move, None),
            _ => State::Other,
        }
    }

    /// Enters an opened letter into the indexes.
    fn enter(&mut self, place: Place, revision: u32, inside: &Arc<Inside>, mut state: State) {
        self.hear(inside, revision);
        let author = self.people.hold(&inside.author);
        let Some(item) = self.items.get_mut(place.index()) else {
            return;
        };
        let before = std::mem::replace(&mut item.author, author);
        let key = item.key(place);
        match &mut state {
            State::Post(post) => {
                self.timeline.insert(key);
                if let Some(parent) = &post.parent {
                    self.replies.insert((**parent, key));
                }
                self.tags.extend(post.tags().iter().map(|tag| (*tag, key)));
                self.opened.insert(place, inside);
            }
            State::Like(letter) => {
                self.likes.insert((**letter, author, place));
            }
            State::Said(said) => {
                said.person = author;
                self.states.insert(**said);
                self.changed.insert(inside.author);
            }
            _ => {}
        }
        item.state = state;
        self.people.release(before);
    }

    /// What the owner says to himself: his facts, and follows and blocks that are letters of their own.
    fn hear(&mut self, inside: &Inside, revision: u32) {
        if inside.author != self.me {
            return;
        }
        let heard = match (inside.letter.purpose, inside.letter.target) {
            (Purpose::ActionFollow, None) if *inside.letter.media_type == FACTS_TYPE => {
                Facts::decode(&inside.letter.content).is_ok_and(|facts| self.facts.merge(&facts))
            }
            (Purpose::ActionFollow, Some(Target::Person(whom))) => {
                self.hear_of(About::Follow, &whom, inside, revision)
            }
            (Purpose::ActionBlock, Some(Target::Person(whom))) => {
                self.hear_of(About::Block, &whom, inside, revision)
            }
            _ => false,
        };
        if heard {
            self.facts_changed();
        }
    }

    /// A letter of the owner about one person. Its content may be secret, so that only whether there is one counts.
    fn hear_of(
        &mut self,
        about: About,
        whom: &Fingerprint,
        inside: &Inside,
        revision: u32,
    ) -> bool {
        let is_on = !inside.letter.content.is_empty();
        if *whom == self.me || self.facts.is(about, whom) == is_on {
            return false;
        }
        let value: &[u8] = if is_on { b"1" } else { b"" };
        self.facts.say_at(about, &whom.0, value, revision)
    }
}

fn post_of(inside: &Inside) -> PostItem {
    let tags = inside.text().map(fold::tags).unwrap_or_default();
    let guest = inside.circle.filter(|owner| *owner != inside.author);
    let numbers = tags.iter().map(|tag| tag_number(tag)).collect();
    PostItem::new(
        inside.letter.replies_to.map(Box::new),
        guest.map(Box::new),
        numbers,
    )
}
