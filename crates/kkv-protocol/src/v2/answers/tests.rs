use std::array::from_fn;

use proptest::prelude::*;
use rand::rngs::ThreadRng;
use zeroize::Zeroizing;

use super::ask::{ANSWER_BYTES, RepliesAnswer, RepliesRequest};
use super::box_part::BoxPart;
use super::keys::{Acknowledgement, AnswerRoot, BoxSecret, Claim, Salt};
use super::sealed::{Chain, SealedAnswer};
use super::sender::{Answer, Replies, ReplySecrets};
use super::status::{self, BoxStatus};
use crate::crypto::chunks::AskNumber;
use crate::crypto::exchange::HybridSecret;
use crate::error::ProtocolError;
use crate::ids::{RelayId, SessionId};
use crate::text::Text;
use crate::v2::ask::AskOutcome;
use crate::v2::ask::sender::{AskAnswer, AskRequest, Asking, BadAsk};
use crate::v2::purpose::BodySize;

const RELAY: RelayId = RelayId([1; 32]);
const SESSION: SessionId = SessionId([9; 32]);
const ENTROPY: [u8; 16] = [5; 16];

fn asking(rng: &mut ThreadRng) -> Asking {
    let secret = HybridSecret::generate(rng);
    let (answer, _) = secret.offer().answer(rng).unwrap();
    let keys = secret.agree(&answer).unwrap().ask_keys(&SESSION);
    Asking::new(SESSION, BodySize::Kib16, keys)
}

fn text(text: &str) -> Text {
    Text::new(Zeroizing::new(text.to_owned())).unwrap()
}

/// A box as a relay holds it, with these answers in it.
fn with_answers(texts: &[&str]) -> (BoxSecret, Vec<SealedAnswer>) {
    let BoxPart::Opens { secret, salt, key } = ReplySecrets::new(&ENTROPY).opens(&mut rand::rng())
    else {
        panic!("it opens one");
    };
    let mut chain = Chain::new(salt, key);
    let seal = |said: &&str| chain.seal(&RELAY, &secret, 77, &text(said)).unwrap().0;
    let answers = texts.iter().map(seal).collect();
    (secret, answers)
}

fn record(waiting: usize) -> BoxStatus {
    BoxStatus {
        ends: 100,
        messages: 1,
        answers: 7,
        waiting: waiting as u8,
        receipts: false,
        entries: Vec::new(),
    }
}

fn answered(content: Vec<u8>) -> AskAnswer {
    AskAnswer {
        outcome: AskOutcome::Done,
        started: 7,
        content: content.into(),
    }
}

/// What the relay answers to this request, with so many waiting as it says.
fn content(
    secret: &BoxSecret,
    request: &AskRequest,
    waiting: usize,
    answers: &[SealedAnswer],
) -> Vec<u8> {
    let record = record(waiting).seal(secret, &request.session(), request.number());
    RepliesAnswer::new(&record, answers.iter()).into_bytes()
}

fn read(
    entropy: &[u8; 16],
    request: &AskRequest,
    content: Vec<u8>,
) -> Result<Replies, ProtocolError> {
    ReplySecrets::new(entropy).read(&RELAY, request, &answered(content))
}

#[test]
fn whoever_has_the_words_reads_every_answer_and_nobody_else_does() {
    let mut asking = asking(&mut rand::rng());
    let request = ReplySecrets::new(&ENTROPY).ask(&mut asking, &[]).unwrap();
    let (secret, answers) = with_answers(&["one", "zwei é", "three"]);
    let content = content(&secret, &request, 3, &answers);
    assert_eq!(content.len(), ANSWER_BYTES);
    let Ok(Replies::Box(status, read_back)) = read(&ENTROPY, &request, content.clone()) else {
        panic!("there is a box");
    };
    assert_eq!(status, record(3));
    let told = |answer: &Answer| (answer.index, answer.time, answer.text.to_string());
    let said = ["one", "zwei é", "three"].iter().zip(0..);
    let expected: Vec<_> = said
        .map(|(said, index)| (index, 77, (*said).to_owned()))
        .collect();
    assert_eq!(read_back.iter().map(told).collect::<Vec<_>>(), expected);

    let refused = |read: Result<Replies, ProtocolError>| read.map(drop).unwrap_err();
    assert_eq!(
        refused(read(&[6; 16], &request, content.clone())),
        ProtocolError::BadSeal
    );
    // The relay's secret opens nothing: the chain's key is another's.
    let other = AnswerRoot::derive(&[6; 16]);
    let opened = answers[0].open(&RELAY, &secret, &other).map(drop);
    assert_eq!(opened, Err(ProtocolError::BadSeal));
    let another = ReplySecrets::new(&ENTROPY).read(&RelayId([2; 32]), &request, &answered(content));
    assert_eq!(refused(another), ProtocolError::BadSeal);
}

#[test]
fn an_answer_is_known_by_its_acknowledgement_alone() {
    let mut asking = asking(&mut rand::rng());
    let words = ReplySecrets::new(&ENTROPY);
    let BoxPart::Opens { secret, salt, key } = words.opens(&mut rand::rng()) else {
        panic!("it opens one");
    };
    let mut chain = Chain::new(salt, key);
    let [(first, known), (second, other)] =
        from_fn(|_| chain.seal(&RELAY, &secret, 1, &text("said")).unwrap());
    let request = words.ask(&mut asking, &[]).unwrap();
    let content = content(&secret, &request, 2, &[first, second]);
    let Ok(Replies::Box(_, answers)) = read(&ENTROPY, &request, content) else {
        panic!("there is a box");
    };
    let acknowledgement = &answers[0].acknowledgement;
    assert!(acknowledgement.digest().is(&known) && !acknowledgement.digest().is(&other));

    let told: Vec<&Acknowledgement> = answers
        .iter()
        .map(|answer| &answer.acknowledgement)
        .collect();
    let mut sent = Zeroizing::new(vec![0; 32]);
    told.iter()
        .for_each(|told| sent.extend_from_slice(told.as_bytes()));
    let parsed = RepliesRequest::parse(&sent).unwrap();
    let known_by: Vec<_> = parsed.acknowledged().collect();
    assert!(known_by[0].is(&known) && known_by[1].is(&other) && known_by.len() == 2);
    assert!(words.ask(&mut asking, &told.repeat(2)).is_ok());
    let five = words.ask(&mut asking, &told.repeat(3)).map(drop);
    assert_eq!(five, Err(BadAsk::TooLarge));
}

#[test]
fn a_proof_fits_its_own_box_and_request_alone() {
    let words = ReplySecrets::new(&ENTROPY);
    let (secret, other) = (BoxSecret::derive(&ENTROPY), BoxSecret::derive(&[6; 16]));
    let BoxPart::FollowsUp { proof, salt, key } = words.follows_up(&SESSION, &mut rand::rng())
    else {
        panic!("it follows up");
    };
    let fits = |secret: &BoxSecret, claim: &Claim| secret.fits(claim, &proof);
    let claim = |session: u8, salt| Claim::follow_up(&SessionId([session; 32]), salt, &key);
    assert!(fits(&secret, &claim(9, &salt)));
    assert!(!fits(&other, &claim(9, &salt)));
    assert!(!fits(&secret, &claim(8, &salt)));
    assert!(!fits(&secret, &claim(9, &Salt([0; 16]))));
    assert!(!fits(
        &secret,
        &Claim::follow_up(&SESSION, &salt, &key.next())
    ));

    let claim = |session: u8, number, acknowledged: &[u8]| {
        let number = AskNumber::new(number).unwrap();
        Claim::ask(&SessionId([session; 32]), number, acknowledged)
    };
    let proof = secret.prove(&claim(9, 3, &[7; 32]));
    let fits = |secret: &BoxSecret, claim: &Claim| secret.fits(claim, &proof);
    assert!(fits(&secret, &claim(9, 3, &[7; 32])) && !fits(&other, &claim(9, 3, &[7; 32])));
    for wrong in [
        claim(8, 3, &[7; 32]),
        claim(9, 4, &[7; 32]),
        claim(9, 3, &[7; 64]),
        claim(9, 3, &[]),
    ] {
        assert!(!fits(&secret, &wrong));
    }
    assert!(secret.is(&BoxSecret::derive(&ENTROPY)) && !secret.is(&other));
}

#[test]
fn a_request_is_a_proof_and_up_to_four_whole_acknowledgements() {
    for bytes in 0..256 {
        let parsed = RepliesRequest::parse(&vec![7; bytes]);
        assert_eq!(
            parsed.is_some(),
            [32, 64, 96, 128, 160].contains(&bytes),
            "{bytes}"
        );
        let count = parsed.map_or(0, |request| request.acknowledged().count());
        assert_eq!(
            count,
            (bytes / 32).saturating_sub(1) * usize::from(count > 0)
        );
    }
}

#[test]
fn zeros_say_that_there_is_no_box_and_nothing_else_does() {
    let mut asking = asking(&mut rand::rng());
    let request = ReplySecrets::new(&ENTROPY).ask(&mut asking, &[]).unwrap();
    let none = vec![0; ANSWER_BYTES];
    assert!(matches!(
        read(&ENTROPY, &request, none.clone()),
        Ok(Replies::NoBox)
    ));
    for length in [0, 1, ANSWER_BYTES - 1, ANSWER_BYTES + 1] {
        let refused = read(&ENTROPY, &request, vec![0; length]).map(drop);
        assert_eq!(refused, Err(ProtocolError::Malformed), "{length}");
    }
    // Answers without a record, and fewer or more than it says.
    let (secret, answers) = with_answers(&["one", "two"]);
    let mut without = content(&secret, &request, 2, &answers);
    without[..status::SEALED_BYTES].fill(0);
    assert!(read(&ENTROPY, &request, without).is_err());
    for waiting in [0, 1, 3, 4] {
        let content = content(&secret, &request, waiting, &answers);
        let refused = read(&ENTROPY, &request, content).map(drop);
        assert_eq!(refused, Err(ProtocolError::Malformed), "{waiting}");
    }
    // A record of another request.
    let earlier = content(&secret, &request, 2, &answers);
    let later = ReplySecrets::new(&ENTROPY).ask(&mut asking, &[]).unwrap();
    let refused = read(&ENTROPY, &later, earlier).map(drop);
    assert_eq!(refused, Err(ProtocolError::BadSeal));
    // An outcome that says it was not understood.
    let answer = AskAnswer {
        outcome: AskOutcome::Malformed,
        ..answered(Vec::new())
    };
    let refused = ReplySecrets::new(&ENTROPY).read(&RELAY, &request, &answer);
    assert_eq!(refused.map(drop), Err(ProtocolError::Malformed));
}

#[test]
fn a_session_of_another_size_asks_for_no_replies() {
    let rng = &mut rand::rng();
    let secret = HybridSecret::generate(rng);
    let (answer, _) = secret.offer().answer(rng).unwrap();
    let keys = secret.agree(&answer).unwrap().ask_keys(&SESSION);
    let mut asking = Asking::new(SESSION, BodySize::Kib4, keys);
    let asked = ReplySecrets::new(&ENTROPY).ask(&mut asking, &[]).map(drop);
    assert_eq!(asked, Err(BadAsk::TooLarge));
}

proptest! {
    #[test]
    fn one_changed_byte_of_what_a_relay_answers_is_noticed(place in 0..ANSWER_BYTES, change in 1..=255_u8) {
        let mut asking = asking(&mut rand::rng());
        let request = ReplySecrets::new(&ENTROPY).ask(&mut asking, &[]).unwrap();
        let (secret, answers) = with_answers(&["one", "two"]);
        let mut content = content(&secret, &request, 2, &answers);
        content[place] ^= change;
        prop_assert!(read(&ENTROPY, &request, content).is_err());
    }
}
