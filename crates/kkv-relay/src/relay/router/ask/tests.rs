//! Time stands still in these tests but where everybody waits: then it jumps to the next event.

mod places;

use std::sync::Arc;
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_net::http::{AllowedHosts, ConnectionLimits, Site, serve_connection};
use kkv_pow::{Cost, Search, Solution, Solver};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::ask::sender::{AskAnswer, Asking};
use kkv_protocol::v2::sender::{Exchanging, ForAsks, Hello};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;

use super::*;
use crate::queue::Queue;
use crate::relay::{PAGE_PATHS, Pricing, RelayConfig};

pub(in crate::relay::router) const START: u64 = 1_800_000_000;
pub(in crate::relay::router) const HOST: &str =
    "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
/// A narrow line: whoever doesn't read is waited for.
const PIPE_BYTES: usize = 4096;

fn relay(suites: SuitePolicy) -> Arc<Relay> {
    relay_by(suites, Arc::new(ManualClock::new(START)))
}

fn relay_by(suites: SuitePolicy, clock: Arc<ManualClock>) -> Arc<Relay> {
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(4).unwrap(),
            adaptive: true,
        },
        expected_seconds: 60,
        suites,
    };
    let queue = Queue::new(1, None).unwrap();
    Arc::new(Relay::new(config, queue, clock, &mut rand::rng()))
}

pub(in crate::relay::router) fn connect(relay: &Arc<Relay>) -> DuplexStream {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let router = crate::relay::router(Arc::clone(relay));
    let site = match relay.page() {
        Some(_) => Site::with_pages(router, PAGE_PATHS),
        None => router.into(),
    };
    let limits = ConnectionLimits::default();
    tokio::spawn(serve_connection(far, site, limits, AllowedHosts::Onion));
    near
}

/// Has paid for a session of this size, and offers its keys.
fn paid(relay: &Relay, size: BodySize) -> Exchanging<ForAsks> {
    let rng = &mut rand::rng();
    let hello = Hello::for_asks(SenderKey::generate(rng), size);
    let answer = relay.pow_v2(&hello.request(), rng).unwrap();
    let challenged = hello.challenged(&answer).unwrap();
    let found = Solver::default().solve(&challenged.puzzle(), &[0; 24], &Search::default());
    let Some(Solution::V2(nonces)) = found else {
        panic!("nobody stops it");
    };
    challenged.solved(&nonces, rng)
}

/// A session for asks of this size.
fn session(relay: &Relay, size: BodySize) -> Asking {
    let exchanging = paid(relay, size);
    let exchange = || relay.exchange_v2(exchanging.request(), &mut rand::rng());
    let answer = exchange().unwrap();
    assert_eq!(
        exchange(),
        Err(Refusal::Spent),
        "an exchange for asks isn't repeated"
    );
    exchanging
        .answered(&serde_json::from_str(&answer).unwrap())
        .unwrap()
}

fn head(length: usize, media_type: &str) -> String {
    format!(
        "POST /ask HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// What a relay answers: status, media type, body.
#[derive(Debug, PartialEq)]
pub(in crate::relay::router) struct Said {
    pub(in crate::relay::router) status: u16,
    pub(in crate::relay::router) head: String,
    media_type: String,
    pub(in crate::relay::router) body: Vec<u8>,
}

impl Said {
    pub(in crate::relay::router) fn refusal(&self) -> &str {
        let body = str::from_utf8(&self.body).unwrap();
        body.split('"').nth(3).unwrap()
    }
}

/// Reads an answer; each time at most `bytes`, and then waits as long as these take at this rate.
pub(in crate::relay::router) async fn read(
    stream: &mut DuplexStream,
    rate: Option<u32>,
) -> Option<Said> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let value = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().to_owned()
    };
    let length: usize = value("content-length: ").parse().unwrap();
    let mut body = vec![0; length];
    for part in body.chunks_mut(PIPE_BYTES) {
        stream.read_exact(part).await.ok()?;
        if let Some(rate) = rate {
            sleep(Duration::from_secs(1) * u32::try_from(part.len()).unwrap() / rate).await;
        }
    }
    Some(Said {
        status: head[9..12].parse().unwrap(),
        media_type: value("content-type: "),
        head,
        body,
    })
}

/// Sends a body at this rate, or at once, and reads the answer: it may come before all of the body was sent.
async fn say(stream: &mut DuplexStream, body: &[u8], rate: Option<u32>) -> Option<Said> {
    let head = head(body.len(), MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.ok()?;
    for part in body.chunks(1024) {
        if stream.write_all(part).await.is_err() {
            break;
        }
        if let Some(rate) = rate {
            sleep(Duration::from_secs(1) * u32::try_from(part.len()).unwrap() / rate).await;
        }
    }
    read(stream, None).await
}

async fn ask(stream: &mut DuplexStream, asking: &mut Asking, size: BodySize) -> AskAnswer {
    let request = asking.request(0, b"", size).unwrap();
    let said = say(stream, request.body(), None).await.unwrap();
    assert_eq!((said.status, said.media_type.as_str()), (200, MEDIA_TYPE));
    asking.answer(&request, said.body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_size_is_asked_in_every_size_that_fits_and_answered_in_its_own() {
    let relay = relay(SuitePolicy::Any);
    let mut stream = connect(&relay);
    for size in BodySize::ALL {
        let mut asking = session(&relay, size);
        for smaller in BodySize::ALL.into_iter().filter(|one| *one <= size) {
            let answer = ask(&mut stream, &mut asking, smaller).await;
            assert_eq!((answer.outcome, answer.started), (AskOutcome::Done, START));
            assert!(answer.content.is_empty());
        }
        let unknown = asking
            .request(200, b"of a later day", BodySize::Kib4)
            .unwrap();
        let said = say(&mut stream, unknown.body(), None).await.unwrap();
        let answer = asking.answer(&unknown, said.body).unwrap();
        assert_eq!(answer.outcome, AskOutcome::UnknownKind);
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_proved_is_refused_alike_and_changes_nothing() {
    let relay = relay(SuitePolicy::Any);
    let mut stream = connect(&relay);
    let mut asking = session(&relay, BodySize::Kib4);
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let mut refused = Vec::new();
    for at in [0, 31, 32, 38, 39, 40, 2000, 4080, 4095] {
        let mut body = request.body().to_vec();
        body[at] ^= 1;
        refused.push(say(&mut connect(&relay), &body, None).await.unwrap());
    }
    assert_eq!(refused[0].status, 401);
    assert_eq!(refused[0].refusal(), "unproven");
    assert!(refused.iter().all(|one| *one == refused[0]));
    // A body that is larger than what was paid for.
    let mut large = request.body().to_vec();
    large.resize(16_384, 0);
    let said = say(&mut connect(&relay), &large, None).await.unwrap();
    assert_eq!(said, refused[0]);
    let said = say(&mut stream, request.body(), None).await.unwrap();
    assert!(
        asking.answer(&request, said.body).is_ok(),
        "nothing has changed"
    );
    let again = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!(again, refused[0], "a number is taken once");
    // After sixteen answers, and after a wipe.
    for _ in 1..16 {
        ask(&mut stream, &mut asking, BodySize::Kib4).await;
    }
    let mut other = session(&relay, BodySize::Kib4);
    relay.wipe();
    let request = other.request(0, b"", BodySize::Kib4).unwrap();
    assert_eq!(
        say(&mut stream, request.body(), None).await.unwrap(),
        refused[0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_of_another_shape_is_refused() {
    let relay = relay(SuitePolicy::Any);
    for (length, media_type, status, refusal) in [
        (4096, "application/json", 415, "unsupported_media_type"),
        (0, MEDIA_TYPE, 400, "malformed"),
        (4095, MEDIA_TYPE, 400, "malformed"),
        (4097, MEDIA_TYPE, 400, "malformed"),
        (1_048_577, MEDIA_TYPE, 413, "too_large"),
    ] {
        let mut stream = connect(&relay);
        let head = head(length, media_type);
        stream.write_all(head.as_bytes()).await.unwrap();
        let said = read(&mut stream, None).await.unwrap();
        assert_eq!((said.status, said.refusal()), (status, refusal), "{length}");
    }
    // In kkv/1 there are none.
    let relay = self::relay(SuitePolicy::Only(Suite::V1));
    for byte in [0, 255] {
        // Also where the number is one that nobody has.
        let said = say(&mut connect(&relay), &[byte; 4096], None)
            .await
            .unwrap();
        assert_eq!((said.status, said.refusal()), (415, "unsupported_suite"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_waited_for_and_one_that_stalls_is_not() {
    let relay = relay(SuitePolicy::Any);
    let mut stream = connect(&relay);
    let mut asking = session(&relay, BodySize::Mib1);
    // 1 MiB at 5 KB/s takes three and a half minutes.
    let request = asking.request(0, b"", BodySize::Mib1).unwrap();
    let said = say(&mut stream, request.body(), Some(5_000)).await.unwrap();
    assert!(asking.answer(&request, said.body).is_ok());
    // At 3 KB/s it falls behind, and so does who stops.
    let request = asking.request(0, b"", BodySize::Mib1).unwrap();
    let said = say(&mut connect(&relay), request.body(), Some(3_000)).await;
    assert!(said.is_none_or(|said| said.refusal() == "timed_out"));
    let began = Instant::now();
    let mut stalled = connect(&relay);
    let head = head(4096, MEDIA_TYPE);
    stalled.write_all(head.as_bytes()).await.unwrap();
    stalled.write_all(&request.body()[..1000]).await.unwrap();
    let said = read(&mut stalled, None).await.unwrap();
    assert_eq!((said.status, said.refusal()), (408, "timed_out"));
    assert!(began.elapsed() <= REQUEST_TIMEOUT + Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_an_answer_and_one_that_is_too_slow_is_cut_off() {
    let relay = relay(SuitePolicy::Any);
    for (size, rate, whole) in [
        // Longer than a connection is kept without progress.
        (BodySize::Mib1, 7_500, true),
        (BodySize::Mib1, 2_000, false),
        (BodySize::Kib64, 2_000, true),
        (BodySize::Kib64, 1_000, false),
    ] {
        let mut asking = session(&relay, size);
        let mut stream = connect(&relay);
        let request = asking.request(0, b"", BodySize::Kib4).unwrap();
        let head = head(4096, MEDIA_TYPE);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(request.body()).await.unwrap();
        let said = read(&mut stream, Some(rate)).await;
        let taken = said.is_some_and(|said| asking.answer(&request, said.body).is_ok());
        assert_eq!(taken, whole, "{rate} bytes a second");
    }
}
