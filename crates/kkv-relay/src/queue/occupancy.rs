//! How full the queue is.

use serde::{Deserialize, Serialize};

/// How full the queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// Slots in all.
    pub capacity: u32,
    /// Slots that hold a message.
    pub stored: u32,
    /// Slots that are reserved for the message of an open session.
    pub reserved: u32,
    /// Messages not marked as read.
    pub unread: u32,
}

impl Occupancy {
    /// Slots that are neither taken nor reserved.
    #[must_use]
    pub fn free(&self) -> u32 {
        // Saturating: an owner's client reads these numbers from whoever answers on the socket.
        let taken = self.stored.saturating_add(self.reserved);
        self.capacity.saturating_sub(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_leave_no_slot_free() {
        let occupancy = Occupancy {
            capacity: 50,
            stored: u32::MAX,
            reserved: u32::MAX,
            unread: 0,
        };
        assert_eq!(occupancy.free(), 0);
    }
}
