//! Letters that another implementation has sealed (vectors/sealed.py), opened by those whom it sealed them for.

use std::convert::Infallible;

use data_encoding::HEXLOWER;
use kkv_letters::{
    Author, CannotOpen, CircleKey, Envelope, Identity, Keyring, MailboxTag, Membership, OpenedBy,
    Purpose, RegionKey, SealingSecret, Seed, Target,
};
use rand::{TryCryptoRng, TryRng};
use serde_json::Value;

/// Gives out bytes that are known.
struct Given(Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("keys draw bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("keys draw bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Given {}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/sealed.json")).expect("JSON")
}

fn hex(value: &Value) -> Vec<u8> {
    let hex = value.as_str().expect("a text");
    HEXLOWER.decode(hex.as_bytes()).expect("hex")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().expect("so many bytes")
}

/// Ann, Bob and Eve; Ann and Bob have the key of Ann's friends.
fn people(vectors: &Value) -> Vec<Keyring> {
    let people = vectors["persons"].as_array().expect("people");
    let mut rings = Vec::new();
    for person in people {
        let seed = Seed::new(&array(&person["seed"]));
        let mut ring = Keyring::new(Identity::new(seed));
        let mut given = Given(hex(&person["pair"]));
        ring.add_pair(SealingSecret::generate(&mut given));
        assert!(given.0.is_empty());
        rings.push(ring);
    }
    let ann = rings[0].identity().public().author.fingerprint();
    for ring in &mut rings[..2] {
        ring.add_circle(Membership {
            key: CircleKey::new(&array(&vectors["friends"])),
            owner: Some(ann),
        });
    }
    rings
}

#[test]
fn letters_that_another_has_sealed_are_opened_by_their_readers_alone() {
    let vectors = vectors();
    let rings = people(&vectors);
    let names: Vec<_> = rings
        .iter()
        .map(|ring| ring.identity().public().author.fingerprint())
        .collect();
    let open = RegionKey::open();
    let other = CircleKey::new(&array(&vectors["region"])).region();
    for case in vectors["sealed"].as_array().expect("cases") {
        let envelope = Envelope::parse(hex(&case["envelope"])).expect("an envelope");
        let what = case["what"].as_str().expect("a name");
        assert_eq!(envelope.verify(), Ok(()), "{what}");
        assert_eq!(open.has(&envelope), what != "persons", "{what}");
        assert_eq!(other.has(&envelope), what == "persons", "{what}");
        let readers = case["readers"].as_array().expect("readers");
        for (place, ring) in rings.iter().enumerate() {
            let opened = ring.open(&envelope).expect("nothing is broken");
            assert_eq!(
                opened.is_some(),
                readers.contains(&place.into()),
                "{what} {place}"
            );
            let Some(opened) = opened else { continue };
            let author = case["by"].as_u64().expect("a number") as usize;
            assert_eq!(opened.author, names[author], "{what}");
            assert_eq!(*opened.letter.content, hex(&case["says"]), "{what}");
            let by = match what {
                "public" => OpenedBy::Circle(None),
                "persons" | "direct" => OpenedBy::Person,
                _ => OpenedBy::Circle(Some(names[0])),
            };
            assert_eq!(opened.by, by, "{what}");
        }
    }
}

#[test]
fn all_that_another_has_laid_out_is_read() {
    let vectors = vectors();
    let bob = &people(&vectors)[1];
    let letter = |place: usize| {
        let case = &vectors["sealed"][place];
        let envelope = Envelope::parse(hex(&case["envelope"])).expect("an envelope");
        let opened = bob.open(&envelope).expect("whole").expect("Bob's");
        (envelope, opened.letter)
    };
    let (envelope, post) = letter(0);
    assert_eq!(post.purpose, Purpose::ShareText);
    assert_eq!((post.count.device, post.count.number), (*b"DEVA", 7));
    assert_eq!(
        post.audience.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["friends"]
    );
    let post = Some((
        envelope.clear().author.fingerprint(),
        envelope.clear().chain,
    ));
    let (_, reply) = letter(2);
    assert_eq!(
        reply.replies_to.map(|chain| (chain.author, chain.chain)),
        post
    );
    let (envelope, like) = letter(3);
    assert!(envelope.clear().action && like.purpose == Purpose::ActionLike);
    let Some(Target::Letter(liked)) = like.target else {
        panic!("it is about a letter");
    };
    assert_eq!(Some((liked.author, liked.chain)), post);
    let (envelope, data) = letter(4);
    assert_eq!(
        (data.purpose, &**data.media_type, &**data.name),
        (Purpose::ShareData, "image/png", "a.png")
    );
    assert_eq!(
        (envelope.clear().circle_slots, envelope.clear().person_slots),
        (1, 4)
    );
    let (envelope, follow) = letter(5);
    assert_eq!(follow.purpose, Purpose::ActionFollow);
    let me = bob.identity().public().author.fingerprint();
    assert_eq!(follow.target, Some(Target::Person(me)));
    for mailbox in vectors["mailboxes"].as_array().expect("mailboxes") {
        let clear = envelope.clear();
        let tag = MailboxTag::of(&Author(array(mailbox)), &clear.ephemeral);
        assert!(clear.mailboxes.contains(&tag));
    }
}

#[test]
fn what_must_not_be_read_is_refused() {
    let vectors = vectors();
    let bob = &people(&vectors)[1];
    for (case, why) in [(0, CannotOpen::Foreign), (1, CannotOpen::Unproved)] {
        let case = &vectors["refused"][case];
        let envelope = Envelope::parse(hex(&case["envelope"])).expect("an envelope");
        assert_eq!(envelope.verify(), Ok(()));
        assert_eq!(
            bob.open(&envelope).expect_err("refused"),
            why,
            "{}",
            case["what"]
        );
    }
}
