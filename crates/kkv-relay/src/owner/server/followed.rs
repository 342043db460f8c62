//! Who follows by what has changed holds what they hold who fetch everything: whatever happens, and whenever they look.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::owner::stage::Stage;
use kkv_owner::Known;

/// Deleted messages that the queue remembers here.
const REMEMBERED: usize = 3;
/// Characters of the texts, here so long themselves.
const FIRST: usize = 5;

/// One who follows.
#[derive(Default)]
struct Follower {
    known: Option<Known>,
    messages: Vec<Summary>,
}

impl Follower {
    /// Looks at what there is now. Which changes it was told, over the wire.
    fn look(&mut self, stage: &Stage) -> List {
        let wanted = Wanted {
            first: Some(FIRST),
            since: Some(self.known.map_or(0, |known| known.version)),
            relay: self.known.map(|known| known.relay),
        };
        let list = serde_json::to_string(&listed(stage, wanted)).unwrap();
        let read = || -> List { serde_json::from_str(&list).unwrap() };
        self.known = read().known();
        read().onto(&mut self.messages);
        read()
    }
}

/// What who fetches everything holds.
fn everything(stage: &Stage) -> Vec<Summary> {
    let wanted = Wanted {
        first: Some(FIRST),
        ..Wanted::default()
    };
    listed(stage, wanted).messages
}

#[derive(Debug, Clone)]
enum Operation {
    Arrive,
    /// Of the numbers given so far, and one that was not.
    Mark(Index, bool),
    Delete(Index),
    DeleteAll,
    /// So that messages expire.
    Advance(Duration),
    /// Ends the relay, and starts another.
    Restart,
    Close,
    /// One of the followers looks.
    Look(Index),
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{Advance, Arrive, Close, Delete, DeleteAll, Look, Mark, Restart};
    prop_oneof![
        30 => Just(Arrive),
        20 => (any::<Index>(), any::<bool>()).prop_map(|(id, read)| Mark(id, read)),
        20 => any::<Index>().prop_map(Delete),
        1 => Just(DeleteAll),
        10 => (0..4_u64).prop_map(|seconds| Advance(Duration::from_secs(seconds))),
        2 => Just(Restart),
        1 => Just(Close),
        20 => any::<Index>().prop_map(Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn who_follows_by_what_has_changed_holds_what_who_fetches_everything_holds(
        life in prop::option::of((1..16_u64).prop_map(Duration::from_secs)),
        operations in prop::collection::vec(operation(), 0..80),
    ) {
        let start = |key| Stage::new(Queue::with_deleted_ids(REMEMBERED, 12, life).unwrap(), key);
        let (mut stage, mut last, mut key) = (start(1), 0, 1);
        let mut followers = [Follower::default(), Follower::default()];
        for operation in operations {
            let now = stage.elapsed();
            let id = |index: Index| MessageId(index.index(last + 1) as u64 + 1);
            match operation {
                Operation::Arrive => {
                    if let Some(id) = stage.arrive(&format!("{last:0FIRST$}")) {
                        last = usize::try_from(id.0).unwrap();
                    }
                }
                Operation::Mark(index, read) => {
                    stage.queue.mark(id(index), read, now);
                }
                Operation::Delete(index) => {
                    stage.queue.delete(id(index), now);
                }
                Operation::DeleteAll => {
                    stage.queue.delete_all(now);
                }
                Operation::Advance(time) => stage.clock.advance(time),
                Operation::Restart => {
                    (key, last) = (key + 1, 0);
                    stage = start(key);
                }
                Operation::Close => stage.queue.close(),
                Operation::Look(index) => {
                    let follower = index.get_mut(&mut followers);
                    follower.look(&stage);
                    prop_assert_eq!(&follower.messages, &everything(&stage));
                }
            }
        }
        for follower in &mut followers {
            follower.look(&stage);
            prop_assert_eq!(&follower.messages, &everything(&stage));
            let list = follower.look(&stage);
            prop_assert!(list.messages.is_empty(), "told again: {:?}", list);
        }
    }
}

/// What a follower was told: numbers that are new or marked otherwise, and those that are gone; none if it was told
/// everything.
fn told(follower: &mut Follower, stage: &Stage) -> Option<(Vec<u64>, Vec<u64>)> {
    let list = follower.look(stage);
    let changes = list.changes.unwrap();
    let numbers = |ids: Vec<MessageId>| ids.into_iter().map(|id| id.0).collect();
    let listed = list
        .messages
        .into_iter()
        .map(|message| message.id)
        .collect();
    changes.since?;
    Some((numbers(listed), numbers(changes.gone)))
}

#[test]
fn one_is_told_what_has_changed_and_everything_when_nobody_can_tell_any_more() {
    let stage = Stage::new(Queue::with_deleted_ids(REMEMBERED, 300, None).unwrap(), 1);
    for _ in 0..200 {
        stage.arrive("hello");
    }
    let delete = |ids: &[u64]| {
        for id in ids {
            assert!(stage.queue.delete(MessageId(*id), stage.elapsed()));
        }
    };
    let mut follower = Follower::default();
    assert_eq!(told(&mut follower, &stage), None);
    assert_eq!(told(&mut follower, &stage), Some((vec![], vec![])));
    stage.arrive("hello");
    stage.queue.mark(MessageId(150), true, stage.elapsed());
    stage.queue.mark(MessageId(3), false, stage.elapsed()); // as it was
    delete(&[7, 180]);
    let changes = (vec![150, 201], vec![7, 180]);
    assert_eq!(told(&mut follower, &stage), Some(changes));
    // Of the first ones, the first that is left tells.
    delete(&[1, 2, 3, 4, 5, 9, 10, 11]);
    assert_eq!(told(&mut follower, &stage), Some((vec![], vec![9, 10, 11])));
    delete(&[20, 21, 22, 23]);
    assert_eq!(told(&mut follower, &stage), None);
    // Those that have become the first meanwhile give way to others.
    delete(&[30, 31, 32]);
    for id in (6..30).filter(|id| ![7, 9, 10, 11, 20, 21, 22, 23].contains(id)) {
        delete(&[id]);
    }
    delete(&[40, 41, 42]);
    assert_eq!(
        told(&mut follower, &stage),
        Some((vec![], vec![40, 41, 42]))
    );
    stage.queue.delete_all(stage.elapsed());
    assert_eq!(told(&mut follower, &stage), Some((vec![], vec![])));
    assert_eq!(follower.messages, []);
}

#[test]
fn who_names_another_relays_version_or_one_that_is_yet_to_come_is_told_everything() {
    let stage = Stage::new(Queue::new(3, None).unwrap(), 1);
    stage.arrive("hello");
    let relay = stage.key;
    for (relay, since, whole) in [
        (Some(relay), 1, false),
        (Some(relay), 0, false),
        (Some(relay), 2, true),
        (Some(relay), u64::MAX, true),
        (Some(RelayId([9; 32])), 1, true),
        (None, 1, true),
    ] {
        let wanted = Wanted {
            relay,
            since: Some(since),
            first: None,
        };
        let changes = listed(&*stage, wanted).changes.unwrap();
        assert_eq!(changes.since.is_none(), whole, "{relay:?} {since}");
        assert_eq!((changes.version, changes.relay), (1, stage.key));
    }
    let wanted = Wanted {
        relay: Some(relay),
        ..Wanted::default()
    };
    assert_eq!(listed(&*stage, wanted).changes, None, "nobody asked");
}

#[test]
fn who_follows_while_everything_changes_has_it_all_when_nothing_does() {
    let stage = Stage::new(Queue::with_deleted_ids(50, 1000, None).unwrap(), 1);
    for _ in 0..600 {
        stage.arrive("hello"); // several pages of a list
    }
    let is_over = AtomicBool::new(false);
    let change = |stage: &Stage, step: u64, of: u64| {
        for round in 0..2000_u64 {
            let id = MessageId(1 + (round * step) % (600 + round));
            match round % of {
                0 => drop(stage.arrive("hello")),
                1 => drop(stage.queue.delete(id, stage.elapsed())),
                _ => drop(stage.queue.mark(id, round % 5 == 0, stage.elapsed())),
            }
        }
    };
    let follow = |stage: &Arc<Stage>| {
        let mut follower = Follower::default();
        while !is_over.load(Ordering::Acquire) {
            follower.look(stage);
        }
        follower.look(stage);
        follower.messages
    };
    let followed = thread::scope(|scope| {
        let followers = [(); 2].map(|()| scope.spawn(|| follow(&stage)));
        let (stage, change) = (&stage, &change);
        let changing = [(7, 3), (13, 4)];
        let changing = changing.map(|(step, of)| scope.spawn(move || change(stage, step, of)));
        for changing in changing {
            changing.join().unwrap();
        }
        is_over.store(true, Ordering::Release);
        followers.map(|follower| follower.join().unwrap())
    });
    for messages in followed {
        assert_eq!(messages, everything(&stage));
    }
}
