//! A message in its slot.

use std::fmt;
use std::time::Duration;

use crate::memory::Page;
use kkv_owner::MessageId;

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// On the wall clock, in unix seconds: for people.
    pub unix: u64,
    /// On the steady clock: for lifetimes.
    pub elapsed: Duration,
}

/// A slot that holds a message.
#[derive(Debug)]
pub(super) struct Message<H> {
    pub(super) slot: Page,
    pub(super) length: usize,
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
    pub(super) fn borrow(&self, id: MessageId) -> MessageRef<'_, H> {
        MessageRef {
            id,
            received: self.received.unix,
            read: self.read,
            header: &self.header,
            content: &self.slot.bytes()[..self.length],
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
