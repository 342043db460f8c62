//! A relay's boxes and its queue, and attempts to turn a box back. What they do beside a plain model is in `model`.

use super::*;
use kkv_base::limits::BOXES_PER_SLOT;
use kkv_protocol::v2::answers::MAX_WAITING;
use kkv_protocol::v2::answers::ask::ANSWER_BYTES;
use kkv_protocol::v2::answers::keys::{Acknowledgement, AnswerRoot, BoxSecret, Salt};
use kkv_protocol::v2::answers::sealed::{OpenedAnswer, SealedAnswer};
use kkv_protocol::v2::answers::status::{BoxStatus, SEALED_BYTES};
use zeroize::Zeroizing;

mod bounds;
mod model;

const RELAY: RelayId = RelayId([1; 32]);
const SESSION: SessionId = SessionId([2; 32]);
const SLOTS: usize = 3;
const LIFE: u64 = 20;

/// Sixteen bytes of words.
fn entropy(words: u8) -> [u8; 16] {
    [words; 16]
}

fn secret(words: u8) -> BoxSecret {
    BoxSecret::derive(&entropy(words))
}

fn opens(words: u8, salt: u8) -> BoxPart {
    let salt = Salt([salt; 16]);
    BoxPart::Opens {
        secret: secret(words),
        salt,
        key: AnswerRoot::derive(&entropy(words)).first_key(&salt),
    }
}

fn follows_up(words: u8, salt: u8, session: &SessionId) -> BoxPart {
    let salt = Salt([salt; 16]);
    let key = AnswerRoot::derive(&entropy(words)).first_key(&salt);
    let proof = secret(words).prove(&Claim::follow_up(session, &salt, &key));
    BoxPart::FollowsUp { proof, salt, key }
}

fn text(text: &str) -> Text {
    Text::new(Zeroizing::new(text.to_owned())).unwrap()
}

/// A relay's boxes and its queue.
struct Side {
    boxes: Boxes,
    queue: Queue<()>,
    seconds: u64,
    /// Of a second, on the steady clock; the other one shows whole seconds.
    fraction: Duration,
    asked: u64,
}

/// What somebody is told.
struct Told {
    status: BoxStatus,
    answers: Vec<OpenedAnswer>,
    places: Vec<(Salt, u16)>,
}

impl Side {
    fn new() -> Self {
        Self::with_bound(usize::MAX, SLOTS as u32)
    }

    /// With so many slots, and so many boxes at most.
    fn with_bound(bound: usize, slots: u32) -> Self {
        Self {
            boxes: Boxes::with_bound(bound, slots, 0, Duration::from_secs(LIFE)),
            queue: Queue::new(slots, None).unwrap(),
            seconds: 0,
            fraction: Duration::ZERO,
            asked: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            unix: 1000 + self.seconds,
            elapsed: Duration::from_secs(self.seconds) + self.fraction,
        }
    }

    /// A message comes, for which a slot is free.
    fn accept(&self, part: BoxPart) -> Result<MessageId, Refusal> {
        let slot = self.queue.reserve(self.now().elapsed).unwrap();
        let mut id = None;
        let store = || {
            let stored = slot.store(1, (), self.now()).unwrap();
            id = Some(stored);
            Ok(stored)
        };
        self.boxes
            .accept(part, &SESSION, &self.queue, self.now(), store)?;
        Ok(id.unwrap())
    }

    fn answer(&self, id: MessageId, said: &str) -> Result<Conversation, CantReply> {
        let said = text(said);
        self.boxes
            .answer(id, &said, &RELAY, &self.queue, self.now())
    }

    /// Whoever has these words asks, and acknowledges this; all that comes is `None` if there is no box.
    fn ask(&mut self, words: u8, told: &[Acknowledgement], receipts: bool) -> Option<Told> {
        let keys: Vec<u8> = told
            .iter()
            .flat_map(|told| told.as_bytes().to_vec())
            .collect();
        self.asked += 1;
        let number = AskNumber::new(self.asked).unwrap();
        let proof = secret(words).prove(&Claim::ask(&SESSION, number, &keys));
        let request = RepliesRequest::parse(&[&proof.0[..], &keys].concat()).unwrap();
        let (queue, now) = (&self.queue, self.now());
        let answer = self
            .boxes
            .replies(&request, &SESSION, number, receipts, queue, now);
        let content = answer.into_bytes();
        assert_eq!(content.len(), ANSWER_BYTES);
        if content.iter().all(|byte| *byte == 0) {
            return None;
        }
        let (record, places) = content.split_first_chunk().unwrap();
        let status = BoxStatus::open(record, &secret(words), &SESSION, number).unwrap();
        let root = AnswerRoot::derive(&entropy(words));
        let sealed: Vec<SealedAnswer> = places
            .chunks(ANSWER_BYTES / MAX_WAITING - SEALED_BYTES / MAX_WAITING)
            .take(status.waiting.into())
            .map(|place| SealedAnswer {
                salt: Salt(place[..16].try_into().unwrap()),
                index: u16::from_le_bytes(place[16..18].try_into().unwrap()),
                sealed: Box::new(place[18..].try_into().unwrap()),
            })
            .collect();
        let opened = |sealed: &SealedAnswer| sealed.open(&RELAY, &secret(words), &root).unwrap();
        Some(Told {
            status,
            answers: sealed.iter().map(opened).collect(),
            places: sealed
                .iter()
                .map(|sealed| (sealed.salt, sealed.index))
                .collect(),
        })
    }
}

#[test]
fn an_old_message_turns_no_chain_back() {
    let mut side = Side::new();
    let other = SessionId([3; 32]);
    let first = side.accept(opens(1, 1)).unwrap();
    side.answer(first, "to the first").unwrap();
    side.accept(follows_up(1, 2, &SESSION)).unwrap();
    side.answer(first, "to the second").unwrap();
    for old in [
        opens(1, 1),
        opens(1, 2),
        follows_up(1, 1, &SESSION),
        follows_up(1, 2, &SESSION),
        follows_up(1, 3, &other), // what was said in another session
        follows_up(2, 4, &SESSION),
    ] {
        assert_eq!(side.accept(old), Err(Refusal::NoBox));
    }
    side.answer(first, "and one more").unwrap();
    let told = side.ask(1, &[], false).unwrap();
    let places: Vec<_> = told
        .places
        .iter()
        .map(|(salt, index)| (salt.0[0], *index))
        .collect();
    assert_eq!(places, [(1, 0), (2, 0), (2, 1)]);
    assert_eq!(
        side.queue.occupancy(Duration::ZERO).stored,
        2,
        "the refused left no message"
    );
}

#[test]
fn an_acknowledgement_deletes_its_own_answer_and_only_with_the_words_of_the_box() {
    let mut side = Side::new();
    let first = side.accept(opens(1, 1)).unwrap();
    side.accept(opens(2, 1)).unwrap();
    for said in ["one", "two"] {
        side.answer(first, said).unwrap();
    }
    let acknowledgement = |side: &mut Side, at: usize| {
        let told = side.ask(1, &[], false).unwrap();
        told.answers.into_iter().nth(at).unwrap().acknowledgement
    };
    let second = acknowledgement(&mut side, 1);
    assert!(side.ask(2, &[second], false).unwrap().answers.is_empty());
    let second = acknowledgement(&mut side, 1);
    let left = side.ask(1, &[second], false).unwrap();
    assert_eq!(
        left.answers
            .iter()
            .map(|answer| answer.text.as_str())
            .collect::<Vec<_>>(),
        ["one"]
    );
    assert_eq!(side.boxes.counts(), (2, 1));
}

#[test]
fn whoever_follows_the_queue_is_told_of_what_is_answered_and_fetched_and_of_boxes_that_end() {
    let mut side = Side::new();
    let id = side.accept(opens(1, 1)).unwrap();
    let version = |side: &Side| *side.queue.watch().borrow();
    let mut seen = version(&side);
    let mut has_changed = |side: &Side| {
        let before = std::mem::replace(&mut seen, version(side));
        seen > before
    };
    side.answer(id, "one").unwrap();
    assert!(has_changed(&side));
    let told = side.ask(1, &[], false).unwrap();
    assert!(!has_changed(&side), "nothing was acknowledged");
    let told = told.answers.into_iter().next().unwrap().acknowledgement;
    side.ask(1, &[told], false).unwrap();
    assert!(has_changed(&side));
    side.seconds = LIFE;
    let next = side.boxes.purge(&side.queue, side.now());
    assert!(has_changed(&side) && next.is_none());
    assert_eq!(side.answer(id, "two"), Err(CantReply::BoxGone));
}

#[test]
fn with_all_places_taken_a_message_finds_one_and_an_answer_says_so() {
    let side = Side::new();
    // As many boxes as there may be, without a message in the queue.
    for words in 0..(BOXES_PER_SLOT * SLOTS) as u8 {
        let id = side.accept(opens(words, 1)).unwrap();
        if usize::from(words) < SLOTS {
            side.answer(id, "waits").unwrap();
        } else {
            let longest = CantReply::NoPlace {
                conversation: 1,
                waiting: 1,
                since: 1000,
            };
            assert_eq!(side.answer(id, "no place"), Err(longest));
        }
        side.queue.delete(id, Duration::ZERO);
    }
    let full = side.boxes.counts();
    for words in 100..200 {
        let id = side.accept(opens(words, 1)).unwrap();
        side.queue.delete(id, Duration::ZERO);
        assert_eq!(side.boxes.counts(), full);
    }
    // Those that wait are still there.
    let mut side = side;
    for words in 0..SLOTS as u8 {
        assert_eq!(side.ask(words, &[], false).unwrap().answers.len(), 1);
    }
}
