//! The program `kkv` itself, asked over HTTP on loopback: what its process spends, and how long a stranger waits.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to benchmarks, each of which uses a part of it"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kkv_protocol::suite::Suite;
use kkv_protocol::v2::purpose::LargeSize;
use tokio::net::TcpStream;

use super::awake::Awake;
use super::plain::Plain;
use super::processor;
use super::programs::Relay;
use super::raw_http::{Answer, Wire, get};
use super::requests::{Hello, LargeHello, Request};

/// Messages of which the processor time is counted: the kernel counts it in hundredths of a second.
const MESSAGES: u32 = 2000;
/// Times that it is counted.
const SERIES: usize = 5;
/// Requests of which the time is taken.
const REQUESTS: usize = 2000;
/// Messages in the queue that is listed.
pub const LISTED: u32 = 10_000;

/// On what a sender sends its four requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// One for all, as ours does.
    One,
    /// One for each, as the published client does.
    Four,
}

/// Processor time for the four requests of one kkv/1 message of the largest size, and for letting the connections in
/// and out.
#[derive(Debug, Clone, Copy)]
pub struct FourRequests {
    /// Of the whole process of a relay.
    pub relay: Duration,
    /// Of a bare server of the same library, for requests of the same length.
    pub plain: Duration,
}

/// The average of a series, and the least of several, as whatever else runs on the machine can only add to it. Both in
/// turns. No processor sleeps meanwhile.
pub async fn four_requests(connections: Connections) -> FourRequests {
    let relay = Relay::start(&["-c", "0", "-m", "20000", "--adaptive", "off"]);
    let plain = Plain::start();
    // Whatever is done once.
    let asked = deliver(relay.address(), connections).await;
    repeat(&plain, &asked, connections).await;
    let _awake = Awake::all();
    let mut best = FourRequests {
        relay: Duration::MAX,
        plain: Duration::MAX,
    };
    for _ in 0..SERIES {
        let before = processor::of_all(relay.process());
        for _ in 0..MESSAGES {
            deliver(relay.address(), connections).await;
        }
        let spent = processor::of_all(relay.process()) - before;
        best.relay = best.relay.min(spent / MESSAGES);
        let before = plain.spent();
        for _ in 0..MESSAGES {
            repeat(&plain, &asked, connections).await;
        }
        best.plain = best.plain.min((plain.spent() - before) / MESSAGES);
    }
    best
}

/// Asks the bare server the same.
async fn repeat(plain: &Plain, asked: &[Vec<u8>], connections: Connections) {
    let address = plain.address.to_string();
    let mut line = Line::new(&address, connections);
    for request in asked {
        line.ask(request).await;
    }
}

/// How long a stranger waits for `GET /status`, which looks at the queue of `relay`, while the owner of `listed` has
/// long lists made without pause. In order of length. That of another relay keeps the machine as busy, and nothing
/// else.
pub async fn strangers_wait(relay: &Relay, listed: &Relay) -> Vec<Duration> {
    let lists = "while :; do \"$0\" \"$@\" >/dev/null || exit; done";
    let owner = listed.owner(["list", "--json"]);
    let owner = owner.through_shell(lists).start();
    let mut wire = Wire::new(connect(relay.address()).await);
    let mut waits = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let start = now();
        let answer = wire.ask(&get("/status")).await;
        waits.push(start.elapsed());
        assert_eq!(answer.status, 200);
    }
    drop(owner);
    waits.sort_unstable();
    waits
}

/// Texts of which the time is taken beside uploads.
const TEXTS: usize = 400;

/// How long the requests of a text in kkv/2 take at `relay`, while messages with files of a mebibyte come to `loaded`
/// without pause. In order of length. Another relay keeps the machine as busy, and nothing else.
pub async fn texts_wait(relay: &Relay, loaded: &Relay) -> Vec<Duration> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| uploads(loaded, &stop));
        let waits = std::thread::Builder::new().spawn_scoped(scope, || {
            let runtime = current_thread();
            runtime.block_on(async {
                let mut waits = Vec::with_capacity(TEXTS);
                for _ in 0..TEXTS {
                    waits.push(text(relay.address()).await);
                }
                waits
            })
        });
        let waits = waits.expect("a thread starts").join();
        stop.store(true, Ordering::Relaxed);
        let mut waits = waits.expect("nothing is refused");
        waits.sort_unstable();
        waits
    })
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// Sends messages with files until it is stopped; the owner deletes them when there is no room left.
fn uploads(relay: &Relay, stop: &AtomicBool) {
    current_thread().block_on(async {
        let mut line = Line::new(relay.address(), Connections::One);
        let file = vec![7; LargeSize::Mib1.content_room() - 1000];
        for number in 1.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let hello = LargeHello::new(LargeSize::Mib1);
            let challenge = line.ask(&hello.pow().bytes()).await;
            let exchanging = hello.pays(&challenge.body);
            let keys = line.ask(&exchanging.request().bytes()).await;
            for piece in exchanging.pieces(&keys.body, &file) {
                line.ask(&piece.bytes()).await;
            }
            line.asked.clear();
            if number % 60 == 0 {
                let deleted = relay.owner(["delete", "--all", "--yes"]).finish();
                deleted.must_end_with(0);
            }
        }
    });
}

/// Leaves a text in kkv/2: the time of its three requests, without what its sender does between them.
async fn text(address: &str) -> Duration {
    let mut line = Line::new(address, Connections::One);
    line.ask(&get("/status")).await; // connected
    let mut spent = Duration::ZERO;
    let hello = Hello::new(Suite::V2);
    let mut timed = async |request: Request| {
        let start = now();
        let answer = line.ask(&request.bytes()).await;
        spent += start.elapsed();
        answer
    };
    let challenge = timed(hello.pow()).await;
    let exchanging = hello.pays(&challenge.body, &[]);
    let keys = timed(exchanging.request()).await;
    timed(exchanging.message(&keys.body)).await;
    spent
}

/// A relay with room for all of these.
pub fn relay_for_files() -> Relay {
    Relay::start(&[
        "-c",
        "0",
        "-m",
        "10000",
        "--adaptive",
        "off",
        "--max-bytes",
        "64M",
    ])
}

/// A relay with as many messages as are listed.
pub async fn full_relay() -> Relay {
    let relay = Relay::start(&["-c", "0", "-m", "10000", "--adaptive", "off"]);
    for _ in 0..LISTED {
        deliver(relay.address(), Connections::One).await;
    }
    relay
}

/// Leaves a message in kkv/1 with the largest text; what was asked for that.
async fn deliver(address: &str, connections: Connections) -> Vec<Vec<u8>> {
    let mut line = Line::new(address, connections);
    let key = line.ask(&get("/get_domain_pk")).await;
    let hello = Hello::new(Suite::V1);
    let challenge = line.ask(&hello.pow().bytes()).await;
    let exchanging = hello.pays(&challenge.body, &key.body);
    let keys = line.ask(&exchanging.request().bytes()).await;
    line.ask(&exchanging.message(&keys.body).bytes()).await;
    line.asked
}

struct Line<'l> {
    address: &'l str,
    connections: Connections,
    wire: Option<Wire<TcpStream>>,
    asked: Vec<Vec<u8>>,
}

impl<'l> Line<'l> {
    fn new(address: &'l str, connections: Connections) -> Self {
        Self {
            address,
            connections,
            wire: None,
            asked: Vec::new(),
        }
    }

    async fn ask(&mut self, request: &[u8]) -> Answer {
        if self.connections == Connections::Four {
            self.wire = None;
        }
        if self.wire.is_none() {
            self.wire = Some(Wire::new(connect(self.address).await));
        }
        let answer = self.wire.as_mut().expect("made above").ask(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.asked.push(request.to_vec());
        answer
    }
}

async fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("a TCP stream");
    stream
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn now() -> Instant {
    Instant::now()
}
