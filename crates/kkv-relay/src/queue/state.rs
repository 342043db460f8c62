//! What is in the queue: slots, messages in their order, and what has been deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::deleted::DeletedIds;
use super::message::{Message, Place};
use crate::memory::Page;
use kkv_owner::{MessageId, Occupancy};

#[derive(Debug)]
pub(super) struct State<H> {
    pub(super) capacity: u32,
    pub(super) free: Vec<Page>,
    /// Messages in slots.
    pub(super) in_slots: u32,
    /// Bytes of the blocks that hold messages.
    pub(super) in_blocks: usize,
    pub(super) messages: BTreeMap<MessageId, Message<H>>,
    pub(super) unread: u32,
    pub(super) last_id: u64,
    /// Counts the changes that an owner can see.
    pub(super) version: u64,
    pub(super) deleted: DeletedIds,
    pub(super) time_to_live: Option<Duration>,
    pub(super) closed: bool,
}

impl<H> State<H> {
    pub(super) fn occupancy(&self) -> Occupancy {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Occupancy {
            capacity: self.capacity,
            stored: self.in_slots,
            reserved: self.capacity - self.in_slots - count(self.free.len()),
            unread: self.unread,
        }
    }

    /// Wipes expired messages. All live equally long and ids are in order of arrival, so they are the first ones.
    pub(super) fn expire(&mut self, now: Duration) {
        let Some(time_to_live) = self.time_to_live else {
            return;
        };
        while let Some(first) = self.messages.first_entry() {
            if now < first.get().received.elapsed.saturating_add(time_to_live) {
                break;
            }
            let (id, message) = first.remove_entry();
            self.remove(id, message);
        }
    }

    /// Wipes a message that was taken out of the map, and records its deletion.
    pub(super) fn remove(&mut self, id: MessageId, message: Message<H>) {
        self.unread -= u32::from(!message.read);
        match message.place {
            Place::Slot { page, .. } => {
                self.in_slots -= 1;
                self.release(page);
            }
            Place::Block { block, .. } => self.in_blocks -= block.size().bytes(), // wiped on drop
        }
        self.version += 1;
        if self.messages.is_empty() {
            self.deleted.clear();
        } else {
            self.deleted.add(id, self.version, self.oldest());
        }
    }

    /// The oldest message's id, or the next id if there is no message.
    pub(super) fn oldest(&self) -> MessageId {
        let first = self.messages.first_key_value().map(|(id, _)| *id);
        first.unwrap_or(MessageId(self.last_id + 1))
    }

    pub(super) fn release(&mut self, mut slot: Page) {
        slot.wipe();
        self.free.push(slot);
    }
}
