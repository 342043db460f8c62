//! A relay that is far away: what the way to it takes, and the way of its answers, is not taken from the time to pay.

use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_client::sender::{Accepted, Delivery, DeliveryOptions, Event, Failure, Reply, deliver};
use kkv_net::tor::{Dial, DialError};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy, duplex, split};
use zeroize::Zeroizing;

use super::sweep::{AtEvent, TEXT, relay};
use crate::in_process::{InProcess, PIPE_BYTES, START, target};

const BOTH: [Suite; 2] = [Suite::V1, Suite::V2];
/// Longer than the relay gives for paying.
const AGES: Duration = Duration::from_secs(70);
const WHILE: Duration = Duration::from_secs(25);
const LITTLE: Duration = Duration::from_secs(10);

/// The way to a relay.
#[derive(Debug)]
struct Far<'r> {
    relay: &'r InProcess,
    /// What it takes to find it.
    there: Duration,
    /// What each piece of its answers takes.
    back: Duration,
}

impl Dial for Far<'_> {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        tokio::time::sleep(self.there).await;
        let (near, middle) = duplex(PIPE_BYTES);
        let (mut from_sender, mut to_sender) = split(middle);
        let (mut from_relay, mut to_relay) = split(self.relay.connect());
        tokio::spawn(async move { copy(&mut from_sender, &mut to_relay).await });
        let back = self.back;
        tokio::spawn(async move {
            let mut piece = vec![0; PIPE_BYTES];
            while let Ok(length @ 1..) = from_relay.read(&mut piece).await {
                tokio::time::sleep(back).await;
                if to_sender.write_all(&piece[..length]).await.is_err() {
                    return;
                }
            }
        });
        Ok(near)
    }
}

/// Sends over `way`, and tells how long there was to pay each time.
async fn send(
    way: &Far<'_>,
    suite: Suite,
    max_time: Option<Duration>,
) -> (Result<Accepted, Failure>, Vec<Duration>) {
    let times = std::sync::Mutex::new(Vec::new());
    let observer = AtEvent(|event| {
        if let Event::Solving { time, .. } = event {
            times.lock().expect("nobody panics there").push(time);
        }
    });
    let delivery = Delivery {
        dialer: way,
        options: DeliveryOptions {
            suites: SuitePolicy::Only(suite),
            max_time,
            ..DeliveryOptions::new(target())
        },
        clock: &ManualClock::new(START),
        observer: &observer,
    };
    let mut rng = rand::make_rng::<rand::rngs::StdRng>();
    let key = SenderKey::generate(&mut rng);
    let text = Text::new(Zeroizing::new(TEXT.to_owned())).expect("it fits");
    let result = deliver(&delivery, key, &text, Reply::No, &mut rng).await;
    (result, times.into_inner().expect("nobody panics there"))
}

#[tokio::test(start_paused = true)]
async fn however_long_the_way_to_a_relay_takes_all_its_time_to_pay_is_left() {
    for suite in BOTH {
        for (there, max_time, left) in [
            (AGES, None, Duration::from_secs(60)),
            (WHILE, Some(LITTLE), LITTLE),
        ] {
            let inbox = relay(suite);
            let way = Far {
                relay: &inbox,
                there,
                back: Duration::ZERO,
            };
            let (sent, times) = send(&way, suite, max_time).await;
            assert!(sent.is_ok(), "{suite} {there:?}: {sent:?}");
            assert_eq!(inbox.texts(), [TEXT]);
            assert_eq!(times.len(), 1);
            // The timer counts in milliseconds, and rounds up.
            assert!(left - times[0] < Duration::from_millis(50), "{times:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_nothing_from_the_time_that_the_sender_gives() {
    for suite in BOTH {
        let inbox = relay(suite);
        let way = Far {
            relay: &inbox,
            there: Duration::ZERO,
            back: WHILE,
        };
        let (sent, times) = send(&way, suite, Some(LITTLE)).await;
        assert!(sent.is_ok(), "{suite}: {sent:?}");
        assert_eq!(times, [LITTLE], "{suite}");
        if suite == Suite::V2 {
            // The relay's own time has begun with its answer; in kkv/1 it ends at a time of day.
            let (sent, times) = send(&way, suite, None).await;
            assert!(sent.is_ok(), "{sent:?}");
            let left = Duration::from_secs(60) - WHILE;
            assert!(times[0] <= left && left - times[0] < LITTLE, "{times:?}");
        }
    }
}
