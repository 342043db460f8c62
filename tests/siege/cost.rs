//! What each thing that a stranger can ask for costs the relay: its processor time, the kernel's for it included, and
//! memory.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to the tests and the benchmark, each of which uses a part of it"
)]

use std::time::Duration;

use kkv_base::limits::{
    DEFAULT_LARGE_BYTES, MAX_BODY_BYTES, MAX_FIRST_REQUESTS, MAX_HEAD_BYTES, MAX_IDLE_CONNECTIONS,
    MAX_NEW_CONNECTIONS, MAX_NEXT_REQUESTS, MAX_TEXT_BYTES,
};
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::purpose::{BodySize, LargeSize};
use tokio::net::TcpStream;

use super::attack::{Attack, relay};
use super::requests::{AskHello, Exchanging, Hello, LargeHello, Request};
use super::{memory, processor};
use crate::page_form::{FORM_TYPE, PageForm};
use crate::programs::Relay;
use crate::raw_http::{FORM, Wire, get, post};

const JSON: &str = "application/json";

/// What one request may take on average at most. Without optimisation the dearest takes 1.7 ms, a paid exchange of
/// kkv/2, and 0.25 with it; a busy machine may take several times as long.
pub const MOST_TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 7 } else { 1 });

/// What one request may leave behind at most, and one connection hold, in KiB.
pub const MOST_KIB: f64 = 64.0;

/// As many of each as there is room for, so that nobody is ended for another one.
pub const HELD: [Attack; 5] = [
    Attack::Idle(MAX_NEW_CONNECTIONS - 10),
    Attack::HalfHeads(MAX_FIRST_REQUESTS - 10),
    Attack::HalfBodies(MAX_FIRST_REQUESTS - 10),
    Attack::Answered(MAX_IDLE_CONNECTIONS - 10),
    Attack::SlowReaders(MAX_NEXT_REQUESTS - 10),
];

/// KiB that one connection of this kind makes the relay hold.
pub fn held(attack: Attack) -> f64 {
    let relay = relay(50);
    for _ in 0..4 {
        relay.deliver(b"what is done once is done");
    }
    let before = memory::now(relay.process());
    let under_way = attack.start(relay.address().parse().expect("an address"));
    relay.deliver(b"whoever came before has been heard by then");
    let connections = under_way.rounds();
    let peak = memory::peak(relay.process());
    peak.saturating_sub(before) as f64 / connections as f64
}

/// Measures so many looks at the page, and what is done on it without paying.
pub fn of_the_page(requests: u32) -> Vec<Cost> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(paged(requests))
}

/// What a request of one kind costs, on average.
#[derive(Debug)]
pub struct Cost {
    pub what: String,
    /// Processor time of the thread that serves strangers.
    pub serving: Duration,
    /// Processor time of all threads.
    pub all: Duration,
    /// Memory that stays taken, in KiB.
    pub kib: f64,
}

/// Measures so many requests of each kind.
pub fn of_each(requests: u32) -> Vec<Cost> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut costs = vec![connections(requests).await];
        costs.extend(unpaid(requests).await);
        for suite in [Suite::V1, Suite::V2] {
            costs.extend(paid(suite, requests).await);
        }
        costs.push(invited(requests).await);
        costs.extend(asked(requests).await);
        costs.extend(uploaded(requests).await);
        costs.extend(paged(requests).await);
        costs
    })
}

/// What the relay has spent so far.
struct Spent {
    serving: Duration,
    all: Duration,
    kib: memory::Kib,
}

impl Spent {
    fn by(relay: &Relay) -> Self {
        let process = relay.process();
        Self {
            serving: processor::of_the_first(process),
            all: processor::of_all(process),
            kib: memory::now(process),
        }
    }

    /// What each of so many requests has cost since.
    fn each(self, what: impl Into<String>, relay: &Relay, requests: usize) -> Cost {
        let now = Self::by(relay);
        let count = u32::try_from(requests).expect("some thousands");
        Cost {
            what: what.into(),
            serving: (now.serving - self.serving) / count,
            all: (now.all - self.all) / count,
            kib: now.kib.saturating_sub(self.kib) as f64 / f64::from(count),
        }
    }
}

/// A relay, and a line to it.
struct Stranger {
    relay: Relay,
    wire: Wire<TcpStream>,
    domain_key: Vec<u8>,
}

impl Stranger {
    async fn new(requests: u32) -> Self {
        let relay = relay(2 * u64::from(requests));
        let mut wire = connect(&relay).await;
        let domain_key = wire.ask(&get("/get_domain_pk")).await.body;
        Self {
            relay,
            wire,
            domain_key,
        }
    }

    /// Sends every request, of which each has to be answered with `status`; returns the answers.
    async fn ask(
        &mut self,
        what: impl Into<String>,
        requests: &[Vec<u8>],
        status: u16,
    ) -> (Vec<Vec<u8>>, Cost) {
        let before = Spent::by(&self.relay);
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let answer = match self.wire.try_ask(request).await {
                Some(answer) => answer,
                None => {
                    // It ended with the answer to a form.
                    self.wire = connect(&self.relay).await;
                    self.wire.ask(request).await
                }
            };
            assert_eq!(answer.status, status, "{}", answer.text());
            answers.push(answer.body);
        }
        (answers, before.each(what, &self.relay, requests.len()))
    }
}

async fn connect(relay: &Relay) -> Wire<TcpStream> {
    let stream = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    stream.set_nodelay(true).expect("a TCP stream");
    Wire::new(stream)
}

/// New connections, each with one request.
async fn connections(requests: u32) -> Cost {
    let stranger = Stranger::new(requests).await;
    let before = Spent::by(&stranger.relay);
    for _ in 0..requests {
        let answer = connect(&stranger.relay).await.ask(&get("/status")).await;
        assert_eq!(answer.status, 200);
    }
    let what = "connection, and GET /status on it";
    before.each(what, &stranger.relay, requests as usize)
}

/// What nobody has to pay for.
async fn unpaid(requests: u32) -> Vec<Cost> {
    let filler = "x".repeat(MAX_HEAD_BYTES - 200);
    let head = format!(
        "GET /status HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nx: {filler}\r\n\r\n"
    );
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
    let mut costs = Vec::new();
    for (what, request, status) in kinds {
        let mut stranger = Stranger::new(requests).await;
        let once = std::slice::from_ref(&request);
        stranger.ask("what is done once", once, status).await;
        let all = vec![request; requests as usize];
        costs.push(stranger.ask(what, &all, status).await.1);
    }
    costs
}

/// What has been paid for, or looks like it.
async fn paid(suite: Suite, requests: u32) -> Vec<Cost> {
    let mut stranger = Stranger::new(requests).await;
    let bytes = |requests: &[Request]| requests.iter().map(Request::bytes).collect::<Vec<_>>();

    let changed = |requests: &[Request], change: fn(&mut Request)| {
        let mut changed = requests.to_vec();
        changed.iter_mut().for_each(change);
        bytes(&changed)
    };

    let hellos: Vec<_> = (0..requests).map(|_| Hello::new(suite)).collect();
    let pows: Vec<_> = hellos.iter().map(|hello| hello.pow().bytes()).collect();
    let (challenges, _) = stranger.ask("the challenges", &pows, 200).await;
    let exchanging: Vec<_> = hellos
        .into_iter()
        .zip(&challenges)
        .map(|(hello, challenge)| hello.pays(challenge, &stranger.domain_key))
        .collect();
    let exchanges: Vec<_> = exchanging.iter().map(Exchanging::request).collect();

    let exchange = format!("POST /exchange_keys, {suite}");
    let what = format!("{exchange}, forged");
    let forged = changed(&exchanges, Request::forge);
    let (_, forged) = stranger.ask(what, &forged, 401).await;

    let what = format!("{exchange}, paid, wrong signature");
    let unsigned = changed(&exchanges, Request::garble);
    let (_, unsigned) = stranger.ask(what, &unsigned, 401).await;

    let what = format!("{exchange}, paid");
    let (answers, exchanged) = stranger.ask(what, &bytes(&exchanges), 200).await;

    let messages: Vec<_> = exchanging
        .into_iter()
        .zip(&answers)
        .map(|(exchanging, answer)| exchanging.message(answer))
        .collect();
    let message = format!("POST /msg, {suite}");
    let what = format!("{message}, in a session, garbled");
    let garbled = changed(&messages, Request::garble);
    let (_, garbled) = stranger.ask(what, &garbled, 401).await;

    let what = format!("{message}, longest message");
    let (_, sent) = stranger.ask(what, &bytes(&messages), 200).await;
    vec![forged, unsigned, exchanged, garbled, sent]
}

/// An invitation that nobody has made.
async fn invited(requests: u32) -> Cost {
    let mut stranger = Stranger::new(requests).await;
    let forged = (0..requests).map(|_| Hello::new(Suite::V2).forged_invitation().bytes());
    let forged: Vec<_> = forged.collect();
    let what = "POST /pow, kkv/2, forged invitation";
    stranger.ask(what, &forged, 403).await.1
}

/// Asks for nothing, and for replies with words that have no box.
async fn asked(requests: u32) -> Vec<Cost> {
    let secrets = ReplySecrets::new(&[7; 16]);
    let mut costs = Vec::new();
    for (what, size) in [
        ("POST /ask, for nothing, 4 KiB", BodySize::Kib4),
        ("POST /ask, for replies, 16 KiB", BodySize::Kib16),
    ] {
        let mut stranger = Stranger::new(requests).await;
        let mut asks = Vec::new();
        while asks.len() < requests as usize {
            let hello = AskHello::new(size);
            let challenge = stranger.wire.ask(&hello.pow().bytes()).await.body;
            let exchanging = hello.pays(&challenge);
            let answer = stranger.wire.ask(&exchanging.request().bytes()).await.body;
            let mut asking = exchanging.answered(&answer);
            while let Ok(ask) = match size {
                BodySize::Kib16 => secrets.ask(&mut asking, &[]),
                _ => asking.request(0, b"", size),
            } {
                asks.push(Request::ask(&ask).bytes());
            }
        }
        costs.push(stranger.ask(what, &asks, 200).await.1);
    }
    costs
}

/// The page for browsers, looked at and used by who has no invitation.
async fn paged(requests: u32) -> Vec<Cost> {
    let mut stranger = Stranger::new(requests).await;
    let page = stranger.wire.ask(&get("/")).await;
    let form = PageForm::of(page.text()).expect("there is room");
    let text = "x".repeat(MAX_TEXT_BYTES);
    let refused = post("/", FORM_TYPE, form.message(&text));
    let look = post("/words", FORM_TYPE, form.look());
    let mut costs = Vec::new();
    for (what, request, status) in [
        ("GET /, the page", get("/"), 200),
        ("POST /, longest text, not invited", refused, 403),
        ("POST /words, of no box", look, 200),
    ] {
        let once = std::slice::from_ref(&request);
        stranger.ask("what is done once", once, status).await;
        let all = vec![request; requests as usize];
        costs.push(stranger.ask(what, &all, status).await.1);
    }
    costs
}

/// Exchanges for messages with files, and the one piece of each: not more than there is memory for.
async fn uploaded(requests: u32) -> Vec<Cost> {
    const MOST: usize = DEFAULT_LARGE_BYTES / LargeSize::Kib16.bytes();
    let file = vec![7; LargeSize::Kib16.content_room() - 1000];
    let mut stranger = Stranger::new(requests).await;
    let hellos: Vec<_> = (0..MOST.min(requests as usize))
        .map(|_| LargeHello::new(LargeSize::Kib16))
        .collect();
    let pows: Vec<_> = hellos.iter().map(|hello| hello.pow().bytes()).collect();
    let (challenges, _) = stranger.ask("the challenges", &pows, 200).await;
    let exchanging: Vec<_> = hellos
        .into_iter()
        .zip(&challenges)
        .map(|(hello, challenge)| hello.pays(challenge))
        .collect();
    let exchanges: Vec<_> = exchanging
        .iter()
        .map(|exchanging| exchanging.request().bytes())
        .collect();
    let what = "POST /exchange_keys, for files, paid";
    let (answers, exchanged) = stranger.ask(what, &exchanges, 200).await;
    let pieces: Vec<_> = exchanging
        .into_iter()
        .zip(&answers)
        .flat_map(|(exchanging, answer)| exchanging.pieces(answer, &file))
        .map(|piece| piece.bytes())
        .collect();
    let what = "POST /msg, whole message with a file, 16 KiB";
    let (_, sent) = stranger.ask(what, &pieces, 200).await;
    vec![exchanged, sent]
}
