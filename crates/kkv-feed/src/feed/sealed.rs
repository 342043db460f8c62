//! The feed over real envelopes: what is shown to whom follows from the keys that each has.

use kkv_letters::{
    Addressee, AuthorKey, ChainRef, ChainTag, CircleKey, Clear, Envelope, Fingerprint, Identity,
    Keyring, Letter, Membership, Minutes, Nobody, Outside, Pen, Purpose, Readers, Recipient,
    RegionKey, SealingSecret, Seed, Target,
};

use super::facts::About;
use super::{Feed, Filter, Work};
use crate::bag::{Bag, Offer};

const NOW: Minutes = Minutes(3_600_000);

/// A person with a relay.
struct Home {
    ring: Keyring,
    friends: CircleKey,
    nobody: Nobody,
    bag: Bag,
    feed: Feed,
    work: Work,
    written: u8,
}

impl Home {
    fn new(number: u8) -> Self {
        let rng = &mut rand::rng();
        let mut ring = Keyring::new(Identity::new(Seed::new(&[number; 16])));
        ring.add_pair(SealingSecret::generate(rng));
        let me = ring.identity().public().author.fingerprint();
        let friends = CircleKey::generate(rng);
        ring.add_circle(Membership {
            key: CircleKey::new(friends.bytes()),
            owner: Some(me),
        });
        Self {
            ring,
            friends,
            nobody: Nobody::generate(rng),
            bag: Bag::new(1 << 20, [number; 32]),
            feed: Feed::new(me),
            work: Work::new(NOW),
            written: 0,
        }
    }

    fn name(&self) -> Fingerprint {
        self.feed.me()
    }

    fn knows(&mut self, other: &Self) {
        self.ring.add_circle(Membership {
            key: CircleKey::new(other.friends.bytes()),
            owner: Some(other.name()),
        });
        self.feed.say(About::Follow, &other.name().0, b"1", NOW);
    }

    fn outside(&mut self) -> Outside {
        self.written += 1;
        Outside {
            created: NOW,
            lifetime: Minutes(10_000),
            chain: ChainTag([self.written; 16]),
            revision: Clear::next_revision(None, NOW).unwrap(),
        }
    }

    fn pen<'p>(&'p self, region: &'p RegionKey) -> Pen<'p> {
        Pen {
            identity: self.ring.identity(),
            region,
            nobody: &self.nobody,
        }
    }

    /// To the readers of a circle.
    fn write(&mut self, letter: &Letter, circle: &CircleKey) -> (Envelope, ChainRef) {
        let outside = self.outside();
        let readers = Readers {
            circles: vec![circle],
            ..Readers::default()
        };
        let region = RegionKey::open();
        let sealed = self
            .pen(&region)
            .seal(letter, &outside, &readers, &mut rand::rng());
        let chain = ChainRef {
            author: self.name(),
            chain: outside.chain,
        };
        (sealed.unwrap(), chain)
    }

    fn takes(&mut self, envelope: &Envelope) {
        let region = RegionKey::open();
        let offer = Offer {
            now: NOW,
            in_region: &|envelope| region.has(envelope),
            paid: 16,
            sender: None,
        };
        self.bag.admit(envelope, &offer, &mut self.feed).unwrap();
    }

    fn shown(&mut self) -> Vec<(Fingerprint, String)> {
        self.feed
            .settle(&mut self.bag, &self.ring, &mut self.work, NOW);
        let page = self
            .feed
            .reader(&self.bag, &self.ring)
            .page(&Filter::default(), None, 100);
        let text = |post: &super::Post| {
            let text = post.inside.text().unwrap_or_default();
            (post.author, text.to_owned())
        };
        page.posts.iter().map(text).collect()
    }
}

fn text(text: &str) -> Letter {
    Letter::new(Purpose::ShareText, text.into())
}

#[test]
fn friends_see_a_post_and_its_answers_and_strangers_do_not() {
    let [mut ann, mut bob, mut eve] = [1, 2, 3].map(Home::new);
    bob.knows(&ann);
    let friends = CircleKey::new(ann.friends.bytes());
    let (post, chain) = ann.write(&text("lake on saturday?"), &friends);
    let mut reply = text("yes");
    reply.replies_to = Some(chain);
    let (reply, _) = bob.write(&reply, &friends);
    let mut like = Letter::new(Purpose::ActionLike, vec![1]);
    like.target = Some(Target::Letter(chain));
    let (like, _) = bob.write(&like, &friends);
    let (public, _) = ann.write(&text("hello all"), &CircleKey::open_region());
    for home in [&mut ann, &mut bob, &mut eve] {
        for envelope in [&post, &reply, &like, &public] {
            home.takes(envelope);
        }
    }
    for home in [&mut ann, &mut bob] {
        let shown = home.shown();
        let texts: Vec<&str> = shown.iter().map(|(_, text)| text.as_str()).collect();
        assert!(texts.contains(&"lake on saturday?") && texts.contains(&"hello all"));
        let thread = home.feed.reader(&home.bag, &home.ring).thread(&chain, 10);
        assert_eq!(thread.len(), 2);
        let likes = home.feed.likes(&chain);
        assert_eq!(
            usize::from(likes.mine) + likes.followed.len() + likes.others,
            1
        );
    }
    let shown = eve.shown();
    assert_eq!(shown, [(ann.name(), "hello all".to_owned())]);
    // Deleted everywhere, and it stays so.
    let outside = Outside {
        chain: chain.chain,
        ..ann.outside()
    };
    let region = RegionKey::open();
    let end = ann
        .pen(&region)
        .tombstone(&outside, false, &mut rand::rng())
        .unwrap();
    bob.takes(&end);
    assert!(
        bob.shown()
            .iter()
            .all(|(_, text)| text != "lake on saturday?")
    );
}

#[test]
fn a_direct_letter_is_shown_to_its_addressee_under_its_authors_name() {
    let [mut ann, mut bob, mut eve] = [1, 2, 3].map(Home::new);
    let public = bob.ring.identity().public();
    let recipient = Recipient::new(public.exchange, bob.ring.pairs()[0].public().clone()).unwrap();
    let to = Addressee {
        person: public,
        readers: Readers {
            persons: vec![&recipient],
            ..Readers::default()
        },
        mailboxes: &[],
    };
    let key = AuthorKey::generate(&mut rand::rng());
    let (outside, region) = (ann.outside(), RegionKey::open());
    let letter =
        ann.pen(&region)
            .seal_direct(&text("for you"), &outside, &to, &key, &mut rand::rng());
    let letter = letter.unwrap();
    bob.takes(&letter);
    eve.takes(&letter);
    assert_eq!(bob.shown(), [(ann.name(), "for you".to_owned())]);
    assert_eq!(eve.shown(), []);
}

#[test]
fn new_keys_open_what_was_closed() {
    let [mut ann, mut bob] = [1, 2].map(Home::new);
    let friends = CircleKey::new(ann.friends.bytes());
    let (post, _) = ann.write(&text("before you came"), &friends);
    bob.takes(&post);
    assert_eq!(bob.shown(), []);
    bob.knows(&ann);
    bob.feed.keys_changed(&bob.bag);
    assert_eq!(bob.shown(), [(ann.name(), "before you came".to_owned())]);
}
