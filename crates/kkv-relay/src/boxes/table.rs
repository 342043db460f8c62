//! The table of boxes: what is in each, which one has changed longest ago, and which message is in which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::queue::{MessageId, Now};
use kkv_base::limits::BOXES_PER_SLOT;
use kkv_owner::{CantReply, Conversation};
use kkv_protocol::ids::RelayId;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::keys::{Acknowledged, AnswerKey, BoxSecret, Salt};
use kkv_protocol::v2::answers::sealed::{Chain, SealedAnswer};
use kkv_protocol::v2::answers::status::{self, BoxStatus, EntryState};
use kkv_protocol::v2::answers::{MAX_ENTRIES, MAX_WAITING};

pub(super) struct Table {
    /// Places for waiting answers.
    slots: usize,
    /// How many boxes there may be.
    most: usize,
    life: Duration,
    /// By their numbers, from 1. Boxed: the map moves its entries, which would leave unwiped copies of keys.
    boxes: BTreeMap<u64, Box<AnswerBox>>,
    /// In the order of their last change; the counter parts those of the same moment.
    by_change: BTreeSet<(Duration, u64, u64)>,
    changes: u64,
    /// In which box a message is. A message or a box may be gone meanwhile.
    by_message: BTreeMap<MessageId, u64>,
    waiting: usize,
    last: u64,
}

struct AnswerBox {
    secret: BoxSecret,
    /// The newest.
    chain: Chain,
    /// Newest first.
    entries: VecDeque<Entry>,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    messages: u16,
    answers: u16,
    changed: (Duration, u64),
}

struct Entry {
    salt: Salt,
    message: MessageId,
    accepted: u64,
    answers: u16,
}

struct Waiting {
    sealed: SealedAnswer,
    acknowledged: Acknowledged,
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
    pub(super) fn new(slots: usize, large: usize, life: Duration) -> Self {
        Self {
            slots,
            most: BOXES_PER_SLOT * slots + large,
            life,
            boxes: BTreeMap::new(),
            by_change: BTreeSet::new(),
            changes: 0,
            by_message: BTreeMap::new(),
            waiting: 0,
            last: 0,
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
    /// [`evict`](Self::evict).
    pub(super) fn enter(
        &mut self,
        place: Place,
        message: MessageId,
        salt: Salt,
        key: AnswerKey,
        now: Now,
        holds: impl Fn(MessageId) -> bool,
    ) -> Option<Ended> {
        if self.by_message.len() >= self.most {
            self.by_message.retain(|id, _| holds(*id));
        }
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
                let one = AnswerBox {
                    secret,
                    chain,
                    entries: VecDeque::new(),
                    waiting: VecDeque::new(),
                    messages: 0,
                    answers: 0,
                    changed: (now.elapsed, 0),
                };
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
        }
        self.by_message.insert(message, number);
        self.change(number, now.elapsed);
        ended
    }

    /// Ends the box that has changed longest ago, of those with neither a waiting answer nor a message in the queue.
    ///
    /// There is one among 4 · slots + large boxes: at most so many have a waiting answer as there are slots, and at most
    /// slots + large a message in the queue.
    fn evict(&mut self, holds: impl Fn(MessageId) -> bool) -> Option<Ended> {
        self.by_message.retain(|id, _| holds(*id));
        let held: BTreeSet<u64> = self.by_message.values().copied().collect();
        let is_idle = |number: &u64| {
            let waits = self.boxes.get(number).map(|one| one.waiting.len());
            waits == Some(0) && !held.contains(number)
        };
        let numbers = self.by_change.iter().map(|(_, _, number)| *number);
        let idle = numbers.into_iter().find(is_idle)?;
        self.end(idle)
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
        let one = self.boxes.get_mut(&number).ok_or(CantReply::BoxGone)?;
        if one.waiting.len() >= MAX_WAITING {
            return Err(CantReply::Unfetched);
        }
        if self.waiting >= self.slots {
            return Err(CantReply::NoPlace);
        }
        let (sealed, acknowledged) = one
            .chain
            .seal(relay, &one.secret, now.unix, text)
            .map_err(|_| CantReply::NoPlace)?;
        one.waiting.push_back(Waiting {
            sealed,
            acknowledged,
        });
        one.answers = one.answers.saturating_add(1);
        // The chain is that of the newest message, whichever is answered.
        if let Some(newest) = one.entries.front_mut() {
            newest.answers = newest.answers.saturating_add(1);
        }
        self.waiting += 1;
        self.change(number, now.elapsed);
        self.conversation(id).ok_or(CantReply::BoxGone)
    }

    /// Deletes the answers that are known by one of these. Returns whether there were any.
    pub(super) fn acknowledge(&mut self, number: u64, known: &[Acknowledged], now: Now) -> bool {
        let Some(one) = self.boxes.get_mut(&number) else {
            return false;
        };
        let before = one.waiting.len();
        one.waiting
            .retain(|waiting| !known.iter().any(|known| known.is(&waiting.acknowledged)));
        let deleted = before - one.waiting.len();
        self.waiting -= deleted;
        if deleted > 0 {
            self.change(number, now.elapsed);
        }
        deleted > 0
    }

    /// What is known of a box, with its secret and its waiting answers, oldest first. `read` says of a message in the
    /// queue whether it is marked as read.
    pub(super) fn tell(
        &self,
        number: u64,
        receipts: bool,
        now: Now,
        read: impl Fn(MessageId) -> Option<bool>,
    ) -> Option<(
        &BoxSecret,
        BoxStatus,
        impl ExactSizeIterator<Item = &SealedAnswer>,
    )> {
        let one = self.boxes.get(&number)?;
        let left = (one.changed.0 + self.life).saturating_sub(now.elapsed);
        let entries = one.entries.iter().map(|entry| {
            // Looked at in any case: that takes the same time.
            let state = match read(entry.message) {
                _ if !receipts => EntryState::Accepted,
                Some(false) => EntryState::Waiting,
                Some(true) => EntryState::Read,
                None => EntryState::Gone,
            };
            status::Entry {
                salt: entry.salt,
                accepted: entry.accepted,
                state,
                answers: entry.answers,
            }
        });
        let status = BoxStatus {
            ends: now.unix.saturating_add(left.as_secs()),
            messages: one.messages,
            answers: one.answers,
            waiting: u8::try_from(one.waiting.len()).unwrap_or(u8::MAX),
            receipts,
            entries: entries.collect(),
        };
        let waiting = one.waiting.iter().map(|waiting| &waiting.sealed);
        Some((&one.secret, status, waiting))
    }

    /// To which conversation a message belongs, while it can be answered.
    pub(super) fn conversation(&self, id: MessageId) -> Option<Conversation> {
        let number = *self.by_message.get(&id)?;
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
        let of_box = self.by_message.iter().filter(|(_, of)| **of == number);
        of_box.map(|(id, _)| *id).collect()
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
        let messages = self.messages_in(number);
        for id in &messages {
            self.by_message.remove(id);
        }
        Some(Ended {
            _gone: gone,
            messages,
        })
    }

    fn change(&mut self, number: u64, now: Duration) {
        self.changes += 1;
        if let Some(one) = self.boxes.get_mut(&number) {
            let (changed, change) = one.changed;
            self.by_change.remove(&(changed, change, number));
            one.changed = (now, self.changes);
            self.by_change.insert((now, self.changes, number));
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} boxes, {} answers", self.boxes.len(), self.waiting)
    }
}
