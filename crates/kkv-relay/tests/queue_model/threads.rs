//! Many threads at one queue: nothing is lost, nothing is hit that was not meant, and the capacity holds.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kkv_relay::queue::{Full, MessageId, Now, Queue};

const NOW: Now = Now {
    unix: 1_800_000_000,
    elapsed: Duration::ZERO,
};

/// Tries for a slot before a test that can't go on fails: minutes, where microseconds are the rule.
const TRIES: u64 = 100_000_000;

/// Stores a message that says its header, over and over until there is room.
fn store(queue: &Queue<u64>, number: u64) -> MessageId {
    for _ in 0..TRIES {
        match queue.reserve(NOW.elapsed) {
            Ok(mut slot) => {
                let bytes = number.to_le_bytes();
                slot.bytes_mut()[..8].copy_from_slice(&bytes);
                let stored = slot.store(8, number, NOW);
                return stored.expect("nobody closes the queue");
            }
            Err(Full) => std::thread::yield_now(),
        }
    }
    panic!("no room comes free");
}

/// Counts a writer out, even if it panics.
struct Leaving<'w>(&'w AtomicU64);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The messages that are there, each of which says what its header says.
fn list(queue: &Queue<u64>) -> Vec<(MessageId, u64)> {
    queue.list(NOW.elapsed, |message| {
        assert_eq!(message.content, message.header.to_le_bytes(), "mixed up");
        (message.id, *message.header)
    })
}

#[test]
fn every_message_stored_by_many_threads_is_deleted_once_by_whoever_meant_it() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 400;
    let queue = Queue::new(8, None).expect("so much memory");
    let stored = Mutex::new(BTreeSet::new());
    let deleted = Mutex::new(Vec::new());
    let writing = AtomicU64::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (queue, stored, writing) = (&queue, &stored, &writing);
            scope.spawn(move || {
                let _leaving = Leaving(writing);
                for number in writer * EACH..(writer + 1) * EACH {
                    let id = store(queue, number);
                    let new = stored.lock().unwrap().insert((id, number));
                    assert!(new, "an id was given twice");
                    // Another one, that comes to nothing.
                    drop(queue.reserve(NOW.elapsed));
                }
            });
        }
        // Two owners who both delete whatever they see, so that each id is tried twice and more.
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let last = writing.load(Ordering::Acquire) == 0;
                    for (id, number) in list(&queue) {
                        queue.mark(id, true, NOW.elapsed);
                        if queue.delete(id, NOW.elapsed) {
                            deleted.lock().unwrap().push((id, number));
                        }
                    }
                    let occupancy = queue.occupancy(NOW.elapsed);
                    assert_eq!(occupancy.capacity, 8);
                    assert!(occupancy.stored + occupancy.reserved <= 8);
                    if last {
                        break;
                    }
                }
            });
        }
    });
    let mut deleted = deleted.into_inner().unwrap();
    deleted.sort_unstable();
    let stored: Vec<_> = stored.into_inner().unwrap().into_iter().collect();
    assert_eq!(deleted, stored);
    let occupancy = queue.occupancy(NOW.elapsed);
    assert_eq!((occupancy.stored, occupancy.reserved), (0, 0));
}

#[test]
fn two_clients_deleting_at_once_never_hit_a_wrong_message() {
    let queue = Queue::new(64, None).expect("so much memory");
    for round in 0..100_u64 {
        let ids: Vec<MessageId> = (0..60).map(|n| store(&queue, round * 100 + n)).collect();
        let (mine, others): (Vec<MessageId>, Vec<MessageId>) =
            ids.into_iter().partition(|id| id.0 % 3 == 0);
        let (yours, kept): (Vec<MessageId>, Vec<MessageId>) =
            others.into_iter().partition(|id| id.0 % 3 == 1);
        let came = std::thread::scope(|scope| {
            for ids in [&mine, &yours] {
                let queue = &queue;
                scope.spawn(move || {
                    for id in ids {
                        assert!(queue.delete(*id, NOW.elapsed), "hit by someone else");
                    }
                });
            }
            // Others arrive meanwhile, into the places that become free.
            (60..64)
                .map(|n| store(&queue, round * 100 + n))
                .collect::<Vec<_>>()
        });
        let expected: BTreeSet<MessageId> = kept.into_iter().chain(came).collect();
        let left: BTreeSet<MessageId> = list(&queue).into_iter().map(|(id, _)| id).collect();
        assert_eq!(left, expected);
        assert_eq!(queue.delete_all(NOW.elapsed).len(), expected.len());
    }
}

#[test]
fn whoever_waits_for_news_hears_of_the_last_change_however_many_come_at_once() {
    const THREADS: u64 = 4;
    const EACH: u64 = 200;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let queue = Queue::new(u32::try_from(THREADS * EACH).unwrap(), None).expect("so much memory");
    let mut news = queue.watch();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let queue = &queue;
            scope.spawn(move || {
                for number in 0..EACH {
                    store(queue, thread * EACH + number);
                }
            });
        }
        // Each look comes after the version it answers to, so the last version is followed by a look that sees
        // everything.
        runtime.block_on(async {
            let waiting = async {
                while list(&queue).len() < usize::try_from(THREADS * EACH).unwrap() {
                    news.changed().await.unwrap();
                }
            };
            let limit = Duration::from_secs(60);
            tokio::time::timeout(limit, waiting)
                .await
                .expect("a wake-up was lost");
        });
    });
    assert_eq!(*queue.watch().borrow(), THREADS * EACH);
}

#[test]
fn a_queue_closed_while_many_store_holds_nothing_and_takes_nothing_afterwards() {
    for _ in 0..50 {
        let queue = Queue::<u64>::new(4, None).expect("so much memory");
        let closed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for number in 0..3_u64 {
                let (queue, closed) = (&queue, &closed);
                scope.spawn(move || {
                    loop {
                        let after = closed.load(Ordering::Acquire);
                        let Ok(slot) = queue.reserve(NOW.elapsed) else {
                            if after {
                                return;
                            }
                            std::thread::yield_now();
                            continue;
                        };
                        assert!(!after, "reserved after the end");
                        if let Ok(id) = slot.store(0, number, NOW) {
                            queue.delete(id, NOW.elapsed);
                        }
                    }
                });
            }
            queue.close();
            closed.store(true, Ordering::Release);
        });
        assert!(list(&queue).is_empty());
        let occupancy = queue.occupancy(NOW.elapsed);
        assert_eq!(
            (occupancy.capacity, occupancy.stored, occupancy.reserved),
            (0, 0, 0)
        );
    }
}
