//! Boxes beside a plain model of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use kkv_protocol::v2::answers::MAX_ENTRIES;
use kkv_protocol::v2::answers::status::EntryState;

/// The same without cryptography: what the specification says in words.
#[derive(Default)]
struct Model {
    /// Those in the queue, and whether each is marked as read.
    queue: BTreeMap<MessageId, bool>,
    /// The box that has changed longest ago first.
    boxes: Vec<ModelBox>,
    last: u64,
    sealed: u64,
}

/// The salt of its chain, its index in that, and what it says.
type ModelAnswer = (u8, u16, String);

struct ModelBox {
    words: u8,
    number: u64,
    /// All that it has had, oldest first.
    messages: Vec<ModelMessage>,
    /// Beside each, how many were sealed before it in all boxes, and when.
    waiting: Vec<(ModelAnswer, (u64, u64))>,
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
            let waiting = self.boxes.iter().filter(|one| !one.waiting.is_empty());
            let longest = waiting.min_by_key(|one| one.waiting[0].1).unwrap();
            return Err(CantReply::NoPlace {
                conversation: longest.number,
                waiting: longest.waiting.len() as u8,
                since: longest.waiting[0].1.1,
            });
        }
        let since = (self.sealed, 1000 + now);
        self.sealed += 1;
        let one = self.change(place, now);
        let newest = one.messages.last_mut().unwrap();
        let told = (newest.salt, newest.answers, said.to_owned());
        one.waiting.push((told, since));
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
                        model.boxes[place].waiting.retain(|((_, _, said), _)| !is_known(said));
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
                    let expected: Vec<_> = one.waiting.iter().map(|(told, _)| told.clone()).collect();
                    prop_assert_eq!(waiting, expected);
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
