//! What must be refused, each beside what is nearly the same and must be taken (PROTOCOL.md §13): `negative.json`.

use kkv_pow::Solution;
use kkv_protocol::crypto::exchange::{HybridOffer, HybridSecret, X25519Secret};
use kkv_protocol::crypto::identity::{PublicKey, Sender, Signature};
use kkv_protocol::ids::{InvitationProof, SenderId, X25519PublicKey};
use kkv_protocol::limits::SLOT_BYTES;
use kkv_protocol::v2::challenge::Challenge;
use kkv_protocol::v2::invitation::Token;
use kkv_protocol::v2::purpose::Purpose;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::transcript;
use kkv_protocol::v2::wire::{MessageRequest, PowAnswer};
use kkv_protocol::wire::Hex;
use serde::Deserialize;

use super::case::{Bytes, read, seal};
use super::v2::{first_sender, first_session};
use crate::replay::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    signatures: Vec<SignatureCase>,
    x25519: Vec<X25519Case>,
    mlkem768: Vec<KeyCase>,
    challenges: Vec<ChallengeCase>,
    solutions: Vec<SolutionCase>,
    messages: Vec<MessageCase>,
    pub(super) asks: Vec<super::asks::RequestCase>,
    pub(super) ask_answers: Vec<super::asks::AnswerCase>,
    pub(super) proofs: Vec<super::proofs::FileCase>,
    pub(super) box_proofs: Vec<super::boxes::refused::ProofCase>,
    pub(super) follow_ups: Vec<super::boxes::refused::FollowUpCase>,
    pub(super) answers: Vec<super::boxes::refused::PlaceCase>,
    pub(super) box_states: Vec<super::boxes::refused::StateCase>,
    /// Words are kkv-client's.
    #[serde(rename = "words")]
    _words: serde::de::IgnoredAny,
    invitation_texts: Vec<TextCase>,
    invitation_proofs: Vec<ProofCase>,
    pub(super) files: Vec<super::uploads::ContentCase>,
    pub(super) acknowledgements: Vec<super::uploads::AcknowledgementCase>,
    pub(super) pieces: Vec<super::uploads::PieceCase>,
    pub(super) large_messages: Vec<super::uploads::LargeCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureCase {
    name: String,
    public: Bytes,
    message: Bytes,
    signature: Bytes,
    valid: bool,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct X25519Case {
    name: String,
    secret: Bytes,
    public: Bytes,
    shared: Option<Bytes>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyCase {
    name: String,
    key: Bytes,
    usable: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeCase {
    name: String,
    challenge: Bytes,
    signature: Bytes,
    asked: Bytes,
    invited: bool,
    parses: bool,
    sender_takes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SolutionCase {
    name: String,
    challenge: Bytes,
    solution: Bytes,
    solves: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageCase {
    name: String,
    sealed: Bytes,
    outcome: String,
}

/// What somebody has typed for an invitation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextCase {
    name: String,
    text: String,
    token: Option<Bytes>,
    why: String,
}

/// What a sender shows a relay that has made these tokens, and which of them it fits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofCase {
    name: String,
    sender: Bytes,
    tokens: Vec<Bytes>,
    proof: Bytes,
    fits: Option<usize>,
    why: String,
}

pub(super) fn file() -> File {
    read(include_str!("../../../vectors/negative.json"))
}

#[test]
fn signatures_are_strict() {
    let cases = file().signatures;
    assert!(cases.iter().any(|case| !case.valid));
    for case in cases {
        let key = PublicKey::<Sender>::from_id(&SenderId(case.public.array()));
        let signature = Signature(case.signature.array());
        let valid = key.is_ok_and(|key| key.verify(&case.message.0, &signature).is_ok());
        assert_eq!(valid, case.valid, "{}: {}", case.name, case.why);
    }
}

#[test]
fn an_exchange_ends_with_the_same_secret_or_with_none() {
    for case in file().x25519 {
        let secret = X25519Secret::generate(&mut Replay::new(&[&case.secret.0]));
        let shared = secret.agree(X25519PublicKey(case.public.array())).ok();
        assert_eq!(
            shared.is_some(),
            case.shared.is_some(),
            "{}: {}",
            case.name,
            case.why
        );
        // The secret itself stays inside; that it is this one shows in what it seals, as in kkv/1.
        if let (Some(shared), Some(wanted)) = (shared, case.shared) {
            let wanted: [u8; 32] = wanted.array();
            let nonce = wanted[..12].try_into().unwrap();
            let mut text = *b"text";
            let tag = shared.message_key().seal(&[], &mut text);
            let by_the_book = seal(wanted, nonce, &[], b"text");
            assert_eq!([&text[..], &tag].concat(), by_the_book, "{}", case.name);
        }
    }
}

#[test]
fn an_encapsulation_key_is_canonical() {
    for case in file().mlkem768 {
        let offer = HybridOffer {
            mlkem768: case.key.array(),
            ..HybridSecret::generate(&mut rand::rng()).offer()
        };
        let answer = offer.answer(&mut rand::rng());
        assert_eq!(answer.is_ok(), case.usable, "{}", case.name);
    }
}

#[test]
fn a_challenge_is_one_and_a_sender_takes_it_within_its_bounds() {
    for case in file().challenges {
        let challenge = Challenge::from_bytes(&case.challenge.array());
        assert_eq!(challenge.is_ok(), case.parses, "{}", case.name);
        let answer = PowAnswer {
            challenge: Hex(case.challenge.array()),
            signature: Hex(case.signature.array()),
        };
        let key = first_sender();
        let taken = match Purpose::from_bytes(case.asked.array()).unwrap() {
            Purpose::Message if case.invited => {
                let token = Token::generate(&mut rand::rng());
                Hello::invited(key, &token).challenged(&answer).is_ok()
            }
            Purpose::Message => Hello::new(key).challenged(&answer).is_ok(),
            Purpose::Large(size) => Hello::for_large(key, size, None)
                .challenged(&answer)
                .is_ok(),
            Purpose::Ask(size) => Hello::for_asks(key, size).challenged(&answer).is_ok(),
        };
        assert_eq!(taken, case.sender_takes, "{}", case.name);
    }
}

#[test]
fn a_solution_has_one_form_and_enough_bits() {
    for case in file().solutions {
        let challenge = Challenge::from_bytes(&case.challenge.array()).unwrap();
        let nonces = transcript::nonces(&case.solution.0, &challenge);
        let solves = nonces.is_ok_and(|nonces| {
            let solution = Solution::V2(nonces);
            challenge.puzzle().verify(&solution).is_ok()
        });
        assert_eq!(solves, case.solves, "{}", case.name);
    }
}

#[test]
fn a_message_has_one_form() {
    let (keys, session) = first_session();
    for case in file().messages {
        let request = MessageRequest {
            session: session.id(),
            sealed: Hex(case.sealed.array()),
        };
        let mut slot = [0xff; SLOT_BYTES];
        let opened = session.open(&keys, &request, &mut slot);
        let outcome = match &opened {
            Ok(_) => "accepted",
            Err(refusal) => refusal.code(),
        };
        assert_eq!(outcome, case.outcome, "{}", case.name);
        assert!(opened.is_ok() || slot.iter().all(|byte| *byte == 0));
    }
}

fn token(bytes: &Bytes) -> Token {
    Token::generate(&mut Replay::new(&[&bytes.0]))
}

#[test]
fn a_text_is_of_one_token_or_of_none() {
    for case in file().invitation_texts {
        let read = case.text.parse::<Token>().ok();
        let read = read.map(|token| token.to_text());
        let wanted = case.token.map(|wanted| token(&wanted).to_text());
        assert_eq!(read, wanted, "{}: {}", case.name, case.why);
    }
}

#[test]
fn a_proof_fits_one_token_or_none() {
    for case in file().invitation_proofs {
        let sender = SenderId(case.sender.array());
        let proof = InvitationProof(case.proof.array());
        let tokens = case.tokens.iter().map(token);
        let fits: Vec<bool> = tokens
            .map(|token| token.key().fits(&sender, &proof))
            .collect();
        let wanted: Vec<bool> = (0..fits.len())
            .map(|place| case.fits == Some(place))
            .collect();
        assert_eq!(fits, wanted, "{}: {}", case.name, case.why);
    }
}
