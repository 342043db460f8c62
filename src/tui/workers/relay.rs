//! The owner's relay, from here: what is in it, as it changes, and what is asked of it. All beside the screen, which
//! never waits.

use std::mem::take;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::tui::event::channel::EventSender;
use crate::tui::event::{Event, RelayEvent};
use crate::tui::state::conversation::AnswerTo;
use crate::tui::state::search::SearchRequest;
use kkv_base::clock::{Clock, SystemClock};
use kkv_base::count::counted;
use kkv_base::limits::MAX_PREVIEW_CHARACTERS;
use kkv_client::owner::{Client, ClientError};
use kkv_owner::{Delete, Done};
use kkv_protocol::ids::RelayId;
use kkv_protocol::text::Text;
use kkv_relay::queue::MessageId;
use kkv_terminal::visible::quoted;
use kkv_ui::error::CliError;
use kkv_ui::fields::id_list;
use kkv_ui::save::SaveDirectory;
use kkv_ui::selection::{IdRange, no_such_message};

/// Tor's state and the price change without the queue's doing: they are looked at so often.
const STATUS_INTERVAL: Duration = Duration::from_secs(2);
/// A relay that isn't there is looked for so often.
const RECONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// What a search has found is told so often, at most.
const RESULTS_INTERVAL: Duration = Duration::from_millis(100);

/// More than that are not told by their numbers.
const MANY: usize = 10;

/// The way to it.
#[derive(Clone)]
pub(in crate::tui) struct RelayWorker {
    socket: Option<PathBuf>,
    events: EventSender,
    /// Characters of each text that it is asked for.
    first: Option<usize>,
    /// The number of the search that goes on.
    current_search: Arc<AtomicU64>,
}

impl RelayWorker {
    /// To the relay at `socket`, or where it is unless told otherwise, which is asked for the first words of each text
    /// if they are wanted. What it says becomes events.
    pub(in crate::tui) fn new(
        socket: Option<PathBuf>,
        events: EventSender,
        first_words: bool,
    ) -> Self {
        Self {
            socket,
            events,
            // However wide the screen is going to be.
            first: first_words.then_some(MAX_PREVIEW_CHARACTERS),
            current_search: Arc::default(),
        }
    }

    fn client(&self) -> Result<Client, ClientError> {
        match &self.socket {
            Some(socket) => Client::new(socket),
            None => Client::by_default(),
        }
    }

    fn send(&self, event: RelayEvent) {
        self.events.send(Event::Relay(event));
    }

    /// Tells how the relay is and what is in it, whenever that changes, until dropped. That an owner who does nothing
    /// still looks is no sign of life.
    pub(in crate::tui) async fn follow(self) {
        loop {
            let mut ended = self.follow_one().await;
            if matches!(ended, Err(ClientError::HungUp)) {
                ended = self.follow_one().await; // it has just ended: what is there now?
            }
            if let Err(fault) = ended {
                let can_start = matches!(fault, ClientError::NotRunning(_));
                let failed = CliError::from(fault);
                self.send(RelayEvent::Unreachable {
                    what: failed.what,
                    hint: failed.hint.unwrap_or_default(),
                    can_start,
                });
            }
            sleep(RECONNECT_INTERVAL).await;
        }
    }

    async fn follow_one(&self) -> Result<(), ClientError> {
        let client = self.client()?.unattended();
        let (mut version, mut known) = (0, None);
        let mut listed = None;
        loop {
            let is_listed = listed.is_some_and(|(at, _)| at == version);
            let list = if is_listed {
                None
            } else {
                Some(client.changes(known, self.first).await?)
            };
            // After the list, so that it counts what is listed. What comes between the two changes the version, and
            // both are told again.
            let status = client.status().await?;
            let relay = status.relay;
            match list {
                None if listed != Some((version, relay)) => {
                    listed = None; // another was started in its place
                    continue;
                }
                None => self.send(RelayEvent::Status(Box::new(status))),
                Some(list) => {
                    known = list.known();
                    if known.is_some_and(|known| known.relay != relay) {
                        return Err(ClientError::HungUp); // likewise
                    }
                    version = known.map_or(version, |known| known.version);
                    listed = Some((version, relay));
                    self.send(RelayEvent::Listed(Box::new(status), list));
                }
            }
            if let Ok(changed) = timeout(STATUS_INTERVAL, client.watch(version)).await {
                version = changed?;
            }
        }
    }

    /// The owner is there: a key was pressed.
    pub(in crate::tui) fn attend(&self) {
        self.ask(|client| async move { client.status().await.map(|_| None) });
    }

    pub(in crate::tui) fn fetch(&self, run: Option<RelayId>, id: MessageId) {
        self.ask_of(run, move |client| async move {
            let message = client.message(id).await?;
            Ok(Some(RelayEvent::Message(Box::new(message))))
        });
    }

    /// Looks at messages one after the other, until nothing is looked for any more or something else is. It is no sign
    /// of life: new ones are looked at while nobody is there.
    /// Where the relay fails, what is left is told, to be looked at later.
    pub(in crate::tui) fn search(&self, search: SearchRequest) {
        self.current_search.store(search.number, Ordering::Relaxed);
        let worker = self.clone();
        tokio::spawn(async move { worker.search_messages(search).await });
    }

    async fn search_messages(&self, search: SearchRequest) {
        let SearchRequest {
            number,
            wanted,
            messages,
        } = search;
        let client = self.client().map(Client::unattended);
        let (mut results, mut sent) = (Vec::new(), Instant::now());
        let (mut rest, mut failed) = (messages.as_slice(), None);
        while let [(id, sender), later @ ..] = rest {
            if self.current_search.load(Ordering::Relaxed) != number {
                return;
            }
            let found = match &client {
                Ok(client) => wanted.are_in(client, *id, sender.as_ref()).await,
                Err(fault) => Err(fault.clone()),
            };
            match found {
                Ok(found) => results.push((*id, found == Some(true))),
                Err(fault) => {
                    failed = Some(fault);
                    break;
                }
            }
            rest = later;
            if sent.elapsed() > RESULTS_INTERVAL {
                self.send(RelayEvent::SearchResults(number, take(&mut results)));
                sent = Instant::now();
            }
        }
        if !results.is_empty() {
            self.send(RelayEvent::SearchResults(number, results));
        }
        if let Some(fault) = failed {
            let left = rest.iter().map(|(id, _)| *id).collect();
            self.send(RelayEvent::SearchFailed(number, left, fault.to_string()));
        }
    }

    /// Nothing is looked for any more.
    pub(in crate::tui) fn stop_search(&self) {
        self.current_search.store(0, Ordering::Relaxed);
    }

    pub(in crate::tui) fn mark(&self, run: Option<RelayId>, ids: Vec<MessageId>, read: bool) {
        self.ask_of(run, move |client| async move {
            client.mark(ids, read).await.map(|_| None)
        });
    }

    pub(in crate::tui) fn delete(&self, run: Option<RelayId>, what: Delete) {
        self.ask_of(run, move |client| async move {
            client.delete(&what).await.map(|done| Some(deleted(&done)))
        });
    }

    /// Saves the files of a message in a directory, which is made if there is none. What has become of them is told.
    pub(in crate::tui) fn save(&self, run: RelayId, id: MessageId, directory: PathBuf) {
        let worker = self.clone();
        let directory = absolute(&directory).unwrap_or(directory);
        tokio::spawn(async move {
            let mut saved = Vec::new();
            let ended = worker.save_files(run, id, &directory, &mut saved).await;
            worker.send(saving_ended(&directory, &saved, ended));
        });
    }

    async fn save_files(
        &self,
        run: RelayId,
        id: MessageId,
        directory: &Path,
        saved: &mut Vec<PathBuf>,
    ) -> Result<(), CliError> {
        let client = self.client()?.of_run(run);
        let message = client.message(id).await?;
        let into = SaveDirectory::make(directory)?;
        for (number, file) in (1..).zip(&message.summary.files) {
            let new = into.create(&file.name)?;
            saved.push(new.fill(&client, id, number).await?);
        }
        Ok(())
    }

    /// Has the answer `id` of the outbox sealed.
    pub(in crate::tui) fn answer(&self, id: u64, to: AnswerTo, text: Text) {
        let worker = self.clone();
        tokio::spawn(async move {
            let answered = match worker.client() {
                Ok(client) => client.of_run(to.run).reply(to.message, &text).await,
                Err(fault) => Err(fault),
            };
            worker.send(match answered {
                Ok(conversation) => RelayEvent::Answered {
                    id,
                    conversation,
                    at: SystemClock::default().wall(),
                },
                Err(fault) => RelayEvent::NotAnswered(id, CliError::from(fault)),
            });
        });
    }

    /// Asks the run of the relay whose messages are on the screen, and no other.
    fn ask_of<F>(&self, run: Option<RelayId>, request: impl FnOnce(Client) -> F + Send + 'static)
    where
        F: Future<Output = Result<Option<RelayEvent>, ClientError>> + Send,
    {
        self.ask(move |client| {
            request(match run {
                Some(key) => client.of_run(key),
                None => client,
            })
        });
    }

    fn ask<F>(&self, request: impl FnOnce(Client) -> F + Send + 'static)
    where
        F: Future<Output = Result<Option<RelayEvent>, ClientError>> + Send,
    {
        let worker = self.clone();
        tokio::spawn(async move {
            let answer = match worker.client() {
                Ok(client) => request(client).await,
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(Some(event)) => worker.send(event),
                Ok(None) => {}
                Err(fault) => worker.send(RelayEvent::Failed(fault.to_string())),
            }
        });
    }
}

/// What has become of files that were to be saved in this directory: which were, and why no more were.
fn saving_ended(directory: &Path, saved: &[PathBuf], ended: Result<(), CliError>) -> RelayEvent {
    let count = counted(saved.len() as u64, "file");
    let directory = quoted(directory);
    match (ended, saved) {
        (Ok(()), [path]) => RelayEvent::Done(format!("saved {}", quoted(path))),
        (Ok(()), _) => RelayEvent::Done(format!("saved {count} in {directory}")),
        (Err(failed), []) => {
            let hint = failed
                .hint
                .map_or_else(String::new, |hint| format!(". {hint}"));
            RelayEvent::Failed(format!("nothing was saved: {}{hint}", failed.what))
        }
        (Err(failed), _) => {
            let why = failed.what;
            RelayEvent::Failed(format!("saved {count} in {directory}, not the rest: {why}"))
        }
    }
}

fn deleted(done: &Done) -> RelayEvent {
    match (done.done.as_slice(), done.missing.as_slice()) {
        ([], []) => RelayEvent::Done("there was nothing to delete".to_owned()),
        ([], missing) => {
            let missing: Vec<_> = missing.iter().copied().map(IdRange::from).collect();
            RelayEvent::Failed(no_such_message(&missing).unwrap_or_default())
        }
        (done, _) if done.len() > MANY => RelayEvent::Done(format!(
            "deleted and wiped: {}",
            counted(done.len() as u64, "message")
        )),
        (done, _) => RelayEvent::Done(format!("deleted and wiped: {}", id_list(done))),
    }
}

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod tests;
