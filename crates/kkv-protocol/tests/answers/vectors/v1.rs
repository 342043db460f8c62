//! kkv/1 as we speak it (PROTOCOL.md §10).

use kkv_pow::{Cost, Nonce, Puzzle, Seed, Solution};
use kkv_protocol::Terms;
use kkv_protocol::Via;
use kkv_protocol::crypto::labels;
use kkv_protocol::ids::SenderId;
use kkv_protocol::limits::SLOT_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::v1::relay::{self, Session};
use kkv_protocol::v1::sender::Hello;
use kkv_protocol::v1::wire::MessageRequest;
use kkv_protocol::wire::{Hex, HexUpTo};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::case::{Bytes, Party, form, json, read, seal, text};
use crate::replay::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    relay: Party,
    sender: Party,
    terms: CaseTerms,
    random: Random,
    text: String,
    steps: Steps,
    wire: Wire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTerms {
    cost: u32,
    expiry: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Random {
    challenge: Bytes,
    nonce_prefix: Bytes,
    sender_x25519: Bytes,
    relay_x25519: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    tag_key: Bytes,
    challenge: Bytes,
    nonce: Bytes,
    dh: Bytes,
    plain: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    domain_key: String,
    pow_request: String,
    pow_answer: String,
    exchange_request: String,
    exchange_answer: String,
    message_request: String,
    message_answer: String,
}

fn cases() -> Vec<Case> {
    read::<File>(include_str!("../../../vectors/kkv1.json")).cases
}

fn read_form<T: DeserializeOwned>(form: &str) -> T {
    serde_urlencoded::from_str(form).unwrap()
}

impl Case {
    fn terms(&self) -> Terms {
        Terms {
            cost: Cost::new(self.terms.cost).unwrap(),
            expiry: self.terms.expiry,
            // Not on the wire of kkv/1.
            lifetime: 0,
            session_lifetime: 0,
        }
    }

    /// The relay's session and its answer to the exchange.
    fn session(&self, keys: &RelayKeys) -> (Session, String) {
        let request = read_form(&self.wire.exchange_request);
        let admitted = relay::admit(keys, &request, self.terms.expiry - 1).unwrap();
        let mut drawn = Replay::new(&[&self.random.relay_x25519.0]);
        let (session, answer) = admitted.open(keys, &mut drawn).unwrap();
        drawn.assert_used_up();
        (session, json(&answer))
    }

    /// Seals as kkv/1 does: key and nonce are the raw X25519 result.
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let dh: [u8; 32] = self.steps.dh.array();
        let nonce: [u8; 12] = dh[..12].try_into().unwrap();
        seal(dh, nonce, &[], plain)
    }
}

#[test]
fn the_relays_steps_give_the_vectors_bytes() {
    for case in cases() {
        let (steps, wire) = (&case.steps, &case.wire);
        let keys = case.relay.relay_keys();
        assert_eq!(keys.public().id().to_string(), wire.domain_key);
        assert_eq!(keys.public().as_bytes(), &case.relay.public.array());
        let fingerprint = keys.public().fingerprint().to_string();
        assert_eq!(fingerprint, case.relay.fingerprint);
        assert_eq!(
            *labels::TAG_KEY_V1.derive(&[case.relay.root()]),
            steps.tag_key.array()
        );

        let mut drawn = Replay::new(&[&case.random.challenge.0]);
        let request = read_form(&wire.pow_request);
        let answer = relay::issue(&keys, &request, &case.terms(), &mut drawn);
        assert_eq!(json(&answer), wire.pow_answer, "{}", case.name);
        assert_eq!(answer.bytes.0, steps.challenge.array());
        drawn.assert_used_up();

        let (session, answer) = case.session(&keys);
        assert_eq!(answer, wire.exchange_answer, "{}", case.name);
        assert_eq!(session.sender(), SenderId(case.sender.public.array()));

        let request = MessageRequest::from_form(wire.message_request.as_bytes()).unwrap();
        let mut slot = [0xff; SLOT_BYTES];
        let signed = relay::signed(&request).unwrap();
        let (length, header) = session.open(&signed, &mut slot).unwrap();
        assert_eq!(&slot[..length], case.text.as_bytes());
        assert!(slot[length..].iter().all(|byte| *byte == 0));
        assert_eq!(header.via, Via::V1);
        assert_eq!(&header.signature.0[..], &steps.plain.0[..64]);
        assert_eq!(wire.message_answer, "");
    }
}

#[test]
fn the_senders_steps_give_the_vectors_bytes() {
    for case in cases() {
        let (random, steps, wire) = (&case.random, &case.steps, &case.wire);
        let key = case.sender.sender_key();
        let fingerprint = key.public().fingerprint().to_string();
        assert_eq!(fingerprint, case.sender.fingerprint);
        let hello = Hello::new(key);
        assert_eq!(form(&hello.request()), wire.pow_request, "{}", case.name);

        let challenged = hello.challenged(&read(&wire.pow_answer)).unwrap();
        assert_eq!(challenged.expiry(), case.terms.expiry);
        let puzzle = challenged.puzzle();
        let seed = Seed(steps.challenge.0[..32].try_into().unwrap());
        let cost = case.terms().cost;
        assert_eq!(puzzle, Puzzle::V1 { seed, cost });
        let nonce = Nonce(steps.nonce.array());
        assert_eq!(nonce.0[..24], random.nonce_prefix.0);
        assert_eq!(puzzle.verify(&Solution::V1(nonce)), Ok(()));

        let mut drawn = Replay::new(&[&random.sender_x25519.0]);
        let vouched = challenged.vouched(wire.domain_key.as_bytes()).unwrap();
        let exchanging = vouched.solved(nonce, &mut drawn);
        assert_eq!(form(exchanging.request()), wire.exchange_request);
        drawn.assert_used_up();

        let open = exchanging.answered(&read(&wire.exchange_answer)).unwrap();
        let sent = open.seal(&text(&case.text)).unwrap();
        assert_eq!(form(&sent.request), wire.message_request, "{}", case.name);
        assert_eq!(
            case.seal(&steps.plain.0),
            sent.request.chiphertext.as_bytes()
        );
    }
}

#[test]
fn a_text_that_could_be_a_signed_statement_of_kkv2_is_refused() {
    for case in cases() {
        let keys = case.relay.relay_keys();
        let (session, _) = case.session(&keys);
        let key = case.sender.sender_key();
        let mut slot = [0; SLOT_BYTES];
        let mut attempt = |text: &[u8]| {
            let plain = [&key.sign(text).0, text].concat();
            let sealed = case.seal(&plain);
            let request = MessageRequest {
                pubkey: SenderId(case.sender.public.array()),
                signature: Hex(key.sign(&sealed).0),
                chiphertext: HexUpTo::new(sealed),
            };
            let signed = relay::signed(&request)?;
            session.open(&signed, &mut slot).map(|(length, _)| length)
        };
        let statement = b"kkv/2 statement\0a digest that happens to be text";
        assert_eq!(attempt(statement), Err(Refusal::BadContent));
        assert_eq!(attempt(b"a\0"), Err(Refusal::BadContent));
        assert_eq!(attempt(b"kkv/2 statement"), Ok(15));
    }
}
