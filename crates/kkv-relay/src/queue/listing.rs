//! The messages shown one after the other: all of them, or those that have changed since a version of the queue that
//! somebody has seen.
//!
//! Each message knows the version that its last change led to. Of those that are gone, a bounded number is remembered:
//! none that went from the front, where they expire, as the first that is left tells of them.

use std::collections::VecDeque;
use std::ops::Bound;
use std::time::Duration;

use super::{Message, MessageId, Queue};
use kkv_base::limits::LIST_PAGE;

/// A message as it stands in the queue.
#[derive(Debug)]
pub struct Waiting<'q, H> {
    /// Its number.
    pub id: MessageId,
    /// When it was accepted, in unix seconds.
    pub received: u64,
    /// Whether the owner has marked it as read.
    pub read: bool,
    /// What the queue's user keeps beside the bytes.
    pub header: &'q H,
    /// The content.
    pub content: &'q [u8],
}

/// What has changed, or all there is.
#[derive(Debug)]
pub struct Changes<T> {
    /// The version that they lead to. What changed while they were told is told again of this one.
    pub version: u64,
    /// The version that they lead from; none if every message is shown.
    pub since: Option<u64>,
    /// There is no message with a lower number.
    pub oldest: MessageId,
    /// Those with a higher number that went.
    pub gone: Vec<MessageId>,
    /// What came of those that were shown, oldest first: the new ones, and those marked otherwise.
    pub shown: Vec<T>,
}

impl<H> Queue<H> {
    /// Shows every message to `look`, oldest first, and returns what it made of them.
    ///
    /// The lock is taken for [`LIST_PAGE`] at a time, so that nobody waits for all of them. Each is shown as it is when
    /// its turn comes; one that is deleted before is not shown.
    pub fn list<T>(&self, now: Duration, mut look: impl FnMut(Waiting<'_, H>) -> T) -> Vec<T> {
        let mut seen = Vec::new();
        self.each(now, |id, message| seen.push(look(message.waiting(id))));
        seen
    }

    /// Shows what is new or marked otherwise since the version `since`, as [`list`](Self::list) does, and says what is
    /// gone. If nobody can tell any more, or `since` is none, it shows every message.
    pub fn changes<T>(
        &self,
        since: Option<u64>,
        now: Duration,
        mut look: impl FnMut(Waiting<'_, H>) -> T,
    ) -> Changes<T> {
        let mut changes = self.change(now, |state| {
            let (version, oldest) = (state.version, state.oldest());
            let since = since.filter(|since| (state.gone.forgotten..=version).contains(since));
            Changes {
                version,
                since,
                oldest,
                gone: since.map_or_else(Vec::new, |since| state.gone.since(since, oldest)),
                shown: Vec::new(),
            }
        });
        let since = changes.since.unwrap_or(0);
        self.each(now, |id, message| {
            if message.version > since {
                changes.shown.push(look(message.waiting(id)));
            }
        });
        changes
    }

    fn each(&self, now: Duration, mut visit: impl FnMut(MessageId, &Message<H>)) {
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
    pub(super) fn waiting(&self, id: MessageId) -> Waiting<'_, H> {
        Waiting {
            id,
            received: self.received.unix,
            read: self.read,
            header: &self.header,
            content: &self.slot.bytes()[..self.length],
        }
    }
}

/// Messages that were deleted from between others.
#[derive(Debug)]
pub(super) struct Gone {
    most: usize,
    /// Each behind the version that its end led to, which grow.
    remembered: VecDeque<(u64, MessageId)>,
    /// Of those that went up to this version, some are not remembered.
    forgotten: u64,
}

impl Gone {
    /// Remembers so many at most.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            remembered: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// This one went, which led to this `version`; `oldest` is the first that is left.
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

    /// Those after `oldest` that went after the version `since`.
    fn since(&self, since: u64, oldest: MessageId) -> Vec<MessageId> {
        let first = self
            .remembered
            .partition_point(|(version, _)| *version <= since);
        let later = self.remembered.range(first..).map(|(_, id)| *id);
        later.filter(|id| *id > oldest).collect()
    }

    /// No message is left, so that nobody has to be told of single ones.
    pub(super) fn clear(&mut self) {
        self.remembered.clear();
    }
}
