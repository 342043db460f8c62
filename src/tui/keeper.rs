//! The file of contacts, beside the screen: to change it takes as long as a guess at its passphrase, and longer while
//! another program holds it.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinHandle, spawn_blocking};

use super::app::Event;
use super::people::{Change, Kept};
use crate::contacts::{BookFile, ChangeError};
use crate::crypto::scrub;

/// Changes the file, one change after the other.
pub(super) struct Keeper {
    changes: UnboundedSender<Change>,
    done: JoinHandle<()>,
    /// Held while the file is.
    at_work: Arc<Mutex<()>>,
}

impl Keeper {
    /// Of `file`. What has come of each change becomes an event.
    pub(super) fn new(mut file: BookFile, events: UnboundedSender<Event>) -> Self {
        let (changes, mut asked) = unbounded_channel();
        let at_work = Arc::new(Mutex::new(()));
        let working = Arc::clone(&at_work);
        let done = spawn_blocking(move || {
            while let Some(change) = asked.blocking_recv() {
                let _working = working.blocking_lock();
                let kept = scrub::after(|| keep(&mut file, change));
                let _ = events.send(Event::Kept(Box::new(kept))); // nobody listens any more: the program ends
            }
        });
        Self {
            changes,
            done,
            at_work,
        }
    }

    /// Waits until the file is let go, and has it stay so for as long as what is given.
    pub(super) async fn at_rest(&self) -> MutexGuard<'_, ()> {
        self.at_work.lock().await
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

fn keep(file: &mut BookFile, change: Change) -> Kept {
    let done = file.change(|book| change.apply(book));
    let done = done.map_err(|fault| match fault {
        ChangeError::Book(fault) => fault.to_string(),
        ChangeError::File(fault) => format!("the contacts stay as they were: {fault}"),
    });
    Kept {
        change,
        done,
        book: file.book().clone(),
    }
}
