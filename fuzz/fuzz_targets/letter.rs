//! Any bytes as what is inside an envelope (docs/LETTERS-FORMAT.md §9), by themselves and under a right seal: it is
//! read the same, and what was read seals and opens as the same letter.
#![no_main]

#[path = "../../crates/kkv-letters/tests/support/by_hand.rs"]
mod by_hand;

use std::sync::LazyLock;

use by_hand::signing_key;
use kkv_letters::{
    CannotOpen, ChainTag, CircleKey, Clear, Envelope, Identity, Keyring, Letter, Minutes, Nobody,
    Outside, Pen, Readers, RegionKey, Seed,
};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;

const NOW: Minutes = Minutes(3_600_000);
const ANN: [u8; 16] = [1; 16];
/// The flag of an action.
const ACTION: u8 = 1;

static ANN_RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::new(Identity::new(Seed::new(&ANN))));

static NOBODY: LazyLock<Nobody> = LazyLock::new(|| Nobody::generate(&mut StdRng::seed_from_u64(0)));

/// The bytes as the content of an envelope that is right but for them, and says `flags`.
fn sealed_by_hand(text: &[u8], flags: u8) -> Envelope {
    let region = CircleKey::open_region();
    let outside = by_hand::Outside {
        author: ANN_RING.identity().public().author.0,
        flags,
        created: NOW.0,
        chain: [5; 16],
        ephemeral: [6; 32],
    };
    let body = by_hand::body(&outside, region.bytes(), region.bytes(), text);
    let envelope = Envelope::parse(by_hand::sign(&body, &signing_key(&ANN)));
    let envelope = envelope.expect("only its content is anyhow");
    assert!(envelope.verify().is_ok());
    envelope
}

/// Seals a letter as the program does.
fn sealed(letter: &Letter) -> Envelope {
    let (region, circle) = (RegionKey::open(), CircleKey::open_region());
    let pen = Pen {
        identity: ANN_RING.identity(),
        region: &region,
        nobody: &NOBODY,
    };
    let outside = Outside {
        created: NOW,
        lifetime: Minutes(1000),
        chain: ChainTag([5; 16]),
        revision: Clear::next_revision(None, NOW).expect("it is the first"),
    };
    let readers = Readers {
        circles: vec![&circle],
        persons: Vec::new(),
    };
    let rng = &mut StdRng::seed_from_u64(1);
    let sealed = pen.seal(letter, &outside, &readers, rng);
    sealed.expect("what was read can be written")
}

fuzz_target!(|bytes: &[u8]| {
    let (flags, text) = match bytes.split_first() {
        Some((first, rest)) => (first & ACTION, rest),
        None => (0, bytes),
    };
    let opened = ANN_RING.open(&sealed_by_hand(text, flags));
    let mut padded = text.to_vec();
    padded.resize(by_hand::padded(text.len()), 0);
    let letter = match Letter::read(&padded) {
        Ok(letter) => letter,
        Err(bad) => {
            assert_eq!(
                opened.expect_err("it is no letter"),
                CannotOpen::NoLetter(bad)
            );
            return;
        }
    };
    if letter.purpose.is_action() != (flags == ACTION) {
        assert_eq!(opened.expect_err("its flag lies"), CannotOpen::Action);
        return;
    }
    let opened = opened
        .expect("it is a letter")
        .expect("it is for everybody");
    assert!(opened.letter == letter, "another letter was opened");
    let again = ANN_RING.open(&sealed(&letter)).expect("it is a letter");
    assert!(
        again.expect("it is for everybody").letter == letter,
        "another letter was sealed"
    );
});
