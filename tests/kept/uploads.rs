//! A message with files over a line that is cut anywhere: accepted means kept, once and whole, and paid for once.

use std::sync::atomic::{AtomicU32, Ordering};

use kkv_base::limits::UPLOAD_IDLE;
use kkv_client::sender::{Event, Failure, Reply, Uploader};
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::files::{File, Files};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::sender::Receipted;
use kkv_protocol::v2::upload::ACKNOWLEDGEMENT_BYTES;
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, RelayConfig};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::sweep::{AtEvent, settle, that_matter, varied};
use crate::cut::{Cut, CutLine, End, Moment, Then, Way};
use crate::in_process::{InProcess, delivery};

const V2: SuitePolicy = SuitePolicy::Only(Suite::V2);

/// What came of one upload.
struct Outcome {
    relay: InProcess,
    result: Result<Receipted, Failure>,
    /// Bytes to the relay and to the sender, before the first piece and in all.
    before: [u64; 2],
    whole: [u64; 2],
    paid: u32,
}

pub(super) fn relay() -> InProcess {
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(0).expect("nothing is little"),
            adaptive: true,
        },
        expected_seconds: 60,
        suites: V2,
    };
    let queue = Queue::with_share(1, 2 << 20, None).expect("so much memory");
    InProcess::with(config, queue, &mut rand::rng())
}

/// Sends a file that fills a message of this size over a line with these cuts.
async fn sent(size: LargeSize, cuts: &[Cut], then: Then) -> Outcome {
    let relay = relay();
    let bytes: Vec<u8> = (0..size.content_room() - 100)
        .map(|n| (n / 7) as u8)
        .collect();
    let files = vec![File::new("file", "", &bytes).expect("it is one")];
    let files = Files::new("text", files).expect("they are some");
    let line = CutLine::new(&relay, cuts.to_vec(), then);
    let paid = AtomicU32::new(0);
    let observer = AtEvent(|event| {
        if matches!(event, Event::Solving { .. }) {
            paid.fetch_add(1, Ordering::Relaxed);
        }
    });
    let clock = kkv_base::clock::ManualClock::new(crate::in_process::START);
    let delivery = delivery(&line, V2, &clock, &observer);
    let mut uploader = Uploader::new(&delivery);
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let key = SenderKey::generate(&mut rng);
    let begun = uploader.begin(key, &files, Reply::No, &mut rng).await;
    let before = line.taken();
    let result = match begun {
        Ok((upload, _)) => uploader.send(upload).await,
        Err(failure) => Err(failure),
    };
    drop(uploader);
    settle().await;
    let whole = line.taken();
    drop(line);
    Outcome {
        relay,
        result,
        before,
        whole,
        paid: paid.into_inner(),
    }
}

impl Outcome {
    /// How many messages there are, all of which are what was sent.
    fn stored(&self, size: LargeSize) -> usize {
        let now = self.relay.relay.now().elapsed;
        let lengths = self.relay.relay.queue().list(now, |message| {
            let files = Files::decode(message.content).expect("what was sent");
            let bytes = files.files()[0].bytes();
            assert!(
                bytes
                    .iter()
                    .enumerate()
                    .all(|(n, byte)| *byte == (n / 7) as u8)
            );
            bytes.len()
        });
        assert!(
            lengths
                .iter()
                .all(|length| *length == size.content_room() - 100)
        );
        lengths.len()
    }

    fn assert_delivered(&self, size: LargeSize, cuts: &[Cut]) {
        assert!(self.result.is_ok(), "{cuts:?}: {:?}", self.result);
        assert_eq!((self.stored(size), self.paid), (1, 1), "{cuts:?}");
        let room = self
            .relay
            .relay
            .queue()
            .room(self.relay.relay.now().elapsed);
        assert_eq!(
            (room.stored, room.reserved),
            (size.bytes() as u64, 0),
            "{cuts:?}"
        );
    }

    fn assert_truthful(&self, size: LargeSize, cuts: &[Cut]) {
        let stored = self.stored(size);
        match &self.result {
            Ok(_) => assert_eq!(stored, 1, "{cuts:?}"),
            Err(Failure::Indeterminate(_)) => assert!(stored <= 1, "{cuts:?}"),
            Err(fault) => assert_eq!(stored, 0, "{cuts:?}: {fault:?}"),
        }
        self.relay.clock.advance(UPLOAD_IDLE);
        self.relay.relay.purge();
        let room = self
            .relay
            .relay
            .queue()
            .room(self.relay.relay.now().elapsed);
        assert_eq!(room.reserved, 0, "{cuts:?}: memory stays reserved");
    }
}

/// Where an upload of one piece is cut, counted from the start of the line: wherever that matters, and a few bytes
/// behind the end, where nothing is cut any more.
fn positions(lengths: &Outcome, size: LargeSize, way: Way) -> Vec<u64> {
    let (from, to) = (lengths.before[way as usize], lengths.whole[way as usize]);
    let body = match way {
        Way::ToRelay => size.bytes(),
        Way::ToSender => ACKNOWLEDGEMENT_BYTES,
    };
    let body = body as u64;
    let inside = that_matter(to - from - body, body).map(|at| from + at);
    inside.chain(to..to + 4).collect()
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_is_cut_anywhere_arrives_once() {
    let size = LargeSize::Kib16;
    let lengths = sent(size, &[], Then::Works).await;
    lengths.assert_delivered(size, &[]);
    for way in [Way::ToRelay, Way::ToSender] {
        for after in positions(&lengths, size, way) {
            let cuts = [varied(way, after)];
            let outcome = sent(size, &cuts, Then::Works).await;
            outcome.assert_delivered(size, &cuts);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_whose_line_is_gone_for_good_knows_what_is_true() {
    let size = LargeSize::Kib16;
    let lengths = sent(size, &[], Then::Works).await;
    for way in [Way::ToRelay, Way::ToSender] {
        for after in positions(&lengths, size, way).into_iter().step_by(3) {
            let cuts = [varied(way, after)];
            let outcome = sent(size, &cuts, Then::NoDial).await;
            outcome.assert_truthful(size, &cuts);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_pieces_survive_cut_after_cut() {
    let size = LargeSize::Kib256;
    let lengths = sent(size, &[], Then::Works).await;
    lengths.assert_delivered(size, &[]);
    for (way, next) in [(Way::ToRelay, 20_000), (Way::ToSender, 90)] {
        let (from, to) = (lengths.before[way as usize], lengths.whole[way as usize]);
        for part in 0..24 {
            let first = from + (to - from) * part / 24 + part;
            let later = (1..3).map(|cut| varied(way, next * cut + part));
            let cuts: Vec<_> = [varied(way, first)].into_iter().chain(later).collect();
            let outcome = sent(size, &cuts, Then::Works).await;
            outcome.assert_delivered(size, &cuts);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_what_has_arrived_is_not_sent_again() {
    let size = LargeSize::Mib1;
    let lengths = sent(size, &[], Then::Works).await;
    let undisturbed = lengths.whole[0] - lengths.before[0];
    let (piece, acknowledgement) = (size.piece_bytes() as u64, ACKNOWLEDGEMENT_BYTES as u64);
    for pieces in [3, 9, 15] {
        // In the acknowledgement of this one; all before are here.
        let after = (lengths.whole[1] - lengths.before[1]) / 16 * pieces + acknowledgement;
        let cuts = [Cut {
            way: Way::ToSender,
            after: lengths.before[1] + after,
            moment: Moment::Passed,
            end: End::Closed,
            failed_dials: 0,
        }];
        let outcome = sent(size, &cuts, Then::Works).await;
        outcome.assert_delivered(size, &cuts);
        let disturbed = outcome.whole[0] - outcome.before[0];
        // What was on the line is gone: a pipe's bytes, and as many as the relay had read of a piece.
        let more = disturbed - undisturbed;
        assert!(more < 2 * piece + 1000, "{pieces}: {more} bytes more");
    }
}
