//! Answers (PROTOCOL.md §17): what follows from the words of a box, what a relay seals and says, and what is asked.

pub(super) mod refused;

use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::crypto::labels;
use kkv_protocol::ids::{RelayId, SessionId};
use kkv_protocol::v2::answers::ask::{RepliesAnswer, RepliesRequest};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::{AnswerRoot, BoxSecret, Claim, Salt};
use kkv_protocol::v2::answers::sealed::{Chain, SealedAnswer};
use kkv_protocol::v2::answers::sender::{Answer, Replies, ReplySecrets};
use kkv_protocol::v2::answers::status::{BoxStatus, Entry, EntryState};
use kkv_protocol::v2::ask::AskOutcome;
use kkv_protocol::v2::ask::sender::{AskAnswer, AskRequest};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::case::{Bytes, text};
use super::v2::{box_part, file};
use crate::replay::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    relay: Bytes,
    words: Words,
    messages: Vec<Message>,
    answers: Vec<Sealed>,
    asks: Vec<Ask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    entropy: Bytes,
    /// Words are kkv-client's.
    #[serde(rename = "words")]
    _words: String,
    box_secret: Bytes,
    answer_root: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    session: Bytes,
    salt: Bytes,
    first_key: Bytes,
    proof: Bytes,
    opens: Bytes,
    follows_up: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    salt: Bytes,
    index: u16,
    time: u64,
    text: String,
    key: Bytes,
    sealing_key: Bytes,
    sealed: Bytes,
    acknowledgement: Bytes,
    acknowledged: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    session: Bytes,
    number: u64,
    acknowledges: Vec<usize>,
    proof: Bytes,
    content: Bytes,
    status: Option<Status>,
    status_key: Bytes,
    record: Option<Bytes>,
    record_sealed: Option<Bytes>,
    waiting: Vec<usize>,
    answer_content_blake3: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    ends: u64,
    accepted: u16,
    sealed: u16,
    waiting: u8,
    read_receipts: bool,
    entries: Vec<StatusEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusEntry {
    salt: Bytes,
    accepted: u64,
    state: u8,
    answers: u16,
}

impl Case {
    fn relay(&self) -> RelayId {
        RelayId(self.relay.array())
    }

    fn secret(&self) -> BoxSecret {
        BoxSecret::derive(&self.words.entropy.array())
    }

    fn root(&self) -> AnswerRoot {
        AnswerRoot::derive(&self.words.entropy.array())
    }

    fn secrets(&self) -> ReplySecrets {
        ReplySecrets::new(&self.words.entropy.array())
    }

    /// What a relay answers to this ask.
    fn content(&self, ask: &Ask) -> Vec<u8> {
        let Some(record) = &ask.record_sealed else {
            return RepliesAnswer::new(&[0; 576], [].iter()).into_bytes();
        };
        let waiting: Vec<_> = ask
            .waiting
            .iter()
            .map(|i| self.answers[*i].sealed())
            .collect();
        RepliesAnswer::new(&record.array(), waiting.iter()).into_bytes()
    }

    /// The ask with this number in the session of the last of `asks`, and the same as its sender makes it.
    fn asked(&self, number: u64) -> (&Ask, AskRequest) {
        let session = file().asks.pop().unwrap();
        let mut asking = session.asking();
        let mut asks = self.asks.iter();
        let ask =
            asks.find(|ask| ask.number == number && ask.session.array() == asking.session().0);
        let ask = ask.unwrap();
        asking.skip_to(AskNumber::new(number).unwrap());
        let opened: Vec<_> = ask
            .acknowledges
            .iter()
            .map(|i| self.open(&self.answers[*i]))
            .collect();
        let acknowledgements: Vec<_> = opened
            .iter()
            .map(|answer| &answer.acknowledgement)
            .collect();
        let request = self.secrets().ask(&mut asking, &acknowledgements).unwrap();
        session.assert_request(&request);
        (ask, request)
    }

    fn open(&self, answer: &Sealed) -> kkv_protocol::v2::answers::sealed::OpenedAnswer {
        let sealed = answer.sealed();
        sealed
            .open(&self.relay(), &self.secret(), &self.root())
            .unwrap()
    }
}

impl Sealed {
    fn sealed(&self) -> SealedAnswer {
        SealedAnswer {
            salt: Salt(self.salt.array()),
            index: self.index,
            sealed: Box::new(self.sealed.array()),
        }
    }
}

impl Status {
    fn status(&self) -> BoxStatus {
        let entries = self.entries.iter().map(|entry| Entry {
            salt: Salt(entry.salt.array()),
            accepted: entry.accepted,
            state: EntryState::try_from(entry.state).unwrap(),
            answers: entry.answers,
        });
        BoxStatus {
            ends: self.ends,
            messages: self.accepted,
            answers: self.sealed,
            waiting: self.waiting,
            receipts: self.read_receipts,
            entries: entries.collect(),
        }
    }
}

#[test]
fn what_follows_from_words_is_the_vectors() {
    for case in file().boxes {
        let words = &case.words;
        let entropy = words.entropy.0.as_slice();
        assert_eq!(
            *labels::BOX_SECRET.derive(&[entropy]),
            words.box_secret.array()
        );
        assert_eq!(
            *labels::ANSWER_ROOT.derive(&[entropy]),
            words.answer_root.array()
        );
        for message in &case.messages {
            let salt = message.salt.0.as_slice();
            let first = labels::ANSWER_KEY.derive(&[&words.answer_root.0, salt]);
            assert_eq!(*first, message.first_key.array(), "{}", case.name);

            // What stands in a part shows in its digest, which is of all of it.
            let opens = case.secrets().opens(&mut Replay::new(&[salt]));
            assert_eq!(opens.digest(), box_part(1, &message.opens.0).digest());
            let session = SessionId(message.session.array());
            let follows_up = case
                .secrets()
                .follows_up(&session, &mut Replay::new(&[salt]));
            assert_eq!(
                follows_up.digest(),
                box_part(2, &message.follows_up.0).digest()
            );
            let BoxPart::FollowsUp { proof, salt, key } = &follows_up else {
                panic!("it follows up")
            };
            assert_eq!(proof.0, message.proof.array());
            assert!(
                case.secret()
                    .fits(&Claim::follow_up(&session, salt, key), proof)
            );
        }
    }
}

#[test]
fn answers_are_sealed_with_the_vectors_bytes_and_open() {
    for case in file().boxes {
        let (relay, secret, root) = (case.relay(), case.secret(), case.root());
        let mut chain: Option<Chain> = None;
        for one in &case.answers {
            let salt = Salt(one.salt.array());
            if one.index == 0 {
                chain = Some(Chain::new(salt, root.first_key(&salt)));
            }
            let chain = chain.as_mut().unwrap();
            let sealed = chain.seal(&relay, &secret, one.time, &text(&one.text));
            let (sealed, acknowledged) = sealed.unwrap();
            assert_eq!((sealed.salt == salt, sealed.index), (true, one.index));
            assert!(
                sealed.sealed[..] == one.sealed.0,
                "{}, {}",
                case.name,
                one.time
            );
            assert_eq!(acknowledged.0, one.acknowledged.array());

            let opened = case.open(one);
            assert_eq!((opened.time, &*opened.text), (one.time, &one.text));
            assert_eq!(opened.acknowledgement.digest().0, one.acknowledged.array());
        }
    }
}

#[test]
fn every_key_of_an_answer_is_the_vectors() {
    for case in file().boxes {
        for one in &case.answers {
            let first = labels::ANSWER_KEY.derive(&[&case.words.answer_root.0, &one.salt.0]);
            let key = (0..one.index).fold(first, |key, _| {
                labels::NEXT_ANSWER_KEY.derive(&[key.as_slice()])
            });
            assert_eq!(*key, one.key.array());
            let index = one.index.to_le_bytes();
            let sealing = labels::ANSWER_SEALING_KEY.derive(&[
                key.as_slice(),
                &case.relay.0,
                &case.words.box_secret.0,
                &one.salt.0,
                &index,
            ]);
            assert_eq!(*sealing, one.sealing_key.array());
            let acknowledgement = labels::ACKNOWLEDGEMENT.derive(&[key.as_slice()]);
            assert_eq!(*acknowledgement, one.acknowledgement.array());
        }
        for ask in &case.asks {
            let number = ask.number.to_le_bytes();
            let parts: [&[u8]; 3] = [&case.words.box_secret.0, &ask.session.0, &number];
            assert_eq!(*labels::STATUS_KEY.derive(&parts), ask.status_key.array());
        }
    }
}

#[test]
fn what_is_asked_of_a_box_is_told_with_the_vectors_bytes() {
    for case in file().boxes {
        let secret = case.secret();
        for ask in &case.asks {
            let name = format!("{}, {}", case.name, ask.number);
            let (session, number) = (
                SessionId(ask.session.array()),
                AskNumber::new(ask.number).unwrap(),
            );
            let request = RepliesRequest::parse(&ask.content.0).unwrap();
            assert_eq!(request.proof().0, ask.proof.array());
            assert!(secret.fits(&request.claim(&session, number), request.proof()));
            let acknowledged: Vec<_> = request.acknowledged().map(|digest| digest.0).collect();
            let said = ask.acknowledges.iter();
            let said: Vec<[u8; 32]> = said
                .map(|i| case.answers[*i].acknowledged.array())
                .collect();
            assert_eq!(acknowledged, said, "{name}");

            if let Some(status) = &ask.status {
                let status = status.status();
                let sealed = status.seal(&secret, &session, number);
                assert_eq!(sealed[..], ask.record_sealed.as_ref().unwrap().0, "{name}");
                let opened = BoxStatus::open(&sealed, &secret, &session, number);
                assert_eq!(opened, Ok(status), "{name}");
                let record = ask.record.as_ref().unwrap();
                let key = ask.status_key.array();
                assert_eq!(super::case::seal(key, [0; 12], &[], &record.0), sealed);
            }
            let content = blake3::hash(&case.content(ask));
            assert_eq!(
                content.as_bytes()[..],
                ask.answer_content_blake3.0,
                "{name}"
            );
        }
    }
}

/// An answer to a request of kind 1.
fn answer(content: Vec<u8>) -> AskAnswer {
    AskAnswer {
        outcome: AskOutcome::Done,
        started: 0,
        content: Zeroizing::new(content),
    }
}

#[test]
fn who_has_the_words_asks_in_the_vectors_bytes_and_reads_what_is_told() {
    let case = file().boxes.swap_remove(0);
    let (secrets, relay) = (case.secrets(), case.relay());
    for number in 0..3 {
        let (ask, request) = case.asked(number);
        let read = secrets.read(&relay, &request, &answer(case.content(ask)));
        let Ok(Replies::Box(status, answers)) = read else {
            panic!("{number}: {read:?}")
        };
        assert_eq!(status, ask.status.as_ref().unwrap().status());
        assert_eq!(answers.len(), ask.waiting.len());
        for (
            Answer {
                salt,
                index,
                time,
                text,
                ..
            },
            waiting,
        ) in answers.iter().zip(&ask.waiting)
        {
            let waiting = &case.answers[*waiting];
            assert_eq!((salt.0, *index), (waiting.salt.array(), waiting.index));
            assert_eq!((*time, &**text), (waiting.time, &waiting.text));
        }
        let none = secrets.read(&relay, &request, &answer(vec![0; 14_760]));
        assert!(matches!(none, Ok(Replies::NoBox)), "{none:?}");
    }
}
