//! Envelopes, fingerprints and lengths as the vectors have them, which another implementation has made.

mod lookup;
mod people;
mod sealed;

use data_encoding::HEXLOWER;
use kkv_letters::{Author, CheckNumber, Envelope};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/letters.json")).expect("it is JSON")
}

fn cases<'v>(vectors: &'v Value, of: &str) -> &'v Vec<Value> {
    vectors[of].as_array().expect("a list")
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    let hex = case[field].as_str().expect("a text");
    HEXLOWER.decode(hex.as_bytes()).expect("hex")
}

/// The public key of a person of the vectors.
fn person(vectors: &Value, place: usize) -> Author {
    let public = bytes(&cases(vectors, "persons")[place], "public");
    Author(public.try_into().expect("32 bytes"))
}

#[test]
fn envelopes_are_taken_with_their_ids_and_signatures() {
    let vectors = vectors();
    assert_eq!(cases(&vectors, "taken").len(), 8);
    for case in cases(&vectors, "taken") {
        let written = bytes(case, "envelope");
        let envelope = Envelope::parse(written.clone());
        let envelope = envelope.unwrap_or_else(|bad| panic!("{}: {bad}", case["name"]));
        assert_eq!(envelope.bytes(), written, "{}", case["name"]);
        assert_eq!(envelope.id().to_string(), case["id"], "{}", case["name"]);
        assert_eq!(envelope.verify(), Ok(()), "{}", case["name"]);
    }
}

/// Each is signed rightly: it is refused for what it says.
#[test]
fn what_is_no_envelope_is_refused() {
    let vectors = vectors();
    assert_eq!(cases(&vectors, "refused").len(), 25);
    for case in cases(&vectors, "refused") {
        let read = Envelope::parse(bytes(case, "envelope"));
        assert!(read.is_err(), "{}", case["name"]);
    }
}

/// One byte of each part, and all bits of the clear part with what follows it: whoever carries an envelope changes
/// nothing of it.
#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let vectors = vectors();
    for case in cases(&vectors, "taken") {
        let written = bytes(case, "envelope");
        let sparse = (216..written.len())
            .step_by(61)
            .map(|byte| byte * 8 + byte % 8);
        for bit in (0..216 * 8).chain(sparse) {
            let mut changed = written.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let taken = Envelope::parse(changed).is_ok_and(|envelope| envelope.verify().is_ok());
            assert!(!taken, "{}: bit {bit}", case["name"]);
        }
    }
}

#[test]
fn an_envelope_that_is_cut_or_goes_on_is_refused() {
    let vectors = vectors();
    for case in cases(&vectors, "taken") {
        let written = bytes(case, "envelope");
        for length in (0..written.len()).step_by(7) {
            let cut = Envelope::parse(written[..length].to_vec());
            assert!(cut.is_err(), "{} at {length}", case["name"]);
        }
        let longer = Envelope::parse([&written[..], &[0]].concat());
        assert!(longer.is_err(), "{}", case["name"]);
    }
}

/// kiki's signature is a box from the sender to the region, whose key everybody has: it says nothing of the letter, and
/// can be put on any other. Ours names the author and covers every byte.
#[test]
fn nobody_signs_for_another_or_moves_a_signature() {
    let vectors = vectors();
    let cases = cases(&vectors, "taken");
    let (first, second) = (bytes(&cases[0], "envelope"), bytes(&cases[1], "envelope"));
    assert_eq!(first.len(), second.len());
    let body = first.len() - 64;
    let moved = Envelope::parse([&first[..body], &second[body..]].concat()).expect("it is one");
    assert!(moved.verify().is_err());

    let mut claimed = first;
    let other = person(&vectors, 1);
    claimed[4..36].copy_from_slice(&other.0);
    let claimed = Envelope::parse(claimed).expect("it is one");
    assert_eq!(claimed.clear().author, other);
    assert!(claimed.verify().is_err());
}

/// For a key of small order there are signatures that fit anything.
#[test]
fn a_key_of_small_order_signs_nothing() {
    let vectors = vectors();
    let mut written = bytes(&cases(&vectors, "taken")[0], "envelope");
    let neutral: [u8; 32] = std::array::from_fn(|place| u8::from(place == 0));
    let body = written.len() - 64;
    written[4..36].copy_from_slice(&neutral);
    // R is the neutral element and S is 0: S·B = R + k·A for every k, so a check that is not strict takes it.
    written[body..body + 32].copy_from_slice(&neutral);
    written[body + 32..].fill(0);
    let envelope = Envelope::parse(written).expect("it is one");
    assert!(envelope.verify().is_err());
}

#[test]
fn fingerprints_and_check_numbers_are_those_of_the_vectors() {
    let vectors = vectors();
    for (place, case) in cases(&vectors, "persons").iter().enumerate() {
        let author = person(&vectors, place);
        assert_eq!(author.fingerprint().to_string(), case["fingerprint"]);
        assert_eq!(CheckNumber::of(&author).to_string(), case["check_number"]);
    }
}
