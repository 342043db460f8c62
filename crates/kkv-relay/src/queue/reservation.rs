//! A slot that is reserved for one session.

use super::{Closed, MessageId, Now, Queue};
use crate::memory::Page;
use kkv_base::limits::SLOT_BYTES;

/// A reserved slot. [`store`](Self::store) turns it into a message; dropping it wipes and frees it.
///
/// It owns the slot's memory, so a message is decrypted in place without the queue's lock.
#[derive(Debug)]
pub struct Reservation<H> {
    queue: Queue<H>,
    slot: Option<Page>,
}

impl<H> Reservation<H> {
    pub(super) fn new(queue: Queue<H>, slot: Page) -> Self {
        Self {
            queue,
            slot: Some(slot),
        }
    }

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
        self.queue.store(slot, length, header, now)
    }
}

impl<H> Drop for Reservation<H> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.queue.give_back(slot);
        }
    }
}
