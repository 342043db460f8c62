//! Large messages (PROTOCOL.md §16): sessions of each size, their pieces and acknowledgements, contents of files, and
//! what must be refused.

use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::crypto::labels;
use kkv_protocol::files::{File, Files};
use kkv_protocol::ids::{MessageDigest, SessionId};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_protocol::v2::message;
use kkv_protocol::v2::purpose::{LargeSize, Purpose};
use kkv_protocol::v2::receipt;
use kkv_protocol::v2::relay;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::upload::relay::LargeSession;
use kkv_protocol::v2::upload::sender::{OpenLarge, Upload};
use kkv_protocol::v2::upload::{Part, PieceIndex, Pieces, QUERY_BYTES, head};
use kkv_protocol::v2::wire::ExchangeRequest;
use serde::Deserialize;

use super::asks::{Repeated, Steps, Wire, assert_body, changed, content};
use super::case::{Bytes, Party, json, read};
use super::v2::{CaseBox, CaseTerms, Invitation, Random, file};
use crate::replay::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    relay: Party,
    sender: Party,
    terms: CaseTerms,
    invitation: Option<Invitation>,
    random: Random,
    steps: Steps,
    wire: Wire,
    #[serde(rename = "box")]
    place: CaseBox,
    message_key: Bytes,
    acknowledgement_key: Bytes,
    text: String,
    files: Vec<CaseFile>,
    manifest: Bytes,
    manifest_digest: Bytes,
    receipt_digest: Bytes,
    opened_blake3: Bytes,
    pieces: Vec<Piece>,
    query: Bytes,
    acknowledgements: Vec<Acknowledgement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    name: String,
    media_type: String,
    bytes: Option<Bytes>,
    bytes_repeat: Option<Repeated>,
}

/// A body, or its hash if it is longer than 16 KiB.
#[derive(Deserialize)]
#[serde(untagged)]
enum Piece {
    Whole(Bytes),
    Hash { blake3: Bytes },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    number: u64,
    here: u16,
    done: bool,
    body: Bytes,
}

/// A content of kind 1, or what is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentCase {
    name: String,
    why: String,
    content: Bytes,
    takes: bool,
}

/// An acknowledgement that the sender of the first upload is given, who has begun to send some pieces.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgementCase {
    name: String,
    why: String,
    body: Option<Bytes>,
    base: Option<usize>,
    at: Option<usize>,
    xor: Option<u8>,
    begun: u16,
    sender_takes: bool,
}

/// A body that the relay of the second upload is given, when no piece is here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PieceCase {
    name: String,
    why: String,
    body: Option<Bytes>,
    base: Option<Base>,
    at: Option<usize>,
    xor: Option<u8>,
    outcome: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Base {
    Piece,
    Query,
}

/// How an opened message of the second upload begins; zeros follow, and its last byte.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LargeCase {
    name: String,
    why: String,
    opened: Bytes,
    last: u8,
    outcome: String,
}

impl Case {
    fn size(&self) -> LargeSize {
        match self.terms.purpose() {
            Purpose::Large(size) => size,
            other => panic!("{} is for {other:?}", self.name),
        }
    }

    fn invitation(&self) -> Option<InvitationNumber> {
        let invitation = self.invitation.as_ref();
        invitation.map(|invitation| InvitationNumber(invitation.number))
    }

    /// The session as its relay has it.
    fn session(&self) -> LargeSession {
        let keys = self.relay.relay_keys();
        let request = read(&self.wire.pow_request);
        let purpose = relay::purpose(&request).unwrap();
        let mut drawn = Replay::new(&[&self.random.challenge.0]);
        let (terms, invitation) = (self.terms.terms(), self.invitation());
        let answer = match invitation {
            Some(number) => {
                relay::issue_invited(&keys, &request, purpose, number, &terms, &mut drawn)
            }
            None => relay::issue(&keys, &request, purpose, &terms, &mut drawn),
        };
        assert_eq!(json(&answer), self.wire.pow_answer, "{}", self.name);
        let request: ExchangeRequest = read(&self.wire.exchange_request);
        let admitted = relay::admit(&keys, &request, self.terms.expiry - 1).unwrap();
        assert_eq!(admitted.purpose(), Purpose::Large(self.size()));
        assert_eq!(admitted.invitation(&keys), invitation);
        let mut drawn = Replay::new(&[&self.random.relay_x25519.0, &self.random.mlkem_m.0]);
        let (session, answer) = admitted.open_large(&keys, self.size(), &mut drawn).unwrap();
        assert_eq!(json(&answer), self.wire.exchange_answer, "{}", self.name);
        assert_eq!(
            session.acknowledgements.id(),
            SessionId(self.steps.session.array())
        );
        session
    }

    /// The same as its sender has it.
    fn open(&self) -> OpenLarge {
        let token = self.invitation.as_ref().map(|it| it.text.parse().unwrap());
        let hello = Hello::for_large(self.sender.sender_key(), self.size(), token.as_ref());
        assert_eq!(json(&hello.request()), self.wire.pow_request);
        let challenged = hello.challenged(&read(&self.wire.pow_answer)).unwrap();
        let random = &self.random;
        let mut drawn = Replay::new(&[
            &random.sender_x25519.0,
            &random.mlkem_d.0,
            &random.mlkem_z.0,
        ]);
        let exchanging = challenged.solved(&self.steps.nonces, &mut drawn);
        assert_eq!(json(exchanging.request()), self.wire.exchange_request);
        exchanging
            .answered(&read(&self.wire.exchange_answer))
            .unwrap()
    }

    fn contents(&self) -> Vec<Vec<u8>> {
        let files = self.files.iter();
        files
            .map(|file| content(file.bytes.as_ref(), file.bytes_repeat.as_ref()))
            .collect()
    }

    fn files<'c>(&'c self, contents: &'c [Vec<u8>]) -> Files<'c> {
        let files = self.files.iter().zip(contents);
        let files = files.map(|(file, bytes)| File::new(&file.name, &file.media_type, bytes));
        Files::new(&self.text, files.map(Result::unwrap).collect()).unwrap()
    }

    fn upload(&self) -> Upload {
        let contents = self.contents();
        self.open().seal(&self.files(&contents), &self.place.part())
    }
}

/// Those whose bits are set.
fn pieces(size: LargeSize, bits: u16) -> Vec<PieceIndex> {
    let all = Pieces::all(size).iter();
    all.filter(|index| bits & (1 << index.get()) != 0).collect()
}

#[test]
fn a_large_message_has_the_vectors_bytes_at_both_ends() {
    let cases = file().uploads;
    assert!(!cases.is_empty());
    for case in cases {
        let (session, size, name) = (case.session(), case.size(), &case.name);
        let parts: [&[u8]; 3] = [&case.steps.kem.0, &case.steps.dh.0, &case.steps.session.0];
        let key = labels::MESSAGE_KEY.derive(&parts);
        assert_eq!(*key, case.message_key.array());
        let key = labels::UPLOAD_ACKNOWLEDGEMENT_KEY.derive(&parts);
        assert_eq!(*key, case.acknowledgement_key.array());

        let contents = case.contents();
        let files = case.files(&contents);
        assert!(**files.manifest() == case.manifest.0, "{name}");
        let relays = case.relay.relay_keys().public().id();
        let box_digest = case.place.part().digest();
        let statement = message::statement(
            &relays,
            &session.acknowledgements.id(),
            1,
            &box_digest,
            &case.manifest.0,
        );
        assert_eq!(statement.0, case.manifest_digest.array(), "{name}");

        let mut upload = case.upload();
        let mut opened = vec![0; size.opened_bytes()];
        assert_eq!(case.pieces.len(), size.pieces(), "{name}");
        for (index, piece) in Pieces::all(size).iter().zip(&case.pieces) {
            let body = upload.begin(index).to_vec();
            match piece {
                Piece::Whole(whole) => assert_body(&body, Some(whole), None, name),
                Piece::Hash { blake3 } => assert_body(&body, None, Some(blake3), name),
            }
            let (first, rest) = body.split_first_chunk().unwrap();
            let (id, number) = head(first);
            assert_eq!(id, session.acknowledgements.id());
            assert_eq!(Part::of(size, number, body.len()), Ok(Part::Piece(index)));
            let (sealed, tag) = rest.split_last_chunk().unwrap();
            let part = &mut opened[index.offset(size)..][..sealed.len()];
            part.copy_from_slice(sealed);
            session.pieces.open(index, part, tag).unwrap();
        }
        let hash = blake3::hash(&opened);
        assert_eq!(hash.as_bytes()[..], case.opened_blake3.0, "{name}");
        assert_eq!(upload.query()[..], case.query.0, "{name}");
        let tag = upload.query().last_chunk().unwrap();
        assert_eq!(session.acknowledgements.check_query(tag), Ok(()));

        let keys = case.relay.relay_keys();
        let accepted = session.pieces.accept(&keys, &mut opened).unwrap();
        assert_eq!(accepted.header.box_digest.0, box_digest.0);
        let digest = receipt::digest(&statement, &accepted.header.signature);
        assert_eq!(digest, MessageDigest(case.receipt_digest.array()));
        assert_eq!(upload.receipt().digest, digest);
        for one in &case.acknowledgements {
            let mut here = Pieces::NONE;
            for index in pieces(size, one.here) {
                here.insert(index);
            }
            let number = AskNumber::new(one.number).unwrap();
            let receipt: Option<&Signature> = one.done.then_some(&accepted.receipt);
            let body = session.acknowledgements.acknowledge(number, here, receipt);
            assert_eq!(body[..], one.body.0, "{name}, {}", one.number);
            let taken = upload.acknowledged(&one.body.0).unwrap();
            assert_eq!(taken.is_some(), one.done, "{name}, {}", one.number);
        }
    }
}

#[test]
fn a_content_is_one_of_files_or_not_as_the_vectors_say() {
    let cases = super::negative::file().files;
    assert!(!cases.is_empty());
    for case in cases {
        let read = Files::decode(&case.content.0);
        assert_eq!(read.is_ok(), case.takes, "{}: {}", case.name, case.why);
    }
}

#[test]
fn an_acknowledgement_is_taken_or_not_as_the_vectors_say() {
    let cases = super::negative::file().acknowledgements;
    assert!(!cases.is_empty());
    let first = file().uploads.swap_remove(0);
    for case in cases {
        let base = case.base.map(|base| &first.acknowledgements[base].body);
        let body = changed(case.body.as_ref(), base, case.at, case.xor);
        let mut upload = first.upload();
        for index in pieces(first.size(), case.begun) {
            upload.begin(index);
        }
        let taken = upload.acknowledged(&body).is_ok();
        assert_eq!(taken, case.sender_takes, "{}: {}", case.name, case.why);
    }
}

/// What a relay makes of a body: opens it where it belongs.
fn put(session: &LargeSession, opened: &mut [u8], body: &[u8]) -> Result<(), Refusal> {
    let size = session.acknowledgements.size();
    let mut lengths = LargeSize::ALL.map(LargeSize::piece_bytes).into_iter();
    if body.len() != QUERY_BYTES && lengths.all(|length| length != body.len()) {
        return Err(Refusal::Malformed);
    }
    let (first, rest) = body.split_first_chunk().unwrap();
    let (id, index) = head(first);
    if id != session.acknowledgements.id() {
        return Err(Refusal::Unproven);
    }
    let (sealed, tag) = rest.split_last_chunk().unwrap();
    match Part::of(size, index, body.len())? {
        Part::Query => session.acknowledgements.check_query(tag),
        Part::Piece(index) => {
            let part = &mut opened[index.offset(size)..][..sealed.len()];
            part.copy_from_slice(sealed);
            session.pieces.open(index, part, tag)
        }
    }
}

#[test]
fn a_piece_is_opened_or_refused_as_the_vectors_say() {
    let second = file().uploads.swap_remove(1);
    let session = second.session();
    let mut opened = vec![0; session.acknowledgements.size().opened_bytes()];
    let Piece::Whole(piece) = &second.pieces[0] else {
        panic!("it is short enough to be written out")
    };
    for case in super::negative::file().pieces {
        let base = case.base.map(|base| match base {
            Base::Piece => piece,
            Base::Query => &second.query,
        });
        let body = changed(case.body.as_ref(), base, case.at, case.xor);
        let outcome = match put(&session, &mut opened, &body) {
            Ok(()) => "acknowledged",
            Err(refusal) => refusal.code(),
        };
        assert_eq!(outcome, case.outcome, "{}: {}", case.name, case.why);
    }
}

#[test]
fn a_large_message_has_one_form() {
    let second = file().uploads.swap_remove(1);
    let (keys, session) = (second.relay.relay_keys(), second.session());
    for case in super::negative::file().large_messages {
        let mut opened = case.opened.0;
        opened.resize(session.acknowledgements.size().opened_bytes(), 0);
        *opened.last_mut().unwrap() ^= case.last;
        let outcome = match session.pieces.accept(&keys, &mut opened) {
            Ok(_) => "accepted",
            Err(refusal) => refusal.code(),
        };
        assert_eq!(outcome, case.outcome, "{}: {}", case.name, case.why);
    }
}
