//! Strangers who ask without end, each on a connection that it makes anew when the relay ends it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::HEXLOWER;
use kkv_base::limits::MAX_TEXT_BYTES;
use kkv_pow::{Cost, Puzzle, PuzzleKey, Solution};
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::ask::sender::Asking;
use kkv_protocol::v2::purpose::{BodySize, LargeSize};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::attack::Orders;
use super::requests::{self, Request};
use crate::page_form::{FORM_TYPE, PageForm};
use crate::raw_http::{Wire, get, post};

/// One of them.
struct Flooder {
    orders: Orders,
    wire: Option<Wire<TcpStream>>,
}

impl Flooder {
    fn new(orders: Orders) -> Self {
        Self { orders, wire: None }
    }

    /// Asks until there is an answer: its status and body.
    async fn ask(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        loop {
            let mut wire = match self.wire.take() {
                Some(wire) => wire,
                None => Wire::new(self.orders.connect().await),
            };
            if let Some(answer) = wire.try_ask(request).await {
                self.wire = Some(wire);
                self.orders.count();
                return (answer.status, answer.body);
            }
        }
    }
}

pub(crate) async fn forged(orders: Orders, suite: Suite, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    let mut exchange = solution(&mut flooder, suite).await;
    exchange.forge();
    let forged = exchange.bytes();
    loop {
        let (status, _) = flooder.ask(&forged).await;
        assert_eq!(status, 401, "a forged challenge pays for nothing");
        begin();
    }
}

pub(crate) async fn unsolved(orders: Orders, suite: Suite, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    let pow = requests::Hello::new(suite).pow().bytes();
    loop {
        let (status, _) = flooder.ask(&pow).await;
        assert_eq!(status, 200, "a challenge is free");
        begin();
    }
}

/// All of them together open `most` sessions, and a few more.
pub(crate) async fn solved(orders: Orders, suite: Suite, most: u64, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    let mut exchange = solution(&mut flooder, suite).await;
    loop {
        let (status, _) = flooder.ask(&exchange.bytes()).await;
        assert_eq!(status, 200, "it is paid for, and there is room");
        if flooder.orders.opened.fetch_add(1, Ordering::Relaxed) + 1 < most {
            exchange = solution(&mut flooder, suite).await;
        } else {
            begin();
        }
    }
}

/// Opens one session for asks after the other, and asks in each as often as it may: for nothing, or with `words` for
/// what waits in their box, which has the relay try them on every box that there is.
pub(crate) async fn asks(orders: Orders, words: Option<[u8; 16]>, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    let secrets = words.map(|words| ReplySecrets::new(&words));
    let size = match secrets {
        Some(_) => BodySize::Kib16,
        None => BodySize::Kib4,
    };
    loop {
        let Some(mut asking) = session(&mut flooder, size).await else {
            continue;
        };
        let ask = |asking: &mut Asking| match &secrets {
            Some(secrets) => secrets.ask(asking, &[]),
            None => asking.request(0, b"", size),
        };
        while let Ok(asked) = ask(&mut asking) {
            let (status, answer) = flooder.ask(&Request::ask(&asked).bytes()).await;
            match status {
                200 => asking.answer(&asked, answer).expect("the relay's answer"),
                // An answer was lost with its connection, and the request was repeated.
                401 => continue,
                other => panic!("{other} is no answer to what was paid for"),
            };
            begin();
        }
    }
}

/// The file of a message that takes the smallest room.
const FILE: [u8; 10_000] = [7; 10_000];

/// Opens two sessions for messages with files, by turns: one that it never fills, and one that it does; and so on, also
/// when there is no room any more.
pub(crate) async fn uploads(orders: Orders, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    for size in [LargeSize::Kib64, LargeSize::Kib16].into_iter().cycle() {
        let hello = requests::LargeHello::new(size);
        let (status, challenge) = flooder.ask(&hello.pow().bytes()).await;
        begin();
        if status == FULL {
            continue;
        }
        assert_eq!(status, 200, "a challenge is free");
        let exchanging = hello.pays(&challenge);
        let (status, answer) = flooder.ask(&exchanging.request().bytes()).await;
        match status {
            200 => {}
            FULL => continue,
            other => panic!("{other} is no answer to an exchange that was paid for"),
        }
        flooder.orders.opened.fetch_add(1, Ordering::Relaxed);
        if size == LargeSize::Kib16 {
            for piece in exchanging.pieces(&answer, &FILE) {
                let (status, _) = flooder.ask(&piece.bytes()).await;
                assert_eq!(status, 200, "a piece is taken, and acknowledged again");
            }
        }
    }
}

/// Opens the page, sends its form without an invitation, and looks for answers to its words; and so on.
pub(crate) async fn pages(orders: Orders, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    loop {
        let (status, page) = flooder.ask(&get("/")).await;
        assert_eq!(status, 200, "anybody may look at it");
        let page = String::from_utf8(page).expect("a page is text");
        let form = PageForm::of(&page).expect("there is room");
        let message = post("/", FORM_TYPE, form.message(&"x".repeat(MAX_TEXT_BYTES)));
        let (status, _) = flooder.ask(&message).await;
        assert_eq!(status, 403, "nobody is invited, and no place is given away");
        let (status, _) = flooder.ask(&post("/words", FORM_TYPE, form.look())).await;
        assert_eq!(status, 200, "these words have no box");
        begin();
    }
}

/// Pays for two uploads of the page, by turns: one that it begins and leaves, and one that it sends twice and gives up;
/// and so on, also when there is no room any more.
pub(crate) async fn page_uploads(orders: Orders, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    for bytes in [60_000, FILE.len()].into_iter().cycle() {
        let asked = format!("{{\"bytes\":{}}}", bytes + 100);
        let asked = post("/price", "application/json", asked);
        let (status, price) = flooder.ask(&asked).await;
        begin();
        if status == FULL {
            continue;
        }
        assert_eq!(status, 200, "a price is told to anybody");
        let (challenge, nonces) = paid(&price);
        let (_, page) = flooder.ask(&get("/")).await;
        let page = String::from_utf8(page).expect("a page is text");
        let form = PageForm::of(&page).expect("there is room");
        let upload = form.upload("a", bytes, &challenge, &nonces);
        let (status, begun) = flooder
            .ask(&post("/upload", "application/json", upload))
            .await;
        match status {
            200 => {}
            FULL => continue,
            other => panic!("{other} is no answer to what was paid for"),
        }
        if bytes == FILE.len() {
            let begun: Value = serde_json::from_slice(&begun).expect("JSON");
            let name = begun["upload"].as_str().expect("a name");
            let piece = [name.as_bytes(), b"00", &FILE].concat();
            let gives_up = [name.as_bytes(), b"ff"].concat();
            for body in [piece.clone(), piece, gives_up] {
                let piece = post("/piece", "application/octet-stream", body);
                let (status, _) = flooder.ask(&piece).await;
                assert_eq!(status, 200, "a piece is taken, and acknowledged again");
            }
        }
    }
}

/// The challenge of a price, and what solves it, as they stand in a form.
fn paid(price: &[u8]) -> (String, String) {
    let price: Value = serde_json::from_slice(price).expect("JSON");
    let key = price["puzzle"].as_str().expect("hex").as_bytes();
    let key = HEXLOWER.decode(key).expect("hex");
    let cost = price["cost"].as_u64().expect("a number");
    let cost = Cost::new(u32::try_from(cost).expect("60 at most")).expect("60 at most");
    let key = PuzzleKey(key.try_into().expect("32 bytes"));
    let Solution::V2(nonces) = requests::solve(&Puzzle::V2 { key, cost }) else {
        panic!("it is one of kkv/2's");
    };
    let nonces = nonces.iter().map(|nonce| format!("{nonce:016x}"));
    let challenge = price["challenge"].as_str().expect("a challenge");
    (challenge.to_owned(), nonces.collect())
}

/// Asks for challenges that take long to check, and pays with what is made up; and so on.
pub(crate) async fn wrong_payments(orders: Orders, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    let asked = post(
        "/price",
        "application/json",
        b"{\"bytes\":0,\"class\":\"pbkdf2\"}",
    );
    let (_, page) = flooder.ask(&get("/")).await;
    let form = PageForm::of(std::str::from_utf8(&page).expect("a page is text"));
    let form = form.expect("there is room");
    loop {
        let (status, price) = flooder.ask(&asked).await;
        assert_eq!(status, 200, "anybody may ask");
        let price: Value = serde_json::from_slice(&price).expect("JSON");
        let challenge = price["challenge"].as_str().expect("a text");
        // At this price one try of any hash would do, if it were one.
        let paid = form.paid("x", challenge, &"0".repeat(80));
        let (status, _) = flooder.ask(&post("/", FORM_TYPE, paid)).await;
        assert!(matches!(status, 402 | 503), "{status}: it is not paid for");
        begin();
    }
}

/// The status of a refusal where no room is left.
const FULL: u16 = 507;

/// How long a half-sent body holds its place: a while, so that all places are held by others' at any time.
const HOLDING: Duration = Duration::from_millis(300);

/// Opens a session for asks of 64 KiB, sends almost all of a body in it, and hangs up; and so on.
pub(crate) async fn half_asks(orders: Orders, begin: impl Fn()) {
    let mut flooder = Flooder::new(orders);
    loop {
        let Some(mut asking) = session(&mut flooder, BodySize::Kib64).await else {
            continue;
        };
        let asked = asking.request(0, b"", BodySize::Kib64).expect("it fits");
        let request = Request::ask(&asked).bytes();
        let mut stream = flooder.orders.connect().await;
        let _ = stream.write_all(&request[..request.len() - 1]).await;
        flooder.orders.count();
        begin();
        tokio::time::sleep(HOLDING).await;
    }
}

/// A session for asks, paid for; `None` if the exchange was repeated, because its connection ended.
async fn session(flooder: &mut Flooder, size: BodySize) -> Option<Asking> {
    let hello = requests::AskHello::new(size);
    let (status, challenge) = flooder.ask(&hello.pow().bytes()).await;
    assert_eq!(status, 200, "a challenge is free");
    let exchanging = hello.pays(&challenge);
    let (status, answer) = flooder.ask(&exchanging.request().bytes()).await;
    flooder.orders.opened.fetch_add(1, Ordering::Relaxed);
    match status {
        200 => Some(exchanging.answered(&answer)),
        402 | 409 => None,
        other => panic!("{other} is no answer to an exchange that was paid for"),
    }
}

/// An exchange that is paid for.
async fn solution(flooder: &mut Flooder, suite: Suite) -> Request {
    let (_, relay) = flooder.ask(&get("/get_domain_pk")).await;
    let hello = requests::Hello::new(suite);
    let (status, challenge) = flooder.ask(&hello.pow().bytes()).await;
    assert_eq!(status, 200, "a challenge is free");
    hello.pays(&challenge, &relay).request()
}
