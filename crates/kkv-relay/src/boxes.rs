//! Boxes: where answers wait for the senders of messages (PROTOCOL.md §17). In memory, bounded, and without a key of
//! any answer that was sealed.
//!
//! They know the queue, whose messages they count, and no clock: who calls passes the time. The lock on the table is
//! taken before the queue's, never after it.

mod answer_box;
mod let_in;
mod table;

use std::sync::Mutex;
use std::time::Duration;

use crate::queue::{MessageId, Now, Queue};
use kkv_base::limits::MAX_BOXES;
use kkv_owner::{CantReply, Conversation, Summary};
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::ids::{RelayId, SessionId};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::ask::{RepliesAnswer, RepliesRequest};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::{Acknowledged, Claim};

pub(crate) use let_in::LetIn;
use table::{Ended, Place, Table};

/// All boxes of a relay.
#[derive(Debug)]
pub struct Boxes {
    table: Mutex<Table>,
}

impl Boxes {
    /// None, beside a queue of so many slots, with room for so many large messages. Each lives for `life` from its last
    /// change.
    #[must_use]
    pub fn new(slots: u32, large: usize, life: Duration) -> Self {
        Self::with_bound(MAX_BOXES, slots, large, life)
    }

    /// As [`new`](Self::new), with another bound than [`MAX_BOXES`].
    fn with_bound(bound: usize, slots: u32, large: usize, life: Duration) -> Self {
        Self {
            table: Mutex::new(Table::new(bound, slots as usize, large, life)),
        }
    }

    /// Finds the place for a message of this session, calls `store` to put it into the queue, and enters it there. A
    /// message that can't be answered is stored and nothing else.
    ///
    /// # Errors
    /// No box: it follows up, and no box is its own; or the box knows its salt. What `store` refuses. In both cases
    /// nothing has changed.
    pub fn accept<H>(
        &self,
        box_part: BoxPart,
        session: &SessionId,
        queue: &Queue<H>,
        now: Now,
        store: impl FnOnce() -> Result<MessageId, Refusal>,
    ) -> Result<(), Refusal> {
        let (claim, secret, salt, key) = match box_part {
            BoxPart::None => return store().map(drop),
            BoxPart::Opens { secret, salt, key } => (None, Some(secret), salt, key),
            BoxPart::FollowsUp { proof, salt, key } => {
                let claim = Claim::follow_up(session, &salt, &key);
                (Some((claim, proof)), None, salt, key)
            }
        };
        // Declared before the guard and so dropped after it: keys are wiped outside the lock.
        let mut ended = Vec::new();
        let mut table = crate::lock(&self.table);
        ended.extend(table.expire(now.elapsed));
        let found = table.find(|other| match (&claim, &secret) {
            (Some((claim, proof)), _) => other.fits(claim, proof),
            (None, Some(secret)) => other.is(secret),
            (None, None) => false,
        });
        let place = match (found, secret) {
            (Some(number), _) if table.knows(number, &salt) => return Err(Refusal::NoBox),
            (Some(number), _) => Place::There(number),
            (None, Some(secret)) => Place::New(secret),
            (None, None) => return Err(Refusal::NoBox),
        };
        let id = store()?;
        ended.extend(queue.look(now.elapsed, |read| {
            table.enter(place, id, salt, key, now, |id| read(id).is_some())
        }));
        drop(table);
        touch(queue, &[], &ended, now);
        Ok(())
    }

    /// Seals an answer to a message, under the newest chain of its box.
    ///
    /// # Errors
    /// Why it can't be; nothing has changed then.
    pub fn answer<H>(
        &self,
        id: MessageId,
        text: &Text,
        relay: &RelayId,
        queue: &Queue<H>,
        now: Now,
    ) -> Result<Conversation, CantReply> {
        let mut table = crate::lock(&self.table);
        let ended = table.expire(now.elapsed);
        let conversation = if queue.holds(id, now.elapsed) {
            table.answer(id, text, relay, now)
        } else {
            Err(CantReply::BoxGone)
        };
        let messages = match &conversation {
            Ok(conversation) => table.messages_in(conversation.number),
            Err(_) => Vec::new(),
        };
        drop(table);
        touch(queue, &messages, &ended, now);
        conversation
    }

    /// How many answers wait in a conversation, and since when the oldest does; `None` if there is no such one.
    pub fn waiting<H>(
        &self,
        conversation: u64,
        queue: &Queue<H>,
        now: Now,
    ) -> Option<(u8, Option<u64>)> {
        let mut table = crate::lock(&self.table);
        let ended = table.expire(now.elapsed);
        let there = table.waiting(conversation);
        drop(table);
        touch(queue, &[], &ended, now);
        there
    }

    /// The newest message of a conversation that is there: an answer is after that one.
    pub fn newest<H>(&self, conversation: u64, queue: &Queue<H>, now: Now) -> Option<MessageId> {
        let messages = crate::lock(&self.table).messages_in(conversation);
        let held = messages.into_iter();
        held.filter(|id| queue.holds(*id, now.elapsed)).max()
    }

    /// Wipes the answers that wait in a conversation. Returns how many those were; `None` if there is no such one.
    pub fn withdraw<H>(&self, conversation: u64, queue: &Queue<H>, now: Now) -> Option<u8> {
        let mut table = crate::lock(&self.table);
        let ended = table.expire(now.elapsed);
        let withdrawn = table.withdraw(conversation);
        let messages = table.messages_in(conversation);
        drop(table);
        let changed: &[MessageId] = match &withdrawn {
            Some(withdrawn) if withdrawn.len() > 0 => &messages,
            _ => &[],
        };
        touch(queue, changed, &ended, now);
        withdrawn.map(|withdrawn| u8::try_from(withdrawn.len()).unwrap_or(u8::MAX))
    }

    /// Deletes what is acknowledged, and tells what there is. For who has no box all of it is zeros, of the same
    /// length.
    ///
    /// Who watches the line must not learn by the time whether there is a box: whatever is done for one is done for
    /// nobody as well, as often, and masked (`Table::tell` in `boxes/table.rs`). What isn't hidden: that an answer
    /// was deleted, which is done for who has the words and says so.
    pub fn replies<H>(
        &self,
        request: &RepliesRequest,
        session: &SessionId,
        number: AskNumber,
        receipts: bool,
        queue: &Queue<H>,
        now: Now,
    ) -> RepliesAnswer {
        let claim = request.claim(session, number);
        let acknowledged: Vec<Acknowledged> = request.acknowledged().collect();
        let mut table = crate::lock(&self.table);
        let ended = table.expire(now.elapsed);
        let found = table.find(|secret| secret.fits(&claim, request.proof()));
        let changed = table.acknowledge(found, &acknowledged, now);
        let messages = changed.map_or_else(Vec::new, |found| table.messages_in(found));
        let told = queue.look(now.elapsed, |read| table.tell(found, receipts, read));
        let mask = if found.is_some() { u8::MAX } else { 0 };
        let record = told.status.seal(told.secret, session, number);
        let answer = RepliesAnswer::new(&record.map(|byte| byte & mask), told.waiting.into_iter());
        drop(table);
        touch(queue, &messages, &ended, now);
        answer
    }

    /// Says of each message that can be answered to which conversation it belongs.
    pub fn fill<'s>(&self, summaries: impl IntoIterator<Item = &'s mut Summary>) {
        let table = crate::lock(&self.table);
        for summary in summaries {
            summary.conversation = table.conversation(summary.id);
        }
    }

    /// Removes the boxes whose time is over. Returns when the next one's is, on the steady clock.
    pub fn purge<H>(&self, queue: &Queue<H>, now: Now) -> Option<Duration> {
        let (ended, next) = {
            let mut table = crate::lock(&self.table);
            (table.expire(now.elapsed), table.next_end())
        };
        touch(queue, &[], &ended, now);
        next
    }

    /// Removes all boxes.
    pub fn wipe(&self) {
        let ended = crate::lock(&self.table).clear();
        drop(ended);
    }

    /// How many there are, and how many answers wait in them.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        crate::lock(&self.table).counts()
    }
}

/// Lets who follows the queue know that something is told otherwise of these messages, and of those whose box is gone.
fn touch<H>(queue: &Queue<H>, messages: &[MessageId], ended: &[Ended], now: Now) {
    let of_ended = ended.iter().flat_map(|ended| &ended.messages);
    let mut touched = messages.iter().chain(of_ended).copied().peekable();
    if touched.peek().is_some() {
        queue.touch(touched, now.elapsed);
    }
}

#[cfg(test)]
mod tests;
