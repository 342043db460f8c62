//! Strangers who ask without end, each on a connection that it makes anew when the relay ends it.

use std::sync::atomic::Ordering;

use kkv_protocol::suite::Suite;
use tokio::net::TcpStream;

use super::attack::Orders;
use super::requests::{self, Request};
use crate::raw_http::{Wire, get};

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

/// An exchange that is paid for.
async fn solution(flooder: &mut Flooder, suite: Suite) -> Request {
    let (_, relay) = flooder.ask(&get("/get_domain_pk")).await;
    let hello = requests::Hello::new(suite);
    let (status, challenge) = flooder.ask(&hello.pow().bytes()).await;
    assert_eq!(status, 200, "a challenge is free");
    hello.pays(&challenge, &relay).request()
}
