//! A relay under measurement, and a sender who keeps it busy.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to benchmarks, each of which uses a part of it"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use kkv_base::clock::ManualClock;
use kkv_net::http::Progress;
use kkv_pow::{Cost, Puzzle, Solution};
use kkv_protocol::crypto::random;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v1;
use kkv_protocol::v2::purpose::BodySize;
use kkv_protocol::wire;
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, Relay, RelayConfig, router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use crate::requests::{AskExchanging, AskHello, Exchanging, Hello, Request, solve};

/// Cheap to solve, and split in sixteen like a real one, so that the relay checks as many nonces as it does in earnest.
const COST: u32 = 8;
const EXPECTED_SECONDS: u32 = 60;

/// Messages on their way at once: each step is done for all before the next, so that the sender's work between them
/// does not slow down the relay's.
pub const BATCH: u32 = 32;
/// So many that a batch does not make the price rise.
const SLOTS: u32 = 400;

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

/// Where requests come from.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// The router, called as a connection calls it.
    Http,
    /// The relay's own steps: from the bytes of a body to the bytes of the answer.
    Steps,
}

pub struct Bench {
    relay: Arc<Relay>,
    clock: Arc<ManualClock>,
    service: TowerToHyperService<Router>,
    runtime: Runtime,
    by: By,
}

impl Bench {
    pub fn new(by: By) -> Self {
        let clock = Arc::new(ManualClock::new(1_800_000_000));
        let config = RelayConfig {
            read_receipts: false,
            pricing: Pricing {
                base: Cost::new(COST).expect("in range"),
                adaptive: true,
            },
            expected_seconds: EXPECTED_SECONDS,
            suites: SuitePolicy::Any,
        };
        let relay = Arc::new(Relay::new(
            config,
            Queue::new(SLOTS, None).expect("so much memory"),
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
            by,
        }
    }

    /// Empties the queue and lets every challenge and session end, so that each message finds the relay as the first
    /// one did.
    fn forget(&self) {
        self.relay.wipe();
        self.clock.advance(Duration::from_secs(1000));
        self.relay.purge();
    }

    /// Asks, and says how long the relay took.
    fn post(&self, request: &Request) -> (Result<Bytes, u16>, Duration) {
        match self.by {
            By::Http => self.post_http(request),
            By::Steps => {
                #[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
                let start = Instant::now();
                let answer = self.post_steps(request);
                let spent = start.elapsed();
                let answer = answer.map(Bytes::from);
                (answer.map_err(Refusal::status), spent)
            }
        }
    }

    fn post_http(&self, request: &Request) -> (Result<Bytes, u16>, Duration) {
        let request = axum::http::Request::post(request.path)
            .header("content-type", request.content_type())
            .extension(Progress::default())
            .body(Body::from(request.body.clone()))
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
        let answer = if status == 200 {
            Ok(body)
        } else {
            Err(status.as_u16())
        };
        (answer, spent)
    }

    /// What the router does with a body that it has read, without it.
    fn post_steps(&self, request: &Request) -> Result<String, Refusal> {
        fn form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
            wire::form(body).map_err(|_| Refusal::Malformed)
        }
        fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
            wire::object(body).map_err(|_| Refusal::Malformed)
        }
        fn written(answer: &impl Serialize) -> String {
            serde_json::to_string(answer).expect("JSON")
        }
        let (relay, rng) = (&self.relay, &mut random::kernel());
        let body = &request.body;
        match (request.path, request.suite) {
            ("/pow", Suite::V1) => Ok(written(&relay.pow_v1(&form(body)?, rng)?)),
            ("/pow", Suite::V2) => Ok(written(&relay.pow_v2(&json(body)?, rng)?)),
            ("/exchange_keys", Suite::V1) => relay.exchange_v1(&form(body)?, rng),
            ("/exchange_keys", Suite::V2) => relay.exchange_v2(&json(body)?, rng),
            ("/msg", Suite::V1) => relay.message_v1(&v1::wire::MessageRequest::from_form(body)?),
            ("/msg", Suite::V2) => relay.message_v2(&json(body)?),
            (other, _) => unreachable!("{other} is no step"),
        }
    }

    /// The same step of a whole batch, which has to be accepted: the answers, and the average time.
    fn batch(&self, requests: impl Iterator<Item = Request>) -> (Vec<Bytes>, Duration) {
        let requests: Vec<_> = requests.collect();
        let mut total = Duration::ZERO;
        let answers = requests.iter().map(|request| {
            let (answer, spent) = self.post(request);
            total += spent;
            answer.expect("nothing is refused")
        });
        (answers.collect(), total / BATCH)
    }

    /// A batch of the longest messages: what the relay spends on each.
    pub fn messages(&self, suite: Suite) -> Spent {
        self.forget();
        let hellos: Vec<_> = (0..BATCH).map(|_| Hello::new(suite)).collect();
        let (answers, pow) = self.batch(hellos.iter().map(Hello::pow));
        let key = self.domain_key();
        let exchanging: Vec<_> = hellos
            .into_iter()
            .zip(answers)
            .map(|(hello, answer)| hello.pays(&answer, &key))
            .collect();
        let (answers, exchange_keys) = self.batch(exchanging.iter().map(Exchanging::request));
        let senders = exchanging.into_iter().zip(answers);
        let (_, msg) = self.batch(senders.map(|(sender, answer)| sender.message(&answer)));
        Spent {
            pow,
            exchange_keys,
            msg,
        }
    }

    /// A batch of sessions for asks: what the relay spends on each, and on one empty ask in it. That one comes by the
    /// router, since only there a body is read a piece at a time.
    pub fn asks(&self) -> Spent {
        self.forget();
        let hellos: Vec<_> = (0..BATCH).map(|_| AskHello::new(BodySize::Kib4)).collect();
        let (answers, pow) = self.batch(hellos.iter().map(AskHello::pow));
        let senders = hellos.into_iter().zip(answers);
        let exchanging: Vec<_> = senders.map(|(hello, answer)| hello.pays(&answer)).collect();
        let (answers, exchange_keys) = self.batch(exchanging.iter().map(AskExchanging::request));
        let mut asking: Vec<_> = exchanging
            .into_iter()
            .zip(answers)
            .map(|(sender, answer)| sender.answered(&answer))
            .collect();
        let mut total = Duration::ZERO;
        for asking in &mut asking {
            let asked = asking.request(0, b"", BodySize::Kib4).expect("it fits");
            let (answer, spent) = self.post_http(&Request::ask(&asked));
            total += spent;
            let answer = asking.answer(&asked, answer.expect("it is paid for").into());
            answer.expect("the relay's own answer");
        }
        Spent {
            pow,
            exchange_keys,
            msg: total / BATCH,
        }
    }

    /// A batch of exchanges whose challenges are `forged`, or else good, with solutions but for their last nonce: the
    /// relay's time to say no.
    pub fn unpaid(&self, suite: Suite, forged: bool) -> Duration {
        self.forget();
        let requests: Vec<_> = (0..BATCH)
            .map(|_| self.unpaid_exchange(suite, forged))
            .collect();
        let mut total = Duration::ZERO;
        for request in requests {
            let (answer, spent) = self.post(&request);
            assert_eq!(answer.err(), Some(401));
            total += spent;
        }
        total / BATCH
    }

    /// What the relay spends to refuse a forged proof of an invitation, with as many as there can be.
    pub fn uninvited(&self) -> Duration {
        let (invitations, rng) = (self.relay.invitations(), &mut rand::rng());
        let now = self.relay.now();
        let lifetime = kkv_base::limits::DEFAULT_INVITATION_LIFETIME;
        while invitations.make(1, lifetime, now, rng).is_ok() {}
        let (request, mut total) = (Hello::new(Suite::V2).forged_invitation(), Duration::ZERO);
        for _ in 0..BATCH {
            let (answer, spent) = self.post(&request);
            assert_eq!(answer.err(), Some(403));
            total += spent;
        }
        total / BATCH
    }

    fn unpaid_exchange(&self, suite: Suite, forged: bool) -> Request {
        let hello = Hello::new(suite);
        let (answer, _) = self.post(&hello.pow());
        let challenge = answer.expect("it is honest so far");
        let exchanging = hello.pays_with(&challenge, &self.domain_key(), wrong);
        let mut request = exchanging.request();
        if forged {
            request.forge();
        }
        request
    }

    /// The body of `GET /get_domain_pk`.
    fn domain_key(&self) -> Vec<u8> {
        let key = self.relay.keys().public();
        key.id().to_string().into_bytes()
    }
}

/// A solution whose last nonce is none.
fn wrong(puzzle: &Puzzle) -> Solution {
    let mut solution = solve(puzzle);
    while puzzle.verify(&solution).is_ok() {
        match &mut solution {
            Solution::V1(nonce) => nonce.0[0] = nonce.0[0].wrapping_add(1),
            Solution::V2(nonces) => *nonces.last_mut().expect("sixteen") += 1,
        }
    }
    solution
}
