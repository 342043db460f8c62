//! Time stands still in these tests but where everybody waits: then it jumps to the next event.

mod ends;

use std::sync::Arc;
use std::time::Duration;

use kkv_base::clock::{Clock, ManualClock};
use kkv_base::limits::{MAX_PIECES_BEGUN, UPLOAD_IDLE, UPLOAD_LIFETIME};
use kkv_pow::{Cost, Search, Solution, Solver};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::files::{File, Files};
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::invitation::Token;
use kkv_protocol::v2::sender::{Exchanging, ForLarge, Hello, Receipted};
use kkv_protocol::v2::upload::Pieces;
use kkv_protocol::v2::upload::sender::{OpenLarge, Upload};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

use super::super::ask::tests::{HOST, START, Said, connect, read};
use super::*;
use crate::queue::{LargeReservation, MessageId, Queue};
use crate::relay::{Pricing, RelayConfig};

/// A relay with one slot and so much memory for files, and its clock.
fn relay(bytes: usize) -> (Arc<Relay>, Arc<ManualClock>) {
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(1).unwrap(),
            adaptive: true,
        },
        expected_seconds: 7200,
        suites: SuitePolicy::Any,
    };
    let clock = Arc::new(ManualClock::new(START));
    let queue = Queue::with_share(1, bytes, None).unwrap();
    let relay = Relay::new(config, queue, Arc::clone(&clock) as _, &mut rand::rng());
    (Arc::new(relay), clock)
}

/// Has paid for a session of this size, and offers its keys.
fn paid(relay: &Relay, size: LargeSize) -> Result<Exchanging<ForLarge>, Refusal> {
    let rng = &mut rand::rng();
    let hello = Hello::for_large(SenderKey::generate(rng), size, None);
    let answer = relay.pow_v2(&hello.request(), rng)?;
    let challenged = hello.challenged(&answer).unwrap();
    assert_eq!(challenged.terms().session_lifetime, 600);
    let found = Solver::default().solve(&challenged.puzzle(), &[0; 24], &Search::default());
    let Some(Solution::V2(nonces)) = found else {
        panic!("nobody stops it");
    };
    Ok(challenged.solved(&nonces, rng))
}

fn opened(relay: &Relay, exchanging: Exchanging<ForLarge>) -> Result<OpenLarge, Refusal> {
    let exchange = || relay.exchange_v2(exchanging.request(), &mut rand::rng());
    let answer = exchange()?;
    assert_eq!(exchange().as_ref(), Ok(&answer), "repeated, it is the same");
    Ok(exchanging
        .answered(&serde_json::from_str(&answer).unwrap())
        .unwrap())
}

fn session(relay: &Relay, size: LargeSize) -> Result<OpenLarge, Refusal> {
    opened(relay, paid(relay, size)?)
}

/// One file that fills a message of this size by half at least.
fn sealed(relay: &Relay, size: LargeSize) -> Upload {
    let bytes = vec![7; size.content_room() / 2];
    let files = vec![File::new("a", "", &bytes).unwrap()];
    let files = Files::new("", files).unwrap();
    session(relay, size).unwrap().seal(&files, &BoxPart::None)
}

fn head(length: usize, media_type: &str) -> String {
    format!(
        "POST /msg HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Sends the first `bytes` of a body at this rate, or at once.
async fn send(stream: &mut DuplexStream, body: &[u8], bytes: usize, rate: Option<u32>) {
    let head = head(body.len(), MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    for part in body[..bytes].chunks(1024) {
        if stream.write_all(part).await.is_err() {
            break;
        }
        if let Some(rate) = rate {
            sleep(Duration::from_secs(1) * u32::try_from(part.len()).unwrap() / rate).await;
        }
    }
}

async fn say(stream: &mut DuplexStream, body: &[u8]) -> Said {
    send(stream, body, body.len(), None).await;
    read(stream, None).await.unwrap()
}

/// What is said to a body on a connection of its own.
async fn said(relay: &Arc<Relay>, body: &[u8]) -> Said {
    say(&mut connect(relay), body).await
}

/// Sends every piece that is missing, and takes the acknowledgements.
async fn all_sent(relay: &Arc<Relay>, upload: &mut Upload) -> Option<Receipted> {
    let mut receipted = None;
    let mut stream = connect(relay);
    for index in upload.missing().iter() {
        let body = upload.begin(index).to_vec();
        let said = say(&mut stream, &body).await;
        assert_eq!(said.status, 200);
        receipted = upload.acknowledged(&said.body).unwrap();
    }
    receipted
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Whether all memory for files is free and holds nothing but zeros.
fn is_wiped(relay: &Relay) -> bool {
    let room = relay.queue().room(Duration::ZERO);
    let mut block = relay.queue().reserve_large(LargeSize::Mib1, Duration::ZERO);
    let block = block.as_mut().map(LargeReservation::block_mut);
    room.free() == room.bytes && block.is_ok_and(|block| block.read(0..1 << 20, is_zero))
}

#[tokio::test(start_paused = true)]
async fn a_large_message_opens_a_box_and_one_that_follows_up_none_is_refused_and_wiped() {
    let (relay, _) = relay(2 << 20);
    let words = ReplySecrets::new(&[5; 16]);
    let files = || Files::new("", vec![File::new("a", "", b"file").unwrap()]).unwrap();
    let open = session(&relay, LargeSize::Kib16).unwrap();
    let box_part = words.follows_up(&open.session(), &mut rand::rng());
    let mut upload = open.seal(&files(), &box_part);
    let body = upload
        .begin(upload.missing().iter().next().unwrap())
        .to_vec();
    let refused = said(&relay, &body).await;
    assert_eq!(refused.status, 409, "no box");
    assert!(is_wiped(&relay));
    assert_eq!(relay.boxes().counts(), (0, 0));

    let open = session(&relay, LargeSize::Kib16).unwrap();
    let mut upload = open.seal(&files(), &words.opens(&mut rand::rng()));
    assert!(all_sent(&relay, &mut upload).await.is_some());
    assert_eq!(relay.boxes().counts(), (1, 0));
    let (text, key) = (
        Text::new("thanks".to_owned().into()).unwrap(),
        relay.keys().public().id(),
    );
    let answered = relay
        .boxes()
        .answer(MessageId(1), &text, &key, relay.queue(), relay.now());
    assert_eq!(answered.map(|conversation| conversation.waiting), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_message_of_each_size_is_stored_once_and_takes_no_slot() {
    let (relay, _) = relay(2 << 20);
    let cost = relay.cost();
    for (size, id) in LargeSize::ALL.into_iter().zip(1..) {
        let mut upload = sealed(&relay, size);
        let query = *upload.query();
        let before = said(&relay, &query).await;
        assert!(upload.acknowledged(&before.body).unwrap().is_none());
        let first = upload
            .begin(Pieces::all(size).iter().next().unwrap())
            .to_vec();
        let receipted = all_sent(&relay, &mut upload).await.unwrap();
        let found = relay
            .queue()
            .with(MessageId(id), Duration::ZERO, |message| {
                let files = Files::decode(message.content).unwrap();
                (message.header.session, files.files()[0].bytes().len())
            });
        let bytes = size.content_room() / 2;
        assert_eq!(found, Some((receipted.receipt.session, bytes)));
        // All that is repeated is answered by the receipt, whatever it is, and stores nothing.
        let garbage = [&first[..40], &vec![1; first.len() - 40]].concat();
        for body in [&first, &garbage, &query.to_vec()] {
            let again = said(&relay, body).await;
            let again = upload.acknowledged(&again.body).unwrap().unwrap();
            assert_eq!(again.signature, receipted.signature);
        }
        let occupancy = relay.queue().occupancy(Duration::ZERO);
        assert_eq!((occupancy.free(), u64::from(occupancy.unread)), (1, id));
        assert_eq!(relay.cost(), cost, "a text's price is what it was");
    }
    let room = relay.queue().room(Duration::ZERO);
    assert_eq!(
        (room.stored, room.reserved),
        ((1 << 20) * 21 / 16 + (1 << 14), 0)
    );
    relay.queue().delete_all(Duration::ZERO);
    assert!(is_wiped(&relay));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_piece_or_of_no_session_is_refused() {
    let (relay, _) = relay(1 << 20);
    for (length, media_type, status, error) in [
        (55, MEDIA_TYPE, 400, "malformed"),
        (57, MEDIA_TYPE, 400, "malformed"),
        (16_383, MEDIA_TYPE, 400, "malformed"),
        (65_537, MEDIA_TYPE, 413, "too_large"),
        (1 << 20, MEDIA_TYPE, 413, "too_large"),
        (56, "text/plain", 415, "unsupported_media_type"),
        (56, MEDIA_TYPE, 401, "unproven"),
        (16_384, MEDIA_TYPE, 401, "unproven"),
        (65_536, MEDIA_TYPE, 401, "unproven"),
    ] {
        let mut stream = connect(&relay);
        let head = head(length, media_type);
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(&[1; 40]).await;
        let _ = stream.write_all(&vec![1; length.min(4000) - 40]).await;
        let said = read(&mut stream, None).await.unwrap();
        assert_eq!((said.status, said.refusal()), (status, error), "{length}");
    }
    let mut upload = sealed(&relay, LargeSize::Kib256);
    let all: Vec<_> = Pieces::all(LargeSize::Kib256).iter().collect();
    let mut body = upload.begin(all[0]).to_vec();
    body[32] = 4; // beyond the last
    assert_eq!(said(&relay, &body).await.refusal(), "unproven");
    body[32] = 1; // in the place of another
    assert_eq!(said(&relay, &body).await.refusal(), "unproven");
    let mut query = *upload.query();
    query[50] ^= 1;
    assert_eq!(said(&relay, &query).await.refusal(), "unproven");
    let here = said(&relay, upload.query()).await;
    assert!(upload.acknowledged(&here.body).unwrap().is_none());
    assert_eq!(upload.here(), Pieces::NONE);
    assert!(all_sent(&relay, &mut upload).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_gets_there_and_one_that_stands_still_is_let_go() {
    let (relay, _) = relay(1 << 20);
    let mut upload = sealed(&relay, LargeSize::Mib1);
    let began = Instant::now();
    let mut stream = connect(&relay);
    for index in upload.missing().iter() {
        let body = upload.begin(index).to_vec();
        send(&mut stream, &body, body.len(), Some(20_000)).await;
        let said = read(&mut stream, None).await.unwrap();
        upload.acknowledged(&said.body).unwrap();
    }
    assert_eq!(upload.missing(), Pieces::NONE);
    assert!(
        began.elapsed() > Duration::from_secs(50),
        "{:?}",
        began.elapsed()
    );

    relay.queue().delete_all(Duration::ZERO);
    let mut upload = sealed(&relay, LargeSize::Kib256);
    let index = upload.missing().iter().next().unwrap();
    let body = upload.begin(index).to_vec();
    // The last one has earned more time than a connection is kept on which nothing moves.
    for (bytes, seconds, error) in [
        (39, 30, Some("timed_out")),
        (20_000, 34, Some("timed_out")),
        (65_535, 35, None),
    ] {
        let began = Instant::now();
        let mut stream = connect(&relay);
        send(&mut stream, &body, bytes, None).await;
        let said = read(&mut stream, None).await;
        assert_eq!(said.as_ref().map(Said::refusal), error, "{bytes}");
        assert_eq!(began.elapsed().as_secs(), seconds, "{bytes}");
    }
    assert!(all_sent(&relay, &mut upload).await.is_some());
}

/// Lets the relay read what has come, until it waits for more: paused time moves on only then.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_leaves_nothing_and_a_later_one_takes_its_place() {
    let (relay, clock) = relay(1 << 20);
    let mut upload = sealed(&relay, LargeSize::Mib1);
    let all: Vec<_> = Pieces::all(LargeSize::Mib1).iter().collect();
    let body = upload.begin(all[5]).to_vec();
    for bytes in [0, 1, 39, 40, 41, 30_000, 65_519, 65_520, 65_535] {
        let mut stream = connect(&relay);
        send(&mut stream, &body, bytes, None).await;
        drop(stream);
        settle().await;
    }
    // One of which nobody knows yet that it is dead.
    let mut dead = connect(&relay);
    send(&mut dead, &body, 50_000, None).await;
    let said = said(&relay, &body).await;
    upload.acknowledged(&said.body).unwrap();
    assert!(upload.here().contains(all[5]));
    let _ = dead.write_all(&body[50_000..]).await;
    assert_eq!(read(&mut dead, None).await.unwrap().refusal(), "slow_down");

    // Three at once; a fourth takes the place of the one that stands still longest.
    let mut streams = Vec::new();
    for index in &all[..3] {
        let body = upload.begin(*index).to_vec();
        let mut stream = connect(&relay);
        send(&mut stream, &body, 1000, None).await;
        settle().await;
        clock.advance(Duration::from_secs(1)); // the first has had no byte for longest
        streams.push((stream, body));
    }
    let body = upload.begin(all[3]).to_vec();
    assert_eq!(self::said(&relay, &body).await.status, 200);
    let mut said = Vec::new();
    for (stream, body) in &mut streams {
        let _ = stream.write_all(&body[1000..]).await;
        said.push(read(stream, None).await.unwrap().status);
    }
    assert_eq!(said, [429, 200, 200]);
    assert!(all_sent(&relay, &mut upload).await.is_some());
}
