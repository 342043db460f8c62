//! Lists of messages: all of them, or what has changed since a version of the queue.
//!
//! Each message stores the version of its last change. Of deleted messages, a bounded number of ids is remembered
//! (`deleted`).

use std::ops::Bound;
use std::time::Duration;

use super::message::{Message, MessageRef};
use super::store::Queue;
use kkv_base::limits::LIST_PAGE;
use kkv_owner::MessageId;

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
        self.for_each(now, |id, message| seen.push(message.visit(id, &mut read)));
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
                changes.shown.push(message.visit(id, &mut read));
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
