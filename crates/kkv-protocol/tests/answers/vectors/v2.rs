//! kkv/2 (PROTOCOL.md §4 to §8).

use std::collections::BTreeMap;

use kkv_pow::{Cost, Puzzle, PuzzleKey, Solution};
use kkv_protocol::Terms;
use kkv_protocol::Via;
use kkv_protocol::crypto::exchange::{HybridAnswer, HybridOffer, HybridSecret};
use kkv_protocol::crypto::identity::{SenderKey, Signature};
use kkv_protocol::crypto::labels;
use kkv_protocol::ids::{
    BoxDigest, InvitationProof, MessageDigest, RelayId, SenderId, SessionId, Statement,
};
use kkv_protocol::kind::Kind;
use kkv_protocol::limits::SLOT_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::{AnswerKey, BoxProof, BoxSecret, Salt};
use kkv_protocol::v2::challenge::Challenge;
use kkv_protocol::v2::invitation::{InvitationNumber, Token};
use kkv_protocol::v2::purpose::Purpose;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::wire::{ExchangeAnswer, ExchangeRequest, MessageRequest};
use kkv_protocol::v2::{message, receipt, relay, transcript};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::case::{Bytes, Party, json, read, seal, text};
use crate::replay::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) contexts: BTreeMap<String, Bytes>,
    pub(super) cases: Vec<Case>,
    pub(super) asks: Vec<super::asks::Case>,
    pub(super) boxes: Vec<super::boxes::Case>,
    pub(super) uploads: Vec<super::uploads::Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    relay: Party,
    sender: Party,
    terms: CaseTerms,
    #[serde(default)]
    invitation: Option<Invitation>,
    random: Random,
    pub(super) text: String,
    #[serde(rename = "box")]
    place: CaseBox,
    steps: Steps,
    wire: Wire,
    pub(super) proofs: super::proofs::Files,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseTerms {
    purpose: u8,
    size: u8,
    cost: u32,
    session_lifetime: u16,
    lifetime: u32,
    pub(super) expiry: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invitation {
    token: Bytes,
    pub(super) number: u64,
    check: Bytes,
    pub(super) text: String,
    key: Bytes,
    proof: Bytes,
    mask_key: Bytes,
    mask: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Random {
    pub(super) challenge: Bytes,
    pub(super) sender_x25519: Bytes,
    pub(super) mlkem_d: Bytes,
    pub(super) mlkem_z: Bytes,
    pub(super) relay_x25519: Bytes,
    pub(super) mlkem_m: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseBox {
    answerable: u8,
    part: Bytes,
    digest: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    tag_key: Bytes,
    challenge: Bytes,
    challenge_statement: Bytes,
    puzzle_key: Bytes,
    nonces: Vec<u64>,
    solution: Bytes,
    request_statement: Bytes,
    session: Bytes,
    kem: Bytes,
    dh: Bytes,
    message_key: Bytes,
    message_statement: Bytes,
    plain: Bytes,
    receipt_digest: Bytes,
    receipt_statement: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    pow_request: String,
    pow_answer: String,
    exchange_request: String,
    exchange_answer: String,
    message_request: String,
    message_answer: String,
}

pub(super) fn file() -> File {
    read(include_str!("../../../vectors/kkv2.json"))
}

impl CaseBox {
    pub(super) fn part(&self) -> BoxPart {
        box_part(self.answerable, &self.part.0)
    }
}

/// What the 80 bytes of a box part are.
pub(super) fn box_part(answerable: u8, bytes: &[u8]) -> BoxPart {
    let (first, rest) = bytes.split_first_chunk().unwrap();
    let (salt, key) = rest.split_first_chunk().unwrap();
    let key = AnswerKey::new(Zeroizing::new(key.try_into().unwrap()));
    let salt = Salt(*salt);
    match answerable {
        0 => BoxPart::None,
        1 => BoxPart::Opens {
            secret: BoxSecret::new(Zeroizing::new(*first)),
            salt,
            key,
        },
        2 => BoxPart::FollowsUp {
            proof: BoxProof(*first),
            salt,
            key,
        },
        other => panic!("answerable {other}"),
    }
}

impl CaseTerms {
    pub(super) fn purpose(&self) -> Purpose {
        Purpose::from_bytes([self.purpose, self.size]).unwrap()
    }

    pub(super) fn terms(&self) -> Terms {
        Terms {
            cost: Cost::new(self.cost).unwrap(),
            lifetime: self.lifetime,
            expiry: self.expiry,
            session_lifetime: self.session_lifetime,
        }
    }
}

impl Case {
    /// How its sender begins.
    fn hello(&self) -> Hello {
        let key = self.sender.sender_key();
        match &self.invitation {
            Some(invitation) => Hello::invited(key, &invitation.text.parse().unwrap()),
            None => Hello::new(key),
        }
    }

    fn terms(&self) -> Terms {
        self.terms.terms()
    }
}

/// The session of the first case, as its relay has it.
pub(super) fn first_session() -> (RelayKeys, relay::Session) {
    let case = file().cases.swap_remove(0);
    let keys = case.relay.relay_keys();
    let request: ExchangeRequest = read(&case.wire.exchange_request);
    let admitted = relay::admit(&keys, &request, case.terms.expiry - 1).unwrap();
    let drawn = [&case.random.relay_x25519.0[..], &case.random.mlkem_m.0];
    let (session, _) = admitted.open(&keys, &mut Replay::new(&drawn)).unwrap();
    (keys, session)
}

/// Who sends in the first case.
pub(super) fn first_sender() -> SenderKey {
    file().cases[0].sender.sender_key()
}

#[test]
fn the_relays_steps_give_the_vectors_bytes() {
    for case in file().cases {
        let (random, steps, wire) = (&case.random, &case.steps, &case.wire);
        let keys = case.relay.relay_keys();
        assert_eq!(keys.public().as_bytes(), &case.relay.public.array());
        let fingerprint = keys.public().fingerprint().to_string();
        assert_eq!(fingerprint, case.relay.fingerprint);
        assert_eq!(
            *labels::TAG_KEY_V2.derive(&[case.relay.root()]),
            steps.tag_key.array()
        );

        let mut drawn = Replay::new(&[&random.challenge.0]);
        let request = read(&wire.pow_request);
        let purpose = relay::purpose(&request).unwrap();
        assert_eq!(purpose, case.terms.purpose());
        let terms = case.terms();
        let answer = match &case.invitation {
            Some(invitation) => {
                let number = InvitationNumber(invitation.number);
                relay::issue_invited(&keys, &request, purpose, number, &terms, &mut drawn)
            }
            None => relay::issue(&keys, &request, purpose, &terms, &mut drawn),
        };
        assert_eq!(json(&answer), wire.pow_answer, "{}", case.name);
        drawn.assert_used_up();

        let request: ExchangeRequest = read(&wire.exchange_request);
        let late = relay::admit(&keys, &request, case.terms.expiry);
        assert_eq!(late.unwrap_err(), Refusal::Expired);
        let admitted = relay::admit(&keys, &request, case.terms.expiry - 1).unwrap();
        let mut drawn = Replay::new(&[&random.relay_x25519.0, &random.mlkem_m.0]);
        let invitation = case
            .invitation
            .as_ref()
            .map(|it| InvitationNumber(it.number));
        assert_eq!(admitted.invitation(&keys), invitation);
        let (session, answer) = admitted.open(&keys, &mut drawn).unwrap();
        assert_eq!(json(&answer), wire.exchange_answer, "{}", case.name);
        assert_eq!(session.id(), SessionId(steps.session.array()));
        drawn.assert_used_up();

        let request: MessageRequest = read(&wire.message_request);
        let mut slot = [0xff; SLOT_BYTES];
        let opened = session.open(&keys, &request, &mut slot).unwrap();
        let (length, header) = (opened.length, opened.header);
        assert_eq!(json(&opened.answer), wire.message_answer, "{}", case.name);
        assert_eq!(&slot[..length], case.text.as_bytes());
        assert!(slot[length..].iter().all(|byte| *byte == 0));
        assert_eq!((header.via, header.kind), (Via::V2, Kind::Text));
        assert_eq!(header.invitation, invitation);
        assert_eq!(header.sender, SenderId(case.sender.public.array()));
        assert_eq!(header.session, SessionId(steps.session.array()));
        assert_eq!(header.box_digest, BoxDigest(case.place.digest.array()));
        assert_eq!(opened.box_part.answerable(), case.place.answerable);
        assert_eq!(opened.box_part.digest(), header.box_digest);
        assert_eq!(&header.signature.0[..], &steps.plain.0[..64]);
    }
}

#[test]
fn the_senders_steps_give_the_vectors_bytes() {
    for case in file().cases {
        let (random, steps, wire) = (&case.random, &case.steps, &case.wire);
        let key = case.sender.sender_key();
        let fingerprint = key.public().fingerprint().to_string();
        assert_eq!(fingerprint, case.sender.fingerprint);
        let hello = case.hello();
        assert_eq!(json(&hello.request()), wire.pow_request, "{}", case.name);

        let challenged = hello.challenged(&read(&wire.pow_answer)).unwrap();
        assert_eq!(
            challenged.relay().as_bytes(),
            &case.relay.public.array::<32>()
        );
        assert_eq!(challenged.terms(), &case.terms());
        let puzzle = challenged.puzzle();
        let key = PuzzleKey(steps.puzzle_key.array());
        let cost = case.terms().cost;
        assert_eq!(puzzle, Puzzle::V2 { key, cost });
        let solution = Solution::V2(steps.nonces.clone());
        assert_eq!(puzzle.verify(&solution), Ok(()), "{}", case.name);

        let mut drawn = Replay::new(&[
            &random.sender_x25519.0,
            &random.mlkem_d.0,
            &random.mlkem_z.0,
        ]);
        let exchanging = challenged.solved(&steps.nonces, &mut drawn);
        assert_eq!(json(exchanging.request()), wire.exchange_request);
        drawn.assert_used_up();

        let open = exchanging.answered(&read(&wire.exchange_answer)).unwrap();
        assert_eq!(open.session(), SessionId(steps.session.array()));
        let sent = open.seal(&text(&case.text), &case.place.part());
        assert_eq!(json(sent.request()), wire.message_request);

        let receipted = sent.accepted(&read(&wire.message_answer)).unwrap();
        let digest = MessageDigest(steps.receipt_digest.array());
        assert_eq!(receipted.receipt.digest, digest);
    }
}

#[test]
fn every_value_of_an_invitation_is_the_vectors() {
    let cases = file().cases;
    let invited = cases
        .iter()
        .filter_map(|case| Some((case, case.invitation.as_ref()?)));
    let mut any = false;
    for (case, invitation) in invited {
        any = true;
        let token = invitation.token.0.as_slice();
        let derived = *labels::INVITATION.derive(&[token]);
        assert_eq!(derived, invitation.key.array());
        let check = labels::INVITATION_CHECK.derive(&[token]);
        assert_eq!(check[..4], invitation.check.0);

        let by_token: Token = invitation.text.parse().unwrap();
        assert_eq!(*by_token.to_text(), invitation.text);
        let drawn = Token::generate(&mut Replay::new(&[token]));
        assert_eq!(*drawn.to_text(), invitation.text);
        let sender = SenderId(case.sender.public.array());
        let proof = InvitationProof(invitation.proof.array());
        assert_eq!(by_token.key().proof(&sender), proof);
        assert!(drawn.key().fits(&sender, &proof));

        let mask_key = *labels::INVITATION_MASK_KEY.derive(&[case.relay.root()]);
        assert_eq!(mask_key, invitation.mask_key.array());
        let challenge = &case.steps.challenge.0;
        let named = challenge[24..32].iter().zip(&invitation.mask.0);
        let number: Vec<u8> = named.map(|(masked, mask)| masked ^ mask).collect();
        assert_eq!(number, invitation.number.to_le_bytes());
    }
    assert!(any, "one sender at least is invited");
}

#[test]
fn every_statement_and_key_in_between_is_the_vectors() {
    for case in file().cases {
        let (random, steps, wire) = (&case.random, &case.steps, &case.wire);
        let challenge = Challenge::from_bytes(&steps.challenge.array()).unwrap();
        assert_eq!(
            challenge.statement(),
            Statement(steps.challenge_statement.array())
        );
        let nonces = transcript::nonces(&steps.solution.0, &challenge);
        assert_eq!(nonces.as_ref(), Ok(&steps.nonces));

        let mut drawn = Replay::new(&[
            &random.sender_x25519.0,
            &random.mlkem_d.0,
            &random.mlkem_z.0,
        ]);
        let secret = HybridSecret::generate(&mut drawn);
        let offer = secret.offer();
        let request = transcript::request(&challenge, &steps.solution.0, &offer);
        assert_eq!(request, Statement(steps.request_statement.array()));

        let asked: ExchangeRequest = read(&wire.exchange_request);
        let answered: ExchangeAnswer = read(&wire.exchange_answer);
        let answer = HybridAnswer {
            x25519: answered.x25519,
            mlkem768: answered.mlkem768.0,
        };
        let signature = Signature(asked.signature.0);
        let session = transcript::session(&request, &signature, &answer);
        let session = transcript::session_id(&session);
        assert_eq!(session, SessionId(steps.session.array()));

        let parts: [&[u8]; 3] = [&steps.kem.0, &steps.dh.0, &steps.session.0];
        let message_key: [u8; 32] = steps.message_key.array();
        assert_eq!(*labels::MESSAGE_KEY.derive(&parts), message_key);

        // The key itself stays inside; that both sides have this one shows in what they open.
        let sealed: MessageRequest = read(&wire.message_request);
        let by_the_book = seal(message_key, [0; 12], &steps.session.0, &steps.plain.0);
        assert_eq!(by_the_book, sealed.sealed.0);
        let offer = HybridOffer {
            x25519: asked.x25519,
            mlkem768: asked.mlkem768.0,
        };
        let mut drawn = Replay::new(&[&random.relay_x25519.0, &random.mlkem_m.0]);
        let (_, relays) = offer.answer(&mut drawn).unwrap();
        let senders = secret.agree(&answer).unwrap();
        for shared in [relays, senders] {
            let (body, tag) = by_the_book.split_last_chunk::<16>().unwrap();
            let mut opened = body.to_vec();
            let key = shared.message_key(&session);
            assert_eq!(key.open(&session.0, &mut opened, tag), Ok(()));
            assert_eq!(opened, steps.plain.0);
        }

        let content = case.text.as_bytes();
        let place = BoxDigest(case.place.digest.array());
        let statement = message::statement(
            &RelayId(case.relay.public.array()),
            &session,
            0,
            &place,
            content,
        );
        assert_eq!(statement, Statement(steps.message_statement.array()));
        let signature = Signature(steps.plain.0[..64].try_into().unwrap());
        let digest = receipt::digest(&statement, &signature);
        assert_eq!(digest, MessageDigest(steps.receipt_digest.array()));
        let fields: [&[u8]; 3] = [&steps.session.0, &case.sender.public.0, &digest.0];
        let receipt = labels::RECEIPT.digest(&fields);
        assert_eq!(receipt, Statement(steps.receipt_statement.array()));
    }
}
