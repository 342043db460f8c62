//! Identities against those that another implementation has derived (vectors/people.py).

use data_encoding::HEXLOWER;
use kkv_letters::{Identity, Seed, SuccessorSeed};
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
