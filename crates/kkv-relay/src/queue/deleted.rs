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

#[cfg(test)]
mod tests {
    use super::*;

    /// Deletes in this order, while the message 1 is the oldest that is left.
    fn deleted(most: usize, ids: &[u64]) -> DeletedIds {
        let mut deleted = DeletedIds::new(most);
        for (version, id) in (1..).zip(ids) {
            deleted.add(MessageId(*id), version, MessageId(1));
        }
        deleted
    }

    #[test]
    fn what_was_deleted_after_a_version_is_told_in_order_but_for_what_the_oldest_tells() {
        let deleted = deleted(8, &[7, 3, 5]);
        let since = |version, oldest| deleted.since(version, MessageId(oldest));
        assert_eq!(since(0, 1), [7, 3, 5].map(MessageId));
        assert_eq!(since(1, 1), [3, 5].map(MessageId));
        assert_eq!(since(0, 4), [7, 5].map(MessageId));
        assert_eq!(since(3, 1), []);
    }

    #[test]
    fn of_too_many_those_that_the_oldest_tells_go_first_and_then_the_earliest() {
        let mut deleted = deleted(3, &[2, 9, 8]);
        // 2 is below the oldest by now, so nothing is forgotten.
        deleted.add(MessageId(7), 4, MessageId(3));
        assert_eq!(deleted.since(0, MessageId(3)), [9, 8, 7].map(MessageId));
        assert_eq!(deleted.forgotten, 0);
        deleted.add(MessageId(6), 5, MessageId(3));
        assert_eq!(deleted.since(0, MessageId(3)), [8, 7, 6].map(MessageId));
        assert_eq!(deleted.forgotten, 2, "the version of the first");
    }

    #[test]
    fn one_below_the_oldest_isnt_remembered_and_when_none_is_left_nothing_is() {
        let mut deleted = deleted(3, &[5]);
        deleted.add(MessageId(2), 2, MessageId(3));
        assert_eq!(deleted.remembered.len(), 1);
        deleted.clear();
        assert!(deleted.remembered.is_empty());
    }
}
