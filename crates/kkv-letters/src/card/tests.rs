//! Cards: right, changed, contradicting each other.

use proptest::prelude::*;

use super::*;
use crate::identity::{Identity, Seed};
use crate::sealing::SealingSecret;
use crate::successor::SuccessorSeed;

const NOW: Minutes = Minutes(3_600_000);

fn ann() -> Identity {
    Identity::new(Seed::new(&[1; 16]))
}

fn machine(number: u8) -> Machine {
    let key = |kind| AuthorKey::from_seed(&[kind + number; 32]).author();
    Machine {
        address: OnionKey::new(key(0x10).0).unwrap(),
        mailbox: key(0x20),
        sealing_expires: Minutes(NOW.0 + 100),
        sealing: SealingSecret::generate(&mut rand::rng()).public().clone(),
    }
}

fn details(of: &Identity, machines: u8) -> Details {
    Details {
        person: of.public(),
        issued: NOW,
        expires: Minutes(NOW.0 + 1000),
        successor: SuccessorSeed::generate(&mut rand::rng()).commitment(),
        name: "Ann".to_owned(),
        machines: (0..machines).map(machine).collect(),
    }
}

fn card(machines: u8) -> Card {
    let ann = ann();
    Card::sign(details(&ann, machines), ann.signing()).unwrap()
}

fn refused(change: impl FnOnce(&mut Details)) -> BadCard {
    let ann = ann();
    let mut details = details(&ann, 2);
    change(&mut details);
    // What is signed all the same is refused by its reader, too.
    let mut bytes = layout::write(&details);
    let signature = ann.signing().sign(labels::CARD, &[&bytes]);
    bytes.extend_from_slice(&signature);
    let read = Card::parse(&bytes).unwrap_err();
    assert_eq!(Card::sign(details, ann.signing()).unwrap_err(), read);
    read
}

#[test]
fn a_card_reads_back_as_bytes_and_as_text() {
    for machines in 0..=4 {
        let card = card(machines);
        assert!(Card::parse(card.bytes()).unwrap() == card);
        let text = card.text();
        assert!(Card::from_text(&text).unwrap() == card);
        let wrapped: String = text.chars().flat_map(|c| [c, '\n']).collect();
        assert!(Card::from_text(&wrapped).unwrap() == card);
        assert_eq!(card.link().is_some(), machines > 0);
    }
    assert_eq!(Card::from_text("w5jy").unwrap_err(), BadCard::Layout);
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let flipped = |card: &Card, byte: usize, bit: usize| {
        let mut bytes = card.bytes().to_vec();
        bytes[byte] ^= 1 << bit;
        assert!(Card::parse(&bytes).is_err(), "byte {byte}, bit {bit}");
    };
    let (short, long) = (card(0), card(1));
    for bit in 0..short.bytes().len() * 8 {
        flipped(&short, bit / 8, bit % 8);
    }
    for byte in 0..long.bytes().len() {
        flipped(&long, byte, byte % 8);
    }
}

#[test]
fn a_card_that_is_cut_or_goes_on_is_refused() {
    let card = card(1);
    for length in (0..card.bytes().len()).step_by(7) {
        assert!(Card::parse(&card.bytes()[..length]).is_err(), "{length}");
    }
    assert!(Card::parse(&[card.bytes(), b"\0"].concat()).is_err());
}

#[test]
fn what_is_no_card_is_neither_signed_nor_read() {
    assert_eq!(refused(|card| card.name = "x".repeat(65)), BadCard::Name);
    assert_eq!(refused(|card| card.name = "a\x1b[2J".into()), BadCard::Name);
    assert_eq!(refused(|card| card.expires = NOW), BadCard::Times);
    assert_eq!(refused(|card| card.person.exchange = [0; 32]), BadCard::Key);
    let five = |card: &mut Details| card.machines = (0..5).map(machine).collect();
    assert_eq!(refused(five), BadCard::Machines);
    let address = |card: &mut Details| card.machines[1].address = card.machines[0].address;
    assert_eq!(refused(address), BadCard::Machines);
    let mailbox = |card: &mut Details| card.machines[1].mailbox = card.machines[0].mailbox;
    assert_eq!(refused(mailbox), BadCard::Machines);
}

#[test]
fn nobody_signs_a_card_of_another() {
    let bob = Identity::new(Seed::new(&[2; 16]));
    let theirs = Card::sign(details(&ann(), 1), bob.signing());
    assert_eq!(theirs.unwrap_err(), BadCard::Signature);
    let mut forged = layout::write(&details(&ann(), 1));
    let signature = bob.signing().sign(labels::CARD, &[&forged]);
    forged.extend_from_slice(&signature);
    assert_eq!(Card::parse(&forged).unwrap_err(), BadCard::Signature);
}

#[test]
fn an_address_that_no_onion_service_has_is_refused() {
    let neutral = std::array::from_fn(|place| u8::from(place == 0));
    assert_eq!(OnionKey::new(neutral).unwrap_err(), BadOnionKey);
    assert_eq!(OnionKey::new([0; 32]).unwrap_err(), BadOnionKey);
    let mut bytes = card(1).bytes().to_vec();
    let at = layout::write(&details(&ann(), 0)).len();
    bytes[at..at + 32].copy_from_slice(&neutral);
    let signed = bytes.len() - 64;
    let signature = ann().signing().sign(labels::CARD, &[&bytes[..signed]]);
    bytes[signed..].copy_from_slice(&signature);
    let refused = Card::parse(&bytes).unwrap_err();
    assert_eq!(refused, BadCard::Address(BadOnionKey));
}

#[test]
fn a_card_and_its_sealing_keys_count_for_their_time() {
    let card = card(1);
    let at = |minute: u32| Minutes(NOW.0 + minute);
    assert_eq!(card.check(Minutes(NOW.0 - 10)), Ok(()));
    assert_eq!(card.check(Minutes(NOW.0 - 11)), Err(Untimely::TooEarly));
    assert_eq!(card.check(at(999)), Ok(()));
    assert_eq!(card.check(at(1000)), Err(Untimely::Expired));
    let machine = &card.details().machines[0];
    assert!(machine.sealing_at(at(99)) == Some(&machine.sealing));
    assert!(machine.sealing_at(at(100)).is_none());
}

#[test]
fn two_cards_with_different_successors_prove_a_theft() {
    let (ann, first) = (ann(), card(1));
    let mut later = first.details().clone();
    later.issued = Minutes(NOW.0 + 5);
    later.name = "Ann B.".to_owned();
    let honest = Card::sign(later.clone(), ann.signing()).unwrap();
    assert!(first.theft(&honest).is_none() && honest.replaces(&first));
    assert!(!first.replaces(&honest) && !first.replaces(&first));

    later.successor = SuccessorSeed::generate(&mut rand::rng()).commitment();
    let stolen = Card::sign(later, ann.signing()).unwrap();
    let theft = first.theft(&stolen).expect("a theft");
    assert!(theft.first == first && theft.later == stolen);

    let mut other = honest.details().clone();
    other.person.exchange = Identity::new(Seed::new(&[2; 16])).public().exchange;
    let other = Card::sign(other, ann.signing()).unwrap();
    assert!(first.theft(&other).is_some());

    let bob = Identity::new(Seed::new(&[2; 16]));
    let bobs = Card::sign(details(&bob, 1), bob.signing()).unwrap();
    assert!(first.theft(&bobs).is_none() && !bobs.replaces(&first));
}

#[test]
fn a_short_form_reads_back_and_finds_every_wrong_character() {
    let card = card(2);
    let link = card.link().unwrap();
    let text = link.to_string();
    assert_eq!(text.len(), 113);
    assert!(text.to_lowercase().parse::<CardLink>().unwrap() == link);
    assert!(link.is_of(&card));
    let bob = Identity::new(Seed::new(&[2; 16]));
    assert!(!link.is_of(&Card::sign(details(&bob, 1), bob.signing()).unwrap()));
    for place in 4..text.len() {
        let mut wrong = text.clone().into_bytes();
        wrong[place] = if wrong[place] == b'A' { b'B' } else { b'A' };
        let wrong = String::from_utf8(wrong).unwrap().parse::<CardLink>();
        assert_eq!(wrong.unwrap_err(), BadLink::Check, "{place}");
    }
    for text in ["", "KKV:", &text[..112], &format!("{text}A")] {
        assert_eq!(text.parse::<CardLink>().unwrap_err(), BadLink::Layout);
    }
}

proptest! {
    #[test]
    fn no_bytes_and_no_text_make_a_reader_stumble(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        text: String,
    ) {
        prop_assert!(Card::parse(&bytes).is_err());
        prop_assert!(Card::from_text(&text).is_err());
        prop_assert!(text.parse::<CardLink>().is_err());
    }
}
