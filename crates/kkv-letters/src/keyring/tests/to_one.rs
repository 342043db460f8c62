//! What a direct letter tells its addressee, and what nobody can make of it.

use std::collections::BTreeSet;

use super::*;

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
    let Person {
        ring,
        region,
        nobody,
        rng,
        ..
    } = &mut ann;
    let pen = Pen {
        identity: ring.identity(),
        region,
        nobody,
    };
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
        let outside = Outside {
            created: NOW,
            lifetime: Minutes(10),
            chain: ChainTag([1; 16]),
            revision: NOW.0 * 64,
        };
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
    // Bob has all that he needs to make the same bytes himself: so they prove nothing to Eve.
    let [ann, bob] = [1, 2].map(Person::new);
    let agreed = bob
        .ring
        .identity()
        .exchange()
        .agree(&ann.ring.identity().public().exchange);
    let same = ann
        .ring
        .identity()
        .exchange()
        .agree(&bob.ring.identity().public().exchange);
    assert!(agreed.is_some() && agreed == same);
}
