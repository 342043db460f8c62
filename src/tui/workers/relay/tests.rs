//! What is told of a relay that is followed and searched.

use std::sync::atomic::AtomicUsize;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::tui::app::tests::message;
use crate::tui::event::channel::{EventReceiver, event_channel};
use crate::tui::state::inbox::tests::summary;
use kkv_client::find::Wanted;
use kkv_owner::{Get, Watch};
use kkv_relay::owner::OwnerListener;
use kkv_ui::error::Exit;

/// What a relay answers.
type Answers = Arc<dyn Fn() -> Value + Send + Sync>;

fn answers(answer: impl Fn() -> Value + Send + Sync + 'static) -> Answers {
    Arc::new(answer)
}

/// The version that is told to whoever has seen none, and the only one.
const VERSION: u64 = 7;

/// A relay that lists and is as these say, and that changes no more.
fn relay(list: Answers, status: Answers) -> Router {
    let watch = async |query: Query<Watch>| {
        if query.seen >= VERSION {
            std::future::pending::<()>().await;
        }
        Json(json!({"version": VERSION}))
    };
    let told = |answer: Answers| get(async move || Json(answer()));
    Router::new()
        .route("/get_msg", told(list))
        .route("/status", told(status))
        .route("/watch", get(watch))
}

fn status() -> Value {
    serde_json::to_value(crate::tui::app::tests::status()).unwrap()
}

/// An empty list at this version.
fn list_at(version: u64) -> Value {
    let relay = &status()["relay"];
    let changes =
        json!({"relay": relay, "version": version, "since": null, "oldest": 1, "gone": []});
    json!({"messages": [], "changes": changes})
}

/// A way to what answers so, for as long as the future goes on, and what it says.
async fn worker_of(
    router: Router,
) -> (
    RelayWorker,
    EventReceiver,
    impl Future<Output = ()>,
    TempDir,
) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let listener = OwnerListener::bind(&socket).await.unwrap();
    let serving = kkv_net::http::serve(
        listener,
        router,
        kkv_net::http::ConnectionLimits::for_owner(),
    );
    let (events, happening) = event_channel();
    let worker = RelayWorker::new(Some(socket), events, true);
    let serving = async {
        serving.await;
        panic!("it serves");
    };
    (worker, happening, serving, directory)
}

/// How many lists a relay is asked for that lists so, until it was told three times that all is the same since the list
/// of `VERSION` was.
async fn lists_fetched(list: Value, lists_told: usize) -> usize {
    let lists = Arc::new(AtomicUsize::new(0));
    let fetched = Arc::clone(&lists);
    let list = answers(move || {
        fetched.fetch_add(1, Ordering::Relaxed);
        list.clone()
    });
    let (worker, mut happening, serving, _directory) =
        worker_of(relay(list, answers(status))).await;
    let three_times_the_same = async {
        let (mut told, mut same) = (0, 0);
        while told < lists_told || same < 3 {
            match happening.recv().await {
                Some(Event::Relay(RelayEvent::Status(_))) => same += 1,
                Some(Event::Relay(RelayEvent::Listed(..))) => (told, same) = (told + 1, 0),
                _ => panic!("it answers"),
            }
        }
    };
    tokio::select! {
        () = serving => unreachable!("it panics"),
        () = worker.follow() => panic!("it follows"),
        () = three_times_the_same => {}
    }
    lists.load(Ordering::Relaxed)
}

#[tokio::test]
async fn while_nothing_changes_the_list_is_fetched_once() {
    assert_eq!(lists_fetched(list_at(VERSION), 1).await, 1);
}

#[tokio::test]
async fn a_list_that_names_no_version_is_fetched_once_more_with_the_first_that_is_named() {
    assert_eq!(lists_fetched(json!({"messages": []}), 2).await, 2);
}

#[tokio::test]
async fn what_changes_before_the_list_is_told_with_it_in_the_counts_too() {
    let stored = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&stored);
    // Something arrives at the last moment.
    let list = answers(move || {
        stored.store(1, Ordering::Relaxed);
        list_at(VERSION)
    });
    let status = answers(move || {
        let mut status = status();
        status["queue"]["stored"] = counted.load(Ordering::Relaxed).into();
        status
    });
    let (worker, mut happening, serving, _directory) = worker_of(relay(list, status)).await;
    let first = async {
        match happening.recv().await {
            Some(Event::Relay(RelayEvent::Listed(status, list))) => (status, list),
            _ => panic!("it answers"),
        }
    };
    let (status, list) = tokio::select! {
        () = serving => unreachable!("it panics"),
        () = worker.follow() => panic!("it follows"),
        first = first => first,
    };
    assert_eq!(list.known().map(|known| known.version), Some(VERSION));
    assert_eq!(status.queue.stored, 1);
}

#[tokio::test]
async fn what_was_looked_at_before_the_relay_failed_is_told_and_the_rest_given_back() {
    let shown = async |Json(wanted): Json<Get>| -> Response {
        let id = wanted.id;
        match id.0 {
            3 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            id => Json(message(summary(id), "words")).into_response(),
        }
    };
    let router = Router::new().route("/get_msg", axum::routing::post(shown));
    let (worker, mut happening, serving, _directory) = worker_of(router).await;
    worker.search(SearchRequest {
        number: 9,
        wanted: Wanted::new("words"),
        messages: [5, 4, 3, 2, 1].map(|id| (MessageId(id), None)).into(),
    });
    let heard = async {
        let mut looked = Vec::new();
        loop {
            match happening.recv().await {
                Some(Event::Relay(RelayEvent::SearchResults(9, some))) => looked.extend(some),
                Some(Event::Relay(RelayEvent::SearchFailed(9, left, _))) => return (looked, left),
                _ => panic!("it tells how far it came"),
            }
        }
    };
    let (looked, left) = tokio::select! {
        () = serving => unreachable!("it panics"),
        heard = heard => heard,
    };
    assert_eq!(looked, [5, 4].map(|id| (MessageId(id), true)));
    assert_eq!(left, [3, 2, 1].map(MessageId));
}

#[test]
fn what_was_saved_is_told_and_what_was_not() {
    let directory = Path::new("/tmp/a b");
    let paths = ["/tmp/a b/x", "/tmp/a b/y"].map(PathBuf::from);
    let full = || Err(CliError::new(Exit::Refused, "the disk is full"));
    let told = |saved: &[PathBuf], ended| match saving_ended(directory, saved, ended) {
        RelayEvent::Done(what) => (true, what),
        RelayEvent::Failed(why) => (false, why),
        _ => panic!("one of the two"),
    };
    for (saved, ended, expected) in [
        (&paths[..1], Ok(()), (true, "saved '/tmp/a b/x'")),
        (&paths[..], Ok(()), (true, "saved 2 files in '/tmp/a b'")),
        (&[], full(), (false, "nothing was saved: the disk is full")),
        (
            &[],
            full().map_err(|failed| failed.hint("Name another one.")),
            (
                false,
                "nothing was saved: the disk is full. Name another one.",
            ),
        ),
        (
            &paths[..1],
            full(),
            (
                false,
                "saved 1 file in '/tmp/a b', not the rest: the disk is full",
            ),
        ),
    ] {
        let (done, what) = told(saved, ended);
        assert_eq!((done, what.as_str()), expected);
    }
}
