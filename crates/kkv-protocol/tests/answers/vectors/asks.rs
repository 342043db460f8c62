//! Asks (PROTOCOL.md §14): sessions of each size, what is asked in them and answered, and what must be refused.

use kkv_pow::PuzzleKey;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::crypto::labels;
use kkv_protocol::ids::SessionId;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::ask::relay::{AskSession, OpeningRequest, SealingAnswer, Window};
use kkv_protocol::v2::ask::sender::{AskRequest, Asking};
use kkv_protocol::v2::ask::{AskOutcome, request_head, request_pieces};
use kkv_protocol::v2::purpose::{BodySize, Purpose};
use kkv_protocol::v2::relay;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::wire::ExchangeRequest;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::case::{Bytes, Party, json, read};
use super::v2::{CaseTerms, Random, file};
use crate::replay::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    relay: Party,
    sender: Party,
    terms: CaseTerms,
    random: Random,
    steps: Steps,
    wire: Wire,
    request_key: Bytes,
    response_key: Bytes,
    started: u64,
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steps {
    pub(super) tag_key: Bytes,
    pub(super) challenge: Bytes,
    pub(super) challenge_statement: Bytes,
    pub(super) puzzle_key: Bytes,
    pub(super) nonces: Vec<u64>,
    pub(super) solution: Bytes,
    pub(super) request_statement: Bytes,
    pub(super) session: Bytes,
    pub(super) kem: Bytes,
    pub(super) dh: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub(super) pow_request: String,
    pub(super) pow_answer: String,
    pub(super) exchange_request: String,
    pub(super) exchange_answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    number: u64,
    request: Request,
    request_body: Option<Bytes>,
    request_body_blake3: Option<Bytes>,
    outcome: u8,
    answer_content: Option<Bytes>,
    answer_content_repeat: Option<Repeated>,
    response_body: Option<Bytes>,
    response_body_blake3: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    kind: u8,
    content: Option<Bytes>,
    content_repeat: Option<Repeated>,
    size: usize,
}

/// A content that would be too long to write out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Repeated {
    unit: Bytes,
    length: usize,
}

/// A request that a relay is given, in the first session.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestCase {
    name: String,
    why: String,
    body: Option<Bytes>,
    base: Option<usize>,
    at: Option<usize>,
    xor: Option<u8>,
    outcome: Outcome,
}

/// An answer that a sender is given to the first request of the first session.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerCase {
    name: String,
    why: String,
    body: Option<Bytes>,
    base: Option<usize>,
    at: Option<usize>,
    xor: Option<u8>,
    sender_takes: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Outcome {
    Opened(u8),
    Refused(String),
}

pub(super) fn content(plain: Option<&Bytes>, repeated: Option<&Repeated>) -> Vec<u8> {
    match (plain, repeated) {
        (Some(content), None) => content.0.clone(),
        (None, Some(Repeated { unit, length })) => {
            unit.0.iter().copied().cycle().take(*length).collect()
        }
        _ => panic!("one of both"),
    }
}

/// Whether a body is that of the vectors.
pub(super) fn assert_body(body: &[u8], whole: Option<&Bytes>, hash: Option<&Bytes>, name: &str) {
    match (whole, hash) {
        (Some(whole), None) => assert!(body == whole.0, "{name}"),
        (None, Some(hash)) => assert_eq!(blake3::hash(body).as_bytes()[..], hash.0, "{name}"),
        _ => panic!("one of both"),
    }
}

/// A body of the vectors, or one of them with a changed byte.
pub(super) fn changed(
    body: Option<&Bytes>,
    base: Option<&Bytes>,
    at: Option<usize>,
    xor: Option<u8>,
) -> Vec<u8> {
    if let Some(body) = body {
        return body.0.clone();
    }
    let mut bytes = base.unwrap().0.clone();
    bytes[at.unwrap()] ^= xor.unwrap();
    bytes
}

impl Case {
    fn size(&self) -> BodySize {
        match self.terms.purpose() {
            Purpose::Ask(size) => size,
            Purpose::Message | Purpose::Large(_) => panic!("{} is for asks", self.name),
        }
    }

    /// The session as its relay has it, whose steps up to there are checked.
    fn session(&self) -> AskSession {
        let keys = self.relay.relay_keys();
        let tag_key: [u8; 32] = self.steps.tag_key.array();
        assert_eq!(*labels::TAG_KEY_V2.derive(&[self.relay.root()]), tag_key);
        let request = read(&self.wire.pow_request);
        let purpose = relay::purpose(&request).unwrap();
        let mut drawn = Replay::new(&[&self.random.challenge.0]);
        let answer = relay::issue(&keys, &request, purpose, &self.terms.terms(), &mut drawn);
        assert_eq!(json(&answer), self.wire.pow_answer, "{}", self.name);

        let request: ExchangeRequest = read(&self.wire.exchange_request);
        let admitted = relay::admit(&keys, &request, self.terms.expiry - 1).unwrap();
        assert_eq!(admitted.purpose(), Purpose::Ask(self.size()));
        let mut drawn = Replay::new(&[&self.random.relay_x25519.0, &self.random.mlkem_m.0]);
        let (session, answer) = admitted.open_asks(&keys, self.size(), &mut drawn).unwrap();
        assert_eq!(json(&answer), self.wire.exchange_answer, "{}", self.name);
        assert_eq!(session.id(), SessionId(self.steps.session.array()));
        session
    }

    /// Whether a request is the one with its number.
    pub(super) fn assert_request(&self, request: &AskRequest) {
        let mut all = self.exchanges.iter();
        let one = all.find(|one| one.number == request.number().get());
        let one = one.unwrap();
        assert_body(
            request.body(),
            one.request_body.as_ref(),
            one.request_body_blake3.as_ref(),
            &self.name,
        );
    }

    /// The same as its sender has it.
    pub(super) fn asking(&self) -> Asking {
        let hello = Hello::for_asks(self.sender.sender_key(), self.size());
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
        let asking = exchanging
            .answered(&read(&self.wire.exchange_answer))
            .unwrap();
        assert_eq!(asking.session(), SessionId(self.steps.session.array()));
        asking
    }
}

/// What a relay makes of a body: the outcome that it answers.
fn opened(session: &AskSession, window: &mut Window, body: &[u8]) -> Result<AskOutcome, Refusal> {
    let size = BodySize::of(body.len()).ok_or(Refusal::Malformed)?;
    let (id, number) = request_head(body.first_chunk().unwrap())?;
    if id != session.id() || size > session.size() || !window.is_free(number) {
        return Err(Refusal::Unproven);
    }
    let (mut body, mut opening) = (body.to_vec(), OpeningRequest::new(size));
    let mut rest = body.as_mut_slice();
    for piece in request_pieces(number, size) {
        let (bytes, after) = rest.split_at_mut(piece.bytes);
        opening.take(session.open(&piece, bytes)?);
        rest = after;
    }
    assert!(window.take(number), "it was free");
    Ok(opening
        .end()
        .map_or_else(|outcome| outcome, |_| AskOutcome::Done))
}

#[test]
fn what_is_asked_and_answered_has_the_vectors_bytes() {
    for case in file().asks {
        let (session, mut asking) = (case.session(), case.asking());
        let mut window = Window::default();
        for one in &case.exchanges {
            let name = format!("{}, {}", case.name, one.number);
            let number = AskNumber::new(one.number).unwrap();
            let asked = content(
                one.request.content.as_ref(),
                one.request.content_repeat.as_ref(),
            );
            let size = BodySize::ALL[one.request.size];
            let request = {
                asking.skip_to(number);
                asking.request(one.request.kind, &asked, size).unwrap()
            };
            assert_body(
                request.body(),
                one.request_body.as_ref(),
                one.request_body_blake3.as_ref(),
                &name,
            );

            let outcome = opened(&session, &mut window, request.body()).unwrap();
            assert_eq!(outcome as u8, one.outcome, "{name}");
            let again = opened(&session, &mut window, request.body());
            assert_eq!(again, Err(Refusal::Unproven), "{name}: once");
            let told = content(
                one.answer_content.as_ref(),
                one.answer_content_repeat.as_ref(),
            );
            let content = Zeroizing::new(told.clone());
            let mut sealing = SealingAnswer::new(&session, number, outcome, case.started, content);
            let pieces = std::iter::from_fn(|| sealing.next(&session));
            let body: Vec<u8> = pieces.flatten().collect();
            assert_body(
                &body,
                one.response_body.as_ref(),
                one.response_body_blake3.as_ref(),
                &name,
            );

            let answer = asking.answer(&request, body).unwrap();
            assert_eq!((answer.outcome, answer.started), (outcome, case.started));
            assert!(*answer.content == told, "{name}");
        }
    }
}

#[test]
fn every_key_and_statement_in_between_is_the_vectors() {
    for case in file().asks {
        let steps = &case.steps;
        let challenge =
            kkv_protocol::v2::challenge::Challenge::from_bytes(&steps.challenge.array()).unwrap();
        assert_eq!(challenge.statement().0, steps.challenge_statement.array());
        let key = PuzzleKey(steps.puzzle_key.array());
        let cost = case.terms.terms().cost;
        assert_eq!(challenge.puzzle(), kkv_pow::Puzzle::V2 { key, cost });
        let nonces = kkv_protocol::v2::transcript::nonces(&steps.solution.0, &challenge);
        assert_eq!(nonces.as_ref(), Ok(&steps.nonces));
        let asked: ExchangeRequest = read(&case.wire.exchange_request);
        let offer = kkv_protocol::crypto::exchange::HybridOffer {
            x25519: asked.x25519,
            mlkem768: asked.mlkem768.0,
        };
        let request = kkv_protocol::v2::transcript::request(&challenge, &steps.solution.0, &offer);
        assert_eq!(request.0, steps.request_statement.array());
        let parts: [&[u8]; 3] = [&steps.kem.0, &steps.dh.0, &steps.session.0];
        assert_eq!(
            *labels::ASK_REQUEST_KEY.derive(&parts),
            case.request_key.array()
        );
        assert_eq!(
            *labels::ASK_RESPONSE_KEY.derive(&parts),
            case.response_key.array()
        );
    }
}

#[test]
fn a_request_is_refused_or_answered_as_the_vectors_say() {
    let first = file().asks.swap_remove(0);
    let session = first.session();
    for case in super::negative::file().asks {
        let base = case
            .base
            .and_then(|base| first.exchanges[base].request_body.as_ref());
        let body = changed(case.body.as_ref(), base, case.at, case.xor);
        let outcome = match opened(&session, &mut Window::default(), &body) {
            Ok(outcome) => Outcome::Opened(outcome as u8),
            Err(refusal) => Outcome::Refused(refusal.code().to_owned()),
        };
        assert_eq!(outcome, case.outcome, "{}: {}", case.name, case.why);
    }
}

#[test]
fn an_answer_is_taken_or_not_as_the_vectors_say() {
    let first = file().asks.swap_remove(0);
    let mut asking = first.asking();
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    for case in super::negative::file().ask_answers {
        let base = case
            .base
            .and_then(|base| first.exchanges[base].response_body.as_ref());
        let body = changed(case.body.as_ref(), base, case.at, case.xor);
        let taken = asking.answer(&request, body).is_ok();
        assert_eq!(taken, case.sender_takes, "{}: {}", case.name, case.why);
    }
}
