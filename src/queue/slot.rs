//! The memory of one message.

use zeroize::Zeroize;

use crate::limits::SLOT_BYTES;

/// One page of memory, aligned so that it shares its page with nothing else. Wiped on drop.
#[repr(align(4096))]
struct Page([u8; SLOT_BYTES]);

/// The place of one message, allocated once and used again and again.
pub(super) struct Slot(Box<Page>);

impl Slot {
    pub(super) fn new() -> Self {
        Self(Box::new(Page([0; SLOT_BYTES])))
    }

    pub(super) fn bytes(&self) -> &[u8; SLOT_BYTES] {
        &self.0.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; SLOT_BYTES] {
        &mut self.0.0
    }

    pub(super) fn wipe(&mut self) {
        self.0.0.zeroize();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot(..)")
    }
}
