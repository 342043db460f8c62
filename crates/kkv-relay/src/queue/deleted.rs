//! Which messages were deleted lately. Those before the oldest message need not be remembered: the oldest id tells that
//! they are gone.

use std::collections::VecDeque;

use kkv_owner::MessageId;

/// The ids of messages that were deleted while older ones remained.
#[derive(Debug)]
pub(super) struct DeletedIds {
    most: usize,
    /// With the version of each deletion, in order.
    remembered: VecDeque<(u64, MessageId)>,
    /// Up to this version, deletions may be missing.
    pub(super) forgotten: u64,
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
    pub(super) fn since(&self, since: u64, oldest: MessageId) -> Vec<MessageId> {
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
