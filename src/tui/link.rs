//! The owner's relay, from here: what is in it, as it changes, and what is asked of it. All beside the screen, which
//! never waits.

use std::mem::take;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep, timeout};

use super::app::Event;
use super::search::Look;
use crate::cli::exit::Failed;
use crate::cli::inbox::numbers;
use crate::count::counted;
use crate::limits::MAX_FIRST;
use crate::owner::api::{Delete, Done, List, Message, Status};
use crate::owner::{Client, ClientError};
use crate::queue::MessageId;

/// Tor's state and the price change without the queue's doing: they are looked at so often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A relay that isn't there is looked for so often.
const LOOK_FOR: Duration = Duration::from_secs(1);

/// What a search has found is told so often, at most.
const TELL_FOUND: Duration = Duration::from_millis(100);

/// More than that are not told by their numbers.
const MANY: usize = 10;

/// What the relay says.
pub(super) enum News {
    /// How it is, and its messages: all, or what has changed since the last that was told.
    Here(Box<Status>, List),
    /// How it is; its messages are the same.
    How(Box<Status>),
    /// It isn't there.
    Away {
        what: String,
        hint: String,
        can_start: bool,
    },
    /// The message that was asked for.
    Message(Box<Message>),
    /// Which messages have what is looked for, and which don't, for the search of this number.
    Looked(u64, Vec<(MessageId, bool)>),
    /// A relay is being started.
    Starting,
    /// The relay that was started here has ended, and why.
    Ended(String),
    /// Something was done, in words.
    Done(String),
    /// Something couldn't be done, and why.
    Failed(String),
}

/// The way to it.
#[derive(Clone)]
pub(super) struct Link {
    socket: Option<PathBuf>,
    events: UnboundedSender<Event>,
    /// Characters of each text that it is asked for.
    first: Option<usize>,
    /// The number of the search that goes on.
    search: Arc<AtomicU64>,
}

impl Link {
    /// To the relay at `socket`, or where it is unless told otherwise, which is asked for the first words of each text
    /// if they are wanted. What it says becomes events.
    pub(super) fn new(
        socket: Option<PathBuf>,
        events: UnboundedSender<Event>,
        first_words: bool,
    ) -> Self {
        Self {
            socket,
            events,
            // However wide the screen is going to be.
            first: first_words.then_some(MAX_FIRST),
            search: Arc::default(),
        }
    }

    fn client(&self) -> Result<Client, ClientError> {
        match &self.socket {
            Some(socket) => Client::new(socket),
            None => Client::by_default(),
        }
    }

    fn tell(&self, news: News) {
        let _ = self.events.send(Event::News(news)); // nobody listens any more: the program ends
    }

    /// Tells how the relay is and what is in it, whenever that changes, until dropped. That an owner who does nothing
    /// still looks is no sign of life.
    pub(super) async fn follow(self) {
        loop {
            let mut ended = self.follow_one().await;
            if matches!(ended, Err(ClientError::HungUp)) {
                ended = self.follow_one().await; // it has just ended: what is there now?
            }
            if let Err(fault) = ended {
                let can_start = matches!(fault, ClientError::NotRunning(_));
                let failed = Failed::from(fault);
                self.tell(News::Away {
                    what: failed.what,
                    hint: failed.hint.unwrap_or_default(),
                    can_start,
                });
            }
            sleep(LOOK_FOR).await;
        }
    }

    async fn follow_one(&self) -> Result<(), ClientError> {
        let client = self.client()?.unattended();
        let (mut version, mut known) = (0, None);
        let mut listed = None;
        loop {
            // What comes after this changes the version, and is told again.
            let status = client.status().await?;
            let state = (version, status.relay);
            if listed == Some(state) {
                self.tell(News::How(Box::new(status)));
            } else {
                let list = client.changes(known, self.first).await?;
                let relay = list.known().map_or(status.relay, |known| known.relay);
                if relay != status.relay {
                    return Err(ClientError::HungUp); // and another was started in its place
                }
                known = list.known();
                version = known.map_or(version, |known| known.version);
                listed = Some((version, status.relay));
                self.tell(News::Here(Box::new(status), list));
            }
            if let Ok(changed) = timeout(LOOK_AGAIN, client.watch(version)).await {
                version = changed?;
            }
        }
    }

    /// The owner is there: a key was pressed.
    pub(super) fn attend(&self) {
        self.ask(|client| async move { client.status().await.map(|_| None) });
    }

    pub(super) fn fetch(&self, id: MessageId) {
        self.ask(move |client| async move {
            let message = client.message(id).await?;
            Ok(Some(News::Message(Box::new(message))))
        });
    }

    /// Looks at messages one after the other, until nothing is looked for any more or something else is. It is no sign
    /// of life: new ones are looked at while nobody is there.
    pub(super) fn look(&self, look: Look) {
        let Look {
            number,
            wanted,
            messages,
        } = look;
        self.search.store(number, Ordering::Relaxed);
        let link = self.clone();
        self.ask(move |client| async move {
            let client = client.unattended();
            let (mut looked, mut told) = (Vec::new(), Instant::now());
            for (id, sender) in messages {
                if link.search.load(Ordering::Relaxed) != number {
                    return Ok(None);
                }
                let found = wanted.are_in(&client, id, sender.as_ref()).await?;
                looked.push((id, found == Some(true)));
                if told.elapsed() > TELL_FOUND {
                    link.tell(News::Looked(number, take(&mut looked)));
                    told = Instant::now();
                }
            }
            Ok(Some(News::Looked(number, looked)))
        });
    }

    /// Nothing is looked for any more.
    pub(super) fn look_no_more(&self) {
        self.search.store(0, Ordering::Relaxed);
    }

    pub(super) fn mark(&self, ids: Vec<MessageId>, read: bool) {
        self.ask(move |client| async move { client.mark(ids, read).await.map(|_| None) });
    }

    pub(super) fn delete(&self, what: Delete) {
        self.ask(move |client| async move {
            client.delete(&what).await.map(|done| Some(deleted(&done)))
        });
    }

    fn ask<F>(&self, request: impl FnOnce(Client) -> F + Send + 'static)
    where
        F: Future<Output = Result<Option<News>, ClientError>> + Send,
    {
        let link = self.clone();
        tokio::spawn(async move {
            let answer = match link.client() {
                Ok(client) => request(client).await,
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(Some(news)) => link.tell(news),
                Ok(None) => {}
                Err(fault) => link.tell(News::Failed(fault.to_string())),
            }
        });
    }
}

fn deleted(done: &Done) -> News {
    match (done.done.as_slice(), done.missing.as_slice()) {
        ([], []) => News::Done("there was nothing to delete".to_owned()),
        ([], missing) => News::Failed(format!("there is no message {}", numbers(missing))),
        (done, _) if done.len() > MANY => News::Done(format!(
            "deleted and wiped: {}",
            counted(done.len() as u64, "message")
        )),
        (done, _) => News::Done(format!("deleted and wiped: {}", numbers(done))),
    }
}

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use axum::routing::get;
    use axum::{Json, Router};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::owner::OwnerListener;

    #[tokio::test]
    async fn while_nothing_changes_the_list_is_fetched_once() {
        let lists = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lists);
        let list = async move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Json(serde_json::json!({"messages": []}))
        };
        let status = async || Json(crate::tui::app::tests::status());
        // The first question, which knows no version, is answered; no other is.
        let watch = async |query: axum::extract::Query<crate::owner::api::Watch>| {
            if query.seen > 0 {
                std::future::pending::<()>().await;
            }
            Json(serde_json::json!({"version": 7}))
        };
        let router = Router::new()
            .route("/get_msg", get(list))
            .route("/status", get(status))
            .route("/watch", get(watch));
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("kkv.sock");
        let listener = OwnerListener::bind(&socket).await.unwrap();
        let serve = crate::http::serve(listener, router, crate::http::Room::for_owner());
        let (events, mut happening) = unbounded_channel();
        let follow = Link::new(Some(socket), events, true).follow();
        // Told when nothing was known, and once with the version that it came with, however late that comes; then three
        // times that all is the same.
        let three_times_the_same = async {
            let (mut told, mut same) = (0, 0);
            while told < 2 || same < 3 {
                match happening.recv().await {
                    Some(Event::News(News::How(_))) => same += 1,
                    Some(Event::News(News::Here(..))) => (told, same) = (told + 1, 0),
                    _ => panic!("it answers"),
                }
            }
        };
        tokio::select! {
            _ = serve => panic!("it serves"),
            () = follow => panic!("it follows"),
            () = three_times_the_same => {}
        }
        assert_eq!(lists.load(Ordering::Relaxed), 2);
    }
}
