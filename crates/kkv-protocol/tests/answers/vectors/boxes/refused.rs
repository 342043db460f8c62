//! What must be refused of answers (PROTOCOL.md §17): proofs, messages of no box, answers, and what is told of a box.

use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::ids::SessionId;
use kkv_protocol::v2::answers::ask::RepliesRequest;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::{Claim, Salt};
use kkv_protocol::v2::answers::sealed::SealedAnswer;
use kkv_protocol::v2::answers::sender::Replies;
use serde::Deserialize;

use super::answer;
use crate::vectors::case::Bytes;
use crate::vectors::negative;
use crate::vectors::v2::{box_part, file};

/// What is asked of a relay that has the first box.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::vectors) struct ProofCase {
    name: String,
    why: String,
    session: Bytes,
    number: u64,
    content: Bytes,
    fits: bool,
}

/// A message's box part that a relay is given that has the first box.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::vectors) struct FollowUpCase {
    name: String,
    why: String,
    session: Bytes,
    answerable: u8,
    part: Bytes,
    fits: bool,
}

/// A place for an answer, for the sender of the first box.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::vectors) struct PlaceCase {
    name: String,
    why: String,
    place: Bytes,
    sender_takes: bool,
}

/// What the sender of the first box is answered to its third ask, changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::vectors) struct StateCase {
    name: String,
    why: String,
    status: Option<Bytes>,
    at: Option<usize>,
    xor: Option<u8>,
    sender_takes: bool,
}

#[test]
fn a_proof_fits_a_box_or_not_as_the_vectors_say() {
    let secret = file().boxes[0].secret();
    for case in negative::file().box_proofs {
        let session = SessionId(case.session.array());
        let number = AskNumber::new(case.number).unwrap();
        let request = RepliesRequest::parse(&case.content.0).unwrap();
        let fits = secret.fits(&request.claim(&session, number), request.proof());
        assert_eq!(fits, case.fits, "{}: {}", case.name, case.why);
    }
}

#[test]
fn a_message_is_of_a_box_or_not_as_the_vectors_say() {
    let secret = file().boxes[0].secret();
    for case in negative::file().follow_ups {
        let session = SessionId(case.session.array());
        let fits = match box_part(case.answerable, &case.part.0) {
            BoxPart::None => panic!("each of them can be answered"),
            BoxPart::Opens { secret: other, .. } => secret.is(&other),
            BoxPart::FollowsUp { proof, salt, key } => {
                secret.fits(&Claim::follow_up(&session, &salt, &key), &proof)
            }
        };
        assert_eq!(fits, case.fits, "{}: {}", case.name, case.why);
    }
}

#[test]
fn an_answer_has_one_form() {
    let first = file().boxes.swap_remove(0);
    let (relay, secret, root) = (first.relay(), first.secret(), first.root());
    for case in negative::file().answers {
        let (salt, rest) = case.place.0.split_first_chunk().unwrap();
        let (index, sealed) = rest.split_first_chunk().unwrap();
        let answer = SealedAnswer {
            salt: Salt(*salt),
            index: u16::from_le_bytes(*index),
            sealed: Box::new(sealed.try_into().unwrap()),
        };
        let taken = answer.open(&relay, &secret, &root).is_ok();
        assert_eq!(taken, case.sender_takes, "{}: {}", case.name, case.why);
    }
}

#[test]
fn what_is_told_of_a_box_has_one_form() {
    let first = file().boxes.swap_remove(0);
    let (ask, request) = first.asked(1);
    let (secrets, relay) = (first.secrets(), first.relay());
    let right = first.content(ask);
    for case in negative::file().box_states {
        let mut content = right.clone();
        if let Some(status) = case.status {
            content[..status.0.len()].copy_from_slice(&status.0);
        }
        if let (Some(at), Some(xor)) = (case.at, case.xor) {
            content[at] ^= xor;
        }
        let read = secrets.read(&relay, &request, &answer(content));
        let taken = matches!(read, Ok(Replies::Box(..)));
        assert_eq!(taken, case.sender_takes, "{}: {}", case.name, case.why);
    }
    for length in [0, 576, 14_759, 14_761, 16_352] {
        let mut content = right.clone();
        content.resize(length, 0);
        let read = secrets.read(&relay, &request, &answer(content));
        assert!(read.is_err(), "{length} bytes");
    }
}
