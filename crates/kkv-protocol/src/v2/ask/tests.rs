use proptest::prelude::*;
use rand::rngs::ThreadRng;

use super::relay::{AskSession, OpeningRequest, SealingAnswer, Window};
use super::sender::{Asking, BadAsk};
use super::*;
use crate::crypto::exchange::HybridSecret;
use crate::error::ProtocolError;

/// Both ends of a session, after an exchange that nobody has signed.
fn session(size: BodySize, rng: &mut ThreadRng) -> (Asking, AskSession) {
    let id = SessionId([9; 32]);
    let secret = HybridSecret::generate(rng);
    let (answer, relays) = secret.offer().answer(rng).unwrap();
    let keys = secret.agree(&answer).unwrap().ask_keys(&id);
    (
        Asking::new(id, size, keys),
        AskSession::new(id, size, relays.ask_keys(&id)),
    )
}

/// What a relay makes of a body.
fn opened(session: &AskSession, body: &[u8]) -> Option<Result<AskKind, AskOutcome>> {
    let (id, number) = request_head(body.first_chunk()?).ok()?;
    let size = BodySize::of(body.len()).filter(|_| id == session.id())?;
    let (mut body, mut opening) = (body.to_vec(), OpeningRequest::new(size));
    let mut rest = body.as_mut_slice();
    for piece in request_pieces(number, size) {
        let (bytes, after) = rest.split_at_mut(piece.bytes);
        opening.take(session.open(&piece, bytes).ok()?);
        rest = after;
    }
    Some(opening.end().map(|asked| asked.kind()))
}

/// The body of an answer.
fn sealed(session: &AskSession, number: u64, outcome: AskOutcome, content: &[u8]) -> Vec<u8> {
    let number = AskNumber::new(number).unwrap();
    let content = Zeroizing::new(content.to_vec());
    let mut sealing = SealingAnswer::new(session, number, outcome, 77, content);
    std::iter::from_fn(|| sealing.next(session))
        .flatten()
        .collect()
}

#[test]
fn every_size_is_asked_and_answered_up_to_its_room() {
    let rng = &mut rand::rng();
    for size in BodySize::ALL {
        let (mut asking, session) = session(size, rng);
        let nothing = asking.request(0, b"", size).unwrap();
        assert_eq!(nothing.body().len(), size.bytes());
        assert_eq!(opened(&session, nothing.body()), Some(Ok(AskKind::Nothing)));
        for length in [0, 1, answer_room(size) - 1, answer_room(size)] {
            let content = vec![7; length];
            let body = sealed(&session, 0, AskOutcome::Done, &content);
            assert_eq!(body.len(), size.bytes());
            let answer = asking.answer(&nothing, body).unwrap();
            assert_eq!((answer.outcome, answer.started), (AskOutcome::Done, 77));
            assert_eq!(*answer.content, content);
        }
        // Of a kind that nobody knows, as much as fits.
        let most = vec![7; request_room(size)];
        let unknown = asking.request(9, &most, size).unwrap();
        let outcome = Some(Err(AskOutcome::UnknownKind));
        assert_eq!(opened(&session, unknown.body()), outcome);
        let more = asking.request(9, &[7].repeat(request_room(size) + 1), size);
        assert_eq!(more.map(drop), Err(BadAsk::TooLarge));
    }
}

#[test]
fn a_session_asks_sixteen_times_and_never_above_its_size() {
    let (mut asking, _) = session(BodySize::Kib16, &mut rand::rng());
    let large = asking.request(0, b"", BodySize::Kib64);
    assert_eq!(large.map(drop), Err(BadAsk::TooLarge));
    let mut numbers: Vec<_> = (0..MAX_ANSWERS)
        .map(|_| asking.request(0, b"", BodySize::Kib4).unwrap())
        .map(|request| {
            request_head(request.body().first_chunk().unwrap())
                .unwrap()
                .1
        })
        .collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 16);
    let more = asking.request(0, b"", BodySize::Kib4);
    assert_eq!(more.map(drop), Err(BadAsk::UsedUp));
}

#[test]
fn a_changed_byte_is_not_opened_on_either_side() {
    let rng = &mut rand::rng();
    let (mut asking, session) = session(BodySize::Kib4, rng);
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let answer = sealed(&session, 0, AskOutcome::Done, b"");
    for at in 0..4096 {
        let mut body = request.body().to_vec();
        body[at] ^= 1;
        assert_eq!(opened(&session, &body), None, "byte {at}");
        let mut body = answer.clone();
        body[at] ^= 1;
        let refused = asking.answer(&request, body).map(drop);
        assert_eq!(refused, Err(ProtocolError::BadSeal), "byte {at}");
    }
}

#[test]
fn pieces_that_are_dropped_moved_or_of_another_body_are_not_opened() {
    let rng = &mut rand::rng();
    let (mut asking, session) = session(BodySize::Kib256, rng);
    let request = asking.request(0, b"", BodySize::Kib256).unwrap();
    let other = asking.request(0, b"", BodySize::Kib256).unwrap();
    let good = request.body();
    let mut moved = good.to_vec();
    moved[PIECE_BYTES..3 * PIECE_BYTES].rotate_left(PIECE_BYTES);
    let mut mixed = good.to_vec();
    mixed[PIECE_BYTES..].copy_from_slice(&other.body()[PIECE_BYTES..]);
    let mut shorter = good[..PIECE_BYTES].to_vec();
    for wrong in [&moved, &mixed, &shorter] {
        assert_eq!(opened(&session, wrong), None);
    }
    shorter.extend_from_slice(&good[PIECE_BYTES..]);
    assert_eq!(opened(&session, &shorter), Some(Ok(AskKind::Nothing)));
    // An answer, as if it were the request's own direction, or another request's.
    let answer = sealed(&session, 0, AskOutcome::Done, b"");
    assert!(asking.answer(&other, answer.clone()).is_err());
    assert!(
        asking
            .answer(&request, answer[..PIECE_BYTES].to_vec())
            .is_err()
    );
    assert!(asking.answer(&request, good.to_vec()).is_err());
    assert!(asking.answer(&request, answer).is_ok());
}

/// Sealed as by a sender that doesn't keep to the layout.
fn laid_out(session: &(Asking, AskSession), plain: &[u8]) -> Option<Result<AskKind, AskOutcome>> {
    let (asking, relay) = session;
    let body = asking.seal_raw(AskNumber::FIRST, plain);
    opened(relay, &body)
}

#[test]
fn what_is_not_laid_out_as_it_should_be_is_malformed() {
    let session = session(BodySize::Kib4, &mut rand::rng());
    let room = request_room(BodySize::Kib4);
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let plain = |first: [u8; 4], bytes: usize| [&first[..], &length(bytes)].concat();
    let malformed = Some(Err(AskOutcome::Malformed));
    let unknown = Some(Err(AskOutcome::UnknownKind));
    for (opened, expected) in [
        (plain([0; 4], 0), Some(Ok(AskKind::Nothing))),
        (plain([9, 0, 0, 0], 3), unknown),
        (plain([9, 0, 0, 0], room), unknown),
        (plain([9, 0, 0, 0], room + 1), malformed),
        (plain([9, 0, 0, 0], u32::MAX as usize), malformed),
        (plain([0, 1, 0, 0], 0), malformed),
        (plain([9, 0, 0, 1], 0), malformed),
        (plain([0; 4], 1), malformed), // kind 0 has no content
        ([plain([0; 4], 0), vec![0, 0, 1]].concat(), malformed),
        ([plain([9, 0, 0, 0], 2), vec![1, 1, 1]].concat(), malformed),
    ] {
        assert_eq!(laid_out(&session, &opened), expected, "{opened:?}");
    }
}

proptest! {
    /// In any order: each once, and none that is 64 or more below the highest.
    #[test]
    fn a_number_is_taken_once(
        numbers in proptest::collection::vec(prop_oneof![0..200_u64, (1_u64 << 56) - 90..1 << 56], 0..300),
    ) {
        let (mut window, mut taken) = (Window::default(), std::collections::BTreeSet::new());
        for number in numbers {
            let asked = AskNumber::new(number).unwrap();
            let below = taken.last().is_some_and(|highest| highest - number.min(*highest) >= 64);
            let free = !taken.contains(&number) && !below;
            prop_assert_eq!(window.is_free(asked), free);
            prop_assert_eq!(window.take(asked), free);
            if free {
                taken.insert(number);
            }
        }
    }

    /// However it is cut into chunks.
    #[test]
    fn packing_is_undone_by_unpacking(
        content in proptest::collection::vec(any::<u8>(), 0..40), cuts in proptest::collection::vec(8..30_usize, 3..6),
    ) {
        let room = cuts.iter().sum::<usize>() - 8;
        prop_assume!(content.len() <= room);
        let content = Zeroizing::new(content);
        let mut packing = Packing::new(prefix(5, content.len()), content.clone());
        let mut unpacking = Unpacking::<8>::new(room);
        for bytes in cuts {
            let mut plain = vec![1; bytes];
            packing.fill(&mut plain);
            unpacking.take(&plain, |_| room);
        }
        let (head, unpacked) = unpacking.end().unwrap();
        prop_assert_eq!(head[0], 5);
        prop_assert_eq!(unpacked, Some(content));
    }
}
