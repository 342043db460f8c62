//! What the feed's tests stand on: letters that say what they say, and somebody who can open them.

use std::collections::BTreeMap;

use kkv_letters::{ChainRef, Letter, Purpose, Target};
use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};
use zeroize::Zeroizing;

use super::facts::FACTS_TYPE;
use super::{Feed, Filter, Inside, Opener, Page, Settled, Work};
use crate::bag::{Bag, Outside, Refusal};

pub(super) const DAY: u32 = 24 * 60;
pub(super) const NOON: Minutes = Minutes(3_000_000);

/// The owner of the feed in these tests.
pub(super) const ME: u8 = 0;

pub(super) fn who(person: u8) -> Fingerprint {
    Fingerprint([person; 20])
}

pub(super) fn chain(person: u8, chain: u8) -> ChainRef {
    ChainRef {
        author: who(person),
        chain: ChainTag([chain; 16]),
    }
}

/// A letter, before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) author: u8,
    /// Signs it in place of its author, if it is direct.
    pub(super) signer: u8,
    pub(super) chain: u8,
    pub(super) ahead: u32,
    pub(super) created: u32,
    pub(super) lifetime: u32,
    pub(super) direct: bool,
    pub(super) tombstone: bool,
    pub(super) erase_before: Option<u32>,
    pub(super) purpose: Purpose,
    pub(super) circle: Option<u8>,
    pub(super) media_type: String,
    pub(super) name: String,
    pub(super) replies_to: Option<ChainRef>,
    pub(super) target: Option<Target>,
    pub(super) content: Vec<u8>,
    pub(super) can_be_opened: bool,
}

impl Draft {
    /// A text that everybody can read.
    pub(super) fn post(author: u8, chain: u8, text: &str) -> Self {
        Self {
            author,
            signer: author,
            chain,
            ahead: 0,
            created: NOON.0,
            lifetime: 30 * DAY,
            direct: false,
            tombstone: false,
            erase_before: None,
            purpose: Purpose::ShareText,
            circle: None,
            media_type: "text/plain".into(),
            name: String::new(),
            replies_to: None,
            target: None,
            content: text.into(),
            can_be_opened: true,
        }
    }

    pub(super) fn reply(author: u8, tag: u8, to: ChainRef, text: &str) -> Self {
        Self {
            replies_to: Some(to),
            ..Self::post(author, tag, text)
        }
    }

    pub(super) fn action(
        author: u8,
        chain: u8,
        purpose: Purpose,
        target: Option<Target>,
        content: &[u8],
    ) -> Self {
        Self {
            purpose,
            target,
            content: content.to_vec(),
            ..Self::post(author, chain, "")
        }
    }

    pub(super) fn like(author: u8, chain: u8, letter: ChainRef) -> Self {
        Self::action(
            author,
            chain,
            Purpose::ActionLike,
            Some(Target::Letter(letter)),
            b"1",
        )
    }

    /// Tells the owner that `author` follows him.
    pub(super) fn follow(author: u8, chain: u8) -> Self {
        let target = Some(Target::Person(who(ME)));
        Self::action(author, chain, Purpose::ActionFollow, target, b"1")
    }

    pub(super) fn tombstone(self, created: u32) -> Self {
        Self {
            tombstone: true,
            created,
            lifetime: 30 * DAY,
            content: Vec::new(),
            ..self
        }
    }

    pub(super) fn at(self, created: u32) -> Self {
        Self { created, ..self }
    }

    pub(super) fn ahead(self, ahead: u32) -> Self {
        Self { ahead, ..self }
    }

    fn is_action(&self) -> bool {
        self.erase_before.is_some() || self.purpose.is_action()
    }

    pub(super) fn outside(&self) -> Outside {
        let letters = [self.replies_to, self.target.and_then(letter)]
            .map(|letter| letter.map(|letter| short(&letter)));
        let people = self.target.and_then(person).map(|whom| whom.0);
        let described = format!("{self:?} {letters:?} {people:?}");
        Outside {
            id: EnvelopeId(*blake3::hash(described.as_bytes()).as_bytes()),
            author: who(self.signer),
            chain: ChainTag([self.chain; 16]),
            revision: 64 * self.created + self.ahead,
            created: Minutes(self.created),
            lifetime: Minutes(self.lifetime),
            action: self.is_action(),
            direct: self.direct,
            tombstone: self.tombstone,
            erase_before: self.erase_before.map(Minutes),
        }
    }

    fn inside(&self) -> Inside {
        let letter = Letter {
            media_type: Zeroizing::new(self.media_type.clone()),
            name: Zeroizing::new(self.name.clone()),
            replies_to: self.replies_to,
            target: self.target,
            ..Letter::new(self.purpose, self.content.clone())
        };
        Inside {
            author: who(self.author),
            circle: self.circle.map(who),
            letter,
        }
    }
}

fn letter(target: Target) -> Option<ChainRef> {
    match target {
        Target::Letter(letter) => Some(letter),
        Target::Person(_) => None,
    }
}

fn person(target: Target) -> Option<Fingerprint> {
    match target {
        Target::Letter(_) => None,
        Target::Person(whom) => Some(whom),
    }
}

fn short(letter: &ChainRef) -> String {
    format!("{}/{}", letter.author.0[0], letter.chain.0[0])
}

/// Opens what was written: an envelope is the id of its draft, and padding.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<[u8; 32], Draft>);

impl Opener for Keys {
    fn open(&self, envelope: &[u8]) -> Option<Inside> {
        let draft = self.0.get(envelope.get(..32)?)?;
        draft.can_be_opened.then(|| draft.inside())
    }
}

impl Keys {
    /// Gives the key to a letter.
    pub(super) fn give(&mut self, id: &EnvelopeId) {
        self.0.get_mut(&id.0).unwrap().can_be_opened = true;
    }
}

/// A bag, its feed, and what opens its letters.
pub(super) struct Home {
    pub(super) bag: Bag,
    pub(super) feed: Feed,
    pub(super) keys: Keys,
    pub(super) now: Minutes,
    pub(super) work: Work,
}

impl Home {
    pub(super) fn new() -> Self {
        Self {
            bag: Bag::new(16 << 20, [1; 32]),
            feed: Feed::new(who(ME)),
            keys: Keys::default(),
            now: NOON,
            work: Work::with(u32::MAX, 0, NOON),
        }
    }

    /// A program that was started anew: nothing is left but what `keys` opens.
    pub(super) fn restart(&mut self) {
        self.bag = Bag::new(16 << 20, [2; 32]);
        self.feed = Feed::new(who(ME));
    }

    pub(super) fn take(&mut self, draft: &Draft) -> Result<(), Refusal> {
        let outside = draft.outside();
        self.keys.0.insert(outside.id.0, draft.clone());
        let mut envelope = outside.id.0.to_vec();
        envelope.resize(300 + draft.content.len(), 0);
        self.bag
            .admit_made(&outside, &envelope, self.now, &mut self.feed)
    }

    pub(super) fn settle(&mut self) -> Settled {
        let Self {
            bag,
            feed,
            keys,
            now,
            work,
        } = self;
        feed.settle(bag, keys, work, *now)
    }

    /// Takes these, and opens what has come.
    pub(super) fn with(drafts: &[Draft]) -> Self {
        let mut home = Self::new();
        for draft in drafts {
            home.take(draft).unwrap();
        }
        home.settle();
        home
    }

    /// Writes all facts into a letter of this chain.
    pub(super) fn say_facts(&mut self, chain: u8, created: u32) {
        let facts = self.feed.facts().encode();
        let letter = Draft {
            media_type: FACTS_TYPE.into(),
            ..Draft::action(ME, chain, Purpose::ActionFollow, None, &facts).at(created)
        };
        self.take(&letter).unwrap();
        self.settle();
    }

    pub(super) fn pass(&mut self, minutes: u32) {
        self.now.0 += minutes;
        self.bag.expire(self.now, &mut self.feed);
    }

    pub(super) fn page(&mut self, filter: &Filter) -> Page {
        self.feed
            .reader(&self.bag, &self.keys)
            .page(filter, None, 1000)
    }

    /// The texts of all posts that fit, the newest first.
    pub(super) fn texts(&mut self, filter: &Filter) -> Vec<String> {
        let posts = self.page(filter).posts;
        posts
            .iter()
            .map(|post| post.inside.text().unwrap_or("?").to_owned())
            .collect()
    }

    pub(super) fn all(&mut self) -> Vec<String> {
        self.texts(&Filter::default())
    }

    /// A thread, each text behind as many dots as it is deep.
    pub(super) fn thread(&mut self, first: ChainRef) -> Vec<String> {
        let thread = self.feed.reader(&self.bag, &self.keys).thread(&first, 1000);
        let shown = thread.iter().map(|(depth, post)| {
            format!(
                "{}{}",
                ".".repeat(*depth),
                post.inside.text().unwrap_or("?")
            )
        });
        shown.collect()
    }

    /// All that is shown, and in what state, but for the order of it.
    pub(super) fn shown(&mut self) -> Vec<String> {
        let mut shown: Vec<String> = Vec::new();
        let roots = self.page(&Filter::default()).posts;
        for root in &roots {
            let thread = self
                .feed
                .reader(&self.bag, &self.keys)
                .thread(&root.chain, 1000);
            for (depth, post) in thread {
                let said = (post.inside.text(), post.replies, &post.likes, post.revision);
                shown.push(format!(
                    "{} in {} at {depth}: {said:?}",
                    short(&post.chain),
                    short(&root.chain)
                ));
            }
        }
        for person in 0..8 {
            let known = self.feed.person(&who(person));
            let ids = [known.name, known.profile, known.image].map(|id| id.map(|id| id.0[0]));
            let said = (known.standing, known.is_followed, known.follows_me, ids);
            shown.push(format!("{person}: {said:?}"));
        }
        let followers = self.feed.followers().into_iter().map(|who| who.0[0]);
        shown.push(format!("{:?}", followers.collect::<Vec<_>>()));
        shown.sort();
        shown
    }
}
