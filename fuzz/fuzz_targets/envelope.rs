//! Any bytes as an envelope (docs/LETTERS-FORMAT.md §4), right ones with a little changed, and those signed anew by
//! their author: nothing changed passes as signed, and nothing that opens says anything else than what was sealed.
#![no_main]

#[expect(dead_code, reason = "a part of it is for the target `letter`")]
#[path = "../../crates/kkv-letters/tests/support/by_hand.rs"]
mod by_hand;

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use by_hand::signing_key;
use kkv_fuzz::change::changes;
use kkv_letters::limits::{MAX_ENVELOPE_BYTES, MAX_LIFETIME, MAX_SLOTS};
use kkv_letters::{
    Addressee, AuthorKey, ChainTag, CircleKey, Clear, Envelope, Identity, Keyring, Letter,
    Membership, Minutes, Nobody, Outside, Pen, Purpose, Readers, Recipient, RegionKey,
    SealingSecret, Seed,
};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;

const NOW: Minutes = Minutes(3_600_000);
const ANN: [u8; 16] = [1; 16];

/// Who opens, and what Ann has written: for a circle and two persons, to one person, the end of a chain and of all.
struct World {
    bob: Keyring,
    letter: Letter,
    right: [Vec<u8>; 4],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let rng = &mut StdRng::seed_from_u64(0);
    let ann = Identity::new(Seed::new(&ANN));
    let mut bob = Keyring::new(Identity::new(Seed::new(&[2; 16])));
    bob.add_pair(SealingSecret::generate(rng));
    let friends = CircleKey::generate(rng);
    bob.add_circle(Membership {
        key: CircleKey::new(friends.bytes()),
        owner: Some(ann.public().author.fingerprint()),
    });
    let person = bob.identity().public();
    let recipient = Recipient::new(person.exchange, bob.pairs()[0].public().clone());
    let recipient = recipient.expect("it was made as it should be");
    let other = SealingSecret::generate(rng).public().clone();
    let other = Recipient::new(person.exchange, other).expect("it was made as it should be");

    let (region, nobody) = (RegionKey::open(), Nobody::generate(rng));
    let pen = Pen {
        identity: &ann,
        region: &region,
        nobody: &nobody,
    };
    let outside = Outside {
        created: NOW,
        lifetime: Minutes(1000),
        chain: ChainTag([5; 16]),
        revision: Clear::next_revision(None, NOW).expect("it is the first"),
    };
    let letter = Letter::new(Purpose::ShareText, b"lake on saturday?".to_vec());
    let readers = Readers {
        circles: vec![&friends],
        persons: vec![&recipient, &other],
    };
    let to = Addressee {
        person,
        readers: Readers {
            circles: Vec::new(),
            persons: vec![&recipient],
        },
        mailboxes: &[ann.public().author],
    };
    // A direct letter's key is of its chain alone; here it is Ann's own, so that both are signed anew alike.
    let key: &AuthorKey = ann.signing();
    let right = [
        pen.seal(&letter, &outside, &readers, rng),
        pen.seal_direct(&letter, &outside, &to, key, rng),
        pen.tombstone(&outside, false, rng),
        pen.erase(&outside, NOW, rng),
    ]
    .map(|envelope| envelope.expect("it can be sealed").bytes().to_vec());
    World { bob, letter, right }
});

/// Reads an envelope, if it is one, and looks at what must hold of each.
fn read(bytes: &[u8]) -> Option<Envelope> {
    let envelope = Envelope::parse(bytes.to_vec()).ok()?;
    assert_eq!(envelope.bytes(), bytes);
    assert!(bytes.len() <= MAX_ENVELOPE_BYTES);
    let body = &bytes[..bytes.len() - 64];
    assert_eq!(envelope.id().0, *blake3::hash(body).as_bytes());
    let clear = envelope.clear();
    assert!(usize::from(clear.circle_slots) + usize::from(clear.person_slots) <= MAX_SLOTS);
    assert!(clear.lifetime <= MAX_LIFETIME);
    assert!(clear.revision <= Clear::max_revision(clear.created));
    let taken = envelope.check(NOW).is_ok();
    assert!(!taken || clear.expires() > NOW);
    Some(envelope)
}

/// Whoever hasn't the author's key changes nothing, unseen.
fn changed_on_its_way(right: &[u8], changed: &[u8]) {
    if let Some(envelope) = read(changed) {
        assert_eq!(envelope.verify().is_ok(), changed == right);
    }
}

/// The author's own key over another body: whatever is taken of it opens as what was sealed, or not at all.
fn signed_anew(right: &[u8], changed: &[u8]) {
    let world = &*WORLD;
    let Some(envelope) = read(&by_hand::sign(changed, &signing_key(&ANN))) else {
        return;
    };
    let is_anns = envelope.clear().author
        == Envelope::parse(right.to_vec())
            .expect("it is right")
            .clear()
            .author;
    assert_eq!(envelope.verify().is_ok(), is_anns);
    let opened = world.bob.open(&envelope);
    if let Ok(Some(opened)) = &opened {
        assert!(opened.letter == world.letter, "another letter was opened");
        assert!(is_anns, "it was opened in another name");
    }
    if *changed == right[..right.len() - 64] {
        let is_for_bob = !envelope.clear().is_bare();
        assert_eq!(opened.expect("it is right").is_some(), is_for_bob);
    }
}

fn near_right(u: &mut Unstructured<'_>) -> Result<()> {
    let right = &WORLD.right[u.choose_index(4)?];
    if u.arbitrary()? {
        changed_on_its_way(right, &changes(right, u)?);
    } else {
        signed_anew(right, &changes(&right[..right.len() - 64], u)?);
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        // An envelope begins with 1, its version.
        Some((0, rest)) => {
            let _ = near_right(&mut Unstructured::new(rest));
        }
        _ => {
            if let Some(envelope) = read(bytes) {
                // The vectors' authors are among the seeds: signed rightly, and for others.
                let _ = envelope.verify();
                let is_for_bob = matches!(WORLD.bob.open(&envelope), Ok(Some(_)));
                assert!(!is_for_bob || WORLD.right.iter().any(|right| right == bytes));
            }
        }
    }
});
