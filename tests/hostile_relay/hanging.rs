//! Relays that accept a connection and then let the sender wait. Time is the test's own here, and runs ahead whenever
//! everybody waits.

use std::sync::Mutex;
use std::time::Duration;

use kkv_base::limits::{ANSWER_TIMEOUT, ATTEMPTS, DIAL_TIMEOUT, RETRY_PAUSE, SILENT_ATTEMPTS};
use kkv_client::sender::{Failure, Indeterminate};
use kkv_net::tor::{Dial, DialError};
use kkv_protocol::suite::SuitePolicy;
use tokio::io::DuplexStream;
use tokio::time::Instant;

use super::between::{Between, Say, steps};
use super::{Expected, at_each_step};
use crate::delivery::deliver_to;
use crate::in_process::{EACH_SUITE, InProcess};

/// As long as a step may take: every attempt in full, and the pauses between them, each twice the one before.
fn longest(attempt: Duration) -> Duration {
    attempt * ATTEMPTS + RETRY_PAUSE * ((1 << (ATTEMPTS - 1)) - 1)
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_never_answers_is_given_up_at_each_step() {
    for said in [
        "",
        "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"bytes\":\"",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        at_each_step(said, Expected::Silent, |_, _| {
            Some(Say::Silence(said.as_bytes().to_vec()))
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_answers_a_byte_at_a_time_is_given_up_at_each_step() {
    let pause = ANSWER_TIMEOUT / 6;
    for (first, again) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n", "0"),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "y"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n"),
        ("", "\r\n"),
    ] {
        at_each_step(again, Expected::Silent, |_, _| {
            let (first, again) = (first.as_bytes().to_vec(), again.as_bytes().to_vec());
            Some(Say::Drip(first, again, pause))
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_relay_costs_two_minutes_and_no_more() {
    for suites in EACH_SUITE {
        for path in steps(suites.suites()[0]) {
            let relay = InProcess::new(SuitePolicy::Any, 4, 0);
            let between = Between::new(relay, path, Say::Silence(Vec::new()));
            let start = Instant::now();
            let failure = deliver_to(&between, suites, "text").await.failure();
            let right = match failure {
                Failure::Silent(ANSWER_TIMEOUT) => *path != "/msg",
                Failure::Indeterminate(Indeterminate::Lost) => *path == "/msg",
                _ => false,
            };
            assert!(right, "{suites} {path}: {failure:?}");
            let took = start.elapsed();
            let bound = ANSWER_TIMEOUT * SILENT_ATTEMPTS + RETRY_PAUSE;
            assert!(
                took >= bound && took < bound + Duration::from_secs(1),
                "{took:?}"
            );
        }
    }
}

/// A way there that works some times and then hangs; the far ends it gives out are kept, and never read.
#[derive(Debug)]
struct Hangs {
    pipe_bytes: usize,
    works: Mutex<usize>,
    kept: Mutex<Vec<DuplexStream>>,
}

impl Hangs {
    fn after(works: usize, pipe_bytes: usize) -> Self {
        Self {
            pipe_bytes,
            works: Mutex::new(works),
            kept: Mutex::default(),
        }
    }
}

impl Dial for Hangs {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let works = {
            let mut left = self.works.lock().expect("nobody panics there");
            let works = *left > 0;
            *left = left.saturating_sub(1);
            works
        };
        if !works {
            // As a way through Tor does that leads nowhere.
            tokio::time::sleep(DIAL_TIMEOUT).await;
            return Err(DialError::TimedOut(DIAL_TIMEOUT));
        }
        let (near, far) = tokio::io::duplex(self.pipe_bytes);
        self.kept.lock().expect("nobody panics there").push(far);
        Ok(near)
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_comes_about_is_given_up_after_a_minute() {
    for suites in EACH_SUITE {
        let start = Instant::now();
        let failure = deliver_to(&Hangs::after(0, 1), suites, "text")
            .await
            .failure();
        assert!(
            matches!(failure, Failure::Unreachable(DialError::TimedOut(_))),
            "{failure:?}"
        );
        let took = start.elapsed();
        assert!(took >= DIAL_TIMEOUT && took < DIAL_TIMEOUT + Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_never_reads_is_given_up() {
    for suites in EACH_SUITE {
        // A pipe of one byte: the request itself can't be sent.
        let start = Instant::now();
        let failure = deliver_to(&Hangs::after(usize::MAX, 1), suites, "text")
            .await
            .failure();
        assert!(matches!(failure, Failure::Silent(_)), "{failure:?}");
        assert!(start.elapsed() < longest(ANSWER_TIMEOUT) + Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_silent_and_then_gone_is_given_up() {
    for suites in EACH_SUITE {
        let start = Instant::now();
        let failure = deliver_to(&Hangs::after(1, 64), suites, "text")
            .await
            .failure();
        assert!(
            matches!(failure, Failure::Unreachable(DialError::TimedOut(_))),
            "{failure:?}"
        );
        let each = ANSWER_TIMEOUT.max(DIAL_TIMEOUT);
        assert!(start.elapsed() < longest(each) + Duration::from_secs(1));
    }
}
