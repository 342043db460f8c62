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
use kkv_base::limits::{BOXES_PER_SLOT, DEFAULT_MESSAGES, MAX_BOXES, MAX_MESSAGES, MAX_TEXT_BYTES};
use kkv_pow::Cost;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::ids::{BoxDigest, RelayId, SenderId, SessionId};
use kkv_protocol::kind::Kind;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::ask::RepliesRequest;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::{BoxSecret, Claim};
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::answers::{MAX_ENTRIES, MAX_WAITING};
use kkv_protocol::{MessageHeader, Via};
use kkv_relay::boxes::Boxes;
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
        via: Via::V2,
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

/// A request for replies beside as many boxes as there may be at all: of who has the words of one with all that a box
/// can hold, and of who has other words.
fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replies");
    let boxes = u32::try_from(MAX_BOXES).expect("some thousands");
    let slots = boxes.div_ceil(BOXES_PER_SLOT as u32);
    let queue = Queue::<()>::new(slots, None).expect("so much memory");
    let table = Boxes::new(slots, 0, TIME_TO_LIVE);
    let words = |number: u32| u128::from(number).to_le_bytes();
    let rng = &mut rand::rng();
    for number in 0..boxes {
        let part = ReplySecrets::new(&words(number)).opens(rng);
        let id = leave(&table, &queue, part);
        queue.delete(id, NOW.elapsed);
    }
    // The last box has as many messages as it remembers, all of them in the queue, and as many answers as may wait.
    let secrets = ReplySecrets::new(&words(boxes - 1));
    let ids: Vec<_> = (0..MAX_ENTRIES)
        .map(|_| leave(&table, &queue, secrets.opens(rng)))
        .collect();
    let last = ids[MAX_ENTRIES - 1];
    let text = Text::new("a".repeat(MAX_TEXT_BYTES).into()).expect("it fits");
    for _ in 0..MAX_WAITING {
        let answered = table.answer(last, &text, &RelayId([1; 32]), &queue, NOW);
        answered.expect("there is a place");
    }
    for (name, number) in [("its words", boxes - 1), ("other words", boxes)] {
        let secret = BoxSecret::derive(&words(number));
        let (session, first) = (SessionId([2; 32]), AskNumber::FIRST);
        let proof = secret.prove(&Claim::ask(&session, first, &[]));
        let request = RepliesRequest::parse(&proof.0).expect("it is one");
        group.bench_function(BenchmarkId::new(name, boxes), |bencher| {
            bencher.iter(|| table.replies(&request, &session, first, true, &queue, NOW));
        });
    }
    group.finish();
}

/// A message of this box comes.
fn leave(table: &Boxes, queue: &Queue<()>, part: BoxPart) -> MessageId {
    let slot = queue.reserve(NOW.elapsed).expect("a slot is free");
    let mut id = None;
    let store = || {
        let stored = slot.store(1, (), NOW).map_err(|_| Refusal::Stopping)?;
        id = Some(stored);
        Ok(stored)
    };
    let accepted = table.accept(part, &SessionId([2; 32]), queue, NOW, store);
    accepted.expect("it opens a box");
    id.expect("it is stored")
}

criterion_group!(benches, queue, replies);
criterion_main!(benches);
