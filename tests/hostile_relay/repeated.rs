//! A relay that refuses for reasons which may pass, and then takes the message or never does: what was paid for is not
//! given up.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use kkv_base::limits::{
    ANSWER_TIMEOUT, MAX_REPEAT_PAUSE, REPEAT_MARGIN, SILENT_ATTEMPTS, UNPAID_REPEATS,
};
use kkv_client::sender::{
    Accepted, Consent, Delivery, DeliveryOptions, Event, Failure, Observer, Price, Reply, deliver,
};
use kkv_pow::Solver;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::between::{Between, Say, steps};
use super::known_relay::{KnownRelay, Lies};
use crate::in_process::{EACH_SUITE, InProcess, START, send_observed, target};
use crate::raw_http::Answer;

/// As long as a challenge of the relay in these tests lives.
const LIFETIME: Duration = Duration::from_secs(60);

/// Counts what it is told of.
#[derive(Debug, Default)]
struct Told {
    refused: Mutex<Vec<(Refusal, bool)>>,
    solved: AtomicUsize,
    asked: AtomicUsize,
}

impl Observer for Told {
    fn event(&self, event: Event) {
        match event {
            Event::Refused { refusal, paid, .. } => {
                self.refused
                    .lock()
                    .expect("nobody panics here")
                    .push((refusal, paid));
            }
            Event::Exchanging => {
                self.solved.fetch_add(1, Relaxed);
            }
            _ => {}
        }
    }

    fn consents(&self, price: Price) -> Consent<'_> {
        assert!(price.is_likely(), "{price:?}");
        self.asked.fetch_add(1, Relaxed);
        Box::pin(std::future::ready(false))
    }
}

fn refusal(refusal: Refusal) -> Answer {
    Answer {
        status: refusal.status(),
        headers: Vec::new(),
        body: refusal.body().into_bytes(),
    }
}

/// A relay that says this to the first so many requests for `path`, and acts on none of them.
fn says_first(path: &'static str, says: Refusal, times: usize) -> Between {
    says_in_turn(path, std::iter::repeat_n(says, times))
}

/// A relay that says these to the first requests for `path`, one to each, and acts on none of them.
fn says_in_turn(
    path: &'static str,
    says: impl Iterator<Item = Refusal> + Send + 'static,
) -> Between {
    let says = Mutex::new(says);
    let say = Say::Instead(Box::new(move || {
        let says = says.lock().expect("nobody panics here").next();
        says.map(refusal)
    }));
    Between::new(InProcess::new(SuitePolicy::Any, 4, 0), path, say)
}

async fn send(
    between: &Between,
    suites: SuitePolicy,
) -> (Result<Accepted, Failure>, Duration, Told) {
    let (told, began) = (Told::default(), Instant::now());
    let result = send_observed(between, suites, "text", &told).await;
    (result, began.elapsed(), told)
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_for_is_repeated_until_it_is_taken_and_paid_for_once() {
    for suites in EACH_SUITE {
        for path in ["/exchange_keys", "/msg"] {
            for says in [Refusal::TimedOut, Refusal::Full] {
                let between = says_first(path, says, 4);
                let (sent, took, told) = send(&between, suites).await;
                assert!(sent.is_ok(), "{suites} {path} {says}: {sent:?}");
                assert_eq!(between.relay().texts(), ["text"]);
                assert_eq!(told.solved.into_inner(), 1);
                assert_eq!(told.refused.into_inner().unwrap(), [(says, true); 4]);
                let pauses = Duration::from_secs(1 + 2 + 4 + 8);
                assert!(took >= pauses && took <= pauses.mul_f64(1.3), "{took:?}");
            }
        }
        let between = says_first("/pow", Refusal::SlowDown, 1);
        let (sent, took, _) = send(&between, suites).await;
        assert!(sent.is_ok(), "{sent:?}");
        assert!(took >= Duration::from_secs(60) && took <= Duration::from_secs(80));
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_refused_is_given_up_before_the_challenge_ends_and_told_for_how_long() {
    for suites in EACH_SUITE {
        let between = says_first("/exchange_keys", Refusal::Full, usize::MAX);
        let (sent, took, _) = send(&between, suites).await;
        let Err(Failure::StillRefused(Refusal::Full, time)) = sent else {
            panic!("{sent:?}");
        };
        let latest = LIFETIME - REPEAT_MARGIN;
        assert!(
            took <= latest && took + MAX_REPEAT_PAUSE.mul_f64(1.3) >= latest,
            "{took:?}"
        );
        assert!(time <= took && time > took / 2);

        let between = says_first("/pow", Refusal::TimedOut, usize::MAX);
        let (sent, took, told) = send(&between, suites).await;
        assert!(
            matches!(sent, Err(Failure::StillRefused(Refusal::TimedOut, _))),
            "{sent:?}"
        );
        assert!(took <= UNPAID_REPEATS, "{took:?}");
        assert_eq!(told.solved.into_inner(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_price_that_rose_while_the_inbox_was_full_is_paid() {
    for suites in EACH_SUITE {
        for passing in [Refusal::Full, Refusal::TimedOut] {
            let says = [passing, Refusal::PriceRose, passing, passing];
            let between = says_in_turn("/exchange_keys", says.into_iter());
            let (sent, _, told) = send(&between, suites).await;
            assert!(sent.is_ok(), "{suites} {passing}: {sent:?}");
            assert_eq!(between.relay().texts(), ["text"]);
            assert_eq!(told.solved.into_inner(), 2, "{suites} {passing}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_of_what_was_refused_again_and_again_is_said_for_how_long() {
    for suites in EACH_SUITE {
        for (path, says) in [
            ("/exchange_keys", Refusal::Expired),
            ("/exchange_keys", Refusal::Spent),
            ("/msg", Refusal::Unproven),
            ("/msg", Refusal::Stopping),
        ] {
            let before = [Refusal::Full, Refusal::TimedOut, Refusal::Full];
            let between = says_in_turn(path, before.into_iter().chain([says]));
            let (sent, _, told) = send(&between, suites).await;
            assert!(
                matches!(sent, Err(Failure::Refused(said)) if said == says),
                "{suites} {path} {says}: {sent:?}"
            );
            assert_eq!(told.refused.into_inner().unwrap().len(), before.len());
        }

        // Full until near the end, and then something else that may pass.
        let mut left = 5;
        let says = std::iter::from_fn(move || {
            let says = if left > 0 {
                Refusal::Full
            } else {
                Refusal::SlowDown
            };
            left -= 1;
            Some(says)
        });
        let between = says_in_turn("/exchange_keys", says);
        let (sent, took, _) = send(&between, suites).await;
        assert!(
            matches!(sent, Err(Failure::Refused(Refusal::SlowDown))),
            "{suites}: {sent:?}"
        );
        assert!(took >= Duration::from_secs(1 + 2 + 4 + 8 + 16), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_stays_true_is_repeated_and_nothing_full_that_was_not_paid_for() {
    for suites in EACH_SUITE {
        for (path, says) in [
            ("/pow", Refusal::Full),
            ("/exchange_keys", Refusal::Spent),
            ("/exchange_keys", Refusal::Stopping),
            ("/msg", Refusal::Unproven),
        ] {
            let between = says_first(path, says, usize::MAX);
            let (sent, took, _) = send(&between, suites).await;
            assert!(
                matches!(sent, Err(Failure::Refused(said)) if said == says),
                "{path} {says}: {sent:?}"
            );
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
    }
}

/// Sends to `dialer` with so much patience, and without asking anybody for more than is paid unasked.
async fn send_patiently(
    dialer: &impl kkv_net::tor::Dial,
    patience: Duration,
    told: &Told,
) -> Result<Accepted, Failure> {
    let rng = &mut rand::make_rng::<rand::rngs::StdRng>();
    let delivery = Delivery {
        dialer,
        options: DeliveryOptions {
            suites: SuitePolicy::Only(Suite::V2),
            solver: Solver {
                threads: NonZeroUsize::MIN,
                ..Solver::default()
            },
            timeout: patience,
            ..DeliveryOptions::new(target())
        },
        clock: &kkv_base::clock::ManualClock::new(START),
        observer: told,
    };
    let text = Text::new(Zeroizing::new("text".to_owned())).expect("it fits");
    deliver(&delivery, SenderKey::generate(rng), &text, Reply::No, rng).await
}

#[tokio::test(start_paused = true)]
async fn a_silent_relay_is_waited_for_as_long_as_the_sender_has_patience() {
    for patience in [Duration::from_secs(5), 3 * ANSWER_TIMEOUT] {
        for path in steps(Suite::V2) {
            let relay = InProcess::new(SuitePolicy::Any, 4, 0);
            let between = Between::new(relay, path, Say::Silence(Vec::new()));
            let began = Instant::now();
            let sent = send_patiently(&between, patience, &Told::default()).await;
            match sent {
                Err(Failure::Silent(time)) => assert_eq!(time, patience),
                Err(Failure::Indeterminate(_)) => assert_eq!(*path, "/msg"),
                other => panic!("{other:?}"),
            }
            let (took, bound) = (began.elapsed(), patience * SILENT_ATTEMPTS);
            assert!(
                took >= bound && took < bound + Duration::from_secs(2),
                "{took:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_price_that_takes_hours_is_not_paid_unasked_however_long_the_relay_gives() {
    // One core of any machine computes 25 million to 2.4 billion hashes a second: so this takes it longer than a
    // quarter of an hour, and not a day.
    let lies = Lies {
        challenge: Some(|bytes| {
            bytes[1] = 41;
            bytes[4..8].copy_from_slice(&86_400_u32.to_le_bytes());
        }),
        ..Lies::default()
    };
    let (relay, told) = (KnownRelay::new(lies), Told::default());
    let sent = send_patiently(&relay, ANSWER_TIMEOUT, &told).await;
    let Err(Failure::TooDear(price)) = sent else {
        panic!("{sent:?}");
    };
    assert!(price.is_likely() && price.time == Duration::from_secs(24 * 60 * 60));
    assert_eq!(told.asked.into_inner(), 1);
}
