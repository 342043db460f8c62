//! Moves and revokes, by whom they may be and by whom not.

use proptest::prelude::*;

use super::*;
use crate::card::Details;
use crate::identity::Seed;
use crate::successor::SuccessorSeed;

const NOW: Minutes = Minutes(3_600_000);

/// A person, the successor, and the card that commits to it.
fn ann() -> (Identity, SuccessorSeed, Card) {
    let ann = Identity::new(Seed::new(&[1; 16]));
    let successor = SuccessorSeed::generate(&mut rand::rng());
    let card = card(&ann, successor.commitment());
    (ann, successor, card)
}

fn card(of: &Identity, successor: Commitment) -> Card {
    let details = Details {
        person: of.public(),
        issued: NOW,
        expires: Minutes(NOW.0 + 1000),
        successor,
        name: "Ann".to_owned(),
        machines: Vec::new(),
    };
    Card::sign(details, of.signing()).unwrap()
}

#[test]
fn a_move_to_the_committed_key_reads_back() {
    let (ann, successor, _) = ann();
    let next = successor.identity();
    let signed = Move::sign(ann.signing(), next.signing(), NOW);
    let read = Move::parse(signed.bytes(), &successor.commitment()).unwrap();
    assert!(read == signed);
    assert_eq!(read.moved(), ann.public().author);
    assert_eq!(read.successor(), next.public().author);
    assert_eq!(read.at(), NOW);
}

#[test]
fn a_thief_with_the_recovery_words_moves_nobody() {
    let (ann, successor, _) = ann();
    let first = successor.commitment();
    let thief = SuccessorSeed::generate(&mut rand::rng()).identity();
    let elsewhere = Move::sign(ann.signing(), thief.signing(), NOW);
    let refused = Move::parse(elsewhere.bytes(), &first).unwrap_err();
    assert_eq!(refused, BadSuccession::NotCommitted);
    // To the right key, whose signature the thief lacks.
    let mut forged = *elsewhere.bytes().first_chunk::<MOVE_BYTES>().unwrap();
    forged[33..65].copy_from_slice(&successor.identity().public().author.0);
    let signature = ann
        .signing()
        .sign(labels::MOVE, &[&forged[..SIGNED_MOVE_BYTES]]);
    for place in [0, SIGNATURE_BYTES] {
        forged[SIGNED_MOVE_BYTES + place..][..SIGNATURE_BYTES].copy_from_slice(&signature);
    }
    let refused = Move::parse(&forged, &first).unwrap_err();
    assert_eq!(refused, BadSuccession::Signature);
}

#[test]
fn the_words_against_theft_alone_move_nobody() {
    let (ann, successor, _) = ann();
    let next = successor.identity();
    let mut forged = Move::sign(next.signing(), next.signing(), NOW).bytes;
    forged[1..33].copy_from_slice(&ann.public().author.0);
    let signature = next
        .signing()
        .sign(labels::MOVE, &[&forged[..SIGNED_MOVE_BYTES]]);
    for place in [0, SIGNATURE_BYTES] {
        forged[SIGNED_MOVE_BYTES + place..][..SIGNATURE_BYTES].copy_from_slice(&signature);
    }
    let refused = Move::parse(&forged, &successor.commitment()).unwrap_err();
    assert_eq!(refused, BadSuccession::Signature);
}

#[test]
fn a_revoke_needs_the_successor_alone() {
    let (ann, successor, card) = ann();
    let signed = Revoke::sign(&card, &successor.identity()).unwrap();
    let read = Revoke::parse(signed.bytes(), &successor.commitment()).unwrap();
    assert!(read == signed && Revoke::parse_unseen(signed.bytes()).unwrap() == signed);
    assert_eq!(read.ended(), ann.public().author);
    assert_eq!(read.successor(), successor.identity().public().author);
    assert!(*read.card() == card);
    assert_eq!(
        Revoke::sign(&card, &ann).unwrap_err(),
        BadSuccession::NotCommitted
    );
}

/// The thief's own card names the thief's own successor, and a revoke by that one is signed rightly.
#[test]
fn a_thief_ends_no_key_whose_first_card_was_seen() {
    let (ann, successor, _) = ann();
    let thief = SuccessorSeed::generate(&mut rand::rng());
    let stolen = card(&ann, thief.commitment());
    let revoke = Revoke::sign(&stolen, &thief.identity()).unwrap();
    assert!(Revoke::parse_unseen(revoke.bytes()).is_ok());
    let refused = Revoke::parse(revoke.bytes(), &successor.commitment()).unwrap_err();
    assert_eq!(refused, BadSuccession::NotCommitted);
}

#[test]
fn a_revoke_is_of_the_card_that_it_carries() {
    let (ann, successor, first) = ann();
    let mut later = first.details().clone();
    later.issued = Minutes(NOW.0 + 1);
    let later = Card::sign(later, ann.signing()).unwrap();
    let revoke = Revoke::sign(&first, &successor.identity()).unwrap();
    let head = &revoke.bytes()[..REVOKE_HEAD_BYTES + SIGNATURE_BYTES];
    let refused = Revoke::parse_unseen(&[head, later.bytes()].concat()).unwrap_err();
    assert_eq!(refused, BadSuccession::Signature);
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let (ann, successor, card) = ann();
    let (next, first) = (successor.identity(), successor.commitment());
    let moved = Move::sign(ann.signing(), next.signing(), NOW);
    let revoke = Revoke::sign(&card, &next).unwrap();
    for bit in 0..moved.bytes().len() * 8 {
        let mut bytes = moved.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Move::parse(&bytes, &first).is_err(), "bit {bit}");
    }
    for bit in 0..revoke.bytes().len() * 8 {
        let mut bytes = revoke.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Revoke::parse_unseen(&bytes).is_err(), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let first = Commitment([0; 32]);
        prop_assert!(Move::parse(&bytes, &first).is_err());
        prop_assert!(Revoke::parse_unseen(&bytes).is_err());
    }
}
