//! The file of contacts, beside the screen: to change it takes as long as a guess at its passphrase, and longer while another program holds it.

use tokio::sync::mpsc::{UnboundedSender, error::SendError, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};

use super::app::Event;
use super::people::Change;
use crate::cli::output::complain;
use crate::contacts::BookFile;
use crate::crypto::scrub;

/// Changes the file, one change after the other.
pub(super) struct Keeper {
    changes: UnboundedSender<Change>,
    done: JoinHandle<()>,
}

impl Keeper {
    /// Of `file`. What has come of each change becomes an event.
    pub(super) fn new(mut file: BookFile, events: UnboundedSender<Event>) -> Self {
        let (changes, mut asked) = unbounded_channel();
        let done = spawn_blocking(move || {
            while let Some(change) = asked.blocking_recv() {
                scrub::after(|| keep(&mut file, change, &events));
            }
        });
        Self { changes, done }
    }

    pub(super) fn change(&self, change: Change) {
        let _ = self.changes.send(change); // it is there as long as this value is, but for a fault of its own, which is told
    }

    /// Waits until all that was asked for is done.
    pub(super) async fn finish(self) {
        drop(self.changes);
        let _ = self.done.await;
    }
}

fn keep(file: &mut BookFile, change: Change, events: &UnboundedSender<Event>) {
    let done = file.change(|book| change.apply(book));
    let done = match done {
        Ok(()) => Ok(file.book().clone()),
        Err(fault) => Err(fault.to_string()),
    };
    let kept = Event::Kept(Box::new(change), done);
    if let Err(SendError(Event::Kept(_, Err(why)))) = events.send(kept) {
        // The screen is gone.
        complain(format_args!("kkvc: the contacts stay as they were: {why}"));
    }
}
