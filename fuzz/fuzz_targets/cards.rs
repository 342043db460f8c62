//! Cards, moves, revokes and words (docs/LETTERS-FORMAT.md §8, §14, §15): any bytes as one, and any bytes as a card
//! that its person has signed all the same.

#![no_main]

use std::sync::LazyLock;

use ed25519_dalek::{Signer, SigningKey};
use kkv_letters::{
    Card, CardLink, Commitment, Identity, MAX_NAME_BYTES, Move, Revoke, Seed, SuccessorSeed,
};
use libfuzzer_sys::fuzz_target;

const SEED: [u8; 16] = [1; 16];

static ANN: LazyLock<Identity> = LazyLock::new(|| Identity::new(Seed::new(&SEED)));

/// The key of `ANN`, as §8 derives it.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let seed = blake3::derive_key("kkv letters 2026-11-28 identity signing", &SEED);
    SigningKey::from_bytes(&seed)
});

/// `laid_out` as Ann's, signed as §14 says.
fn signed(laid_out: &[u8]) -> Vec<u8> {
    let mut card = laid_out.to_vec();
    if let Some(author) = card.get_mut(1..33) {
        author.copy_from_slice(&ANN.public().author.0);
    }
    let digest = blake3::derive_key("kkv letters 2026-11-28 card", &card);
    let statement = [&b"kkv letters one\0"[..], &digest].concat();
    card.extend_from_slice(&KEY.sign(&statement).to_bytes());
    card
}

fuzz_target!(|bytes: &[u8]| {
    let whole = signed(bytes);
    if let Ok(card) = Card::parse(&whole) {
        assert_eq!(card.bytes(), whole);
        let details = card.details();
        assert!(details.name.len() <= MAX_NAME_BYTES && details.issued < details.expires);
        assert!(details.machines.len() <= 4 && !details.name.contains(char::is_control));
        let again = Card::sign(details.clone(), ANN.signing()).expect("it was read");
        assert!(again == card, "a card has one encoding");
        assert!(Card::from_text(&card.text()).expect("it is its text") == card);
        assert!(card.theft(&again).is_none() && !card.replaces(&again));
        if let Some(link) = card.link() {
            let read: CardLink = link.to_string().parse().expect("it is its text");
            assert!(read == link && link.is_of(&card));
        }
    }
    if let Ok(card) = Card::parse(bytes) {
        assert_eq!(card.bytes(), bytes);
    }
    let first = Commitment([0; 32]);
    assert!(
        Move::parse(bytes, &first).is_err(),
        "no key has this commitment"
    );
    assert!(
        Revoke::parse(bytes, &first).is_err(),
        "no key has this commitment"
    );
    if let Ok(revoke) = Revoke::parse_unseen(bytes) {
        assert_eq!(revoke.bytes(), bytes);
        let named = revoke.card().details().successor;
        assert!(named == Commitment::to(&revoke.successor()));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(card) = Card::from_text(text) {
            let typed: String = text.split_whitespace().collect();
            assert_eq!(card.text(), typed);
        }
        if let Ok(link) = text.parse::<CardLink>() {
            assert!(link.to_string().eq_ignore_ascii_case(text.trim()));
        }
        if let Ok(seed) = Seed::parse(text) {
            let again = Seed::parse(&seed.words().line()).expect("its words");
            assert_eq!(again.bytes(), seed.bytes());
        }
        if let Ok(seed) = SuccessorSeed::parse(text) {
            let again = SuccessorSeed::parse(&seed.words().line()).expect("its words");
            assert_eq!(again.commitment(), seed.commitment());
        }
    }
});
