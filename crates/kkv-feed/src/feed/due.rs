//! What the owner has to say anew, so that nobody is lost by time alone: letters that make up his state, at half their
//! life.

use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};

use super::Feed;
use super::facts::{About, FACTS_TYPE, Facts};
use super::inside::Opener;
use super::item::What;
use crate::bag::Bag;

/// Something that has to be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The letter to oneself with all facts: it is half over, gone, or says less than is known.
    Facts,
    /// A name, a profile or a picture that is half over: the next revision of this chain, with the same content.
    Letter {
        /// What it is.
        id: EnvelopeId,
        /// Its chain.
        chain: ChainTag,
    },
    /// A tombstone of this chain: another machine of the owner has written a version later, which lives longer.
    Tombstone(ChainTag),
    /// To tell somebody that he is followed: it was never done, or the letter by which it was is half over.
    Follow(Fingerprint),
}

impl Feed {
    /// What has to be written anew at `now`. `told_for` is how long a letter lives that tells somebody he is followed;
    /// when it was sent is noted by [`told`](Self::told). What was written before `erasing`, if all such is about to be
    /// erased, is due as well.
    #[must_use]
    pub fn due(
        &self,
        bag: &Bag,
        opener: &impl Opener,
        now: Minutes,
        told_for: Minutes,
        erasing: Option<Minutes>,
    ) -> Vec<Due> {
        let is_half_over = |created: Minutes, ends: Minutes| {
            let half = (ends.0.saturating_sub(created.0)) / 2;
            now.0 >= created.0.saturating_add(half)
                || erasing.is_some_and(|before| created < before)
        };
        let mut due = Vec::new();
        if !self.facts.is_empty() {
            let newest = self.newest_facts(bag, opener);
            let is_good = newest.is_some_and(|(created, ends, said)| {
                !is_half_over(created, ends) && said.covers(&self.facts)
            });
            if !is_good {
                due.push(Due::Facts);
            }
        }
        for what in [What::Name, What::Profile, What::Image] {
            if let Some(said) = self.last_said(&self.me, what, None)
                && said.is_on
                && let Some(stored) = bag.get(said.place)
                && is_half_over(stored.created, stored.expires)
            {
                due.push(Due::Letter {
                    id: stored.id,
                    chain: stored.chain,
                });
            }
        }
        due.extend(bag.outlived(&self.me).map(Due::Tombstone));
        for whom in self.followed() {
            let told = self.facts.get(About::Told, &whom.0);
            let told = told
                .and_then(|at| at.try_into().ok())
                .map(u32::from_le_bytes);
            let is_told = told.is_some_and(|at| {
                !is_half_over(Minutes(at), Minutes(at.saturating_add(told_for.0)))
            });
            if !is_told {
                due.push(Due::Follow(whom));
            }
        }
        due
    }

    /// Notes that somebody was told that he is followed.
    pub fn told(&mut self, whom: &Fingerprint, now: Minutes) {
        self.facts
            .say(About::Told, &whom.0, &now.0.to_le_bytes(), now);
    }

    /// The newest letter with facts: when it was written, when it ends, what it says.
    fn newest_facts(&self, bag: &Bag, opener: &impl Opener) -> Option<(Minutes, Minutes, Facts)> {
        let own = bag
            .newest()
            .filter(|stored| stored.author == self.me && stored.action);
        let mut newest = None;
        for stored in own {
            let version = (stored.revision, stored.id);
            if newest.as_ref().is_some_and(|(before, _)| *before > version) {
                continue;
            }
            if let Some(inside) = opener.open(stored.bytes)
                && *inside.letter.media_type == FACTS_TYPE
                && let Ok(facts) = Facts::decode(&inside.letter.content)
            {
                newest = Some((version, (stored.created, stored.expires, facts)));
            }
        }
        newest.map(|(_, found)| found)
    }
}
