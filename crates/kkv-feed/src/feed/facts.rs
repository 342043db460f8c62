//! What the owner has said of people and groups: whom he follows, blocks, mutes, what he calls them, who is in which
//! group. One letter to himself says all of it, so that nobody else can count it.
//!
//! Each fact has a stamp, a number as revisions are, and of two that say something of the same thing the later one
//! counts, or of equal ones the greater. So two machines that have each written down something converge, in whatever
//! order their letters come, and nothing is lost by a letter that expires: what was once read stays. An undone fact
//! is kept for as long as a letter that says the opposite can live.
//!
//! The content of such a letter is, for each fact in the order of its subjects: kind u8, stamp u32, length of the key
//! u16, key, length of the value u16, value; numbers are little-endian. An empty value undoes.

use std::collections::BTreeMap;
use std::fmt;

use kkv_letters::limits::REVISIONS_A_MINUTE;
use kkv_letters::{Fingerprint, Minutes};
use zeroize::{Zeroize, Zeroizing};

/// The media type of a letter to oneself with [`Facts`] in it.
pub const FACTS_TYPE: &str = "application/x-kkv-facts";

/// A fact that was undone is forgotten after 62 days: nothing older can be in any bag by then.
const UNDONE_KEPT: Minutes = Minutes(62 * 24 * 60);

/// At most so many facts are said; more are refused, so that they fit into one letter.
pub const MAX_FACTS: usize = 4096;

/// At most so many are read: two machines of one person may each have said as many as they could.
const MAX_READ: usize = 2 * MAX_FACTS;

/// The most bytes of a fact's key and of its value.
const MAX_FIELD_BYTES: usize = 1024;

/// What kind of thing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The owner follows him. The value is the first commitment to a successor that was seen of him.
    Follow,
    /// Nothing of him is wanted.
    Block,
    /// Nothing that he writes is wanted, and he isn't to know.
    Mute,
    /// What the owner calls him.
    Name,
    /// When he was last told that he is followed: minutes since 2020.
    Told,
    /// A group; the key is its name, the value what it is for.
    Group,
    /// Somebody in a group: the key is his fingerprint and the group's name.
    Member,
    /// What somebody whom the owner follows has said last of following the owner; the stamp is his letter's revision.
    FollowsMe,
}

const ALL: [About; 8] = [
    About::Follow,
    About::Block,
    About::Mute,
    About::Name,
    About::Told,
    About::Group,
    About::Member,
    About::FollowsMe,
];

/// What is said, of whom or what.
type Subject = (About, Vec<u8>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    stamp: u32,
    value: Vec<u8>,
}

/// All facts. `Debug` prints how many.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    facts: BTreeMap<Subject, Fact>,
}

/// The content of a letter isn't a list of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of facts")]
pub struct BadFacts;

impl Facts {
    /// Says something, or undoes it by an empty value, at `now`. Returns whether that is new.
    pub fn say(&mut self, about: About, key: &[u8], value: &[u8], now: Minutes) -> bool {
        let subject = (about, key.to_vec());
        let before = self.facts.get(&subject);
        let said = before.map(|fact| fact.value.as_slice()).unwrap_or_default();
        if said == value || key.len().max(value.len()) > MAX_FIELD_BYTES {
            return false;
        }
        if before.is_none() && self.facts.len() >= MAX_FACTS {
            return false;
        }
        let after = before.map_or(0, |fact| fact.stamp.saturating_add(1));
        let fact = Fact {
            stamp: now.0.saturating_mul(REVISIONS_A_MINUTE).max(after),
            value: value.to_vec(),
        };
        self.facts.insert(subject, fact);
        true
    }

    /// Says something with this stamp, if nothing later is said. Returns whether that is new.
    pub fn say_at(&mut self, about: About, key: &[u8], value: &[u8], stamp: u32) -> bool {
        let mut said = Self::default();
        let value = value.to_vec();
        said.facts
            .insert((about, key.to_vec()), Fact { stamp, value });
        self.merge(&said)
    }

    /// The stamp of what was said of this last, undone or not.
    #[must_use]
    pub fn stamp(&self, about: About, key: &[u8]) -> Option<u32> {
        let fact = self.facts.get(&(about, key.to_vec()));
        fact.map(|fact| fact.stamp)
    }

    /// What is said of this, unless it was undone.
    #[must_use]
    pub fn get(&self, about: About, key: &[u8]) -> Option<&[u8]> {
        let fact = self.facts.get(&(about, key.to_vec()))?;
        (!fact.value.is_empty()).then_some(fact.value.as_slice())
    }

    /// Of whom or what something of this kind is said, with what.
    pub fn of(&self, about: About) -> impl Iterator<Item = (&[u8], &[u8])> {
        let from = self.facts.range((about, Vec::new())..);
        let of = from.take_while(move |((kind, _), _)| *kind == about);
        of.filter(|(_, fact)| !fact.value.is_empty())
            .map(|((_, key), fact)| (key.as_slice(), fact.value.as_slice()))
    }

    /// The people of whom something of this kind is said.
    pub fn people(&self, about: About) -> impl Iterator<Item = Fingerprint> {
        let keys = self.of(about).map(|(key, _)| key);
        keys.filter_map(|key| Some(Fingerprint(key.try_into().ok()?)))
    }

    /// Whether something of this kind is said of somebody.
    #[must_use]
    pub fn is(&self, about: About, whom: &Fingerprint) -> bool {
        self.get(about, &whom.0).is_some()
    }

    /// Who is in a group.
    pub fn members(&self, group: &str) -> impl Iterator<Item = Fingerprint> {
        self.of(About::Member).filter_map(move |(key, _)| {
            let (whom, name) = key.split_at_checked(20)?;
            let is_its = name == group.as_bytes();
            is_its.then(|| whom.try_into().ok().map(Fingerprint))?
        })
    }

    /// The key of [`About::Member`].
    #[must_use]
    pub fn member(whom: &Fingerprint, group: &str) -> Vec<u8> {
        [&whom.0[..], group.as_bytes()].concat()
    }

    /// Takes in what `other` says and this doesn't, or says later. Returns whether anything has changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut has_changed = false;
        for (subject, fact) in &other.facts {
            match self.facts.get_mut(subject) {
                Some(ours) if *ours >= *fact => {}
                Some(ours) => {
                    *ours = fact.clone();
                    has_changed = true;
                }
                None => {
                    self.facts.insert(subject.clone(), fact.clone());
                    has_changed = true;
                }
            }
        }
        has_changed
    }

    /// Whether this says all that `other` says, at least as lately.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let covers = |(subject, fact)| self.facts.get(subject).is_some_and(|ours| ours >= fact);
        other.facts.iter().all(covers)
    }

    /// Forgets what was undone so long ago that nothing can be left which says the opposite.
    pub fn tidy(&mut self, now: Minutes) {
        let oldest = now
            .0
            .saturating_sub(UNDONE_KEPT.0)
            .saturating_mul(REVISIONS_A_MINUTE);
        self.facts
            .retain(|_, fact| !fact.value.is_empty() || fact.stamp >= oldest);
    }

    /// Whether nothing was ever said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The content of a letter that says all of it.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let field = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or(0).to_le_bytes();
        let length = |((_, key), fact): (&Subject, &Fact)| 9 + key.len() + fact.value.len();
        let mut content = Zeroizing::new(Vec::with_capacity(self.facts.iter().map(length).sum()));
        for ((about, key), fact) in &self.facts {
            content.push(*about as u8);
            content.extend_from_slice(&fact.stamp.to_le_bytes());
            content.extend_from_slice(&field(key));
            content.extend_from_slice(key);
            content.extend_from_slice(&field(&fact.value));
            content.extend_from_slice(&fact.value);
        }
        content
    }

    /// The facts in the content of a letter. Kinds that aren't known are left out; two facts of one subject are one.
    ///
    /// # Errors
    /// It isn't a list of facts, or one of too many.
    pub fn decode(mut content: &[u8]) -> Result<Self, BadFacts> {
        let mut decoded = Self::default();
        while let Some((kind, rest)) = content.split_first() {
            let (stamp, rest) = rest.split_first_chunk().ok_or(BadFacts)?;
            let (key, rest) = field(rest)?;
            let (value, rest) = field(rest)?;
            content = rest;
            let Some(about) = ALL.iter().find(|about| **about as u8 == *kind) else {
                continue;
            };
            let fact = Fact {
                stamp: u32::from_le_bytes(*stamp),
                value: value.to_vec(),
            };
            let said = decoded.facts.entry((*about, key.to_vec()));
            let said = said.or_insert_with(|| fact.clone());
            if *said < fact {
                *said = fact;
            }
            if decoded.facts.len() > MAX_READ {
                return Err(BadFacts);
            }
        }
        Ok(decoded)
    }
}

/// A field with its length before it.
fn field(bytes: &[u8]) -> Result<(&[u8], &[u8]), BadFacts> {
    let (length, rest) = bytes.split_first_chunk().ok_or(BadFacts)?;
    let length = usize::from(u16::from_le_bytes(*length));
    if length > MAX_FIELD_BYTES {
        return Err(BadFacts);
    }
    rest.split_at_checked(length).ok_or(BadFacts)
}

impl Drop for Facts {
    fn drop(&mut self) {
        // Keys of a map can't be changed in place: taken out, each is overwritten.
        for ((_, mut key), mut fact) in std::mem::take(&mut self.facts) {
            key.zeroize();
            fact.value.zeroize();
        }
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({})", self.facts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const ANN: Fingerprint = Fingerprint([1; 20]);
    const BOB: Fingerprint = Fingerprint([2; 20]);

    fn said(says: &[(About, u8, u8, u32)]) -> Facts {
        let mut facts = Facts::default();
        for (about, key, value, now) in says {
            let value = vec![*value; usize::from(*value)];
            facts.say(*about, &[*key; 20], &value, Minutes(*now));
        }
        facts
    }

    fn says() -> impl Strategy<Value = Facts> {
        let about = prop::sample::select(ALL.to_vec());
        vec((about, 0..4_u8, 0..3_u8, 0..100_u32), 0..20).prop_map(|says| said(&says))
    }

    #[test]
    fn the_later_counts_also_within_a_minute_and_what_is_undone_is_gone() {
        let mut facts = Facts::default();
        assert!(facts.say(About::Follow, &ANN.0, b"1", Minutes(5)));
        assert!(
            !facts.say(About::Follow, &ANN.0, b"1", Minutes(6)),
            "nothing new"
        );
        assert!(facts.say(About::Follow, &BOB.0, b"2", Minutes(5)));
        assert!(facts.say(About::Follow, &ANN.0, b"", Minutes(5)));
        assert_eq!(facts.people(About::Follow).collect::<Vec<_>>(), [BOB]);
        assert!(
            facts.say(About::Follow, &ANN.0, b"3", Minutes(4)),
            "the clock went back"
        );
        assert!(facts.is(About::Follow, &ANN) && !facts.is(About::Block, &ANN));
        assert!(!facts.say(About::Name, &ANN.0, &[0; MAX_FIELD_BYTES + 1], Minutes(4)));
    }

    #[test]
    fn groups_have_members() {
        let mut facts = Facts::default();
        facts.say(About::Group, b"lake", b"who swims", Minutes(1));
        facts.say(
            About::Member,
            &Facts::member(&ANN, "lake"),
            b"1",
            Minutes(1),
        );
        facts.say(
            About::Member,
            &Facts::member(&BOB, "lakes"),
            b"1",
            Minutes(1),
        );
        assert_eq!(facts.members("lake").collect::<Vec<_>>(), [ANN]);
    }

    #[test]
    fn what_was_undone_is_forgotten_once_nothing_can_say_the_opposite() {
        let mut facts = said(&[
            (About::Follow, 1, 1, 0),
            (About::Follow, 1, 0, 1),
            (About::Mute, 2, 1, 0),
        ]);
        facts.tidy(Minutes(UNDONE_KEPT.0));
        assert_eq!(facts.facts.len(), 2);
        facts.tidy(Minutes(UNDONE_KEPT.0 + 2));
        assert_eq!(facts.facts.len(), 1, "what holds is kept");
    }

    #[test]
    fn too_many_are_refused() {
        let mut facts = Facts::default();
        for n in 0..MAX_FACTS {
            assert!(facts.say(About::Name, &n.to_le_bytes(), b"x", Minutes(1)));
        }
        assert!(!facts.say(About::Block, &ANN.0, b"x", Minutes(1)));
        assert_eq!(Facts::decode(&facts.encode()), Ok(facts.clone()));
        assert!(facts.encode().len() < 200_000, "it fits into an envelope");
    }

    proptest! {
        #[test]
        fn merging_knows_no_order_and_no_repetition(a in says(), b in says(), c in says()) {
            let merged = |order: &[&Facts]| {
                let mut all = Facts::default();
                for facts in order {
                    all.merge(facts);
                }
                all
            };
            let all = merged(&[&a, &b, &c]);
            prop_assert_eq!(&all, &merged(&[&c, &a, &b, &a]));
            prop_assert!(all.covers(&a) && all.covers(&b) && all.covers(&c));
            prop_assert_eq!(a.covers(&all), a == all);
            prop_assert_eq!(Facts::decode(&all.encode()), Ok(all));
        }

        #[test]
        fn any_bytes_are_facts_or_an_error(content in vec(any::<u8>(), 0..200)) {
            if let Ok(facts) = Facts::decode(&content) {
                prop_assert_eq!(Facts::decode(&facts.encode()), Ok(facts));
            }
        }
    }
}
