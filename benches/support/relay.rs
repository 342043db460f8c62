//! A relay under measurement, and a sender who keeps it busy.
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
use kkv::crypto::random;
use kkv::pow::{Cost, Puzzle, Search, Solution, Solver};
use kkv::protocol::refusal::Refusal;
use kkv::protocol::suite::{Suite, SuitePolicy};
use kkv::protocol::text::Text;
use kkv::protocol::wire::{self, Hex};
use kkv::protocol::{v1, v2};
use kkv::queue::Queue;
use kkv::relay::{Pricing, Relay, RelayConfig, router};
use rand::CryptoRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// Cheap to solve, and split in sixteen like a real one, so that the relay checks as many nonces as it does in earnest.
const COST: u32 = 8;
const EXPECTED_SECONDS: u32 = 60;

#[derive(Debug, Clone, Copy)]
enum Step {
    Pow,
    Exchange,
    Message,
}

impl Step {
    fn path(self) -> &'static str {
        match self {
            Self::Pow => "/pow",
            Self::Exchange => "/exchange_keys",
            Self::Message => "/msg",
        }
    }
}

/// Messages on their way at once: each step is done for all before the next, so that the sender's work between them does not slow down the
/// relay's.
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
    text: Text,
    by: By,
}

impl Bench {
    pub fn new(text_bytes: usize, by: By) -> Self {
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
            text: Text::new(Zeroizing::new("a".repeat(text_bytes))).expect("it fits"),
            by,
        }
    }

    /// Empties the queue and lets every challenge and session end, so that each message finds the relay as the first one did.
    fn forget(&self) {
        self.relay.wipe();
        self.clock.advance(Duration::from_secs(1000));
        self.relay.purge();
    }

    /// Asks, and says how long the relay took.
    fn post(&self, step: Step, suite: Suite, body: Vec<u8>) -> (Result<Bytes, u16>, Duration) {
        match self.by {
            By::Http => self.post_http(step, suite, body),
            By::Steps => {
                #[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
                let start = Instant::now();
                let answer = self.post_steps(step, suite, &body);
                let spent = start.elapsed();
                let answer = answer.map(Bytes::from);
                (answer.map_err(Refusal::status), spent)
            }
        }
    }

    fn post_http(&self, step: Step, suite: Suite, body: Vec<u8>) -> (Result<Bytes, u16>, Duration) {
        let content_type = match suite {
            Suite::V1 => "application/x-www-form-urlencoded",
            Suite::V2 => "application/json",
        };
        let request = Request::post(step.path())
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
        let answer = if status == 200 {
            Ok(body)
        } else {
            Err(status.as_u16())
        };
        (answer, spent)
    }

    /// What the router does with a body that it has read, without it.
    fn post_steps(&self, step: Step, suite: Suite, body: &[u8]) -> Result<String, Refusal> {
        fn form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
            wire::form(body).ok_or(Refusal::Malformed)
        }
        fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
            wire::object(body).ok_or(Refusal::Malformed)
        }
        fn written(answer: &impl Serialize) -> String {
            serde_json::to_string(answer).expect("JSON")
        }
        let (relay, rng) = (&self.relay, &mut random::kernel());
        match (step, suite) {
            (Step::Pow, Suite::V1) => Ok(written(&relay.pow_v1(&form(body)?, rng)?)),
            (Step::Pow, Suite::V2) => Ok(written(&relay.pow_v2(&json(body)?, rng)?)),
            (Step::Exchange, Suite::V1) => relay.exchange_v1(&form(body)?, rng),
            (Step::Exchange, Suite::V2) => relay.exchange_v2(&json(body)?, rng),
            (Step::Message, Suite::V1) => {
                relay.message_v1(&v1::wire::MessageRequest::from_form(body)?)
            }
            (Step::Message, Suite::V2) => relay.message_v2(&json(body)?),
        }
    }

    /// The same step of a whole batch, which has to be accepted: the answers, and the average time.
    fn batch(&self, step: Step, suite: Suite, bodies: Vec<Vec<u8>>) -> (Vec<Bytes>, Duration) {
        let mut total = Duration::ZERO;
        let count = u32::try_from(bodies.len()).expect("a few");
        let answers = bodies.into_iter().map(|body| {
            let (answer, spent) = self.post(step, suite, body);
            total += spent;
            answer.expect("nothing is refused")
        });
        (answers.collect(), total / count)
    }

    /// A batch of messages in kkv/1: what the relay spends on each.
    pub fn v1(&self) -> Spent {
        self.forget();
        let rng = &mut rand::rng();
        let relay = Hex(*self.relay.keys().public().as_bytes()).to_string();
        let hellos: Vec<_> = (0..BATCH)
            .map(|_| v1::sender::Hello::new(SenderKey::generate(rng)))
            .collect();
        let bodies = hellos.iter().map(|hello| form(&hello.request()));
        let (answers, pow) = self.batch(Step::Pow, Suite::V1, bodies.collect());

        let exchanging: Vec<_> = hellos
            .into_iter()
            .zip(answers)
            .map(|(hello, answer)| {
                let challenged = hello.challenged(&read(&answer)).expect("a challenge");
                let Solution::V1(nonce) = solved(&challenged.puzzle()) else {
                    unreachable!("a kkv/1 puzzle")
                };
                let vouched = challenged.vouched(relay.as_bytes());
                vouched.expect("its signature").solved(nonce, rng)
            })
            .collect();
        let bodies = exchanging.iter().map(|sender| form(sender.request()));
        let (answers, exchange_keys) = self.batch(Step::Exchange, Suite::V1, bodies.collect());

        let bodies = exchanging.into_iter().zip(answers).map(|(sender, answer)| {
            let open = sender.answered(&read(&answer)).expect("a key");
            form(&open.seal(&self.text).expect("it fits").request)
        });
        let (_, msg) = self.batch(Step::Message, Suite::V1, bodies.collect());
        Spent {
            pow,
            exchange_keys,
            msg,
        }
    }

    /// A batch of messages in kkv/2: what the relay spends on each.
    pub fn v2(&self) -> Spent {
        self.forget();
        let rng = &mut rand::rng();
        let hellos: Vec<_> = (0..BATCH)
            .map(|_| v2::sender::Hello::new(SenderKey::generate(rng)))
            .collect();
        let bodies = hellos.iter().map(|hello| json(&hello.request()));
        let (answers, pow) = self.batch(Step::Pow, Suite::V2, bodies.collect());

        let exchanging: Vec<_> = hellos
            .into_iter()
            .zip(answers)
            .map(|(hello, answer)| {
                let challenged = hello.challenged(&read(&answer)).expect("a challenge");
                let Solution::V2(nonces) = solved(&challenged.puzzle()) else {
                    unreachable!("a kkv/2 puzzle")
                };
                challenged.solved(&nonces, rng)
            })
            .collect();
        let bodies = exchanging.iter().map(|sender| json(sender.request()));
        let (answers, exchange_keys) = self.batch(Step::Exchange, Suite::V2, bodies.collect());

        let sent: Vec<_> = exchanging
            .into_iter()
            .zip(answers)
            .map(|(sender, answer)| {
                let open = sender.answered(&read(&answer)).expect("a key");
                open.seal(&self.text)
            })
            .collect();
        let bodies = sent.iter().map(|sent| json(sent.request()));
        let (answers, msg) = self.batch(Step::Message, Suite::V2, bodies.collect());
        for (sent, answer) in sent.into_iter().zip(answers) {
            sent.accepted(&read(&answer)).expect("a receipt");
        }
        Spent {
            pow,
            exchange_keys,
            msg,
        }
    }

    /// A batch of exchanges whose challenges are `forged`, or else good, with solutions but for their last nonce: the relay's time to say no.
    pub fn unpaid(&self, suite: Suite, forged: bool) -> Duration {
        self.forget();
        let rng = &mut rand::rng();
        let bodies: Vec<_> = (0..BATCH)
            .map(|_| match suite {
                Suite::V1 => self.unpaid_v1(forged, rng),
                Suite::V2 => self.unpaid_v2(forged, rng),
            })
            .collect();
        let mut total = Duration::ZERO;
        for body in bodies {
            let (answer, spent) = self.post(Step::Exchange, suite, body);
            assert_eq!(answer.err(), Some(401));
            total += spent;
        }
        total / BATCH
    }

    fn unpaid_v1(&self, forged: bool, rng: &mut impl CryptoRng) -> Vec<u8> {
        let hello = v1::sender::Hello::new(SenderKey::generate(rng));
        let (answer, _) = self.post(Step::Pow, Suite::V1, form(&hello.request()));
        let challenge = read(&answer.expect("it is honest so far"));
        let challenged = hello.challenged(&challenge).expect("a challenge");
        let Solution::V1(nonce) = wrong(&challenged.puzzle()) else {
            unreachable!("a kkv/1 puzzle")
        };
        let relay = Hex(*self.relay.keys().public().as_bytes()).to_string();
        let vouched = challenged.vouched(relay.as_bytes());
        let exchanging = vouched.expect("its signature").solved(nonce, rng);
        let body = form(exchanging.request());
        let mut request: v1::wire::Exchange =
            serde_urlencoded::from_bytes(&body).expect("the same");
        request.pow.0[0] ^= u8::from(forged);
        form(&request)
    }

    fn unpaid_v2(&self, forged: bool, rng: &mut impl CryptoRng) -> Vec<u8> {
        let hello = v2::sender::Hello::new(SenderKey::generate(rng));
        let (answer, _) = self.post(Step::Pow, Suite::V2, json(&hello.request()));
        let challenge = read(&answer.expect("it is honest so far"));
        let challenged = hello.challenged(&challenge).expect("a challenge");
        let Solution::V2(nonces) = wrong(&challenged.puzzle()) else {
            unreachable!("a kkv/2 puzzle")
        };
        let exchanging = challenged.solved(&nonces, rng);
        let body = json(exchanging.request());
        let mut request: v2::wire::ExchangeRequest =
            serde_json::from_slice(&body).expect("the same");
        request.challenge.0[16] ^= u8::from(forged);
        json(&request)
    }
}

fn form(body: &impl Serialize) -> Vec<u8> {
    serde_urlencoded::to_string(body).expect("a form").into()
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("JSON")
}

fn read<T: DeserializeOwned>(answer: &Bytes) -> T {
    serde_json::from_slice(answer).expect("an answer")
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

/// A solution whose last nonce is none.
fn wrong(puzzle: &Puzzle) -> Solution {
    let mut solution = solved(puzzle);
    while puzzle.verify(&solution).is_ok() {
        match &mut solution {
            Solution::V1(nonce) => nonce[0] = nonce[0].wrapping_add(1),
            Solution::V2(nonces) => *nonces.last_mut().expect("sixteen") += 1,
        }
    }
    solution
}
