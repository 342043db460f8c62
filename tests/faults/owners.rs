//! A published relay deletes by place in a list, so that of two clients at once one hits the wrong message. Here a
//! message has an id that never changes and never comes back.

use std::collections::BTreeSet;
use std::sync::Arc;

use kkv_net::tor::TorMode;
use kkv_owner::{Delete, Done, Get, List, Message, Status};
use kkv_protocol::MessageHeader;
use kkv_protocol::ids::RelayId;
use kkv_protocol::suite::SuitePolicy;
use kkv_relay::boxes::Boxes;
use kkv_relay::home::Home;
use kkv_relay::owner::{Host, router};
use kkv_relay::queue::{MessageId, Now, Queue};
use kkv_relay::relay::{Invitations, Relay};
use kkv_relay::sandbox::Sandbox;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::DuplexStream;
use tokio::sync::Barrier;

use crate::in_process::{InProcess, PIPE_BYTES, header, send};
use crate::raw_http::{Wire, get, post};

/// The owner's side of a relay in a test.
pub(crate) struct Owner(pub(crate) Arc<Relay>);

impl Host for Owner {
    fn queue(&self) -> &Queue<MessageHeader> {
        self.0.queue()
    }

    fn now(&self) -> Now {
        self.0.now()
    }

    fn boxes(&self) -> &Boxes {
        self.0.boxes()
    }

    fn invitations(&self) -> &Arc<Invitations> {
        self.0.invitations()
    }

    fn home(&self) -> &Home {
        self.0.home()
    }

    fn relay_key(&self) -> RelayId {
        self.0.keys().public().id()
    }

    fn status(&self) -> Status {
        Status {
            version: "0".to_owned(),
            uptime_seconds: 0,
            tor: TorMode::Off,
            onion: None,
            tor_state: None,
            listens: "127.0.0.1:45069".parse().ok(),
            suites: self.0.config().suites.suites(),
            cost: self.0.cost().bits(),
            base_cost: self.0.config().pricing.base.bits(),
            adaptive: self.0.config().pricing.adaptive,
            expected_seconds: self.0.config().expected_seconds,
            ttl_seconds: None,
            lets_in: None,
            wipe_after_seconds: None,
            wiped: None,
            read_receipts: false,
            page: None,
            queue: self.queue().occupancy(self.now().elapsed),
            room: self.queue().room(self.now().elapsed),
            locked: false,
            sandbox: Sandbox::default(),
            relay: self.relay_key(),
        }
    }

    fn wipe(&self) -> Vec<MessageId> {
        self.0.wipe()
    }

    fn seen(&self) {}
}

/// One owner's client.
pub(crate) struct Desk(Wire<DuplexStream>);

impl Desk {
    pub(crate) fn new(relay: &InProcess) -> Self {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let routes = router(Arc::new(Owner(Arc::clone(&relay.relay))));
        tokio::spawn(kkv_net::http::serve_connection(
            far,
            routes,
            kkv_net::http::ConnectionLimits::for_owner(),
            kkv_net::http::AllowedHosts::Onion, // as `raw_http` calls everyone
        ));
        Self(Wire::new(near))
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> T {
        let body = serde_json::to_string(body).expect("it is JSON");
        let answer = self.0.ask(&post(path, "application/json", body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("what the route says")
    }

    pub(crate) async fn list(&mut self) -> List {
        let answer = self.0.ask(&get("/get_msg")).await;
        serde_json::from_slice(&answer.body).expect("a list")
    }

    /// What a list begins each text with, if so many characters are asked for.
    async fn first(&mut self, characters: &str) -> Vec<Option<String>> {
        let answer = self
            .0
            .ask(&get(&format!("/get_msg?first={characters}")))
            .await;
        let list: List = serde_json::from_slice(&answer.body).expect("a list");
        let first = list.messages.into_iter().map(|message| message.first);
        first
            .map(|text| text.map(|text| text.to_string()))
            .collect()
    }

    pub(crate) async fn message(&mut self, id: MessageId) -> Message {
        self.post("/get_msg", &Get { id }).await
    }

    async fn delete(&mut self, ids: Vec<u64>) -> Done {
        let ids = ids.into_iter().map(MessageId).collect();
        self.post("/del_msg", &Delete::Ids(ids)).await
    }

    /// Number and text of every message.
    async fn all(&mut self) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        for summary in self.list().await.messages {
            let message = self.message(summary.id).await;
            all.push((summary.id.0, message.text.as_str().to_owned()));
        }
        all
    }
}

/// Puts a text straight into the queue: what is tried here happens to messages that are already there.
fn put(relay: &Relay, text: &str) {
    let now = relay.now();
    let mut slot = relay.queue().reserve(now.elapsed).expect("there is room");
    slot.bytes_mut()[..text.len()].copy_from_slice(text.as_bytes());
    slot.store(text.len(), header(), now)
        .expect("nobody closes it");
}

fn text(id: u64) -> String {
    format!("message {id}")
}

fn numbers(ids: &[MessageId]) -> BTreeSet<u64> {
    ids.iter().map(|id| id.0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_message_is_never_deleted_when_two_clients_delete_at_once() {
    const MESSAGES: u64 = 30;
    for _ in 0..30 {
        let relay = Arc::new(InProcess::new(SuitePolicy::Any, 60, 0));
        for id in 1..=MESSAGES {
            put(&relay.relay, &text(id));
        }
        // Whoever wipes a list from the top changes every place in it, while the other works through every third.
        let evens: Vec<u64> = (1..=MESSAGES).filter(|id| id % 2 == 0).collect();
        let thirds: Vec<u64> = (1..=MESSAGES).filter(|id| id % 3 == 0).collect();
        let start = Arc::new(Barrier::new(3));
        let work = |wanted: Vec<u64>| {
            let (relay, start) = (Arc::clone(&relay), Arc::clone(&start));
            tokio::spawn(async move {
                let mut desk = Desk::new(&relay);
                let (mut done, mut missing) = (BTreeSet::new(), BTreeSet::new());
                start.wait().await;
                for id in wanted {
                    let said = desk.delete(vec![id]).await;
                    done.append(&mut numbers(&said.done));
                    missing.append(&mut numbers(&said.missing));
                }
                (done, missing)
            })
        };
        let (one, other) = (work(evens.clone()), work(thirds.clone()));
        // Meanwhile new messages come into the slots that become free.
        start.wait().await;
        for id in MESSAGES + 1..=MESSAGES + 10 {
            put(&relay.relay, &text(id));
            tokio::task::yield_now().await;
        }
        let (one, other) = (one.await.unwrap(), other.await.unwrap());

        let (evens, thirds) = (BTreeSet::from_iter(evens), BTreeSet::from_iter(thirds));
        let both: BTreeSet<u64> = evens.intersection(&thirds).copied().collect();
        assert_eq!(&one.0 | &one.1, evens);
        assert_eq!(&other.0 | &other.1, thirds);
        assert!(one.0.is_disjoint(&other.0), "deleted twice");
        assert_eq!(&one.1 | &other.1, both, "each of these missed by one");
        let left: Vec<(u64, String)> = (1..=MESSAGES + 10)
            .filter(|id| *id > MESSAGES || (id % 2 != 0 && id % 3 != 0))
            .map(|id| (id, text(id)))
            .collect();
        assert_eq!(Desk::new(&relay).all().await, left);
    }
}

#[tokio::test]
async fn a_deleted_messages_id_never_names_another() {
    let relay = InProcess::new(SuitePolicy::Any, 2, 0);
    let (mut one, mut other) = (Desk::new(&relay), Desk::new(&relay));
    for text in ["first", "second"] {
        send(&relay, SuitePolicy::Any, text).await.unwrap();
    }
    // Both look at the same list, and both take the first away.
    let seen = one.list().await.messages[0].id;
    assert_eq!(other.list().await.messages[0].id, seen);
    assert_eq!(one.delete(vec![seen.0]).await.done, [seen]);
    let late = other.delete(vec![seen.0]).await;
    assert_eq!(
        (late.done.as_slice(), late.missing.as_slice()),
        (&[][..], &[seen][..])
    );
    assert_eq!(relay.texts(), ["second"]);

    // A message that takes the same slot has another id.
    send(&relay, SuitePolicy::Any, "third").await.unwrap();
    let late = other.delete(vec![seen.0, seen.0, 0, u64::MAX]).await;
    assert!(late.done.is_empty());
    assert_eq!(relay.texts(), ["second", "third"]);
    let all = one.post::<Done>("/del_msg", &Delete::All).await;
    assert_eq!(numbers(&all.done), BTreeSet::from([2, 3]));
    send(&relay, SuitePolicy::Any, "fourth").await.unwrap();
    assert_eq!(one.all().await, [(4, "fourth".to_owned())]);
}

#[tokio::test]
async fn a_list_begins_texts_with_as_much_as_is_asked_for_and_no_more_than_a_bound() {
    let relay = InProcess::new(SuitePolicy::Any, 5, 0);
    let texts = [
        " \n早い",
        "ab",
        "🙂🙂🙂",
        &"é".repeat(1000),
        "-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----",
    ];
    for text in texts {
        put(&relay.relay, text);
    }
    let mut desk = Desk::new(&relay);
    let some = |texts: [&str; 4]| {
        let texts = texts.map(|text| Some(text.to_owned()));
        texts.into_iter().chain([None]).collect::<Vec<_>>()
    };
    assert_eq!(desk.first("2").await, some(["早い", "ab", "🙂🙂", "éé"]));
    assert_eq!(desk.first("0").await, some([""; 4]));
    let longest = &"é".repeat(kkv_base::limits::MAX_PREVIEW_CHARACTERS);
    let all = some(["早い", "ab", "🙂🙂🙂", longest]);
    assert_eq!(desk.first(&u64::MAX.to_string()).await, all);
    assert!(
        desk.list()
            .await
            .messages
            .iter()
            .all(|m| m.first.is_none() && !m.read)
    );
}
