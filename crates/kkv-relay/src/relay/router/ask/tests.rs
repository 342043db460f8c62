//! Time stands still in these tests but where everybody waits: then it jumps to the next event.

use std::sync::Arc;
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_net::http::{AllowedHosts, ConnectionLimits, serve_connection};
use kkv_pow::{Cost, Search, Solution, Solver};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::ask::sender::{AskAnswer, Asking};
use kkv_protocol::v2::sender::Hello;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;

use super::*;
use crate::queue::Queue;
use crate::relay::{Pricing, RelayConfig};

const START: u64 = 1_800_000_000;
const HOST: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
/// A narrow line: whoever doesn't read is waited for.
const PIPE_BYTES: usize = 4096;

fn relay(suites: SuitePolicy) -> Arc<Relay> {
    relay_by(suites, Arc::new(ManualClock::new(START)))
}

fn relay_by(suites: SuitePolicy, clock: Arc<ManualClock>) -> Arc<Relay> {
    let config = RelayConfig {
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

fn connect(relay: &Arc<Relay>) -> DuplexStream {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let router = super::super::router(Arc::clone(relay));
    let limits = ConnectionLimits::default();
    tokio::spawn(serve_connection(far, router, limits, AllowedHosts::Onion));
    near
}

/// A session for asks of this size, paid for.
fn session(relay: &Relay, size: BodySize) -> Asking {
    let rng = &mut rand::rng();
    let hello = Hello::for_asks(SenderKey::generate(rng), size);
    let answer = relay.pow_v2(&hello.request(), rng).unwrap();
    let challenged = hello.challenged(&answer).unwrap();
    let found = Solver::default().solve(&challenged.puzzle(), &[0; 24], &Search::default());
    let Some(Solution::V2(nonces)) = found else {
        panic!("nobody stops it");
    };
    let exchanging = challenged.solved(&nonces, rng);
    let answer = relay.exchange_v2(exchanging.request(), rng).unwrap();
    let again = relay.exchange_v2(exchanging.request(), rng);
    assert_eq!(
        again,
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
struct Said {
    status: u16,
    media_type: String,
    body: Vec<u8>,
}

impl Said {
    fn refusal(&self) -> &str {
        let body = str::from_utf8(&self.body).unwrap();
        body.split('"').nth(3).unwrap()
    }
}

/// Reads an answer; each time at most `bytes`, and then waits as long as these take at this rate.
async fn read(stream: &mut DuplexStream, rate: Option<u32>) -> Option<Said> {
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

#[tokio::test(start_paused = true)]
async fn large_bodies_wait_for_each_other_and_small_ones_for_none() {
    let relay = relay(SuitePolicy::Any);
    let mut stalled = Vec::new();
    for _ in 0..MAX_LARGE_BODIES {
        let mut asking = session(&relay, BodySize::Kib64);
        let request = asking.request(0, b"", BodySize::Kib64).unwrap();
        let mut stream = connect(&relay);
        let head = head(65_536, MEDIA_TYPE);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&request.body()[..2000]).await.unwrap();
        stalled.push(stream);
    }
    tokio::task::yield_now().await;
    let began = Instant::now();
    let mut small = session(&relay, BodySize::Kib16);
    ask(&mut connect(&relay), &mut small, BodySize::Kib16).await;
    assert_eq!(
        began.elapsed(),
        Duration::ZERO,
        "a small one waits for none"
    );
    // A fifth gets its turn when the others have timed out.
    let mut asking = session(&relay, BodySize::Kib64);
    ask(&mut connect(&relay), &mut asking, BodySize::Kib64).await;
    assert!(began.elapsed() >= REQUEST_TIMEOUT / 2);
}

/// Begins a large body that never comes whole. What is said of it at once.
async fn begin(relay: &Arc<Relay>, asking: &mut Asking) -> (DuplexStream, Option<Said>) {
    let request = asking.request(0, b"", BodySize::Kib64).unwrap();
    let mut stream = connect(relay);
    let head = head(65_536, MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&request.body()[..2000]).await.unwrap();
    let said = timeout(Duration::from_secs(1), read(&mut stream, None));
    let said = said.await.ok().flatten();
    (stream, said)
}

#[tokio::test(start_paused = true)]
async fn a_session_has_one_large_body_at_a_time_and_begins_so_many() {
    let relay = relay(SuitePolicy::Any);
    // The sender makes no more than sixteen requests, so two of them share the session's name.
    let mut asking = session(&relay, BodySize::Kib64);
    let (first, said) = begin(&relay, &mut asking).await;
    assert_eq!(said, None);
    let (_, said) = begin(&relay, &mut asking).await;
    assert_eq!(said.map(|said| said.status), Some(429));
    drop(first);
    sleep(Duration::from_secs(1)).await;
    for _ in 1..12 {
        let (stream, said) = begin(&relay, &mut asking).await;
        assert_eq!(said, None, "there is none beside it");
        drop(stream);
        sleep(Duration::from_secs(1)).await;
    }
    let id = asking.session();
    for _ in 12..kkv_base::limits::MAX_LARGE_BEGUN {
        drop(relay.asks.begin_large(&id).unwrap());
    }
    assert!(relay.asks.begin_large(&id).is_err(), "and then it is over");
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let said = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!((said.status, said.refusal()), (401, "unproven"));
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_while_its_chunks_come_and_ends_with_the_relay() {
    let clock = Arc::new(ManualClock::new(START));
    let relay = relay_by(SuitePolicy::Any, Arc::clone(&clock));
    let mut asking = session(&relay, BodySize::Kib256);
    let pass = async |seconds| {
        sleep(Duration::from_millis(1)).await; // until everybody waits
        clock.advance(Duration::from_secs(seconds));
        relay.purge();
    };
    let request = asking.request(0, b"", BodySize::Kib256).unwrap();
    let mut stream = connect(&relay);
    let head = head(request.body().len(), MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in request.body().chunks(65_536) {
        stream.write_all(piece).await.unwrap();
        pass(100).await;
    }
    let said = read(&mut stream, None).await.unwrap();
    assert!(asking.answer(&request, said.body).is_ok());
    // From the last piece of that answer.
    pass(119).await;
    ask(&mut connect(&relay), &mut asking, BodySize::Kib4).await;
    pass(120).await;
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let said = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!((said.status, said.refusal()), (401, "unproven"));

    let rng = &mut rand::rng();
    let mut other = session(&relay, BodySize::Kib4);
    relay.close();
    let request = other.request(0, b"", BodySize::Kib4).unwrap();
    let said = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!(said.refusal(), "unproven");
    let hello = Hello::for_asks(SenderKey::generate(rng), BodySize::Kib4);
    let answer = relay.pow_v2(&hello.request(), rng).unwrap();
    let challenged = hello.challenged(&answer).unwrap();
    let found = Solver::default().solve(&challenged.puzzle(), &[0; 24], &Search::default());
    let Some(Solution::V2(nonces)) = found else {
        panic!("nobody stops it");
    };
    let exchanging = challenged.solved(&nonces, rng);
    let refused = relay.exchange_v2(exchanging.request(), rng);
    assert_eq!(refused, Err(Refusal::Stopping));
}

#[tokio::test(start_paused = true)]
async fn another_method_is_refused_as_on_every_route() {
    let relay = relay(SuitePolicy::Any);
    let mut stream = connect(&relay);
    let get = format!("GET /ask HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let said = read(&mut stream, None).await.unwrap();
    assert_eq!((said.status, said.refusal()), (405, "method_not_allowed"));
}

/// Asks for an answer that nobody reads. Whether it has begun in five seconds.
async fn begins(stream: &mut DuplexStream, asking: &mut Asking) -> bool {
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let head = head(4096, MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
    let mut status = [0; 12];
    let first = timeout(Duration::from_secs(5), stream.read_exact(&mut status));
    first.await.is_ok() && status == *b"HTTP/1.1 200"
}

#[tokio::test(start_paused = true)]
async fn large_answers_that_nobody_reads_hold_their_places_and_small_ones_need_none() {
    for size in [BodySize::Kib64, BodySize::Mib1] {
        let relay = relay(SuitePolicy::Any);
        let (mut large, mut small) = (session(&relay, size), session(&relay, BodySize::Kib4));
        let mut unread = Vec::new();
        for _ in 0..MAX_LARGE_BODIES {
            let mut stream = connect(&relay);
            assert!(begins(&mut stream, &mut large).await);
            unread.push(stream);
        }
        assert!(!begins(&mut connect(&relay), &mut large).await, "{size:?}");
        assert!(begins(&mut connect(&relay), &mut small).await);
        unread.clear();
        assert!(begins(&mut connect(&relay), &mut large).await);
    }
}

/// Connections that come as a listener's do.
struct Listener(tokio::sync::mpsc::Receiver<DuplexStream>);

impl kkv_net::http::Accept for Listener {
    type Stream = DuplexStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Onion
    }

    async fn accept(&mut self) -> Option<DuplexStream> {
        self.0.recv().await
    }
}

#[tokio::test(start_paused = true)]
async fn who_sends_a_body_in_drops_evicts_nobody_else() {
    let relay = relay(SuitePolicy::Any);
    let (to, connections) = tokio::sync::mpsc::channel(8);
    let router = super::super::router(Arc::clone(&relay));
    let limits = ConnectionLimits::for_strangers(64); // four first requests at once
    tokio::spawn(kkv_net::http::serve(Listener(connections), router, limits));
    let dial = async |said: &str| {
        let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
        to.send(far).await.unwrap();
        near.write_all(said.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        near
    };
    let mut crowd = Vec::new();
    for _ in 0..3 {
        crowd.push(dial(&head(4096, MEDIA_TYPE)).await);
    }
    let message = head(10, "application/json").replace("/ask", "/msg");
    let mut honest = dial(&message).await;
    for one in &mut crowd {
        one.write_all(b"x").await.unwrap();
    }
    sleep(Duration::from_millis(100)).await;
    let _newcomer = dial("P").await;
    honest.write_all(&[b'x'; 10]).await.unwrap();
    assert_eq!(
        read(&mut honest, None).await.unwrap().refusal(),
        "malformed"
    );
}
