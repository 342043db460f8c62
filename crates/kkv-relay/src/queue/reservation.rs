//! A slot that is reserved for one session.

use std::ops::Range;
use std::time::Duration;

use super::message::{Now, Place};
use super::store::{Closed, Queue};
use crate::memory::{Block, Page};
use kkv_base::limits::SLOT_BYTES;
use kkv_owner::MessageId;
use kkv_protocol::v2::purpose::LargeSize;

/// No slot is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no slot is free")]
pub struct Full;

/// A reserved slot. [`store`](Self::store) turns it into a message; dropping it wipes and frees it.
///
/// It owns the slot's memory, so a message is decrypted in place without the queue's lock.
#[derive(Debug)]
pub struct Reservation<H> {
    queue: Queue<H>,
    slot: Option<Page>,
}

impl<H> Queue<H> {
    /// Reserves a slot. It becomes free again when the reservation is dropped.
    ///
    /// # Errors
    /// No slot is free.
    pub fn reserve(&self, now: Duration) -> Result<Reservation<H>, Full> {
        let slot = self.change(now, |state| state.free.pop().ok_or(Full))?;
        Ok(Reservation {
            queue: self.clone(),
            slot: Some(slot),
        })
    }
}

impl<H> Reservation<H> {
    /// The slot's memory.
    pub fn bytes_mut(&mut self) -> &mut [u8; SLOT_BYTES] {
        self.slot
            .as_mut()
            .expect("the slot is taken only by store and drop")
            .bytes_mut()
    }

    /// Puts the slot into the queue as a message: its first `length` bytes.
    ///
    /// # Errors
    /// The queue was closed meanwhile. The message is wiped.
    ///
    /// # Panics
    /// `length` is larger than [`SLOT_BYTES`].
    pub fn store(mut self, length: usize, header: H, now: Now) -> Result<MessageId, Closed> {
        assert!(length <= SLOT_BYTES, "a message larger than its slot");
        let slot = self.slot.take();
        let slot = slot.expect("the slot is taken only by store and drop");
        self.queue
            .store(Place::Slot { page: slot, length }, header, now)
    }
}

/// A block that is reserved for a large message; as [`Reservation`].
#[derive(Debug)]
pub struct LargeReservation<H> {
    queue: Queue<H>,
    block: Block,
}

impl<H> Queue<H> {
    /// Reserves a block of the large share. It becomes free again when the reservation is dropped.
    ///
    /// # Errors
    /// No block of this size is free.
    pub fn reserve_large(
        &self,
        size: LargeSize,
        now: Duration,
    ) -> Result<LargeReservation<H>, Full> {
        let block = self.change(now, |_| self.share().take(size).ok_or(Full))?;
        Ok(LargeReservation {
            queue: self.clone(),
            block,
        })
    }

    /// Whether a block of this size can be reserved, and whether one ever could.
    #[must_use]
    pub fn has_room(&self, size: LargeSize, now: Duration) -> (bool, bool) {
        let share = self.share();
        let has_room = self.change(now, |_| share.has_room(size));
        (has_room, share.bytes() >= size.bytes())
    }
}

impl<H> LargeReservation<H> {
    /// The block.
    pub fn block_mut(&mut self) -> &mut Block {
        &mut self.block
    }

    /// Puts the block into the queue as a message, whose content is there.
    ///
    /// # Errors
    /// The queue was closed meanwhile. The message is wiped.
    ///
    /// # Panics
    /// The content is out of bounds.
    pub fn store(self, content: Range<usize>, header: H, now: Now) -> Result<MessageId, Closed> {
        assert!(content.end <= self.block.size().bytes(), "it has to fit");
        let block = self.block;
        self.queue
            .store(Place::Block { block, content }, header, now)
    }
}

impl<H> Drop for Reservation<H> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.queue.give_back(slot);
        }
    }
}
