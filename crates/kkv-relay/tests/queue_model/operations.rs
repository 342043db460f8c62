//! Random operations, each done to a queue and to the model, after each of which both must look the same.

use std::time::Duration;

use kkv_base::limits::SLOT_BYTES;
use kkv_relay::queue::{Closed, Full, MessageId, Queue, Reservation};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::model::{Model, Seen};

#[derive(Debug, Clone)]
enum Operation {
    Reserve,
    /// Of the reservations held, drops one.
    Lapse(Index),
    /// Of the reservations held, fills and stores one.
    Store(Index, u32, Vec<u8>),
    /// Of the ids given so far and a few that were not, marks one.
    Mark(Index, bool),
    Delete(Index),
    DeleteAll,
    Advance(Duration),
    Close,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{Advance, Close, Delete, DeleteAll, Lapse, Mark, Reserve, Store};
    let content = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => Just(vec![0xff; SLOT_BYTES]),
    ];
    prop_oneof![
        60 => Just(Reserve),
        10 => any::<Index>().prop_map(Lapse),
        50 => (any::<Index>(), any::<u32>(), content).prop_map(|(i, h, c)| Store(i, h, c)),
        30 => (any::<Index>(), any::<bool>()).prop_map(|(i, read)| Mark(i, read)),
        20 => any::<Index>().prop_map(Delete),
        3 => Just(DeleteAll),
        30 => (0..6_u64).prop_map(|halves| Advance(Duration::from_millis(500 * halves))),
        1 => Just(Close),
    ]
}

/// A queue, its model, and the reservations that are held.
struct Pair {
    queue: Queue<u32>,
    model: Model,
    held: Vec<Reservation<u32>>,
}

impl Pair {
    /// Does it to both; says whether it was a close, which is a change even if nothing can be seen of it.
    fn apply(&mut self, operation: Operation) -> Result<bool, TestCaseError> {
        let now = self.model.now();
        let id = |index: &Index, model: &Model| {
            index.index(usize::try_from(model.last_id).expect("small") + 2) as u64
        };
        match operation {
            Operation::Reserve => {
                let room = self.model.has_room();
                prop_assert_eq!(self.queue.occupancy(now.elapsed).free() > 0, room);
                match self.queue.reserve(now.elapsed) {
                    Ok(mut slot) => {
                        prop_assert!(room, "reserved beyond the capacity");
                        prop_assert!(slot.bytes_mut().iter().all(|b| *b == 0), "not wiped");
                        self.held.push(slot);
                        self.model.reserved += 1;
                    }
                    Err(Full) => prop_assert!(!room, "full with room left"),
                }
            }
            Operation::Lapse(index) if !self.held.is_empty() => {
                let mut slot = self.held.swap_remove(index.index(self.held.len()));
                slot.bytes_mut().fill(0xaa); // what a session had decrypted so far
                drop(slot);
                self.model.reserved -= 1;
            }
            Operation::Store(index, header, content) if !self.held.is_empty() => {
                let mut slot = self.held.swap_remove(index.index(self.held.len()));
                slot.bytes_mut()[..content.len()].copy_from_slice(&content);
                let stored = slot.store(content.len(), header, now);
                self.model.reserved -= 1;
                if self.model.closed {
                    prop_assert_eq!(stored, Err(Closed));
                } else {
                    let expected = self.model.store(header, content);
                    prop_assert_eq!(stored, Ok(MessageId(expected)), "an id came back");
                }
            }
            Operation::Mark(index, read) => {
                let id = id(&index, &self.model);
                let marked = self.queue.mark(MessageId(id), read, now.elapsed);
                prop_assert_eq!(marked, self.model.mark(id, read));
            }
            Operation::Delete(index) => {
                let id = id(&index, &self.model);
                let deleted = self.queue.delete(MessageId(id), now.elapsed);
                prop_assert_eq!(deleted, self.model.delete(id));
            }
            Operation::DeleteAll => {
                let deleted = self.queue.delete_all(now.elapsed);
                let deleted: Vec<u64> = deleted.into_iter().map(|id| id.0).collect();
                prop_assert_eq!(deleted, self.model.delete_all());
            }
            Operation::Advance(time) => self.model.advance(time),
            Operation::Close => {
                self.queue.close();
                self.model.close();
                return Ok(true);
            }
            Operation::Lapse(_) | Operation::Store(..) => {}
        }
        Ok(false)
    }

    /// Looks at the queue in every way there is.
    fn compare(&self) -> Result<(), TestCaseError> {
        let now = self.model.now().elapsed;
        let expected = self.model.seen();
        prop_assert_eq!(self.queue.occupancy(now), self.model.occupancy());
        prop_assert_eq!(self.queue.next_expiry(now), self.model.next_expiry());
        let seen = |m: kkv_relay::queue::MessageRef<'_, u32>| Seen {
            id: m.id.0,
            received: m.received,
            read: m.read,
            header: *m.header,
            content: m.content.to_vec(),
        };
        prop_assert_eq!(&self.queue.list(now, seen), &expected);
        for id in 0..=self.model.last_id + 1 {
            let one = self.queue.with(MessageId(id), now, seen);
            let there = expected.iter().find(|message| message.id == id);
            prop_assert_eq!(one.as_ref(), there);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_queue_is_at_every_moment_what_the_model_is(
        capacity in 0..6_u32,
        life in prop_oneof![Just(None), (0..16_u64).prop_map(Some)],
        operations in proptest::collection::vec(operation(), 0..80),
    ) {
        // Half seconds, so that a look often comes at the very moment of an end.
        let life = life.map(|halves| Duration::from_millis(500 * halves));
        let mut pair = Pair {
            queue: Queue::new(capacity, life).expect("so much memory"),
            model: Model::new(capacity, life),
            held: Vec::new(),
        };
        // A message of no lifetime is gone as soon as anyone looks.
        pair.model.advance(Duration::ZERO);
        let news = pair.queue.watch();
        let (mut version, mut before) = (*news.borrow(), pair.model.seen());
        for operation in operations {
            let what = format!("{operation:?}");
            let closed = pair.apply(operation)?;
            pair.model.advance(Duration::ZERO);
            pair.compare()?;
            let (new_version, after) = (*news.borrow(), pair.model.seen());
            if closed || after != before {
                prop_assert!(new_version > version, "nobody was told of {}", what);
            } else if life != Some(Duration::ZERO) {
                prop_assert_eq!(new_version, version, "told of nothing: {}", what);
            }
            (version, before) = (new_version, after);
        }
    }
}

#[test]
fn a_message_of_any_length_up_to_a_whole_slot_is_kept_exactly() {
    let model = Model::new(1, None);
    let queue = Queue::new(1, None).expect("so much memory");
    for length in [0, 1, SLOT_BYTES - 1, SLOT_BYTES] {
        let mut slot = queue.reserve(Duration::ZERO).unwrap();
        let content: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        slot.bytes_mut()[..length].copy_from_slice(&content);
        let id = slot.store(length, 7_u32, model.now()).unwrap();
        let kept = queue.with(id, Duration::ZERO, |m| m.content.to_vec());
        assert_eq!(kept, Some(content));
        assert!(queue.delete(id, Duration::ZERO));
    }
}
