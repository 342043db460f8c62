//! Who opens what, and what attackers make of it (CRYPTO 5, 7, 11 to 13).

mod to_one;

use ml_kem::kem::Encapsulate;
use proptest::prelude::*;

use super::people::{Person, circle, text};
use super::*;
use crate::envelope::{CIRCLE_SLOT_BYTES, COMMITMENT_BYTES, PERSON_SLOT_BYTES};
use crate::{
    Addressee, Author, AuthorKey, CannotSeal, ChainRef, ChainTag, Clear, MailboxTag, Pen, Readers,
    Recipient,
};

fn opened(ring: &Keyring, envelope: &Envelope) -> Opened {
    ring.open(envelope).unwrap().expect("it is for this person")
}

fn is_closed(ring: &Keyring, envelope: &Envelope) -> bool {
    matches!(ring.open(envelope), Ok(None))
}

fn said(opened: &Opened) -> &str {
    std::str::from_utf8(&opened.letter.content).unwrap()
}

fn name(person: &Person) -> Fingerprint {
    person.ring.identity().public().author.fingerprint()
}

/// The same envelope with other bytes, signed by `key`.
fn made_anew(envelope: &Envelope, key: &AuthorKey, change: impl FnOnce(&mut Vec<u8>)) -> Envelope {
    let clear = envelope.clear();
    let start = clear.length() + COMMITMENT_BYTES;
    let end = envelope.len() - 64;
    let mut rest = envelope.bytes()[start..end].to_vec();
    change(&mut rest);
    let clear = Clear {
        author: key.author(),
        ..*clear
    };
    Envelope::assemble(&clear, envelope.commitment(), &rest, key).unwrap()
}

#[test]
fn a_post_is_opened_by_friends_and_by_nobody_else() {
    let [mut ann, mut bob, eve] = [1, 2, 3].map(Person::new);
    bob.ring.add_circle(ann.membership());
    let post = ann.post(&text("lake on saturday?"));
    for ring in [&ann.ring, &bob.ring] {
        let opened = opened(ring, &post);
        assert_eq!(said(&opened), "lake on saturday?");
        assert_eq!(opened.author, name(&ann));
        assert_eq!(opened.by, OpenedBy::Circle(Some(name(&ann))));
    }
    assert!(is_closed(&eve.ring, &post));
    assert!(ann.region.has(&post));
    assert!(!CircleKey::new(&[9; 32]).region().has(&post));
}

#[test]
fn a_public_post_is_opened_by_everybody_of_the_region() {
    let [mut ann, eve] = [1, 2].map(Person::new);
    let post = ann.seal(&text("hello all"), &circle(&CircleKey::open_region()));
    assert_eq!(opened(&eve.ring, &post).by, OpenedBy::Circle(None));
}

#[test]
fn persons_open_what_is_sealed_for_them_with_any_pair_that_they_still_have() {
    let [mut ann, mut bob, eve] = [1, 2, 3].map(Person::new);
    let old = bob.recipient();
    let letter = text("for bob");
    let readers = Readers {
        persons: vec![&old],
        ..Readers::default()
    };
    let envelope = ann.seal(&letter, &readers);
    assert_eq!(envelope.clear().person_slots, 1);
    bob.ring.add_pair(SealingSecret::generate(&mut bob.rng));
    assert_eq!(opened(&bob.ring, &envelope).by, OpenedBy::Person);
    assert!(is_closed(&eve.ring, &envelope));
    // The words bring back everything but the pair: it is closed.
    let newest = bob.ring.pairs()[0].public().clone();
    bob.ring.retain_pairs(|pair| *pair.public() == newest);
    assert!(is_closed(&bob.ring, &envelope));
}

#[test]
fn each_number_of_readers_is_filled_up_and_each_reader_opens_it() {
    let mut ann = Person::new(1);
    let others: Vec<Person> = (10..15).map(Person::new).collect();
    let recipients: Vec<Recipient> = others.iter().map(Person::recipient).collect();
    let circles: Vec<CircleKey> = (0..5).map(|at| CircleKey::new(&[at; 32])).collect();
    for count in 0..=5 {
        let readers = Readers {
            circles: circles[..count].iter().collect(),
            persons: recipients[..count].iter().collect(),
        };
        let envelope = ann.seal(&text("hello"), &readers);
        let clear = *envelope.clear();
        let full = [1, 1, 2, 4, 4, 8][count];
        assert_eq!(clear.circle_slots, full);
        assert_eq!(clear.person_slots, if count == 0 { 0 } else { full });
        for (place, person) in others.iter().enumerate() {
            assert_eq!(
                is_closed(&person.ring, &envelope),
                place >= count,
                "{count} {place}"
            );
        }
    }
    let too_many = Readers {
        persons: vec![&recipients[0]; 33],
        ..Readers::default()
    };
    let outside = ann.outside();
    let (pen, rng) = ann.pen();
    let refused = pen.seal(&text("hello"), &outside, &too_many, rng);
    assert_eq!(refused.unwrap_err(), CannotSeal::Readers);
    for twice in [
        Readers {
            persons: vec![&recipients[0]; 2],
            ..Readers::default()
        },
        Readers {
            circles: vec![&circles[0]; 2],
            ..Readers::default()
        },
    ] {
        let refused = pen.seal(&text("hello"), &outside, &twice, rng);
        assert_eq!(refused.unwrap_err(), CannotSeal::Twice);
    }
}

#[test]
fn nobody_puts_a_name_on_what_someone_else_has_sealed() {
    let [mut ann, mut bob, eve] = [1, 2, 3].map(Person::new);
    bob.ring.add_circle(ann.membership());
    let post = ann.post(&text("mine"));
    let stolen = made_anew(&post, eve.ring.identity().signing(), |_| ());
    assert_eq!(stolen.verify(), Ok(()));
    assert!(is_closed(&bob.ring, &stolen)); // under another name even the slot is another
    let recipient = bob.recipient();
    let letter = ann.seal(
        &text("mine"),
        &Readers {
            persons: vec![&recipient],
            ..Readers::default()
        },
    );
    let stolen = made_anew(&letter, eve.ring.identity().signing(), |_| ());
    assert!(is_closed(&bob.ring, &stolen));
}

#[test]
fn who_reads_a_circle_writes_to_its_readers_only_answers_and_likes() {
    let [ann, mut bob, mut eve] = [1, 2, 3].map(Person::new);
    bob.ring.add_circle(ann.membership());
    let friends = CircleKey::new(ann.friends.bytes());
    let forged = eve.seal(&text("I am in as well"), &circle(&friends));
    assert_eq!(bob.ring.open(&forged).unwrap_err(), CannotOpen::Foreign);
    let chain = ChainRef {
        author: name(&ann),
        chain: ChainTag([5; 16]),
    };
    let mut reply = text("yes");
    reply.replies_to = Some(chain);
    let mut like = Letter::new(Purpose::ActionLike, vec![1]);
    like.target = Some(Target::Letter(chain));
    for letter in [reply, like] {
        let envelope = eve.seal(&letter, &circle(&friends));
        assert_eq!(opened(&bob.ring, &envelope).author, name(&eve));
    }
    // No other action becomes one by saying that it answers, or is about a letter.
    let mut follow = Letter::new(Purpose::ActionFollow, vec![1]);
    follow.target = Some(Target::Person(name(&bob)));
    let mut named = Letter::new(Purpose::ActionName, b"Ann".to_vec());
    named.replies_to = Some(chain);
    let mut moved = Letter::new(Purpose::ActionMove, vec![1]);
    moved.target = Some(Target::Letter(chain));
    let mut liked = text("and a share is no like");
    liked.target = Some(Target::Letter(chain));
    for letter in [follow, named, moved, liked] {
        let forged = eve.seal(&letter, &circle(&friends));
        assert_eq!(bob.ring.open(&forged).unwrap_err(), CannotOpen::Foreign);
    }
}

#[test]
fn a_former_friend_reads_nothing_of_the_next_epoch_and_still_what_was_theirs() {
    let [mut ann, mut bob] = [1, 2].map(Person::new);
    bob.ring.add_circle(ann.membership());
    let before = ann.post(&text("before"));
    ann.friends = CircleKey::generate(&mut ann.rng);
    let after = ann.post(&text("after"));
    assert_eq!(said(&opened(&bob.ring, &before)), "before");
    assert!(is_closed(&bob.ring, &after));
}

#[test]
fn an_ephemeral_key_of_small_order_is_not_ours() {
    let [mut ann, bob] = [1, 2].map(Person::new);
    let recipient = bob.recipient();
    let readers = Readers {
        persons: vec![&recipient],
        ..Readers::default()
    };
    // With zeros in place of both X25519 secrets, which everybody knows, all else is right.
    let clear = Clear {
        ephemeral: [0; 32],
        ..*ann.seal(&text("hello"), &readers).clear()
    };
    let (digest, zeros) = (ClearDigest::of(&clear), Zeroizing::new([0; 32]));
    let sealing = bob.ring.pairs()[0].public();
    let bytes = sealing.bytes()[32..].try_into().unwrap();
    let key = ml_kem::ml_kem_768::EncapsulationKey::new(&bytes).unwrap();
    let (ciphertext, kem) = key.encapsulate_with_rng(&mut ann.rng);
    let ciphertext: [u8; KEM_BYTES] = ciphertext.into();
    let exchange = bob.ring.identity().public().exchange;
    let secrets = [kem.as_slice(), zeros.as_slice(), zeros.as_slice()];
    let content = ContentKey::new(Zeroizing::new([7; 32]));
    let slot = sealing
        .slot(&exchange, secrets, &ciphertext, &digest)
        .seal(&content);
    let mut inside = text("hello").write(Zeroizing::default()).unwrap();
    inside.resize(clear.content_bytes as usize, 0);
    let seal = content.seal(&digest, &mut inside);
    let rest = [
        &[0xee; CIRCLE_SLOT_BYTES],
        &sealing.tag(&zeros, &digest)[..],
        &ciphertext,
        &slot,
        &inside,
        &seal,
    ]
    .concat();
    let key = ann.ring.identity().signing();
    let small = Envelope::assemble(&clear, &content.commitment(&digest), &rest, key).unwrap();
    assert!(is_closed(&bob.ring, &small));
}

#[test]
fn no_two_contents_fit_one_envelope() {
    let [mut ann, mut bob] = [1, 2].map(Person::new);
    bob.ring.add_circle(ann.membership());
    let post = ann.post(&text("one"));
    let clear = post.clear();
    // Another content key in Ann's slot, under the same commitment.
    let digest = ClearDigest::of(clear);
    let other = ContentKey::new(Zeroizing::new([7; 32]));
    let slot = ann.friends.slot(&digest).seal(&other);
    let forged = made_anew(&post, ann.ring.identity().signing(), |rest| {
        rest[2..CIRCLE_SLOT_BYTES].copy_from_slice(&slot);
    });
    assert_eq!(bob.ring.open(&forged).unwrap_err(), CannotOpen::Broken);
}

#[test]
fn what_says_in_the_clear_that_it_is_no_action_is_none() {
    let mut ann = Person::new(1);
    let mut letter = Letter::new(Purpose::ActionName, b"Ann".to_vec());
    let friends = CircleKey::new(ann.friends.bytes());
    let action = ann.seal(&letter, &circle(&friends));
    assert!(action.clear().action);
    assert!(ann.ring.open(&action).unwrap().is_some());
    letter.purpose = Purpose::ShareText;
    let outside = ann.outside();
    let (pen, rng) = ann.pen();
    let lied = pen
        .seal_as(&letter, &outside, &circle(&friends), true, rng)
        .unwrap();
    assert_eq!(ann.ring.open(&lied).unwrap_err(), CannotOpen::Action);
}

#[test]
fn slots_that_fill_up_look_like_others() {
    let [mut ann, bob] = [1, 2].map(Person::new);
    let recipient = bob.recipient();
    let others: Vec<Recipient> = (20..22)
        .map(|number| Person::new(number).recipient())
        .collect();
    let readers = Readers {
        persons: vec![&recipient, &others[0], &others[1]],
        ..Readers::default()
    };
    let envelope = ann.seal(&text("hello"), &readers);
    assert_eq!(envelope.clear().person_slots, 4);
    let tags: Vec<_> = envelope.person_slots().map(|slot| tag_of(slot)).collect();
    assert!(tags.is_sorted(), "{tags:?}");
    for slot in envelope.person_slots() {
        assert_eq!(slot.len(), PERSON_SLOT_BYTES);
        // A ciphertext of ML-KEM is of coefficients compressed to 10 and 4 bits: any bytes are one, so its form tells
        // nothing; what would is a ciphertext that is used twice.
        let twice = envelope
            .person_slots()
            .filter(|other| other[2..1090] == slot[2..1090]);
        assert_eq!(twice.count(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn one_flipped_bit_anywhere_is_refused(at: prop::sample::Index, direct: bool) {
        let [mut ann, mut bob] = [1, 2].map(Person::new);
        bob.ring.add_circle(ann.membership());
        let letter = text("as it was written");
        let envelope = if direct { ann.write_to(&bob, &letter) } else { ann.post(&letter) };
        let mut bytes = envelope.bytes().to_vec();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let taken = Envelope::parse(bytes).is_ok_and(|envelope| envelope.verify().is_ok());
        prop_assert!(!taken);
    }

    #[test]
    fn signed_anew_by_its_author_no_flipped_bit_reads_as_another_letter(at: prop::sample::Index) {
        let [mut ann, mut bob] = [1, 2].map(Person::new);
        bob.ring.add_circle(ann.membership());
        let post = ann.post(&text("as it was written"));
        let changed = made_anew(&post, ann.ring.identity().signing(), |rest| {
            let bit = at.index(rest.len() * 8);
            rest[bit / 8] ^= 1 << (bit % 8);
        });
        prop_assert!(!matches!(bob.ring.open(&changed), Ok(Some(_))));
    }

    #[test]
    fn letters_of_any_length_arrive_and_their_lengths_are_hidden(length in 0_usize..20_000) {
        let mut ann = Person::new(1);
        let letter = Letter::new(Purpose::ShareText, vec![b'x'; length]);
        let envelope = ann.post(&letter);
        prop_assert_eq!(opened(&ann.ring, &envelope).letter, letter);
        let content = envelope.clear().content_bytes as usize;
        prop_assert_eq!(crate::padding::padded(content), content);
    }
}
