//! What the queue's operations take, from the default size to the largest there is: what it does for one message must
//! not depend on how many are waiting.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main,
};
use kkv_base::limits::{DEFAULT_MESSAGES, MAX_MESSAGES, MAX_TEXT_BYTES};
use kkv_pow::Cost;
use kkv_protocol::MessageHeader;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::ids::{BoxDigest, SenderId, SessionId};
use kkv_protocol::kind::Kind;
use kkv_protocol::suite::Suite;
use kkv_relay::queue::{MessageId, Now, Queue};

const SIZES: [u32; 3] = [DEFAULT_MESSAGES, 10_000, MAX_MESSAGES];

/// Not reached, but looked at by every operation.
const TIME_TO_LIVE: Duration = Duration::from_secs(24 * 60 * 60);

const NOW: Now = Now {
    unix: 1_800_000_000,
    elapsed: Duration::from_secs(1000),
};

fn queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue");
    group.warm_up_time(Duration::from_secs(1));
    for waiting in SIZES {
        operations(&mut group, waiting);
    }
    // A hundred thousand slots take a tenth of a second or so, and as long to wipe.
    group.sampling_mode(SamplingMode::Flat);
    group.sample_size(10);
    for capacity in SIZES {
        group.throughput(Throughput::Elements(capacity.into()));
        let id = BenchmarkId::new("new", capacity);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| taking(capacity)).sum());
        });
    }
    group.finish();
}

fn operations(group: &mut BenchmarkGroup<'_, WallTime>, waiting: u32) {
    // One slot is free, for a message that comes and goes.
    let queue = Queue::new(waiting + 1, Some(TIME_TO_LIVE)).expect("so much memory");
    let ids: Vec<MessageId> = (0..waiting).map(|_| arrive(&queue)).collect();
    let middle = ids[ids.len() / 2];

    group.throughput(Throughput::Elements(1));
    let mut bench = |name: &str, operation: &dyn Fn()| {
        let id = BenchmarkId::new(name, waiting);
        group.bench_function(id, |bencher| bencher.iter(operation));
    };
    bench("in and out", &|| {
        let id = arrive(&queue);
        assert!(queue.delete(id, NOW.elapsed));
    });
    bench("counts", &|| {
        black_box(queue.occupancy(NOW.elapsed));
    });
    bench("look", &|| {
        let bytes = queue.with(middle, NOW.elapsed, |message| {
            black_box(message).content.len()
        });
        assert_eq!(bytes, Some(MAX_TEXT_BYTES));
    });

    group.throughput(Throughput::Elements(waiting.into()));
    group.bench_function(BenchmarkId::new("list", waiting), |bencher| {
        bencher.iter(|| {
            // As much of each as the owner's list shows.
            queue.list(NOW.elapsed, |message| {
                let header = message.header;
                (
                    message.id,
                    message.read,
                    message.content.len(),
                    header.sender,
                )
            })
        });
    });
}

/// A message finds a slot and is stored in it. Decrypting it into the slot is no part of the queue.
fn arrive(queue: &Queue<MessageHeader>) -> MessageId {
    let slot = queue.reserve(NOW.elapsed).expect("one slot is free");
    let header = MessageHeader {
        suite: Suite::V2,
        kind: Kind::Text,
        cost: Cost::HIGHEST,
        invitation: None,
        sender: SenderId([1; 32]),
        session: SessionId([2; 32]),
        box_digest: BoxDigest([4; 32]),
        signature: Signature([3; 64]),
    };
    slot.store(MAX_TEXT_BYTES, header, NOW)
        .expect("the queue is open")
}

/// How long it takes to take the memory. Wiping it afterwards is not counted.
fn taking(capacity: u32) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
    let start = Instant::now();
    let queue: Queue<MessageHeader> = Queue::new(capacity, None).expect("so much memory");
    let spent = start.elapsed();
    drop(black_box(queue));
    spent
}

criterion_group!(benches, queue);
criterion_main!(benches);
