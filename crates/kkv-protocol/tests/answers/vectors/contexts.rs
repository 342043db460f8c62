//! The contexts of PROTOCOL.md §2.

use std::collections::BTreeMap;

use kkv_protocol::crypto::labels;

use super::case::Bytes;
use super::v2::file;

#[test]
fn every_context_is_the_one_of_the_specification() {
    let ours = [
        (
            "kkv/2 2026-11-21 challenge",
            labels::CHALLENGE.digest(&[]).0,
        ),
        ("kkv/2 2026-11-21 puzzle", labels::PUZZLE.digest(&[]).0),
        (
            "kkv/2 2026-11-21 exchange request",
            labels::REQUEST.digest(&[]).0,
        ),
        ("kkv/2 2026-11-21 session", labels::SESSION.digest(&[]).0),
        (
            "kkv/2 2026-11-21 message key",
            *labels::MESSAGE_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 ask request key",
            *labels::ASK_REQUEST_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 ask response key",
            *labels::ASK_RESPONSE_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 upload acknowledgement key",
            *labels::UPLOAD_ACKNOWLEDGEMENT_KEY.derive(&[]),
        ),
        ("kkv/2 2026-11-27 box part", labels::BOX_PART.digest(&[]).0),
        (
            "kkv/2 2026-11-27 box secret",
            *labels::BOX_SECRET.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 answer root",
            *labels::ANSWER_ROOT.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 answer key",
            *labels::ANSWER_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 next answer key",
            *labels::NEXT_ANSWER_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 answer sealing key",
            *labels::ANSWER_SEALING_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 acknowledgement",
            *labels::ACKNOWLEDGEMENT.derive(&[]),
        ),
        ("kkv/2 2026-11-27 follow-up", *labels::FOLLOW_UP.derive(&[])),
        ("kkv/2 2026-11-27 box proof", *labels::BOX_PROOF.derive(&[])),
        (
            "kkv/2 2026-11-27 status key",
            *labels::STATUS_KEY.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 acknowledged",
            labels::ACKNOWLEDGED.digest(&[]).0,
        ),
        (
            "kkv 2026-11-27 reply words",
            blake3::derive_key(kkv_words::Kind::Reply.context(), &[]),
        ),
        ("kkv/2 2026-11-27 message", labels::MESSAGE.digest(&[]).0),
        (
            "kkv/2 2026-11-21 signed message",
            labels::SIGNED_MESSAGE.digest(&[]).0,
        ),
        ("kkv/2 2026-11-21 receipt", labels::RECEIPT.digest(&[]).0),
        (
            "kkv 2026-11-21 fingerprint",
            labels::FINGERPRINT.digest(&[]),
        ),
        (
            "kkv/2 2026-11-27 invitation",
            *labels::INVITATION.derive(&[]),
        ),
        (
            "kkv 2026-11-27 invitation check",
            *labels::INVITATION_CHECK.derive(&[]),
        ),
        (
            "kkv/2 2026-11-27 invitation mask key",
            *labels::INVITATION_MASK_KEY.derive(&[]),
        ),
        (
            "kkv/1 2026-11-21 challenge tag key",
            *labels::TAG_KEY_V1.derive(&[]),
        ),
        (
            "kkv/2 2026-11-21 challenge tag key",
            *labels::TAG_KEY_V2.derive(&[]),
        ),
        (
            "kkv 2026-11-21 repeated request",
            labels::REPEAT.digest(&[]).0,
        ),
    ];
    let ours = ours.map(|(name, digest)| (name.to_owned(), Bytes(digest.to_vec())));
    assert_eq!(BTreeMap::from(ours), file().contexts);
}
