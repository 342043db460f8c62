//! Boxes beside a plain model of them, and attempts to turn one back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use kkv_base::limits::BOXES_PER_SLOT;
use kkv_protocol::v2::answers::ask::ANSWER_BYTES;
use kkv_protocol::v2::answers::keys::{Acknowledgement, AnswerRoot, BoxSecret, Salt};
use kkv_protocol::v2::answers::sealed::{OpenedAnswer, SealedAnswer};
use kkv_protocol::v2::answers::status::{BoxStatus, EntryState, SEALED_BYTES};
use kkv_protocol::v2::answers::{MAX_ENTRIES, MAX_WAITING};
use zeroize::Zeroizing;

mod bounds;

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
            asked: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            unix: 1000 + self.seconds,
            elapsed: Duration::from_secs(self.seconds),
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

/// The same without cryptography: what the specification says in words.
#[derive(Default)]
struct Model {
    /// Those in the queue, and whether each is marked as read.
    queue: BTreeMap<MessageId, bool>,
    /// The box that has changed longest ago first.
    boxes: Vec<ModelBox>,
    last: u64,
}

struct ModelBox {
    words: u8,
    number: u64,
    /// All that it has had, oldest first.
    messages: Vec<ModelMessage>,
    waiting: Vec<(u8, u16, String)>,
    changed: u64,
}

struct ModelMessage {
    id: MessageId,
    salt: u8,
    accepted: u64,
    answers: u16,
}

impl Model {
    fn expire(&mut self, now: u64) {
        self.boxes.retain(|one| now < one.changed + LIFE);
    }

    fn place(&self, words: u8) -> Option<usize> {
        self.boxes.iter().position(|one| one.words == words)
    }

    fn change(&mut self, place: usize, now: u64) -> &mut ModelBox {
        let mut one = self.boxes.remove(place);
        one.changed = now;
        self.boxes.push(one);
        self.boxes.last_mut().unwrap()
    }

    /// Whether a message is taken.
    fn takes(&self, words: u8, salt: u8, opens: bool) -> bool {
        match self.place(words) {
            None => opens,
            Some(place) => {
                let last = self.boxes[place].messages.iter().rev().take(MAX_ENTRIES);
                last.into_iter().all(|message| message.salt != salt)
            }
        }
    }

    fn enter(&mut self, words: u8, salt: u8, id: MessageId, now: u64) {
        self.queue.insert(id, false);
        let place = self.place(words).unwrap_or_else(|| {
            if self.boxes.len() == BOXES_PER_SLOT * SLOTS {
                let is_idle = |one: &ModelBox| {
                    one.waiting.is_empty()
                        && !one
                            .messages
                            .iter()
                            .any(|of| self.queue.contains_key(&of.id))
                };
                let idle = self.boxes.iter().position(is_idle);
                self.boxes.remove(idle.expect("there always is one"));
            }
            self.last += 1;
            self.boxes.push(ModelBox {
                words,
                number: self.last,
                messages: Vec::new(),
                waiting: Vec::new(),
                changed: now,
            });
            self.boxes.len() - 1
        });
        let message = ModelMessage {
            id,
            salt,
            accepted: 1000 + now,
            answers: 0,
        };
        self.change(place, now).messages.push(message);
    }

    fn of(&self, id: MessageId) -> Option<usize> {
        let has = |one: &ModelBox| one.messages.iter().any(|message| message.id == id);
        self.boxes.iter().position(has)
    }

    fn answer(&mut self, id: MessageId, said: &str, now: u64) -> Result<(), CantReply> {
        let there = self.of(id).filter(|_| self.queue.contains_key(&id));
        let place = there.ok_or(CantReply::BoxGone)?;
        if self.boxes[place].waiting.len() == MAX_WAITING {
            return Err(CantReply::Unfetched);
        }
        if self
            .boxes
            .iter()
            .map(|one| one.waiting.len())
            .sum::<usize>()
            == SLOTS
        {
            let waits = |one: &&ModelBox| !one.waiting.is_empty();
            let longest = self.boxes.iter().find(waits).unwrap();
            return Err(CantReply::NoPlace {
                conversation: longest.number,
            });
        }
        let one = self.change(place, now);
        let newest = one.messages.last_mut().unwrap();
        one.waiting
            .push((newest.salt, newest.answers, said.to_owned()));
        newest.answers += 1;
        Ok(())
    }

    fn conversation(&self, id: MessageId) -> Option<Conversation> {
        let one = &self.boxes[self.of(id)?];
        let answers = |messages: &[ModelMessage]| messages.iter().map(|of| of.answers).sum();
        let at = one
            .messages
            .iter()
            .position(|message| message.id == id)
            .unwrap();
        let first = one.messages.len().saturating_sub(MAX_ENTRIES);
        Some(Conversation {
            number: one.number,
            answers: answers(&one.messages),
            waiting: one.waiting.len() as u8,
            answered: answers(&one.messages[at.max(first)..]),
        })
    }
}

#[derive(Debug, Clone)]
enum Operation {
    /// A message that opens a box or follows up, with a salt that may have been used before.
    Arrive(u8, u8, bool),
    /// One that can't be answered.
    ArrivePlain,
    /// To one of all messages there have been.
    Answer(Index),
    /// The owner takes back what waits in the conversation of one of all messages.
    Withdraw(Index),
    /// Whoever has these words asks, and acknowledges what he was shown last, as far as the bits say.
    Ask(u8, u8, bool),
    Delete(Index),
    Mark(Index),
    Advance(u64),
    Wipe,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{Advance, Answer, Arrive, ArrivePlain, Ask, Delete, Mark, Wipe, Withdraw};
    let words = || 0..16_u8;
    prop_oneof![
        30 => (words(), any::<u8>(), any::<bool>()).prop_map(|(w, s, o)| Arrive(w, s, o)),
        10 => (0..3_u8, 0..6_u8, any::<bool>()).prop_map(|(w, s, o)| Arrive(w, s, o)),
        3 => Just(ArrivePlain),
        20 => any::<Index>().prop_map(Answer),
        3 => any::<Index>().prop_map(Withdraw),
        20 => (words(), any::<u8>(), any::<bool>()).prop_map(|(w, a, r)| Ask(w, a, r)),
        15 => any::<Index>().prop_map(Delete),
        5 => any::<Index>().prop_map(Mark),
        10 => (0..8_u64).prop_map(Advance),
        1 => Just(Wipe),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn boxes_do_what_a_plain_model_does_and_no_newcomer_is_refused(
        operations in prop::collection::vec(operation(), 0..150),
    ) {
        let (mut side, mut model) = (Side::new(), Model::default());
        let mut ids = vec![MessageId(u64::MAX)];
        let mut shown: BTreeMap<u8, Vec<OpenedAnswer>> = BTreeMap::new();
        for (count, operation) in operations.into_iter().enumerate() {
            let (now, elapsed) = (side.seconds, side.now().elapsed);
            model.expire(now);
            match operation {
                Operation::Arrive(words, salt, opening) => {
                    if model.queue.len() == SLOTS {
                        continue;
                    }
                    let part = if opening { opens(words, salt) } else { follows_up(words, salt, &SESSION) };
                    let accepted = side.accept(part);
                    prop_assert_eq!(accepted.is_ok(), model.takes(words, salt, opening));
                    match accepted {
                        Ok(id) => {
                            ids.push(id);
                            model.enter(words, salt, id, now);
                        }
                        Err(refusal) => prop_assert_eq!(refusal, Refusal::NoBox),
                    }
                }
                Operation::ArrivePlain => {
                    if model.queue.len() < SLOTS {
                        let id = side.accept(BoxPart::None).unwrap();
                        ids.push(id);
                        model.queue.insert(id, false);
                    }
                }
                Operation::Answer(index) => {
                    let id = *index.get(&ids);
                    let said = format!("answer {count}");
                    let answered = side.answer(id, &said);
                    prop_assert_eq!(answered.map(drop), model.answer(id, &said, now));
                    if let Ok(conversation) = answered {
                        prop_assert_eq!(Some(conversation), model.conversation(id));
                    }
                }
                Operation::Withdraw(index) => {
                    let place = model.of(*index.get(&ids));
                    let number = place.map_or(0, |place| model.boxes[place].number);
                    let withdrawn = side.boxes.withdraw(number, &side.queue, side.now());
                    let expected = place.map(|place| {
                        std::mem::take(&mut model.boxes[place].waiting).len() as u8
                    });
                    prop_assert_eq!(withdrawn, expected);
                }
                Operation::Ask(words, bits, receipts) => {
                    let last = shown.remove(&words).unwrap_or_default();
                    let chosen = last.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                    let (known, told): (Vec<_>, Vec<_>) = chosen
                        .map(|(_, answer)| (answer.text, answer.acknowledgement))
                        .unzip();
                    if let Some(place) = model.place(words) {
                        let before = model.boxes[place].waiting.len();
                        let is_known = |said: &String| known.iter().any(|known| **known == *said);
                        model.boxes[place].waiting.retain(|(_, _, said)| !is_known(said));
                        if model.boxes[place].waiting.len() < before {
                            model.change(place, now);
                        }
                    }
                    let told = side.ask(words, &told, receipts);
                    let place = model.place(words);
                    prop_assert_eq!(told.is_some(), place.is_some());
                    let Some((told, one)) = told.zip(place.map(|place| &model.boxes[place])) else {
                        continue;
                    };
                    let texts = told.answers.iter().map(|answer| answer.text.to_string());
                    let salts = told.places.iter().map(|(salt, index)| (salt.0[0], *index));
                    let waiting: Vec<_> = salts.zip(texts).map(|((s, i), text)| (s, i, text)).collect();
                    prop_assert_eq!(&waiting, &one.waiting);
                    prop_assert_eq!(told.status.ends, 1000 + one.changed + LIFE);
                    prop_assert_eq!(usize::from(told.status.messages), one.messages.len());
                    prop_assert_eq!(told.status.receipts, receipts);
                    let entries: Vec<_> = told.status.entries.iter()
                        .map(|entry| (entry.salt.0[0], entry.accepted, entry.answers, entry.state))
                        .collect();
                    let expected: Vec<_> = one.messages.iter().rev().take(MAX_ENTRIES)
                        .map(|of| {
                            let state = match model.queue.get(&of.id) {
                                _ if !receipts => EntryState::Accepted,
                                Some(false) => EntryState::Waiting,
                                Some(true) => EntryState::Read,
                                None => EntryState::Gone,
                            };
                            (of.salt, of.accepted, of.answers, state)
                        })
                        .collect();
                    prop_assert_eq!(entries, expected);
                    shown.insert(words, told.answers);
                }
                Operation::Delete(index) => {
                    let id = *index.get(&ids);
                    prop_assert_eq!(side.queue.delete(id, elapsed), model.queue.remove(&id).is_some());
                }
                Operation::Mark(index) => {
                    let id = *index.get(&ids);
                    side.queue.mark(id, true, elapsed);
                    model.queue.entry(id).and_modify(|read| *read = true);
                }
                Operation::Advance(seconds) => {
                    side.seconds += seconds;
                    side.boxes.purge(&side.queue, side.now());
                    model.expire(side.seconds);
                }
                Operation::Wipe => {
                    side.queue.delete_all(elapsed);
                    side.boxes.wipe();
                    model.queue.clear();
                    model.boxes.clear();
                }
            }
            let (boxes, waiting) = side.boxes.counts();
            prop_assert_eq!(boxes, model.boxes.len());
            prop_assert!(boxes <= BOXES_PER_SLOT * SLOTS && waiting <= SLOTS);
            for id in model.queue.keys() {
                let table = crate::lock(&side.boxes.table);
                prop_assert_eq!(table.conversation(*id), model.conversation(*id));
            }
        }
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
            let longest = CantReply::NoPlace { conversation: 1 };
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
