//! What letters cost, beside the bare cryptography that they consist of: sealed, opened, found to be another's, taken
//! into a bag; and a page of the feed.

use std::hint::black_box;
use std::time::Duration;

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use kkv_feed::bag::{Bag, Offer};
use kkv_feed::feed::facts::About;
use kkv_feed::feed::{Feed, Filter, Work};
use kkv_letters::{
    ChainTag, CircleKey, Clear, Envelope, Identity, Keyring, Letter, Membership, Minutes, Nobody,
    Outside, Pen, Purpose, Readers, Recipient, RegionKey, SealingSecret, Seed,
};
use ml_kem::kem::{Decapsulate, Encapsulate, Generate, KeyExport};
use ml_kem::ml_kem_768 as mlkem;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::bodies::{now, shortest_of};
use crate::row::Quantity::Time;
use crate::row::Row;

const NOW: Minutes = Minutes(3_600_000);
/// How often each short thing is done; the shortest time counts.
const TURNS: usize = 400;
/// Envelopes that are taken into a bag at once.
const TAKEN: usize = 10_000;
/// Who writes them.
const AUTHORS: u8 = 100;
/// Posts of a page.
const PAGE: usize = 25;

/// What sealing and opening consists of, done by the crates alone.
#[derive(Clone, Copy, Default)]
struct Bare {
    /// X25519 of an ephemeral key: by the base point.
    bases: usize,
    /// X25519 with somebody's key.
    exchanges: usize,
    encapsulations: usize,
    decapsulations: usize,
    /// Content keys in slots, of 32 bytes.
    slots: usize,
    /// BLAKE3 of a hundred bytes or so: keys and tags; a ciphertext counts for fourteen.
    derivations: usize,
    signs: bool,
    checks: bool,
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = sealing();
    rows.extend(anothers());
    rows.extend(taking());
    rows
}

/// One with a sealing pair.
fn ring(number: u8) -> Keyring {
    let mut ring = Keyring::new(Identity::new(Seed::new(&[number; 16])));
    ring.add_pair(SealingSecret::generate(&mut rand::rng()));
    ring
}

fn recipient(ring: &Keyring) -> Recipient {
    let exchange = ring.identity().public().exchange;
    Recipient::new(exchange, ring.pairs()[0].public().clone()).expect("a key of its own")
}

fn outside(chain: u64) -> Outside {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&chain.to_le_bytes());
    Outside {
        created: NOW,
        lifetime: Minutes(10_000),
        chain: ChainTag(tag),
        revision: Clear::next_revision(None, NOW).expect("it is the first"),
    }
}

fn post() -> Letter {
    Letter::new(Purpose::ShareText, vec![b'x'; 500])
}

/// A post for friends, and one for a circle and four persons.
fn sealing() -> Vec<Row> {
    let rng = &mut rand::rng();
    let (ann, bob) = (ring(1), ring(2));
    let (region, nobody) = (RegionKey::open(), Nobody::generate(rng));
    let friends = CircleKey::generate(rng);
    let mut friend = ring(3);
    friend.add_circle(Membership {
        key: CircleKey::new(friends.bytes()),
        owner: Some(ann.identity().public().author.fingerprint()),
    });
    let pen = Pen {
        identity: ann.identity(),
        region: &region,
        nobody: &nobody,
    };
    let others: Vec<Recipient> = (4..7).map(|number| recipient(&ring(number))).collect();
    let bobs = recipient(&bob);
    let persons = others.iter().chain([&bobs]).collect();
    let mut rows = Vec::new();
    for (name, readers, reader, seals, opens) in [
        (
            "a post of 500 bytes for friends",
            Readers {
                circles: vec![&friends],
                persons: Vec::new(),
            },
            &friend,
            Bare {
                bases: 1,
                slots: 1,
                derivations: 6,
                signs: true,
                ..Bare::default()
            },
            Bare {
                slots: 1,
                derivations: 8,
                checks: true,
                ..Bare::default()
            },
        ),
        (
            "one for a circle and four persons",
            Readers {
                circles: vec![&friends],
                persons,
            },
            &bob,
            Bare {
                bases: 1,
                exchanges: 2 * 4,
                encapsulations: 4,
                slots: 5,
                derivations: 6 + 4 * 15,
                signs: true,
                ..Bare::default()
            },
            Bare {
                exchanges: 2,
                decapsulations: 1,
                slots: 1,
                derivations: 21,
                checks: true,
                ..Bare::default()
            },
        ),
    ] {
        let letter = post();
        let seal = || pen.seal(&letter, &outside(1), &readers, &mut rand::rng());
        let envelope = seal().expect("it is a letter");
        let sealed = shortest_of(TURNS, || {
            black_box(seal().expect("it is a letter"));
        });
        let opened = shortest_of(TURNS, || {
            let envelope = Envelope::parse(envelope.bytes().to_vec()).expect("an envelope");
            envelope.verify().expect("it is signed");
            black_box(
                reader
                    .open(&envelope)
                    .expect("whole")
                    .expect("the reader's"),
            );
        });
        for (what, measured, bare) in [
            ("sealed", sealed, seals),
            ("checked and opened", opened, opens),
        ] {
            let alone = bare.shortest(envelope.len());
            let row = Row::new(format!("{name}, {what}"), Time(measured.as_secs_f64()));
            let alone = Time(alone.as_secs_f64());
            rows.push(
                row.beside(alone, "its cryptography alone")
                    .ratio_at_most(1.25),
            );
        }
    }
    rows
}

/// An envelope with all slots that there can be, none of which is the reader's.
fn anothers() -> Vec<Row> {
    let rng = &mut rand::rng();
    let (ann, mut eve) = (ring(1), ring(2));
    eve.add_pair(SealingSecret::generate(rng));
    let (region, nobody) = (RegionKey::open(), Nobody::generate(rng));
    let circles: Vec<CircleKey> = (0..32).map(|_| CircleKey::generate(rng)).collect();
    let persons: Vec<Recipient> = (10..42).map(|number| recipient(&ring(number))).collect();
    let readers = Readers {
        circles: circles.iter().collect(),
        persons: persons.iter().collect(),
    };
    let pen = Pen {
        identity: ann.identity(),
        region: &region,
        nobody: &nobody,
    };
    let envelope = pen
        .seal(&post(), &outside(1), &readers, rng)
        .expect("64 slots");
    let look = |ring: &Keyring| {
        shortest_of(TURNS, || {
            assert!(ring.open(&envelope).is_ok_and(|opened| opened.is_none()));
        })
    };
    let few = look(&eve);
    for _ in 0..40 {
        eve.add_circle(Membership {
            key: CircleKey::generate(rng),
            owner: None,
        });
    }
    let many = look(&eve).saturating_sub(few);
    let row = |what: &str, time: Duration| Row::new(what, Time(time.as_secs_f64()));
    vec![
        row("64 slots, none of them the reader's", few).at_most(Duration::from_micros(200)),
        row("the same, what 40 circles more take", many).at_most(Duration::from_micros(10)),
    ]
}

/// Ten thousand envelopes, then a hundred thousand.
fn taking() -> Vec<Row> {
    let me = ring(0);
    let authors: Vec<Keyring> = (1..=AUTHORS).map(ring).collect();
    let begun = |budget| {
        let mut feed = Feed::new(me.identity().public().author.fingerprint());
        for author in &authors {
            let name = author.identity().public().author.fingerprint();
            feed.say(About::Follow, &name.0, b"1", NOW);
        }
        (Bag::new(budget, [7; 32]), feed)
    };
    let (mut bag, mut feed) = begun(64 << 20);
    let mut work = Work::with(u32::MAX, u32::MAX, NOW);
    let envelopes = envelopes(&authors, 0..TAKEN);
    let alone = now();
    for envelope in &envelopes {
        let envelope = Envelope::parse(envelope.clone()).expect("an envelope");
        black_box(&envelope).verify().expect("it is signed");
    }
    let alone = alone.elapsed();
    let took = now();
    take(&mut bag, &mut feed, &envelopes);
    let took = took.elapsed();
    let settled = now();
    feed.settle(&mut bag, &me, &mut work, NOW);
    let settled = settled.elapsed();
    let check = bare_checks(&envelopes);
    let mut rows = vec![
        Row::new(
            "10,000 envelopes taken into a bag",
            Time(took.as_secs_f64()),
        )
        .beside(
            Time(check.as_secs_f64()),
            "the strict check of their signatures",
        )
        .ratio_at_most(1.2),
        Row::new("read and checked alone", Time(alone.as_secs_f64())).beside(
            Time(check.as_secs_f64()),
            "the strict check of their signatures",
        ),
        Row::new(
            "opened and sorted into the feed",
            Time(settled.as_secs_f64()),
        ),
    ];
    rows.push(page(&mut feed, &bag, &me, 5, "10,000"));
    drop(envelopes);
    let all = 10 * TAKEN;
    (bag, feed) = begun(512 << 20);
    for start in (0..all).step_by(TAKEN) {
        take(
            &mut bag,
            &mut feed,
            &self::envelopes(&authors, start..start + TAKEN),
        );
    }
    feed.settle(&mut bag, &me, &mut work, NOW);
    assert_eq!(feed.len(), all);
    rows.push(page(&mut feed, &bag, &me, 10, "100,000"));
    rows
}

fn page(feed: &mut Feed, bag: &Bag, me: &Keyring, most: u64, of: &str) -> Row {
    let page = shortest_of(20, || {
        let page = feed.reader(bag, me).page(&Filter::default(), None, PAGE);
        assert_eq!(page.posts.len(), PAGE);
    });
    let what = format!("first page of a feed of {of} posts");
    Row::new(what, Time(page.as_secs_f64())).at_most(Duration::from_millis(most))
}

fn envelopes(authors: &[Keyring], range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    let rng = &mut rand::rng();
    let (region, nobody) = (RegionKey::open(), Nobody::generate(rng));
    let open = CircleKey::open_region();
    let readers = Readers {
        circles: vec![&open],
        persons: Vec::new(),
    };
    let letter = post();
    let sealed = range.map(|number| {
        let pen = Pen {
            identity: authors[number % authors.len()].identity(),
            region: &region,
            nobody: &nobody,
        };
        let envelope = pen.seal(&letter, &outside(number as u64), &readers, rng);
        envelope.expect("it is a letter").bytes().to_vec()
    });
    sealed.collect()
}

fn take(bag: &mut Bag, feed: &mut Feed, envelopes: &[Vec<u8>]) {
    let region = RegionKey::open();
    let offer = Offer {
        now: NOW,
        in_region: &|envelope| region.has(envelope),
        paid: 16,
        sender: None,
    };
    for envelope in envelopes {
        let envelope = Envelope::parse(envelope.clone()).expect("an envelope");
        bag.admit(&envelope, &offer, feed).expect("there is room");
    }
}

/// What the crate takes for as many strict checks of 48 bytes, by as many authors' keys.
fn bare_checks(envelopes: &[Vec<u8>]) -> Duration {
    let signed = (0..AUTHORS).map(|number| {
        let key = SigningKey::from_bytes(&[number; 32]);
        (key.verifying_key().to_bytes(), key.sign(&[7; 48]))
    });
    let signed: Vec<([u8; 32], Signature)> = signed.collect();
    let start = now();
    for (_, (public, signature)) in envelopes.iter().zip(signed.iter().cycle()) {
        let key = VerifyingKey::from_bytes(black_box(public)).expect("it is a key");
        let checked = key.verify_strict(black_box(&[7; 48]), signature);
        checked.expect("it fits");
    }
    start.elapsed()
}

impl Bare {
    /// The shortest time that all of it takes, with an envelope of so many bytes.
    fn shortest(self, bytes: usize) -> Duration {
        let rng = &mut rand::rng();
        let secret = StaticSecret::from([7; 32]);
        let public = PublicKey::from(&secret);
        let kem = mlkem::DecapsulationKey::generate_from_rng(rng);
        let encapsulation = kem.encapsulation_key().to_bytes();
        let (ciphertext, _) = kem.encapsulation_key().encapsulate_with_rng(rng);
        let key = SigningKey::from_bytes(&[7; 32]);
        let signature = key.sign(&[7; 48]);
        let checked = key.verifying_key();
        let cipher = ChaCha20Poly1305::new(&[7; 32].into());
        let (mut slot, mut content) = ([7; 32], [7; 1024]);
        let body = vec![7; bytes];
        shortest_of(TURNS, || {
            for _ in 0..self.bases {
                black_box(PublicKey::from(black_box(&secret)));
            }
            for _ in 0..self.exchanges {
                black_box(secret.diffie_hellman(black_box(&public)));
            }
            for _ in 0..self.encapsulations {
                let key = mlkem::EncapsulationKey::new(black_box(&encapsulation));
                black_box(key.expect("a key").encapsulate_with_rng(rng));
            }
            for _ in 0..self.decapsulations {
                black_box(kem.decapsulate(black_box(&ciphertext)));
            }
            for _ in 0..self.slots {
                let tag =
                    cipher.encrypt_inout_detached(&[0; 12].into(), b"", (&mut slot[..]).into());
                black_box(tag.expect("it fits"));
            }
            for _ in 0..self.derivations {
                black_box(blake3::derive_key("a label", black_box(&[7; 96])));
            }
            let tag =
                cipher.encrypt_inout_detached(&[0; 12].into(), &[7; 32], (&mut content[..]).into());
            black_box(tag.expect("it fits"));
            black_box(blake3::hash(black_box(&body)));
            if self.signs {
                black_box(key.sign(black_box(&[7; 48])));
            }
            if self.checks {
                let checked = checked.verify_strict(black_box(&[7; 48]), &signature);
                checked.expect("it fits");
            }
        })
    }
}
