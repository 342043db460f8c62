//! What a direct letter tells its addressee, and what nobody can make of it.

use std::collections::BTreeSet;

use super::*;

/// A direct letter whose content is `text`, with a proof as `finish` writes one.
fn made_by_hand(
    from: &mut Person,
    to: &Person,
    text: &[u8],
    finish: impl Fn(&mut [u8], &direct::Bound<'_>),
) -> Envelope {
    let (outside, recipient) = (from.outside(), to.recipient());
    let key = AuthorKey::generate(&mut from.rng);
    let readers = Readers {
        persons: vec![&recipient],
        ..Readers::default()
    };
    let (pen, rng) = from.pen();
    let clear = Clear {
        reach: Reach::Direct,
        ..pen.clear(&outside, false)
    };
    let finish = |text: &mut [u8], clear: &ClearDigest, content: &ContentKey| {
        finish(text, &direct::Bound { clear, content });
        Some(())
    };
    let sealed = pen.sealed(clear, text, &readers, (&key, &[]), finish, rng);
    sealed.unwrap()
}

/// What a direct letter has inside, as its addressee has it.
fn inside(reader: &Person, envelope: &Envelope) -> Vec<u8> {
    let digest = ClearDigest::of(envelope.clear());
    let (_, key) = reader.ring.content_key(envelope, &digest).unwrap();
    let (sealed, tag) = envelope.content().split_last_chunk().unwrap();
    let mut text = sealed.to_vec();
    assert!(key.open(&digest, &mut text, tag));
    text
}

#[test]
fn a_direct_letter_names_its_author_to_the_addressee_alone() {
    let [mut ann, bob, eve] = [1, 2, 3].map(Person::new);
    let letter = ann.write_to(&bob, &text("between us"));
    assert_ne!(letter.clear().author, ann.ring.identity().public().author);
    assert_eq!(letter.verify(), Ok(()));
    let read = opened(&bob.ring, &letter);
    assert_eq!((read.author, said(&read)), (name(&ann), "between us"));
    assert!(is_closed(&eve.ring, &letter));
}

#[test]
fn a_mailbox_knows_what_is_for_it() {
    let [mut ann, bob] = [1, 2].map(Person::new);
    let keys = [(); 2].map(|()| AuthorKey::generate(&mut ann.rng).author());
    let (recipient, key) = (bob.recipient(), AuthorKey::generate(&mut ann.rng));
    let to = Addressee {
        person: bob.ring.identity().public(),
        readers: Readers {
            persons: vec![&recipient],
            ..Readers::default()
        },
        mailboxes: &keys,
    };
    let outside = ann.outside();
    let (pen, rng) = ann.pen();
    let letter = pen
        .seal_direct(&text("hello"), &outside, &to, &key, rng)
        .unwrap();
    let end = pen
        .tombstone_direct(&outside, false, &keys, &key, rng)
        .unwrap();
    for envelope in [letter, end] {
        let clear = envelope.clear();
        for mailbox in &keys {
            assert!(
                clear
                    .mailboxes
                    .contains(&MailboxTag::of(mailbox, &clear.ephemeral))
            );
        }
        let other = AuthorKey::generate(rng).author();
        assert!(
            !clear
                .mailboxes
                .contains(&MailboxTag::of(&other, &clear.ephemeral))
        );
        let distinct: BTreeSet<_> = clear.mailboxes.iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}

#[test]
fn a_direct_letter_of_another_name_is_not_believed() {
    let [mut ann, bob, mut eve] = [1, 2, 3].map(Person::new);
    // Eve has Ann's letters to others, so Ann's signature over her own X25519 key; she lacks its secret.
    let to_eve = ann.write_to(&eve, &text("hello eve"));
    assert_eq!(opened(&eve.ring, &to_eve).author, name(&ann));
    let mut pretender = Person::new(3);
    std::mem::swap(&mut pretender.rng, &mut eve.rng);
    let mut head = direct::head(ann.ring.identity());
    let letter = text("ann says").write(std::mem::take(&mut head)).unwrap();
    for (author, proved) in [(&pretender, false), (&ann, true)] {
        let recipient = bob.recipient();
        let key = AuthorKey::generate(&mut eve.rng);
        let mut rng = rand::rng();
        let readers = Readers {
            persons: vec![&recipient],
            ..Readers::default()
        };
        let pen = Pen {
            identity: author.ring.identity(),
            region: &author.region,
            nobody: &author.nobody,
        };
        let to = Addressee {
            person: bob.ring.identity().public(),
            readers,
            mailboxes: &[],
        };
        let outside = eve.outside();
        let sealed = pen.seal_text_direct(&letter, &outside, false, &to, &key, &mut rng);
        let opened = bob.ring.open(&sealed.unwrap());
        match proved {
            true => assert_eq!(opened.unwrap().unwrap().author, name(&ann)),
            false => assert_eq!(opened.unwrap_err(), CannotOpen::Unproved),
        }
    }
}

#[test]
fn an_addressee_cant_show_a_direct_letter_as_anothers() {
    let [mut ann, mut bob, mut eve] = [1, 2, 3].map(Person::new);
    let head = inside(&bob, &ann.write_to(&bob, &text("hello")))[..direct::HEAD_BYTES].to_vec();
    // Bob makes a letter to himself in Ann's name, with his own secrets and what she has once written to him: so none
    // that he has proves to Eve that Ann wrote it.
    let forged = text("I owe Bob 9").write(Zeroizing::new(head)).unwrap();
    let by = ann.ring.identity().public();
    let agreed = bob.ring.identity().exchange().agree(&by.exchange).unwrap();
    let prove = |to: Author| {
        let agreed = &agreed;
        move |text: &mut [u8], bound: &direct::Bound<'_>| {
            direct::prove_by(text, agreed, &by.author, &to, bound);
        }
    };
    let to_bob = bob.ring.identity().public().author;
    let also_bob = Person::new(2);
    let letter = made_by_hand(&mut bob, &also_bob, &forged, prove(to_bob));
    let read = opened(&bob.ring, &letter);
    assert_eq!((read.author, said(&read)), (name(&ann), "I owe Bob 9"));
    // The same doesn't do for another addressee, whom Ann shares another secret with.
    for to in [to_bob, eve.ring.identity().public().author] {
        let letter = made_by_hand(&mut bob, &eve, &forged, prove(to));
        assert_eq!(eve.ring.open(&letter).unwrap_err(), CannotOpen::Unproved);
    }
    // Nor does Eve, who may be sent all of Ann's letter, get it past Bob in an envelope of hers, at another time.
    let said = inside(&bob, &ann.write_to(&bob, &text("yes")));
    let again = made_by_hand(&mut eve, &bob, &said, |_, _| ());
    assert_eq!(bob.ring.open(&again).unwrap_err(), CannotOpen::Unproved);
}

#[test]
fn a_direct_letter_by_the_circle_of_two_is_read_by_both() {
    let [mut ann, mut bob] = [1, 2].map(Person::new);
    let pair = CircleKey::new(&[8; 32]);
    for ring in [&mut ann.ring, &mut bob.ring] {
        ring.add_circle(Membership {
            key: CircleKey::new(pair.bytes()),
            owner: Some(Fingerprint([1; 20])),
        });
    }
    let key = AuthorKey::generate(&mut bob.rng);
    let to = Addressee {
        person: ann.ring.identity().public(),
        readers: circle(&pair),
        mailboxes: &[],
    };
    let outside = bob.outside();
    let (pen, rng) = bob.pen();
    let letter = pen.seal_direct(&text("hello"), &outside, &to, &key, rng);
    let letter = letter.unwrap();
    assert_eq!(opened(&ann.ring, &letter).author, name(&bob));
    // It is Ann's alone, whoever else had the circle's key.
    assert_eq!(bob.ring.open(&letter).unwrap_err(), CannotOpen::Unproved);
}

#[test]
fn nothing_is_proved_with_a_key_of_small_order() {
    let [mut ann, bob] = [1, 2].map(Person::new);
    // X25519 with it gives zeros, whosever the other key is.
    let signing = ann.ring.identity().signing();
    let (by, zeros) = (signing.author(), [0; 32]);
    let joined = signing.sign(crate::labels::EXCHANGE_KEY, &[&zeros]);
    let head = [&by.0[..], &zeros, &joined, &zeros].concat();
    let forged = text("hello").write(Zeroizing::new(head)).unwrap();
    let to = bob.ring.identity().public().author;
    let letter = made_by_hand(&mut ann, &bob, &forged, |text, bound| {
        direct::prove_by(text, &zeros, &by, &to, bound);
    });
    assert_eq!(bob.ring.open(&letter).unwrap_err(), CannotOpen::Unproved);

    let friends = CircleKey::new(ann.friends.bytes());
    let mut person = bob.ring.identity().public();
    person.exchange = zeros;
    let to = Addressee {
        person,
        readers: circle(&friends),
        mailboxes: &[],
    };
    let outside = ann.outside();
    let (pen, rng) = ann.pen();
    let key = AuthorKey::generate(rng);
    let refused = pen.seal_direct(&text("hello"), &outside, &to, &key, rng);
    assert_eq!(refused.unwrap_err(), CannotSeal::Addressee);
}
