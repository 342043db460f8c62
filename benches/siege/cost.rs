//! What each request of a stranger costs the relay: its processor time, the kernel's for it included, and the memory that stays taken.

use std::time::Duration;

use kkv::limits::{MAX_BODY_BYTES, MAX_HEAD_BYTES};
use kkv::protocol::suite::Suite;
use tokio::net::TcpStream;

use crate::figures::time;
use crate::memory;
use crate::programs::Relay;
use crate::raw_http::{FORM, Wire, get, post};
use crate::relay;
use crate::requests::{Exchanging, Hello, Request};

/// Requests of each kind.
const REQUESTS: u32 = 2000;
const JSON: &str = "application/json";

/// A relay, and a line to it.
struct Stranger {
    relay: Relay,
    wire: Wire<TcpStream>,
    domain_key: Vec<u8>,
}

/// Processor time and memory of all requests of one kind.
struct Spent {
    time: Duration,
    kib: u64,
}

impl Stranger {
    async fn new() -> Self {
        let relay = relay(2 * u64::from(REQUESTS));
        let mut wire = connect(&relay).await;
        let domain_key = wire.ask(&get("/get_domain_pk")).await.body;
        Self {
            relay,
            wire,
            domain_key,
        }
    }

    /// Sends every request, of which each has to be answered with `status`; returns the answers.
    async fn ask(&mut self, requests: &[Vec<u8>], status: u16) -> (Vec<Vec<u8>>, Spent) {
        let before = (
            processor_time(&self.relay),
            memory::now(self.relay.process()),
        );
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let answer = self.wire.ask(request).await;
            assert_eq!(answer.status, status, "{}", answer.text());
            answers.push(answer.body);
        }
        let spent = Spent {
            time: processor_time(&self.relay) - before.0,
            kib: memory::now(self.relay.process()).saturating_sub(before.1),
        };
        (answers, spent)
    }
}

async fn connect(relay: &Relay) -> Wire<TcpStream> {
    let stream = TcpStream::connect(relay.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Wire::new(stream)
}

pub(crate) fn rows() -> Vec<[String; 3]> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut rows = vec![connections().await];
        rows.extend(unpaid().await);
        for suite in [Suite::V1, Suite::V2] {
            rows.extend(paid(suite).await);
        }
        rows
    })
}

fn row(what: impl Into<String>, spent: &Spent) -> [String; 3] {
    let each = spent.kib as f64 / f64::from(REQUESTS);
    let memory = if each < 0.05 {
        "none".to_owned()
    } else {
        format!("{each:.1} KiB")
    };
    [what.into(), time(spent.time / REQUESTS), memory]
}

/// New connections, each with one request.
async fn connections() -> [String; 3] {
    let stranger = Stranger::new().await;
    let before = processor_time(&stranger.relay);
    for _ in 0..REQUESTS {
        let answer = connect(&stranger.relay).await.ask(&get("/status")).await;
        assert_eq!(answer.status, 200);
    }
    let spent = Spent {
        time: processor_time(&stranger.relay) - before,
        kib: 0,
    };
    row("connection, and GET /status on it", &spent)
}

/// What nobody has to pay for.
async fn unpaid() -> Vec<[String; 3]> {
    let filler = "x".repeat(MAX_HEAD_BYTES - 200);
    let head = format!("GET /status HTTP/1.1\r\nhost: x\r\nx: {filler}\r\n\r\n");
    let nested = "[".repeat(MAX_BODY_BYTES);
    let escapes = format!("{{\"session\":\"{}\"}}", "\\u0037".repeat(2700));
    let fields = format!("pubkey={}", "&a=b".repeat(4000));
    let mut kinds = vec![
        ("GET /status".to_owned(), get("/status"), 200),
        (
            "GET /status, head of 8 KiB".to_owned(),
            head.into_bytes(),
            200,
        ),
        (
            "POST /msg, nested JSON of 16 KiB".to_owned(),
            post("/msg", JSON, nested),
            400,
        ),
        (
            "POST /msg, JSON of escapes, 16 KiB".to_owned(),
            post("/msg", JSON, escapes),
            400,
        ),
        (
            "POST /msg, form of 4,000 fields, 16 KiB".to_owned(),
            post("/msg", FORM, fields),
            400,
        ),
    ];
    for suite in [Suite::V1, Suite::V2] {
        let pow = Hello::new(suite).pow().bytes();
        kinds.push((format!("POST /pow, {suite}"), pow, 200));
    }
    let mut rows = Vec::new();
    for (what, request, status) in kinds {
        let mut stranger = Stranger::new().await;
        stranger.ask(std::slice::from_ref(&request), status).await; // what is done once is done
        let (_, spent) = stranger
            .ask(&vec![request; REQUESTS as usize], status)
            .await;
        rows.push(row(what, &spent));
    }
    rows
}

/// What has been paid for, or looks like it.
async fn paid(suite: Suite) -> Vec<[String; 3]> {
    let mut stranger = Stranger::new().await;
    let bytes = |requests: &[Request]| requests.iter().map(Request::bytes).collect::<Vec<_>>();
    let mut rows = Vec::new();

    let hellos: Vec<_> = (0..REQUESTS).map(|_| Hello::new(suite)).collect();
    let pows: Vec<_> = hellos.iter().map(|hello| hello.pow().bytes()).collect();
    let (challenges, _) = stranger.ask(&pows, 200).await;
    let exchanging: Vec<_> = hellos
        .into_iter()
        .zip(&challenges)
        .map(|(hello, challenge)| hello.pays(challenge, &stranger.domain_key))
        .collect();
    let exchanges: Vec<_> = exchanging.iter().map(Exchanging::request).collect();

    let mut forged = exchanges.clone();
    forged.iter_mut().for_each(Request::forge);
    let (_, spent) = stranger.ask(&bytes(&forged), 401).await;
    rows.push(row(format!("POST /exchange_keys, {suite}, forged"), &spent));

    let mut unsigned = exchanges.clone();
    unsigned.iter_mut().for_each(Request::garble);
    let (_, spent) = stranger.ask(&bytes(&unsigned), 401).await;
    rows.push(row(
        format!("POST /exchange_keys, {suite}, paid, wrong signature"),
        &spent,
    ));

    let (answers, spent) = stranger.ask(&bytes(&exchanges), 200).await;
    rows.push(row(format!("POST /exchange_keys, {suite}, paid"), &spent));

    let messages: Vec<_> = exchanging
        .into_iter()
        .zip(&answers)
        .map(|(exchanging, answer)| exchanging.message(answer))
        .collect();
    let mut garbled = messages.clone();
    garbled.iter_mut().for_each(Request::garble);
    let (_, spent) = stranger.ask(&bytes(&garbled), 401).await;
    rows.push(row(
        format!("POST /msg, {suite}, in a session, garbled"),
        &spent,
    ));

    let (_, spent) = stranger.ask(&bytes(&messages), 200).await;
    rows.push(row(format!("POST /msg, {suite}, longest message"), &spent));
    rows
}

/// What the relay's first thread has spent, which is the one that serves strangers (proc(5), `schedstat`), in nanoseconds.
fn processor_time(relay: &Relay) -> Duration {
    let pid = relay.process().pid().as_raw_nonzero();
    let told = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).unwrap();
    let first = told.split_whitespace().next().unwrap();
    Duration::from_nanos(first.parse().unwrap())
}
