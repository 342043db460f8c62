//! Asks (docs/PROTOCOL.md §14): any bytes as an opened request, cut into chunks; any bytes as a body on either side;
//! numbers in any order.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use kkv_fuzz::stranger::sender_key;
use kkv_pow::Cost;
use kkv_protocol::Terms;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::v2::ask::relay::{AskSession, OpeningRequest, Window};
use kkv_protocol::v2::ask::sender::{AskRequest, Asking};
use kkv_protocol::v2::ask::{AskKind, AskOutcome, request_head, request_pieces, request_room};
use kkv_protocol::v2::purpose::{BodySize, Purpose};
use kkv_protocol::v2::relay;
use kkv_protocol::v2::sender::Hello;
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A session whose bodies have this size, at both ends.
fn session(size: BodySize) -> (Asking, AskSession) {
    let rng = &mut StdRng::seed_from_u64(0);
    let keys = RelayKeys::generate(rng);
    let terms = Terms {
        cost: Cost::new(0).expect("nothing can be asked for"),
        lifetime: 60,
        expiry: 60,
        session_lifetime: 120,
    };
    let hello = Hello::for_asks(sender_key(1), size);
    let request = hello.request();
    let answer = relay::issue(&keys, &request, Purpose::Ask(size), &terms, rng);
    let challenged = hello.challenged(&answer).expect("it is right");
    let exchanging = challenged.solved(&[0], rng);
    let admitted = relay::admit(&keys, exchanging.request(), 0).expect("it is paid for");
    let (session, answer) = admitted.open_asks(&keys, size, rng).expect("it is right");
    let asking = exchanging.answered(&answer).expect("it is right");
    (asking, session)
}

/// One of a single piece, and the first request in it.
static SMALL: LazyLock<(Asking, AskSession, AskRequest)> = LazyLock::new(|| {
    let (mut asking, session) = session(BodySize::Kib4);
    let request = asking.request(0, b"", BodySize::Kib4);
    (asking, session, request.expect("it is the first"))
});

/// What an opened request comes to, by the tables of the specification.
fn outcome(plain: &[u8], size: BodySize) -> std::result::Result<AskKind, AskOutcome> {
    let length = u32::from_le_bytes(plain[4..8].try_into().expect("four bytes")) as usize;
    let padding = plain
        .get(8usize.saturating_add(length)..)
        .unwrap_or_default();
    if plain[1..4] != [0; 3] || length > request_room(size) || padding.iter().any(|b| *b != 0) {
        return Err(AskOutcome::Malformed);
    }
    match (plain[0], length) {
        (0, 0) => Ok(AskKind::Nothing),
        (1, 32 | 64 | 96 | 128 | 160) => Ok(AskKind::Replies),
        (0 | 1, _) => Err(AskOutcome::Malformed),
        _ => Err(AskOutcome::UnknownKind),
    }
}

fn opened(u: &mut Unstructured<'_>) -> Result<()> {
    let size = *u.choose(&[BodySize::Kib4, BodySize::Kib16, BodySize::Kib256])?;
    let number = AskNumber::FIRST;
    let lengths: Vec<usize> = request_pieces(number, size)
        .map(|piece| piece.plain())
        .collect();
    let mut plain = vec![0; lengths.iter().sum()];
    plain[0] = u.int_in_range(0..=3)?;
    let parts = 32 * u.int_in_range(0..=6)?;
    let length = *u.choose(&[
        0,
        1,
        parts,
        request_room(size),
        request_room(size) + 1,
        u32::MAX as usize,
    ])?;
    plain[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    for _ in 0..u.int_in_range(0..=4)? {
        let at = u.choose_index(plain.len())?;
        plain[at] = u.arbitrary()?;
    }
    let mut opening = OpeningRequest::new(size);
    let mut rest = plain.as_slice();
    for length in lengths {
        let (chunk, after) = rest.split_at(length);
        opening.take(chunk);
        rest = after;
    }
    let asked = opening.end().map(|asked| asked.kind());
    assert_eq!(asked, outcome(&plain, size));
    Ok(())
}

fn sealed(u: &mut Unstructured<'_>) -> Result<()> {
    let (asking, session, request) = &*SMALL;
    let body: Vec<u8> = u.arbitrary()?;
    let mut whole = vec![u.arbitrary()?; BodySize::Kib4.bytes()];
    let bytes = body.len().min(whole.len());
    whole[..bytes].copy_from_slice(&body[..bytes]);
    let head = whole.first_chunk().expect("4,096 bytes");
    if let Ok((_, number)) = request_head(head) {
        let piece = request_pieces(number, BodySize::Kib4)
            .next()
            .expect("there is one");
        assert!(
            session.open(&piece, &mut whole).is_err(),
            "nobody has sealed it"
        );
    }
    // As if it were an answer, of this and of another length.
    assert!(asking.answer(request, whole).is_err());
    assert!(asking.answer(request, body).is_err());
    Ok(())
}

fn numbers(u: &mut Unstructured<'_>) -> Result<()> {
    let (mut window, mut taken) = (Window::default(), BTreeSet::new());
    let start: u64 = u.int_in_range(0..=(1 << 56) - 1)?;
    while !u.is_empty() {
        let step: u8 = u.arbitrary()?;
        let Some(number) = start.checked_add(step.into()).and_then(AskNumber::new) else {
            continue;
        };
        let below = taken
            .last()
            .is_some_and(|last: &u64| *last >= number.get() + 64);
        let free = !below && taken.insert(number.get());
        assert_eq!(window.take(number), free);
        assert!(!window.is_free(number));
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    // An error: there are no more bytes to choose by.
    let _ = match u.int_in_range(0..=2) {
        Ok(0) => opened(&mut u),
        Ok(1) => sealed(&mut u),
        _ => numbers(&mut u),
    };
});
