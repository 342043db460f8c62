//! What comes over the owner's socket: any JSON to any route; only what is well formed does anything, and only to what
//! it names.

use std::sync::Arc;

use kkv_base::clock::{Clock, ManualClock};
use kkv_base::limits::BOX_LIFETIME;
use kkv_net::tor::TorMode;
use kkv_owner::{Delete, Done, List, Mark, Status};
use kkv_protocol::MessageHeader;
use kkv_protocol::ids::RelayId;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_relay::boxes::Boxes;
use kkv_relay::home::Home;
use kkv_relay::owner::{Host, router};
use kkv_relay::queue::{MessageId, Now, Queue};
use kkv_relay::relay::Invitations;
use kkv_relay::sandbox::Sandbox;
use proptest::collection::vec;
use proptest::prelude::*;

use super::visit::{ask, cases, paused, read, say};
use crate::in_process::{START, header};

const MESSAGES: u64 = 5;
const ROUTES: [&str; 12] = [
    "/get_msg",
    "/read_msg",
    "/del_msg",
    "/reply",
    "/waiting",
    "/withdraw",
    "/status",
    "/watch",
    "/invite",
    "/invitations",
    "/revoke",
    "/nothing",
];

/// A program with five messages, numbered from 1.
struct Inbox {
    queue: Queue<MessageHeader>,
    boxes: Boxes,
    clock: ManualClock,
    invitations: Arc<Invitations>,
    home: Home,
}

impl Inbox {
    fn new() -> Arc<Self> {
        let inbox = Self {
            queue: Queue::new(8, None).expect("so much memory"),
            boxes: Boxes::new(8, 0, BOX_LIFETIME),
            clock: ManualClock::new(START),
            invitations: Arc::new(Invitations::new(SuitePolicy::Any)),
            home: Home::default(),
        };
        for _ in 0..MESSAGES {
            let mut slot = inbox.queue.reserve(inbox.now().elapsed).expect("room");
            slot.bytes_mut()[..5].copy_from_slice(b"hello");
            slot.store(5, header(), inbox.now()).expect("not closed");
        }
        Arc::new(inbox)
    }

    /// The messages that are there, and whether each is read.
    fn messages(&self) -> Vec<(MessageId, bool)> {
        self.queue.list(self.now().elapsed, |m| (m.id, m.read))
    }
}

impl Host for Inbox {
    fn queue(&self) -> &Queue<MessageHeader> {
        &self.queue
    }

    fn now(&self) -> Now {
        Now {
            unix: self.clock.wall(),
            elapsed: self.clock.elapsed(),
        }
    }

    fn boxes(&self) -> &Boxes {
        &self.boxes
    }

    fn invitations(&self) -> &Arc<Invitations> {
        &self.invitations
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn relay_key(&self) -> RelayId {
        RelayId([4; 32])
    }

    fn status(&self) -> Status {
        Status {
            version: "test".to_owned(),
            uptime_seconds: 0,
            tor: TorMode::Off,
            onion: None,
            tor_state: None,
            listens: "127.0.0.1:1".parse().ok(),
            suites: vec![Suite::V2],
            cost: 7,
            base_cost: 7,
            adaptive: true,
            expected_seconds: 60,
            ttl_seconds: None,
            lets_in: None,
            wipe_after_seconds: None,
            wiped: None,
            read_receipts: false,
            page: None,
            queue: self.queue.occupancy(self.now().elapsed),
            room: self.queue.room(self.now().elapsed),
            locked: false,
            sandbox: Sandbox::default(),
            relay: self.relay_key(),
        }
    }

    fn wipe(&self) -> Vec<MessageId> {
        self.queue.delete_all(self.now().elapsed)
    }

    fn seen(&self) {}
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..8_u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["all", "ids", "id", "read", ""]).prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let name = prop::sample::select(vec!["id", "ids", "read", "all", "seen", "x"]);
        let object = proptest::collection::btree_map(name, inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            object.prop_map(|fields| {
                fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => json().prop_map(|json| json.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..100),
        1 => (0..4000_usize).prop_map(|depth| "[".repeat(depth).into_bytes()),
    ]
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_body_does_what_it_says_if_it_says_anything_and_else_nothing(
        route in prop::sample::select(ROUTES.to_vec()), body in body(),
    ) {
        let inbox = Inbox::new();
        let before = inbox.messages();
        let answer = paused().block_on(ask(router(inbox.clone()), route, "application/json", &body));
        let marks = serde_json::from_slice::<Mark>(&body).is_ok();
        let deletes = serde_json::from_slice::<Delete>(&body).is_ok();
        let changes = (route == "/read_msg" && marks) || (route == "/del_msg" && deletes);
        if changes {
            prop_assert_eq!(answer.status, 200, "{:?}", answer);
        } else {
            prop_assert!(answer.status == 200 || (400..500).contains(&answer.status), "{answer:?}");
            prop_assert_eq!(inbox.messages(), before);
        }
    }

    #[test]
    fn ids_of_any_number_and_order_are_each_done_once_or_reported_as_missing(
        ids in vec(prop_oneof![4 => 0..8_u64, 1 => any::<u64>()], 0..20), read: bool, delete: bool,
    ) {
        let inbox = Inbox::new();
        let named: Vec<MessageId> = ids.iter().copied().map(MessageId).collect();
        let (route, body) = if delete {
            ("/del_msg", serde_json::to_vec(&Delete::Ids(named.clone())).unwrap())
        } else {
            ("/read_msg", serde_json::to_vec(&Mark { ids: named.clone(), read }).unwrap())
        };
        let answer = paused().block_on(ask(router(inbox.clone()), route, "application/json", &body));
        prop_assert_eq!(answer.status, 200);
        let done: Done = serde_json::from_slice(&answer.body).unwrap();

        let there = |id: &MessageId| (1..=MESSAGES).contains(&id.0);
        let first = |at: usize| !named[..at].contains(&named[at]);
        let (mut expected, mut missing) = (Vec::new(), Vec::new());
        for (at, id) in named.iter().enumerate() {
            let to = there(id) && (!delete || first(at));
            (if to { &mut expected } else { &mut missing }).push(*id);
        }
        prop_assert_eq!((&done.done, &done.missing), (&expected, &missing));
        for (id, is_read) in inbox.messages() {
            prop_assert_eq!(is_read, !delete && read && named.contains(&id));
        }
        let left = inbox.messages().len() as u64;
        let deleted = if delete { expected.len() as u64 } else { 0 };
        prop_assert_eq!(left, MESSAGES - deleted);
    }

    #[test]
    fn any_version_waited_for_is_answered_with_the_present_one(seen in ".{0,24}|[0-9]{0,21}") {
        let inbox = Inbox::new();
        let query = serde_urlencoded::to_string([("seen", &seen)]).unwrap();
        let request = format!("GET /watch?{query} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nconnection: close\r\n\r\n");
        let said = paused().block_on(say(router(inbox), request.as_bytes()));
        let answer = read(&said).unwrap();
        if seen.parse::<u64>().is_ok() {
            prop_assert_eq!(answer.status, 200);
            prop_assert_eq!(answer.body, format!("{{\"version\":{MESSAGES}}}").into_bytes());
        } else {
            prop_assert_eq!(answer.status, 400);
        }
    }

    #[test]
    fn any_version_named_for_a_list_gets_what_has_changed_since_or_everything(
        since in ".{0,24}|[0-9]{0,21}|[0-6]",
        relay in ".{0,24}|[0-9a-f]{0,66}|(04){32}|(05){32}",
    ) {
        let query = serde_urlencoded::to_string([("since", &since), ("relay", &relay)]).unwrap();
        let request = format!("GET /get_msg?{query} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nconnection: close\r\n\r\n");
        let said = paused().block_on(say(router(Inbox::new()), request.as_bytes()));
        let answer = read(&said).unwrap();
        let Ok(version) = since.parse::<u64>() else {
            prop_assert_eq!(answer.status, 400);
            return Ok(());
        };
        if relay.len() != 64 || !relay.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            prop_assert_eq!(answer.status, 400);
            return Ok(());
        }
        prop_assert_eq!(answer.status, 200);
        let list: List = serde_json::from_slice(&answer.body).unwrap();
        let since = Some(version).filter(|_| relay == "04".repeat(32) && version <= MESSAGES);
        prop_assert_eq!(list.changes.unwrap().since, since);
        let listed = list.messages.len() as u64;
        prop_assert_eq!(listed, since.map_or(MESSAGES, |since| MESSAGES - since));
    }
}
