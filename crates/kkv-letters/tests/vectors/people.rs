//! Identities against those that another implementation has derived (vectors/people.py).

use data_encoding::HEXLOWER;
use kkv_letters::{Card, Commitment, Identity, Move, Revoke, Seed, SuccessorSeed};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/people.json")).expect("JSON")
}

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().expect("a text")
}

#[test]
fn identities_are_those_of_the_vectors() {
    let other: [u8; 16] = std::array::from_fn(|place| 16 + place as u8);
    let other = Identity::new(Seed::new(&other)).public().exchange;
    let vectors = vectors();
    let cases = vectors["identities"].as_array().expect("cases");
    assert!(!cases.is_empty());
    for case in cases {
        let seed = Seed::parse(text(case, "words")).expect("words");
        assert_eq!(HEXLOWER.encode(seed.bytes()), text(case, "seed"));
        assert_eq!(*seed.words().line(), text(case, "words"));
        let identity = Identity::new(seed);
        let public = identity.public();
        assert_eq!(HEXLOWER.encode(&public.author.0), text(case, "author"));
        assert_eq!(HEXLOWER.encode(&public.exchange), text(case, "exchange"));
        let agreed = identity.exchange().agree(&other).expect("no small order");
        assert_eq!(HEXLOWER.encode(&*agreed), text(case, "agreed"));
        let own = identity.self_circle().bytes();
        assert_eq!(HEXLOWER.encode(own), text(case, "self_circle"));
        let chain = identity.chain_tags().tag(5, b"target");
        assert_eq!(chain.to_string(), text(case, "chain"));
    }
}

#[test]
fn successors_are_those_of_the_vectors() {
    let vectors = vectors();
    let cases = vectors["successors"].as_array().expect("cases");
    assert!(!cases.is_empty());
    for case in cases {
        let seed = SuccessorSeed::parse(text(case, "words")).expect("words");
        assert_eq!(*seed.words().line(), text(case, "words"));
        let commitment = seed.commitment().0;
        assert_eq!(HEXLOWER.encode(&commitment), text(case, "commitment"));
        let next = seed.identity();
        assert_eq!(*next.seed().words().line(), text(case, "next_words"));
        let author = next.public().author;
        assert_eq!(HEXLOWER.encode(&author.0), text(case, "author"));
    }
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("hex");
    HEXLOWER.decode(hex.as_bytes()).expect("hex")
}

fn cases<'v>(vectors: &'v Value, of: &str) -> &'v [Value] {
    let cases = vectors[of].as_array().expect("cases");
    assert!(!cases.is_empty());
    cases
}

#[test]
fn cards_read_as_the_vectors_say() {
    let vectors = vectors();
    for case in cases(&vectors, "cards") {
        let card = Card::parse(&bytes(&case["card"]));
        let card = card.unwrap_or_else(|bad| panic!("{}: {bad}", case["name"]));
        assert_eq!(card.text(), text(case, "text"));
        let short = card.link().map(|link| link.to_string());
        assert_eq!(short.as_deref(), case["short"].as_str());
    }
    for case in cases(&vectors, "no_cards") {
        assert!(
            Card::parse(&bytes(&case["card"])).is_err(),
            "{}",
            case["name"]
        );
    }
}

#[test]
fn moves_and_revokes_are_taken_or_refused_as_the_vectors_say() {
    let vectors = vectors();
    let commitment = bytes(&vectors["commitment"]);
    let first = Commitment(commitment.try_into().expect("32 bytes"));
    let moved = Move::parse(&bytes(&vectors["move"]), &first).expect("a move");
    assert_eq!(Commitment::to(&moved.successor()), first);
    for case in cases(&vectors, "no_moves") {
        assert!(Move::parse(&bytes(case), &first).is_err());
    }
    let revoke = Revoke::parse(&bytes(&vectors["revoke"]), &first).expect("a revoke");
    assert_eq!(revoke.ended(), moved.moved());
    for case in cases(&vectors, "no_revokes") {
        assert!(Revoke::parse(&bytes(case), &first).is_err());
    }
}
