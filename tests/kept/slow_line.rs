//! A message with files over a line that is slow, or long: all of the line is used, for one piece at a time.

use std::sync::Arc;
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_base::limits::UPLOAD_LIFETIME;
use kkv_client::sender::{Reply, Uploader};
use kkv_net::tor::{Dial, DialError};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::files::{File, Files};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::purpose::LargeSize;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::Mutex;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep, sleep_until};

use super::uploads::relay;
use crate::in_process::{InProcess, START, Unobserved, delivery};

/// What goes over the line at a time, of one connection or another.
const CELL: usize = 498;

/// A line to a relay that carries so many bytes a second towards it, over all its connections.
struct SlowLine<'r> {
    relay: &'r InProcess,
    bytes_a_second: u32,
    line: Arc<Mutex<()>>,
}

impl Dial for SlowLine<'_> {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(CELL);
        let (mut from_sender, mut to_sender) = tokio::io::split(far);
        let (mut from_relay, mut to_relay) = tokio::io::split(self.relay.connect());
        let (line, rate) = (Arc::clone(&self.line), self.bytes_a_second);
        tokio::spawn(async move {
            let mut cell = [0; CELL];
            while let Ok(bytes @ 1..) = from_sender.read(&mut cell).await {
                // Fair: who waits longest is next.
                let turn = line.lock().await;
                let millis = (bytes as u64 * 1000).div_ceil(rate.into());
                sleep(Duration::from_millis(millis)).await;
                drop(turn);
                if to_relay.write_all(&cell[..bytes]).await.is_err() {
                    return;
                }
            }
            let _ = to_relay.shutdown().await;
        });
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_relay, &mut to_sender).await;
            let _ = to_sender.shutdown().await;
        });
        Ok(near)
    }
}

/// How long a message of this size takes over such a line.
async fn time_of(size: LargeSize, bytes_a_second: u32) -> Duration {
    let relay = relay();
    let line = SlowLine {
        relay: &relay,
        bytes_a_second,
        line: Arc::default(),
    };
    time_over(&line, size).await
}

/// A line to a relay on which any number of bytes takes as long, to the relay and back.
struct LongLine<'r> {
    relay: &'r InProcess,
    one_way: Duration,
}

impl Dial for LongLine<'_> {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(1 << 21);
        let (from_sender, to_sender) = tokio::io::split(far);
        let (from_relay, to_relay) = tokio::io::split(self.relay.connect());
        tokio::spawn(delayed(from_sender, to_relay, self.one_way));
        tokio::spawn(delayed(from_relay, to_sender, self.one_way));
        Ok(near)
    }
}

async fn delayed(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Send + Unpin + 'static,
    time: Duration,
) {
    let (later, mut due) = unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut bytes = vec![0; CELL];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let at = Instant::now() + time;
        if later.send((at, bytes[..length].to_vec())).is_err() {
            return;
        }
    }
}

/// How long a message of this size takes over this line, once it is paid for.
async fn time_over(line: &impl Dial, size: LargeSize) -> Duration {
    let bytes = vec![7; size.content_room() - 100];
    let files = vec![File::new("file", "", &bytes).expect("it is one")];
    let files = Files::new("text", files).expect("they are some");
    let clock = ManualClock::new(START);
    let v2 = SuitePolicy::Only(Suite::V2);
    let delivery = delivery(line, v2, &clock, &Unobserved);
    let mut uploader = Uploader::new(&delivery);
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let key = SenderKey::generate(&mut rng);
    let begun = uploader.begin(key, &files, Reply::No, &mut rng).await;
    let (upload, _) = begun.expect("the line carries it");
    let began = Instant::now();
    let sent = uploader.send(upload).await;
    assert!(sent.is_ok(), "{size:?}: {sent:?}");
    began.elapsed()
}

/// In a task of its own: in a build that isn't optimised, what waits for hyper wakes the future of a test again and
/// again (its waker is none that hyper knows again), and paused time stands still.
async fn in_a_task(size: LargeSize, bytes_a_second: u32) -> Duration {
    let sent = tokio::spawn(time_of(size, bytes_a_second));
    sent.await.expect("it arrives")
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_carries_one_piece_at_a_time() {
    for size in [LargeSize::Kib64, LargeSize::Kib256, LargeSize::Mib1] {
        for bytes_a_second in [3000, 2048, 1500] {
            let took = in_a_task(size, bytes_a_second).await;
            let bytes = u64::try_from(size.bytes()).expect("1 MiB at most");
            let undisturbed = Duration::from_secs(bytes) / bytes_a_second;
            assert!(took >= undisturbed, "the line is slow: {took:?}");
            let most = undisturbed.mul_f64(1.1); // heads, and milliseconds that are rounded up
            assert!(took < most, "{size:?} at {bytes_a_second} B/s: {took:?}");
            assert!(took < UPLOAD_LIFETIME);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_fast_enough_is_used_whole() {
    let took = in_a_task(LargeSize::Mib1, 1 << 16).await;
    assert!(took < Duration::from_secs(18), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_piece_waits_for_the_answer_to_another() {
    let one_way = Duration::from_millis(500);
    let sent = tokio::spawn(async move {
        let relay = relay();
        let line = LongLine {
            relay: &relay,
            one_way,
        };
        time_over(&line, LargeSize::Mib1).await
    });
    let took = sent.await.expect("it arrives");
    assert!(took < 3 * one_way, "{took:?} for a round trip of a second");
}
