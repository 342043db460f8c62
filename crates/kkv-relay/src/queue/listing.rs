//! Lists of messages: all of them, or what has changed since a version of the queue.
//!
//! Each message stores the version of its last change. Of deleted messages, a bounded number of ids is remembered.
//! Those before the oldest message need not be: the oldest id tells that they are gone.

use std::collections::VecDeque;
use std::ops::Bound;
use std::time::Duration;

use super::{Message, MessageId, Queue};
use kkv_base::limits::LIST_PAGE;

/// A message in the queue, borrowed under its lock.
#[derive(Debug)]
pub struct MessageRef<'q, H> {
    /// Its id.
    pub id: MessageId,
    /// When it was accepted, in unix seconds.
    pub received: u64,
    /// Whether the owner has marked it as read.
    pub read: bool,
    /// What the queue's user stored beside the bytes.
    pub header: &'q H,
    /// The content.
    pub content: &'q [u8],
}

/// What has changed since a version, or every message.
#[derive(Debug)]
pub struct Changes<T> {
    /// The version to ask with next. Messages that changed during the call are listed again then.
    pub version: u64,
    /// The version that the changes start from; `None` if every message is listed.
    pub since: Option<u64>,
    /// No message has a lower id.
    pub oldest: MessageId,
    /// The deleted messages with higher ids.
    pub gone: Vec<MessageId>,
    /// The new messages and those marked differently, oldest first, as `read` returned them.
    pub shown: Vec<T>,
}

impl<H> Queue<H> {
    /// Calls `read` with every message, oldest first, and collects the results.
    ///
    /// Locks for [`LIST_PAGE`] messages at a time, so the list is no snapshot: each message is read as it is at its
    /// turn.
    pub fn list<T>(&self, now: Duration, mut read: impl FnMut(MessageRef<'_, H>) -> T) -> Vec<T> {
        let mut seen = Vec::new();
        self.for_each(now, |id, message| seen.push(read(message.borrow(id))));
        seen
    }

    /// Calls `read`, as [`list`](Self::list) does, with what has changed since the version `since`. Without `since`, or
    /// if the deletions since then are no longer remembered, with every message.
    pub fn changes<T>(
        &self,
        since: Option<u64>,
        now: Duration,
        mut read: impl FnMut(MessageRef<'_, H>) -> T,
    ) -> Changes<T> {
        let mut changes = self.change(now, |state| {
            let (version, oldest) = (state.version, state.oldest());
            let since = since.filter(|since| (state.deleted.forgotten..=version).contains(since));
            Changes {
                version,
                since,
                oldest,
                gone: since.map_or_else(Vec::new, |since| state.deleted.since(since, oldest)),
                shown: Vec::new(),
            }
        });
        let since = changes.since.unwrap_or(0);
        self.for_each(now, |id, message| {
            if message.version > since {
                changes.shown.push(read(message.borrow(id)));
            }
        });
        changes
    }

    fn for_each(&self, now: Duration, mut visit: impl FnMut(MessageId, &Message<H>)) {
        let mut last = MessageId(0);
        loop {
            let visited = self.change(now, |state| {
                let mut visited = 0;
                let rest = (Bound::Excluded(last), Bound::Unbounded);
                for (id, message) in state.messages.range(rest).take(LIST_PAGE) {
                    visit(*id, message);
                    last = *id;
                    visited += 1;
                }
                visited
            });
            if visited < LIST_PAGE {
                return;
            }
        }
    }
}

impl<H> Message<H> {
    pub(super) fn borrow(&self, id: MessageId) -> MessageRef<'_, H> {
        MessageRef {
            id,
            received: self.received.unix,
            read: self.read,
            header: &self.header,
            content: &self.slot.bytes()[..self.length],
        }
    }
}

/// The ids of messages that were deleted while older ones remained.
#[derive(Debug)]
pub(super) struct DeletedIds {
    most: usize,
    /// With the version of each deletion, in order.
    remembered: VecDeque<(u64, MessageId)>,
    /// Up to this version, deletions may be missing.
    forgotten: u64,
}

impl DeletedIds {
    /// Remembers at most `most` ids.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            remembered: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Records that `id` was deleted, which made the queue's version `version`. `oldest` is the oldest message left.
    pub(super) fn add(&mut self, id: MessageId, version: u64, oldest: MessageId) {
        if id < oldest {
            return;
        }
        if self.remembered.len() >= self.most {
            self.remembered.retain(|(_, gone)| *gone > oldest);
        }
        if self.remembered.len() >= self.most
            && let Some((first, _)) = self.remembered.pop_front()
        {
            self.forgotten = first;
        }
        self.remembered.push_back((version, id));
    }

    /// The ids above `oldest` that were deleted after the version `since`.
    fn since(&self, since: u64, oldest: MessageId) -> Vec<MessageId> {
        let first = self
            .remembered
            .partition_point(|(version, _)| *version <= since);
        let later = self.remembered.range(first..).map(|(_, id)| *id);
        later.filter(|id| *id > oldest).collect()
    }

    /// No message is left: the oldest id says it all.
    pub(super) fn clear(&mut self) {
        self.remembered.clear();
    }
}
