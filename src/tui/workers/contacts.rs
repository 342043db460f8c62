//! The file of contacts, beside the screen: to change it takes as long as a guess at its passphrase, and longer while
//! another program holds it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::tui::event::channel::EventSender;
use crate::tui::event::{ContactsEvent, Event};
use crate::tui::state::contact_list::Change;
use kkv_client::contacts::{BookFile, ChangeError};
use kkv_protocol::crypto::scrub;

/// What other programs have done to the file is looked for so often. While nothing has, that is one `stat`.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Changes the file, one change after the other, and tells what other programs have changed in it.
pub(in crate::tui) struct ContactsWorker {
    /// Boxed: a place in the channel is not wiped, see [`EventSender`].
    changes: Sender<Box<Change>>,
    done: JoinHandle<()>,
    /// Held while the file is.
    at_work: Arc<Mutex<()>>,
}

impl ContactsWorker {
    /// Of `file`. What has come of each change becomes an event.
    pub(in crate::tui) fn new(file: BookFile, events: EventSender) -> Self {
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
    pub(in crate::tui) async fn at_rest(&self) -> MutexGuard<'_, ()> {
        self.at_work.lock().await
    }

    pub(in crate::tui) fn change(&self, change: Change) {
        let _ = self.changes.send(Box::new(change)); // it is there as long as this value is, but for a fault of its own, which is told
    }

    /// Waits until all that was asked for is done.
    pub(in crate::tui) async fn finish(self) {
        drop(self.changes);
        let _ = self.done.await;
    }
}

/// Until nobody can ask for anything any more.
fn work(
    mut file: BookFile,
    asked: &Receiver<Box<Change>>,
    events: &EventSender,
    at_work: &Mutex<()>,
) {
    loop {
        let event = match asked.recv_timeout(REFRESH_INTERVAL) {
            Ok(change) => {
                let _working = at_work.blocking_lock();
                Some(scrub::run_then_wipe_stack(|| {
                    change_file(&mut file, change)
                }))
            }
            Err(RecvTimeoutError::Timeout) => scrub::run_then_wipe_stack(|| refresh(&mut file)),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Some(event) = event {
            events.send(Event::Contacts(event));
        }
    }
}

/// What another program has done to the file, if anything.
fn refresh(file: &mut BookFile) -> Option<ContactsEvent> {
    match file.refresh() {
        Ok(true) => Some(ContactsEvent::Refreshed(file.book().clone())),
        Ok(false) => None,
        Err(fault) => Some(ContactsEvent::Unreadable(fault.to_string())),
    }
}

fn change_file(file: &mut BookFile, change: Box<Change>) -> ContactsEvent {
    let result = file.change(|book| change.apply(book));
    let result = result.map_err(|fault| match fault {
        ChangeError::Book(fault) => fault.to_string(),
        ChangeError::File(fault) => format!("the contacts stay as they were: {fault}"),
    });
    ContactsEvent::Tried {
        change,
        result,
        book: file.book().clone(),
    }
}
