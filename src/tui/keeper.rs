//! The file of contacts, beside the screen: to change it takes as long as a guess at its passphrase, and longer while
//! another program holds it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinHandle, spawn_blocking};

use super::app::Event;
use super::people::{Change, Kept};
use crate::contacts::{BookFile, ChangeError};
use crate::crypto::scrub;

/// What other programs have done to the file is looked for so often. While nothing has, that is one `stat`.
const LOOK_FOR_CHANGES: Duration = Duration::from_secs(1);

/// Changes the file, one change after the other, and tells what other programs have changed in it.
pub(super) struct Keeper {
    changes: Sender<Change>,
    done: JoinHandle<()>,
    /// Held while the file is.
    at_work: Arc<Mutex<()>>,
}

impl Keeper {
    /// Of `file`. What has come of each change becomes an event.
    pub(super) fn new(file: BookFile, events: UnboundedSender<Event>) -> Self {
        let (changes, asked) = channel();
        let at_work = Arc::new(Mutex::new(()));
        let working = Arc::clone(&at_work);
        let done = spawn_blocking(move || work(file, &asked, &events, &working));
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

/// Until nobody can ask for anything any more.
fn work(
    mut file: BookFile,
    asked: &Receiver<Change>,
    events: &UnboundedSender<Event>,
    at_work: &Mutex<()>,
) {
    loop {
        let event = match asked.recv_timeout(LOOK_FOR_CHANGES) {
            Ok(change) => {
                let _working = at_work.blocking_lock();
                let kept = scrub::run_then_wipe_stack(|| keep(&mut file, change));
                Some(Event::Kept(Box::new(kept)))
            }
            Err(RecvTimeoutError::Timeout) => scrub::run_then_wipe_stack(|| look(&mut file)),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Some(event) = event {
            let _ = events.send(event); // nobody listens any more: the program ends
        }
    }
}

/// What another program has done to the file, if anything.
fn look(file: &mut BookFile) -> Option<Event> {
    match file.refresh() {
        Ok(true) => Some(Event::Contacts(Ok(Box::new(file.book().clone())))),
        Ok(false) => None,
        Err(fault) => Some(Event::Contacts(Err(fault.to_string()))),
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
