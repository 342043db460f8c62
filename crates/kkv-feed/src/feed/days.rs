//! Ninety days of several people, one of them with two machines, and a hub: they post, edit, delete, erase, follow and
//! unfollow, programs are started anew with nothing in memory, and somebody offers all that was ever written again and
//! again. Nothing deleted returns, and nobody is lost by time.

use std::collections::{BTreeMap, BTreeSet};

use kkv_letters::Purpose;
use kkv_letters::{EnvelopeId, Minutes};
use proptest::prelude::*;

use super::checks::{DAY, Draft, Home, ME, NOON, chain, who};
use super::facts::About;
use super::{Due, Filter};

const DAYS: u32 = 90;

/// Chains for state; posts count up from 0.
const FACTS: u8 = 250;
const FOLLOW: u8 = 251;
const NAME: u8 = 252;

/// Half the life of what is issued anew.
const HALF: u32 = 15 * DAY;

/// What has been written, and what ought to hold.
struct World {
    /// The owner's two machines.
    homes: [Home; 2],
    hub: Home,
    written: BTreeMap<EnvelopeId, Draft>,
    now: u32,
    /// How many posts each has written.
    posts: [u8; 4],
    revisions: u32,
    /// When each was deleted first.
    deleted: BTreeMap<(u8, u8), u32>,
    erased: BTreeMap<u8, u32>,
    followed: BTreeSet<u8>,
    /// Since when each of the others follows the owner or has ceased to, and when that was last said.
    follows: BTreeMap<u8, (bool, u32)>,
    random: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            homes: [Home::new(), Home::new()],
            hub: Home::new(),
            written: BTreeMap::new(),
            now: NOON.0,
            posts: [0; 4],
            revisions: 0,
            deleted: BTreeMap::new(),
            erased: BTreeMap::new(),
            followed: BTreeSet::new(),
            follows: BTreeMap::new(),
            random: seed | 1,
        }
    }

    /// Xorshift.
    fn below(&mut self, most: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        u32::try_from(self.random >> 40).unwrap() % most
    }

    fn pass(&mut self, minutes: u32) {
        self.now += minutes;
        for home in self.homes.iter_mut().chain([&mut self.hub]) {
            home.pass(minutes);
            home.settle();
        }
    }

    fn one_of_posts(&mut self, author: u8) -> Option<u8> {
        let posts = self.posts[usize::from(author)];
        let which = self.below(u32::from(posts.max(1)));
        (posts > 0).then(|| u8::try_from(which).unwrap())
    }

    /// Sends a letter to the hub, and to the machine that has written it.
    fn send(&mut self, draft: &Draft, from: usize) {
        self.written.insert(draft.outside().id, draft.clone());
        for home in [&mut self.hub, &mut self.homes[from]] {
            let _ = home.take(draft);
        }
    }

    fn draft(&mut self, author: u8, tag: u8) -> Draft {
        self.revisions = (self.revisions + 1) % 64;
        let text = format!("{author}/{tag}");
        let lifetime = 7 * DAY + self.below(23 * DAY);
        Draft {
            lifetime,
            ..Draft::post(author, tag, &text)
                .at(self.now)
                .ahead(self.revisions)
        }
    }

    fn act(&mut self, author: u8) {
        let from = usize::from(self.below(2) == 1);
        match self.below(12) {
            0..=4 if self.posts[usize::from(author)] < 200 => {
                let tag = self.posts[usize::from(author)];
                self.posts[usize::from(author)] += 1;
                let post = self.draft(author, tag);
                self.send(&post, from);
            }
            5 | 6 => {
                // Another machine may edit what it doesn't know to be deleted.
                let tag = self.one_of_posts(author);
                let deleted = tag.and_then(|tag| self.deleted.get(&(author, tag)).copied());
                let is_known = deleted.is_some_and(|at| author != ME || self.now > at + 20 * DAY);
                if let Some(tag) = tag.filter(|_| !is_known) {
                    let edit = self.draft(author, tag);
                    self.send(&edit, from);
                }
            }
            7 | 8 => {
                if let Some(tag) = self.one_of_posts(author) {
                    let ends = self.draft(author, tag).tombstone(self.now);
                    self.send(&ends, from);
                    let now = self.now;
                    self.deleted.entry((author, tag)).or_insert(now);
                }
            }
            9 if self.below(8) == 0 => {
                let before = self.now - self.below(10 * DAY);
                if author == ME {
                    self.exchange();
                    self.issue_anew(Some(Minutes(before)));
                }
                let erase = Draft {
                    erase_before: Some(before),
                    lifetime: 30 * DAY,
                    ..Draft::action(author, 240, Purpose::ActionErase, None, b"1").at(self.now)
                };
                self.send(&erase, from);
                let erased = self.erased.entry(author).or_default();
                *erased = before.max(*erased);
                // The others issue their state anew next.
                self.follows.entry(author).and_modify(|(_, said)| *said = 0);
            }
            10 if author == ME => {
                let whom = u8::try_from(1 + self.below(3)).unwrap();
                let is_on = self.below(3) > 0;
                let value: &[u8] = if is_on { b"1" } else { b"" };
                self.homes[from]
                    .feed
                    .say(About::Follow, &who(whom).0, value, Minutes(self.now));
                if is_on {
                    self.followed.insert(whom);
                } else {
                    self.followed.remove(&whom);
                }
                self.issue_anew(None);
            }
            11 if author != ME => {
                let follows = self.below(3) > 0;
                self.follows.insert(author, (follows, 0));
            }
            _ => {}
        }
    }

    /// Says anew what is due: the owner what his feed says, the others at half the life.
    fn issue_anew(&mut self, erasing: Option<Minutes>) {
        for from in 0..2 {
            let home = &self.homes[from];
            let due = home.feed.due(
                &home.bag,
                &home.keys,
                Minutes(self.now),
                Minutes(2 * HALF),
                erasing,
            );
            for due in due {
                match due {
                    Due::Follow(whom) => self.homes[from].feed.told(&whom, Minutes(self.now)),
                    Due::Facts => {
                        let facts = self.homes[from].feed.facts().encode();
                        let letter = Draft {
                            purpose: Purpose::ActionFollow,
                            media_type: super::facts::FACTS_TYPE.into(),
                            content: facts.to_vec(),
                            ..self.draft(ME, FACTS)
                        };
                        self.send(&letter, from);
                    }
                    Due::Tombstone(tag) => {
                        let ends = self.draft(ME, tag.0[0]).tombstone(self.now);
                        self.send(&ends, from);
                    }
                    Due::Letter { .. } => {
                        let name = Draft {
                            purpose: Purpose::ActionName,
                            content: b"Me".into(),
                            ..self.draft(ME, NAME)
                        };
                        self.send(&name, from);
                    }
                }
            }
            self.homes[from].settle();
            self.exchange();
        }
        for other in 1..4 {
            let (follows, said) = self.follows.get(&other).copied().unwrap_or_default();
            if follows && self.now >= said + HALF || said == 0 {
                let target = Some(kkv_letters::Target::Person(who(ME)));
                let content = if follows { &b"1"[..] } else { b"" };
                let letter = Draft {
                    lifetime: 2 * HALF,
                    ..Draft::action(other, FOLLOW, Purpose::ActionFollow, target, content)
                };
                self.revisions = (self.revisions + 1) % 64;
                let letter = letter.at(self.now).ahead(self.revisions);
                self.send(&letter, 0);
                self.follows.insert(other, (follows, self.now));
            }
        }
    }

    /// Everybody gives the hub what it lacks, and takes what he lacks.
    fn exchange(&mut self) {
        for _ in 0..2 {
            for home in &mut self.homes {
                for (one, other) in [(true, false), (false, true)] {
                    let (from, to): (&Home, &mut Home) = match (one, other) {
                        (true, _) => (home, &mut self.hub),
                        _ => (&self.hub, home),
                    };
                    let lacking: Vec<_> = from
                        .bag
                        .ids()
                        .filter(|id| to.bag.lacks(id).is_ok())
                        .collect();
                    for id in lacking {
                        let _ = to.take(&self.written[&id]);
                    }
                }
                home.settle();
            }
        }
    }

    /// Somebody offers all that was ever written.
    fn replay(&mut self) {
        for home in self.homes.iter_mut().chain([&mut self.hub]) {
            for draft in self.written.values() {
                let _ = home.take(draft);
            }
            home.settle();
        }
    }

    fn check(&mut self) {
        let friends: BTreeSet<_> = (1..4_u8)
            .filter(|other| {
                self.followed.contains(other) && self.follows.get(other).is_some_and(|(on, _)| *on)
            })
            .map(who)
            .collect();
        let followed: BTreeSet<_> = self.followed.iter().map(|whom| who(*whom)).collect();
        for home in &mut self.homes {
            home.bag.check();
            for (author, tag) in self.deleted.keys() {
                let post = home
                    .feed
                    .reader(&home.bag, &home.keys)
                    .post(&chain(*author, *tag));
                assert!(post.is_none(), "{author}/{tag} has come back");
            }
            for post in home.page(&Filter::default()).posts {
                let erased = self.erased.get(&post.author.0[0]).copied().unwrap_or(0);
                let limit = u64::from(erased) * 64;
                assert!(
                    u64::from(post.revision) >= limit,
                    "{:?} was erased",
                    post.inside.text()
                );
            }
            assert_eq!(home.feed.followed().collect::<BTreeSet<_>>(), followed);
            assert_eq!(home.feed.friends().collect::<BTreeSet<_>>(), friends);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn in_ninety_days_nothing_deleted_returns_and_nobody_is_lost(seed in any::<u64>()) {
        let mut world = World::new(seed);
        let name = Draft::action(ME, NAME, Purpose::ActionName, None, b"Me");
        world.send(&name, 0);
        for day in 0..DAYS {
            for author in 0..4 {
                for _ in 0..world.below(5) {
                    world.pass(1);
                    world.act(author);
                }
            }
            world.pass(NOON.0 + (day + 1) * DAY - world.now);
            world.exchange();
            world.issue_anew(None);
            world.exchange();
            if day % 9 == 8 {
                world.replay();
            }
            world.check();
            match world.below(10) {
                0 => world.homes[0].restart(),
                1 => world.homes.iter_mut().for_each(Home::restart),
                2 => world.hub.restart(),
                _ => {}
            }
            world.exchange();
            world.check();
        }
        let me = world.homes[1].feed.person(&who(ME));
        prop_assert!(me.name.is_some(), "a name is issued anew, too");
    }
}
