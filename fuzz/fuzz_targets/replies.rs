//! Answers (docs/PROTOCOL.md §17): what a relay that holds a box may say to whoever has its words, sealed with the
//! right keys and laid out anyhow; and what a sender may ask.

#![no_main]

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use kkv_fuzz::stranger::sender_key;
use kkv_pow::Cost;
use kkv_protocol::Terms;
use kkv_protocol::ids::RelayId;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::v2::answers::ask::{ANSWER_BYTES, MAX_REQUEST_BYTES, RepliesRequest};
use kkv_protocol::v2::answers::sealed::{OPENED_BYTES, SEALED_BYTES};
use kkv_protocol::v2::answers::sender::{Replies, ReplySecrets};
use kkv_protocol::v2::answers::status;
use kkv_protocol::v2::ask::AskOutcome;
use kkv_protocol::v2::ask::sender::{AskAnswer, AskRequest};
use kkv_protocol::v2::purpose::{BodySize, Purpose};
use kkv_protocol::v2::relay;
use kkv_protocol::v2::sender::Hello;
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;

const WORDS: [u8; 16] = [5; 16];
const RELAY: RelayId = RelayId([1; 32]);
const PLACE_BYTES: usize = 18 + SEALED_BYTES;

/// A request of whoever has the words.
static REQUEST: LazyLock<AskRequest> = LazyLock::new(|| {
    let rng = &mut StdRng::seed_from_u64(0);
    let keys = RelayKeys::generate(rng);
    let terms = Terms {
        cost: Cost::new(0).expect("nothing can be asked for"),
        lifetime: 60,
        expiry: 60,
        session_lifetime: 120,
    };
    let hello = Hello::for_asks(sender_key(1), BodySize::Kib16);
    let purpose = Purpose::Ask(BodySize::Kib16);
    let answer = relay::issue(&keys, &hello.request(), purpose, &terms, rng);
    let challenged = hello.challenged(&answer).expect("it is right");
    let exchanging = challenged.solved(&[0], rng);
    let admitted = relay::admit(&keys, exchanging.request(), 0).expect("it is paid for");
    let opened = admitted.open_asks(&keys, BodySize::Kib16, rng);
    let (_, answer) = opened.expect("it is right");
    let mut asking = exchanging.answered(&answer).expect("it is right");
    let asked = ReplySecrets::new(&WORDS).ask(&mut asking, &[]);
    asked.expect("it is the first")
});

fn derive(context: &str, parts: &[&[u8]]) -> [u8; 32] {
    blake3::derive_key(&format!("kkv/2 2026-11-27 {context}"), &parts.concat())
}

fn seal(key: [u8; 32], plain: &[u8]) -> Vec<u8> {
    let mut sealed = plain.to_vec();
    let tag = ChaCha20Poly1305::new(&key.into())
        .encrypt_inout_detached(&Nonce::default(), &[], sealed.as_mut_slice().into())
        .expect("it is short");
    sealed.extend_from_slice(&tag);
    sealed
}

/// A right record with so many waiting answers, of which a few bytes are changed.
fn record(u: &mut Unstructured<'_>, waiting: u8) -> Result<Vec<u8>> {
    let mut plain = [0; status::OPENED_BYTES];
    let receipts: u8 = u.int_in_range(0..=1)?;
    (plain[12], plain[13]) = (waiting, receipts);
    let entries = u.int_in_range(0..=16_u8)?;
    plain[14] = entries;
    for entry in plain[48..].chunks_mut(32).take(entries.into()) {
        entry[0] = 1;
        entry[24] = 2 * receipts;
    }
    change(u, &mut plain)?;
    let number = REQUEST.number().get().to_le_bytes();
    let secret = derive("box secret", &[&WORDS]);
    let key = derive("status key", &[&secret, &REQUEST.session().0, &number]);
    Ok(seal(key, &plain))
}

/// The answer of this index, of which a few bytes are changed.
fn answer(u: &mut Unstructured<'_>, index: u16) -> Result<Vec<u8>> {
    let (salt, text): ([u8; 16], &[u8]) = ([7; 16], b"an answer");
    let mut plain = vec![0; OPENED_BYTES];
    plain[10] = text.len() as u8;
    plain[12..12 + text.len()].copy_from_slice(text);
    change(u, &mut plain)?;
    let root = derive("answer root", &[&WORDS]);
    let first = derive("answer key", &[&root, &salt]);
    let key = (0..index).fold(first, |key, _| derive("next answer key", &[&key]));
    let secret = derive("box secret", &[&WORDS]);
    let place = index.to_le_bytes();
    let parts: [&[u8]; 5] = [&key, &RELAY.0, &secret, &salt, &place];
    let sealed = seal(derive("answer sealing key", &parts), &plain);
    Ok([&salt[..], &place, &sealed].concat())
}

fn change(u: &mut Unstructured<'_>, bytes: &mut [u8]) -> Result<()> {
    for _ in 0..u.int_in_range(0..=3)? {
        let near = u.int_in_range(0..=60)?;
        let at = if u.arbitrary()? {
            near
        } else {
            u.choose_index(bytes.len())?
        };
        bytes[at] = u.arbitrary()?;
    }
    Ok(())
}

/// What the sender makes of a content. It panics at none, and what it takes is within its bounds.
fn read(content: &[u8]) {
    let answer = AskAnswer {
        outcome: AskOutcome::Done,
        started: 0,
        content: content.to_vec().into(),
    };
    match ReplySecrets::new(&WORDS).read(&RELAY, &REQUEST, &answer) {
        Ok(Replies::NoBox) => {
            assert!(content.len() == ANSWER_BYTES && content.iter().all(|byte| *byte == 0));
        }
        Ok(Replies::Box(status, answers)) => {
            assert_eq!(usize::from(status.waiting), answers.len());
            assert!(answers.len() <= 4 && status.entries.len() <= 16);
            for answer in answers {
                assert!((1..=3500).contains(&answer.text.len()));
            }
        }
        Err(_) => {}
    }
}

fn said(u: &mut Unstructured<'_>) -> Result<()> {
    let waiting = u.int_in_range(0..=5)?;
    let mut content = record(u, waiting)?;
    for _ in 0..waiting.min(4) {
        let index = u.int_in_range(0..=40)?;
        content.extend(answer(u, index)?);
    }
    content.resize(ANSWER_BYTES, 0);
    // Changed once it is sealed: a hole, another place, a bit.
    match u.int_in_range(0..=4)? {
        0 => content[status::SEALED_BYTES..][..PLACE_BYTES].fill(0),
        1 => content[status::SEALED_BYTES..].rotate_left(PLACE_BYTES),
        2 => change(u, &mut content)?,
        _ => {}
    }
    read(&content);
    Ok(())
}

fn asked(content: &[u8]) {
    let request = RepliesRequest::parse(content);
    let whole =
        content.len().is_multiple_of(32) && (32..=MAX_REQUEST_BYTES).contains(&content.len());
    assert_eq!(request.is_some(), whole);
    let told = request.map_or(0, |request| 1 + request.acknowledged().count());
    assert_eq!(told, if whole { content.len() / 32 } else { 0 });
}

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    // An error: there are no more bytes to choose by.
    match u.int_in_range(0..=2) {
        Ok(0) => asked(u.take_rest()),
        Ok(1) => read(u.take_rest()),
        _ => _ = said(&mut u),
    }
});
