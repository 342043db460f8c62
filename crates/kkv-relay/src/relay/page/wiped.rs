//! Tells forms on their way that the owner has wiped everything: what was read of them ends with that, and their
//! message isn't taken.

use tokio::sync::watch;

/// What tells them.
#[derive(Debug)]
pub(super) struct Wipes(watch::Sender<()>);

/// A form that is being read, or whose message is about to be taken.
#[derive(Debug)]
pub(in crate::relay) struct Reading(watch::Receiver<()>);

impl Wipes {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// What was read up to now ends.
    pub(super) fn wipe(&self) {
        self.0.send_replace(());
    }

    /// A form of which nothing has been read yet.
    pub(super) fn reading(&self) -> Reading {
        Reading(self.0.subscribe())
    }
}

impl Reading {
    /// Waits until it is over. It may be dropped and asked for again.
    pub(in crate::relay) async fn over(&self) {
        // The page is there for as long as its forms are.
        _ = self.0.clone().changed().await;
    }

    /// Whether it is.
    pub(super) fn is_over(&self) -> bool {
        self.0.has_changed().unwrap_or(true)
    }
}
