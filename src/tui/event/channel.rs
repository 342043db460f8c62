//! The way of events to the client's loop.
//!
//! A place in a channel is used again, and overwritten by no more than what comes next. Letters that were typed, and
//! whom somebody writes to, would stay in it. So what is sent is a pointer to a block of its own, which is wiped when
//! it is freed.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Event;

/// Sends events, from any thread.
#[derive(Debug, Clone)]
pub(in crate::tui) struct EventSender(UnboundedSender<Box<Event>>);

/// Has them in the order in which they were sent.
pub(in crate::tui) struct EventReceiver(UnboundedReceiver<Box<Event>>);

/// Both ends of a new way.
pub(in crate::tui) fn event_channel() -> (EventSender, EventReceiver) {
    let (sender, receiver) = unbounded_channel();
    (EventSender(sender), EventReceiver(receiver))
}

impl EventSender {
    /// Tells of an event, if there is still somebody to be told: otherwise the program ends.
    pub(in crate::tui) fn send(&self, event: Event) {
        let _ = self.0.send(Box::new(event));
    }
}

impl EventReceiver {
    /// The next event; none once nobody can send any more.
    pub(in crate::tui) async fn recv(&mut self) -> Option<Event> {
        self.0.recv().await.map(|event| *event)
    }

    /// The next event, if it is here already.
    pub(in crate::tui) fn try_recv(&mut self) -> Option<Event> {
        self.0.try_recv().ok().map(|event| *event)
    }
}
