//! A message in its slot.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::memory::{Block, Page};
use kkv_owner::MessageId;

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// On the wall clock, in unix seconds: for people.
    pub unix: u64,
    /// On the steady clock: for lifetimes.
    pub elapsed: Duration,
}

/// Where the content of a message is.
#[derive(Debug)]
pub(super) enum Place {
    /// In a slot: its first bytes.
    Slot { page: Page, length: usize },
    /// In a block of the large share: these bytes.
    Block { block: Block, content: Range<usize> },
}

/// A message in its place.
#[derive(Debug)]
pub(super) struct Message<H> {
    pub(super) place: Place,
    /// Boxed: the map moves its entries, which would leave unwiped copies.
    pub(super) header: Box<H>,
    pub(super) received: Now,
    pub(super) read: bool,
    /// The version after its last change.
    pub(super) version: u64,
}

/// A message in the queue, borrowed under its lock. `Debug` prints how long the content is, and nothing of it.
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

impl<H: fmt::Debug> fmt::Debug for MessageRef<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRef")
            .field("id", &self.id)
            .field("received", &self.received)
            .field("read", &self.read)
            .field("header", &self.header)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .finish()
    }
}

impl<H> Message<H> {
    /// Calls `read` with it; if it is a large one, under the lock of its mapping.
    pub(super) fn visit<T>(&self, id: MessageId, read: impl FnOnce(MessageRef<'_, H>) -> T) -> T {
        match &self.place {
            Place::Slot { page, length } => read(self.borrow(id, &page.bytes()[..*length])),
            Place::Block { block, content } => {
                block.read(content.clone(), |content| read(self.borrow(id, content)))
            }
        }
    }

    fn borrow<'m>(&'m self, id: MessageId, content: &'m [u8]) -> MessageRef<'m, H> {
        MessageRef {
            id,
            received: self.received.unix,
            read: self.read,
            header: &self.header,
            content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_debug_shows_no_content() {
        let message = MessageRef {
            id: MessageId(1),
            received: 2,
            read: false,
            header: &(),
            content: b"secret words",
        };
        let shown = format!("{message:?}");
        assert!(shown.contains("content: 12 bytes"), "{shown}");
        let bytes = b"secret words".map(|byte| byte.to_string()).join(", ");
        assert!(!shown.contains(&bytes), "{shown}");
    }
}
