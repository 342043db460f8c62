//! The table of boxes: which one has changed longest ago, and which message is in which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::time::Duration;

use super::answer_box::{AnswerBox, Entry, FULL, Told, Waiting};
use crate::queue::{MessageId, Now};
use kkv_base::limits::BOXES_PER_SLOT;
use kkv_owner::{CantReply, Conversation};
use kkv_protocol::ids::RelayId;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::keys::{Acknowledged, AnswerKey, BoxSecret, Salt};
use kkv_protocol::v2::answers::sealed::Chain;
use kkv_protocol::v2::answers::{MAX_ENTRIES, MAX_WAITING};

/// Messages that are looked at with each that is entered, whether they are still in the queue: a look at all would be a
/// burst, and with this at most half of the table is of messages that are gone, unless all were deleted at once.
const SWEPT: usize = 4;

pub(super) struct Table {
    /// Places for waiting answers. Fewer than boxes, so that there is one without.
    places: usize,
    /// How many boxes there may be.
    most: usize,
    life: Duration,
    /// By their numbers, from 1. Boxed: the map moves its entries, which would leave unwiped copies of keys.
    boxes: BTreeMap<u64, Box<AnswerBox>>,
    /// In the order of their last change; the counter parts those of the same moment.
    by_change: BTreeSet<(Duration, u64, u64)>,
    changes: u64,
    /// In which box a message is; none if that was pushed out. A message may be gone meanwhile.
    by_message: BTreeMap<MessageId, Option<u64>>,
    /// The last message that was looked at: see [`SWEPT`].
    swept: MessageId,
    waiting: usize,
    /// Answers that were sealed so far.
    sealed: u64,
    last: u64,
    /// In no place, with as many entries and answers as a box can have, all zero: what is told of nobody.
    nobody: AnswerBox,
}

/// Where a message belongs.
pub(super) enum Place {
    There(u64),
    New(BoxSecret),
}

/// A box that is gone. Dropping it wipes keys; do that outside the lock.
pub(super) struct Ended {
    _gone: Box<AnswerBox>,
    /// The messages that can't be answered any more.
    pub(super) messages: Vec<MessageId>,
}

impl Table {
    pub(super) fn new(bound: usize, slots: usize, large: usize, life: Duration) -> Self {
        Self {
            places: slots.min(bound / 2),
            most: (BOXES_PER_SLOT * slots + large).min(bound),
            life,
            boxes: BTreeMap::new(),
            by_change: BTreeSet::new(),
            changes: 0,
            by_message: BTreeMap::new(),
            swept: MessageId(0),
            waiting: 0,
            sealed: 0,
            last: 0,
            nobody: AnswerBox::nobody(),
        }
    }

    /// The box whose secret fits. All are tried, and how long that takes doesn't depend on which fits.
    pub(super) fn find(&self, fits: impl Fn(&BoxSecret) -> bool) -> Option<u64> {
        // No two boxes have the same secret.
        let found = self.boxes.iter().fold(0, |found, (number, one)| {
            found | (number * u64::from(fits(&one.secret)))
        });
        (found != 0).then_some(found)
    }

    /// Whether a message with this salt is among those that the box remembers.
    pub(super) fn knows(&self, number: u64, salt: &Salt) -> bool {
        let salts = |one: &AnswerBox| one.entries.iter().any(|entry| entry.salt == *salt);
        self.boxes.get(&number).is_some_and(|one| salts(one))
    }

    /// Enters a message that is in the queue: its chain is the newest from now on. With too many boxes one ends: see
    /// [`evict`](Self::evict). `holds` says which messages are in the queue.
    pub(super) fn enter(
        &mut self,
        place: Place,
        message: MessageId,
        salt: Salt,
        key: AnswerKey,
        now: Now,
        holds: impl Fn(MessageId) -> bool,
    ) -> Option<Ended> {
        self.sweep(&holds);
        let (mut ended, chain) = (None, Chain::new(salt, key));
        let number = match place {
            Place::There(number) => {
                if let Some(one) = self.boxes.get_mut(&number) {
                    one.chain = chain;
                }
                number
            }
            Place::New(secret) => {
                if self.boxes.len() >= self.most {
                    ended = self.evict(holds);
                }
                self.last += 1;
                let one = AnswerBox::new(secret, chain, now.elapsed);
                self.boxes.insert(self.last, Box::new(one));
                self.last
            }
        };
        if let Some(one) = self.boxes.get_mut(&number) {
            one.messages = one.messages.saturating_add(1);
            one.entries.truncate(MAX_ENTRIES - 1);
            one.entries.push_front(Entry {
                salt,
                message,
                accepted: now.unix,
                answers: 0,
            });
            one.held.insert(message);
        }
        self.by_message.insert(message, Some(number));
        self.change(number, now);
        ended
    }

    /// Ends the box that has changed longest ago, of those with neither a waiting answer nor a message in the queue.
    ///
    /// There is one among 4 · slots + large boxes: at most so many have a waiting answer as there are slots, and at
    /// most slots + large a message in the queue. Where the bound is lower there may be none. Then it is the one that
    /// has changed longest ago of those without a waiting answer: at most half of all have one.
    fn evict(&mut self, holds: impl Fn(MessageId) -> bool) -> Option<Ended> {
        let (mut idle, mut other) = (None, None);
        for (_, _, number) in &self.by_change {
            let Some(one) = self.boxes.get_mut(number) else {
                continue;
            };
            if !one.waiting.is_empty() {
                continue;
            }
            // Whatever is gone is looked at once.
            while let Some(newest) = one.held.last().copied()
                && !holds(newest)
            {
                one.held.remove(&newest);
                self.by_message.remove(&newest);
            }
            if one.held.is_empty() {
                idle = Some(*number);
                break;
            }
            other = other.or(Some(*number));
        }
        let ended = self.end(idle.or(other)?)?;
        // What is in the queue still can't be answered any more, and the owner is told why.
        let left = ended.messages.iter().map(|id| (*id, None));
        self.by_message.extend(left);
        Some(ended)
    }

    /// Forgets some of the messages that are gone from the queue.
    fn sweep(&mut self, holds: impl Fn(MessageId) -> bool) {
        for _ in 0..SWEPT {
            let after = (Bound::Excluded(self.swept), Bound::Unbounded);
            let next = self.by_message.range(after).next();
            let Some((id, number)) = next.map(|(id, number)| (*id, *number)) else {
                self.swept = MessageId(0);
                return;
            };
            self.swept = id;
            if !holds(id) {
                self.by_message.remove(&id);
                if let Some(one) = number.and_then(|number| self.boxes.get_mut(&number)) {
                    one.held.remove(&id);
                }
            }
        }
    }

    /// Seals an answer.
    pub(super) fn answer(
        &mut self,
        id: MessageId,
        text: &Text,
        relay: &RelayId,
        now: Now,
    ) -> Result<Conversation, CantReply> {
        let number = *self.by_message.get(&id).ok_or(CantReply::BoxGone)?;
        let number = number.ok_or(CantReply::PushedOut)?;
        let one = self.boxes.get_mut(&number).ok_or(CantReply::BoxGone)?;
        if one.waiting.len() >= MAX_WAITING {
            return Err(CantReply::Unfetched);
        }
        if self.waiting >= self.places {
            return Err(self.no_place());
        }
        let (sealed, acknowledged) = one
            .chain
            .seal(relay, &one.secret, now.unix, text)
            .map_err(|_| CantReply::ChainOver)?;
        one.waiting.push_back(Waiting {
            sealed,
            acknowledged,
            order: self.sealed,
            since: now.unix,
        });
        self.sealed += 1;
        one.answers = one.answers.saturating_add(1);
        one.let_in = one.let_in.saturating_add(1);
        // The chain is that of the newest message, whichever is answered.
        if let Some(newest) = one.entries.front_mut() {
            newest.answers = newest.answers.saturating_add(1);
        }
        self.waiting += 1;
        self.change(number, now);
        self.conversation(id).ok_or(CantReply::BoxGone)
    }

    /// There is no place, and which box has the answer that has waited longest. Not the box that has changed longest
    /// ago: who keeps places occupied would write to his own, and have the owner take back other people's answers.
    fn no_place(&self) -> CantReply {
        let first = |number: &u64, one: &AnswerBox| Some((one.waiting.front()?.order, *number));
        let firsts = self
            .boxes
            .iter()
            .filter_map(|(number, one)| first(number, one));
        let conversation = firsts.min().map_or(0, |(_, number)| number);
        let (waiting, since) = self.waiting(conversation).unwrap_or_default();
        CantReply::NoPlace {
            conversation,
            waiting,
            since: since.unwrap_or_default(),
        }
    }

    /// How many answers wait in a box, and since when the oldest does. `None` if there is no such box.
    pub(super) fn waiting(&self, number: u64) -> Option<(u8, Option<u64>)> {
        let waiting = &self.boxes.get(&number)?.waiting;
        let count = u8::try_from(waiting.len()).unwrap_or(u8::MAX);
        Some((count, waiting.front().map(|oldest| oldest.since)))
    }

    /// Takes the answers that wait in a box out of it, and what they let in, which is no change that lets it live on.
    /// `None` if there is no such box.
    pub(super) fn withdraw(&mut self, number: u64) -> Option<impl ExactSizeIterator + use<>> {
        let one = self.boxes.get_mut(&number)?;
        let withdrawn = std::mem::take(&mut one.waiting);
        let brought = u16::try_from(withdrawn.len()).unwrap_or(u16::MAX);
        // One that is on its way has been let in.
        one.let_in = one.let_in.saturating_sub(brought).max(one.on_their_way);
        self.waiting -= withdrawn.len();
        Some(withdrawn.into_iter())
    }

    /// Whether an answer lets in a message more; `None` if there is no such box.
    pub(super) fn lets_in(&self, number: u64) -> Option<bool> {
        let one = self.boxes.get(&number)?;
        Some(one.on_their_way < one.let_in)
    }

    /// A message is let in by an answer, and on its way.
    pub(super) fn begin(&mut self, number: u64) {
        if let Some(one) = self.boxes.get_mut(&number) {
            one.on_their_way += 1;
        }
    }

    /// It has come, or does not. The box may be gone; numbers never come back, so it is no other one.
    pub(super) fn finish(&mut self, number: u64, has_come: bool) {
        if let Some(one) = self.boxes.get_mut(&number) {
            one.on_their_way -= 1;
            one.let_in -= u16::from(has_come);
        }
    }

    /// Deletes the answers that are known by one of these. Returns the box if there were any. As often as for a full
    /// box, all are compared for any other, and for nobody.
    pub(super) fn acknowledge(
        &mut self,
        found: Option<u64>,
        known: &[Acknowledged],
        now: Now,
    ) -> Option<u64> {
        let one = self.boxes.get(&found.unwrap_or(0));
        let one = one.map_or(&self.nobody, |one| &**one);
        let mut all = one.waiting.iter().chain(&self.nobody.waiting);
        let is_known: [bool; MAX_WAITING] = std::array::from_fn(|_| {
            let waiting = &all.next().expect(FULL).acknowledged;
            let fits = |any, known: &Acknowledged| any | known.is(waiting);
            known.iter().fold(false, fits)
        });
        let number = found?;
        let one = self.boxes.get_mut(&number)?;
        let before = one.waiting.len();
        let mut is_known = is_known.into_iter();
        one.waiting.retain(|_| is_known.next() == Some(false));
        let deleted = before - one.waiting.len();
        self.waiting -= deleted;
        (deleted > 0).then(|| {
            self.change(number, now);
            number
        })
    }

    /// What is known of a box: see [`AnswerBox::tell`]; for nobody, of a box that there isn't.
    pub(super) fn tell(
        &self,
        found: Option<u64>,
        receipts: bool,
        read: impl Fn(MessageId) -> Option<bool>,
    ) -> Told<'_> {
        // No box has the number 0: a look that finds nothing, as deep as one that does.
        let one = self.boxes.get(&found.unwrap_or(0));
        let one = one.map_or(&self.nobody, |one| &**one);
        one.tell(&self.nobody, receipts, read)
    }

    /// To which conversation a message belongs, while it can be answered.
    pub(super) fn conversation(&self, id: MessageId) -> Option<Conversation> {
        let number = (*self.by_message.get(&id)?)?;
        let one = self.boxes.get(&number)?;
        let newer = one.entries.iter().position(|entry| entry.message == id);
        let since = newer.map_or(one.entries.len(), |newer| newer + 1);
        let answered = one.entries.iter().take(since).map(|entry| entry.answers);
        Some(Conversation {
            number,
            answers: one.answers,
            waiting: u8::try_from(one.waiting.len()).unwrap_or(u8::MAX),
            answered: answered.fold(0, u16::saturating_add),
        })
    }

    /// The messages of a box, of which some may be gone from the queue.
    pub(super) fn messages_in(&self, number: u64) -> Vec<MessageId> {
        let one = self.boxes.get(&number);
        one.map_or_else(Vec::new, |one| one.held.iter().copied().collect())
    }

    /// Ends the boxes whose time is over.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<Ended> {
        let mut ended = Vec::new();
        while let Some((changed, _, number)) = self.by_change.first().copied()
            && changed.saturating_add(self.life) <= now
        {
            ended.extend(self.end(number));
        }
        ended
    }

    pub(super) fn next_end(&self) -> Option<Duration> {
        let (changed, ..) = self.by_change.first()?;
        changed.checked_add(self.life)
    }

    pub(super) fn clear(&mut self) -> impl Sized + use<> {
        self.by_change.clear();
        self.by_message.clear();
        self.waiting = 0;
        std::mem::take(&mut self.boxes)
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.boxes.len(), self.waiting)
    }

    fn end(&mut self, number: u64) -> Option<Ended> {
        let gone = self.boxes.remove(&number)?;
        let (changed, change) = gone.changed;
        self.by_change.remove(&(changed, change, number));
        self.waiting -= gone.waiting.len();
        let messages: Vec<MessageId> = gone.held.iter().copied().collect();
        for id in &messages {
            self.by_message.remove(id);
        }
        Some(Ended {
            _gone: gone,
            messages,
        })
    }

    fn change(&mut self, number: u64, now: Now) {
        self.changes += 1;
        if let Some(one) = self.boxes.get_mut(&number) {
            let (changed, change) = one.changed;
            self.by_change.remove(&(changed, change, number));
            one.changed = (now.elapsed, self.changes);
            one.ends = now.unix.saturating_add(self.life.as_secs());
            self.by_change.insert((now.elapsed, self.changes, number));
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} boxes, {} answers", self.boxes.len(), self.waiting)
    }
}
