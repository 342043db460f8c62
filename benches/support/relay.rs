//! A relay under measurement: its router called as a connection calls it, and a sender who keeps it busy.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to benchmarks, each of which uses a part of it"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use kkv::clock::ManualClock;
use kkv::crypto::identity::SenderKey;
use kkv::pow::{Cost, Puzzle, Search, Solution, Solver};
use kkv::protocol::suite::SuitePolicy;
use kkv::protocol::text::Text;
use kkv::protocol::{v1, v2};
use kkv::queue::Queue;
use kkv::relay::{Pricing, Relay, RelayConfig, router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// Cheap to solve, and split in sixteen like a real one, so that the relay checks as many nonces as it does in earnest.
const COST: u32 = 8;
const EXPECTED_SECONDS: u32 = 60;

/// What the relay spent on each step.
#[derive(Debug, Default, Clone, Copy)]
pub struct Spent {
    pub pow: Duration,
    pub exchange_keys: Duration,
    pub msg: Duration,
}

impl Spent {
    pub fn sum(self) -> Duration {
        self.pow + self.exchange_keys + self.msg
    }
}

pub struct Bench {
    relay: Arc<Relay>,
    clock: Arc<ManualClock>,
    service: TowerToHyperService<Router>,
    runtime: Runtime,
    text: Text,
}

impl Bench {
    pub fn new(text_bytes: usize) -> Self {
        let clock = Arc::new(ManualClock::new(1_800_000_000));
        let config = RelayConfig {
            pricing: Pricing {
                base: Cost::new(COST).expect("in range"),
                adaptive: true,
            },
            expected_seconds: EXPECTED_SECONDS,
            suites: SuitePolicy::Any,
        };
        let relay = Arc::new(Relay::new(
            config,
            Queue::new(50, None),
            clock.clone(),
            &mut rand::rng(),
        ));
        Self {
            service: TowerToHyperService::new(router(Arc::clone(&relay))),
            relay,
            clock,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime starts"),
            text: Text::new(Zeroizing::new("a".repeat(text_bytes))).expect("it fits"),
        }
    }

    /// Empties the queue and lets every challenge and session end, so that each message finds the relay as the first one did.
    fn forget(&self) {
        self.relay.wipe();
        self.clock.advance(Duration::from_secs(1000));
        self.relay.purge();
    }

    fn post(&self, path: &str, content_type: &str, body: Vec<u8>) -> (Bytes, Duration) {
        let request = Request::post(path)
            .header("content-type", content_type)
            .body(Body::from(body))
            .expect("a request");
        #[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
        let start = Instant::now();
        let (status, body) = self.runtime.block_on(async {
            let answer = self.service.call(request).await.expect("it never fails");
            let status = answer.status();
            let body = answer.into_body().collect().await.expect("it is complete");
            (status, body.to_bytes())
        });
        let spent = start.elapsed();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        (body, spent)
    }

    fn form(&self, path: &str, body: &impl Serialize) -> (Bytes, Duration) {
        let body = serde_urlencoded::to_string(body).expect("a form");
        self.post(path, "application/x-www-form-urlencoded", body.into())
    }

    fn json<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> (T, Duration) {
        let body = serde_json::to_vec(body).expect("JSON");
        let (answer, spent) = self.post(path, "application/json", body);
        (serde_json::from_slice(&answer).expect("an answer"), spent)
    }

    /// One message in kkv/1.
    pub fn v1(&self) -> Spent {
        self.forget();
        let rng = &mut rand::rng();
        let relay = kkv::protocol::wire::Hex(*self.relay.keys().public().as_bytes());
        let hello = v1::sender::Hello::new(SenderKey::generate(rng));
        let (answer, pow) = self.form("/pow", &hello.request());
        let answer = serde_json::from_slice(&answer).expect("an answer");
        let challenged = hello.challenged(&answer).expect("a challenge");
        let Solution::V1(nonce) = solved(&challenged.puzzle()) else {
            unreachable!("a kkv/1 puzzle")
        };
        let vouched = challenged.vouched(relay.to_string().as_bytes());
        let exchanging = vouched.expect("its signature").solved(nonce, rng);
        let (answer, exchange_keys) = self.form("/exchange_keys", exchanging.request());
        let answer = serde_json::from_slice(&answer).expect("an answer");
        let sent = exchanging
            .answered(&answer)
            .expect("a key")
            .seal(&self.text);
        let (_, msg) = self.form("/msg", &sent.expect("it fits").request);
        Spent {
            pow,
            exchange_keys,
            msg,
        }
    }

    /// One message in kkv/2.
    pub fn v2(&self) -> Spent {
        self.forget();
        let rng = &mut rand::rng();
        let hello = v2::sender::Hello::new(SenderKey::generate(rng));
        let (answer, pow) = self.json("/pow", &hello.request());
        let challenged = hello.challenged(&answer).expect("a challenge");
        let Solution::V2(nonces) = solved(&challenged.puzzle()) else {
            unreachable!("a kkv/2 puzzle")
        };
        let exchanging = challenged.solved(&nonces, rng);
        let (answer, exchange_keys) = self.json("/exchange_keys", exchanging.request());
        let sent = exchanging
            .answered(&answer)
            .expect("a key")
            .seal(&self.text);
        let (answer, msg) = self.json("/msg", sent.request());
        sent.accepted(&answer).expect("a receipt");
        Spent {
            pow,
            exchange_keys,
            msg,
        }
    }
}

fn solved(puzzle: &Puzzle) -> Solution {
    let solver = Solver {
        threads: NonZeroUsize::MIN,
        ..Solver::default()
    };
    let search = Search::default();
    solver
        .solve(puzzle, &[7; 24], &search)
        .expect("nobody stops it")
}
