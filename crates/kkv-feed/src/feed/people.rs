//! Who is who: what follows from the owner's facts and from what people say.

use std::collections::BTreeMap;

use kkv_letters::{EnvelopeId, Fingerprint};

use super::facts::About;
use super::item::{State, StateKey, What};
use super::{Feed, Place, Standing};

/// People by number, for as long as a letter of theirs is known.
#[derive(Default)]
pub(super) struct People {
    numbers: BTreeMap<Fingerprint, u32>,
    people: Vec<(Fingerprint, u32)>,
    free: Vec<u32>,
}

impl People {
    /// The number of a person, held until it is [released](Self::release).
    pub(super) fn hold(&mut self, person: &Fingerprint) -> u32 {
        if let Some(number) = self.numbers.get(person) {
            if let Some((_, held)) = self.people.get_mut(*number as usize) {
                *held += 1;
            }
            return *number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.people.push((*person, 0));
            u32::try_from(self.people.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(entry) = self.people.get_mut(number as usize) {
            *entry = (*person, 1);
        }
        self.numbers.insert(*person, number);
        number
    }

    pub(super) fn release(&mut self, number: u32) {
        let Some((person, held)) = self.people.get_mut(number as usize) else {
            return;
        };
        *held = held.saturating_sub(1);
        if *held == 0 && self.numbers.remove(person).is_some() {
            self.free.push(number);
        }
    }

    pub(super) fn find(&self, person: &Fingerprint) -> Option<u32> {
        self.numbers.get(person).copied()
    }

    pub(super) fn get(&self, number: u32) -> Option<Fingerprint> {
        self.people.get(number as usize).map(|(person, _)| *person)
    }
}

/// A person, as the owner knows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// His fingerprint.
    pub fingerprint: Fingerprint,
    /// Who he is to the owner.
    pub standing: Standing,
    /// Whether the owner follows him.
    pub is_followed: bool,
    /// Whether he follows the owner, as far as is known here.
    pub follows_me: bool,
    /// The letter with the name that he gives himself.
    pub name: Option<EnvelopeId>,
    /// The letter with what he says of himself.
    pub profile: Option<EnvelopeId>,
    /// The letter with his picture.
    pub image: Option<EnvelopeId>,
    /// The letter by which he moves to another key.
    pub moved: Option<EnvelopeId>,
}

impl Feed {
    /// What is known of a person.
    #[must_use]
    pub fn person(&self, fingerprint: &Fingerprint) -> Person {
        let said = |what| {
            let last = self.last_said(fingerprint, what, None)?;
            last.is_on.then_some(last.id)
        };
        Person {
            fingerprint: *fingerprint,
            standing: self.standing(fingerprint),
            is_followed: self.facts.is(About::Follow, fingerprint),
            follows_me: self.follows_me(fingerprint),
            name: said(What::Name),
            profile: said(What::Profile),
            image: said(What::Image),
            moved: said(What::Move),
        }
    }

    /// Who somebody is to the owner.
    #[must_use]
    pub fn standing(&self, whom: &Fingerprint) -> Standing {
        let is = |about| self.facts.is(about, whom);
        if *whom == self.me {
            Standing::Own
        } else if is(About::Block) {
            Standing::Blocked
        } else if is(About::Mute) {
            Standing::Muted
        } else if self.is_friend(whom) {
            Standing::Friend
        } else if is(About::Follow) || is(About::Name) {
            Standing::Person
        } else {
            Standing::Stranger
        }
    }

    /// Whether the owner and somebody follow each other. A block ends that, mute doesn't.
    #[must_use]
    pub fn is_friend(&self, whom: &Fingerprint) -> bool {
        self.facts.is(About::Follow, whom) && self.follows_me(whom)
    }

    /// Whom the owner follows.
    pub fn followed(&self) -> impl Iterator<Item = Fingerprint> {
        self.facts.people(About::Follow)
    }

    /// Who follows the owner and is followed by him.
    pub fn friends(&self) -> impl Iterator<Item = Fingerprint> {
        self.followed().filter(|whom| self.is_friend(whom))
    }

    /// Who follows the owner, as far as is known here.
    #[must_use]
    pub fn followers(&self) -> Vec<Fingerprint> {
        let said = self
            .states
            .iter()
            .filter(|state| state.target == Some(self.me));
        let said = said.filter_map(|state| self.people.get(state.person));
        let mut followers: Vec<_> = said.chain(self.facts.people(About::FollowsMe)).collect();
        followers.sort_unstable();
        followers.dedup();
        followers.retain(|whom| self.follows_me(whom));
        followers
    }

    /// What a person has said last of this kind.
    pub(super) fn last_said(
        &self,
        person: &Fingerprint,
        what: What,
        target: Option<Fingerprint>,
    ) -> Option<StateKey> {
        let person = self.people.find(person)?;
        let end = |revision, id, place| StateKey {
            person,
            what,
            target,
            revision,
            id: EnvelopeId(id),
            is_on: revision > 0,
            place,
        };
        let first = end(0, [0; 32], Place::FIRST);
        let last = end(u32::MAX, [0xFF; 32], Place::LAST);
        self.states.range(first..=last).next_back().copied()
    }

    /// What somebody said last of following the owner counts. If that letter has expired, it counts all the same: that
    /// isn't unfollowing. Of who is blocked nothing counts.
    fn follows_me(&self, whom: &Fingerprint) -> bool {
        if self.facts.is(About::Block, whom) {
            return false;
        }
        match self.last_said(whom, What::Follow, Some(self.me)) {
            Some(said) => said.is_on,
            None => self.facts.is(About::FollowsMe, whom),
        }
    }

    /// Keeps in mind what somebody whom the owner follows says of following him.
    pub(super) fn remember_follower(&mut self, whom: &Fingerprint) {
        let said = self.last_said(whom, What::Follow, Some(self.me));
        if let Some(said) = said.filter(|_| self.facts.is(About::Follow, whom)) {
            self.remember_follows(whom, said.is_on, said.revision);
        }
    }

    /// Who deletes the letter by which he followed doesn't follow any more.
    pub(super) fn forget_follower(&mut self, place: Place) {
        if let Some(State::Said(said)) = self.item(place).map(|item| &item.state)
            && said.what == What::Follow
            && said.target == Some(self.me)
            && let Some(whom) = self.people.get(said.person)
        {
            let revision = said.revision;
            self.remember_follows(&whom, false, revision);
        }
    }

    /// That somebody still follows is said anew again and again: that isn't noted each time.
    fn remember_follows(&mut self, whom: &Fingerprint, is_on: bool, revision: u32) {
        if self.facts.is(About::FollowsMe, whom) != is_on {
            let after = self.facts.stamp(About::FollowsMe, &whom.0);
            let stamp = after.map_or(revision, |after| revision.max(after.saturating_add(1)));
            let value: &[u8] = if is_on { b"1" } else { b"" };
            self.facts.say_at(About::FollowsMe, &whom.0, value, stamp);
        }
    }
}
