//! Time runs out between two steps: a session ends before its message, a challenge before its solution, an answer is
//! lost and asked for late.

use std::sync::Arc;
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_client::sender::{Accepted, Event, Failure, Indeterminate};
use kkv_pow::Cost;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, Relay, RelayConfig};

use super::sweep::{AtEvent, TEXT, assert_sessions_end, relay, settle, undisturbed};
use super::talk::{Speaker, exchanges};
use crate::cut::{Cut, CutLine, End, Moment, Then, Way};
use crate::in_process::{InProcess, START, send_observed};

const BOTH: [Suite; 2] = [Suite::V1, Suite::V2];
const TICK: Duration = Duration::from_millis(1);

/// Sends to `relay` while `before` passes just before the message goes and `lost` between the message and its
/// repetition, its first answer being lost. (`None`: the answer is not lost.)
async fn send_late(
    relay: &InProcess,
    suite: Suite,
    before: Duration,
    lost: Option<Duration>,
) -> Result<Accepted, Failure> {
    let lengths = undisturbed(suite).await;
    let cut = lost.map(|_| Cut {
        way: Way::ToSender,
        after: lengths.before_message[1],
        moment: Moment::Next,
        end: End::Closed,
        failed_dials: 0,
    });
    let clock = Arc::clone(&relay.clock);
    let line = CutLine::new(relay, cut, Then::Works)
        .at_strike(move || clock.advance(lost.unwrap_or_default()));
    let observer = AtEvent(|event| {
        if matches!(event, Event::Sending) {
            relay.clock.advance(before);
        }
    });
    let result = send_observed(&line, SuitePolicy::Only(suite), TEXT, &observer).await;
    settle().await;
    assert_eq!(line.struck(), u32::from(lost.is_some()));
    result
}

#[tokio::test(start_paused = true)]
async fn a_session_takes_its_message_until_its_time_is_over_and_not_after() {
    for suite in BOTH {
        let in_time = relay(suite);
        let sent = send_late(&in_time, suite, SESSION_LIFETIME - TICK, None).await;
        assert!(sent.is_ok(), "{sent:?}");
        assert_eq!(in_time.texts(), [TEXT]);

        let late = relay(suite);
        let sent = send_late(&late, suite, SESSION_LIFETIME, None).await;
        assert!(
            matches!(sent, Err(Failure::Refused(Refusal::Unproven))),
            "{sent:?}"
        );
        assert!(late.texts().is_empty());
        assert_eq!(late.reserved(), 1, "until the relay looks at its clock");
        assert_sessions_end(&late, &suite);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_remembered_for_a_whole_session_lifetime_after_the_message() {
    let nearly = SESSION_LIFETIME - TICK;
    for suite in BOTH {
        let relay = relay(suite);
        let sent = send_late(&relay, suite, nearly, Some(nearly)).await;
        assert!(sent.is_ok(), "{sent:?}");
        assert_eq!(relay.texts(), [TEXT]);
        assert_sessions_end(&relay, &suite);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_asked_for_again_after_its_session_was_forgotten_leaves_a_doubt_and_one_message()
{
    for suite in BOTH {
        let relay = relay(suite);
        let sent = send_late(&relay, suite, TICK, Some(SESSION_LIFETIME)).await;
        let doubt = Indeterminate::Refused(Refusal::Unproven);
        assert!(
            matches!(sent, Err(Failure::Indeterminate(d)) if d == doubt),
            "{sent:?}"
        );
        assert_eq!(relay.texts(), [TEXT]);
        assert_sessions_end(&relay, &suite);
    }
}

#[tokio::test(start_paused = true)]
async fn a_solution_that_comes_when_its_challenge_is_over_opens_nothing() {
    for suite in BOTH {
        let late = relay(suite);
        let sent = send_after(&late, suite, Duration::from_secs(60)).await;
        assert!(
            matches!(sent, Err(Failure::Refused(Refusal::Expired))),
            "{sent:?}"
        );
        assert!(late.texts().is_empty());
        assert_eq!(late.reserved(), 0);

        let in_time = relay(suite);
        let sent = send_after(&in_time, suite, Duration::from_secs(59)).await;
        assert!(sent.is_ok(), "{sent:?}");
        assert_eq!(in_time.texts(), [TEXT]);
    }
}

#[test]
fn an_exchange_asked_for_again_is_answered_until_its_session_ends_though_its_challenge_lives_longer()
 {
    let clock = Arc::new(ManualClock::new(START));
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(0).unwrap(),
            adaptive: true,
        },
        expected_seconds: 600,
        suites: SuitePolicy::Any,
    };
    let queue = Queue::new(2, None).expect("so much memory");
    let relay = Relay::new(config, queue, clock.clone(), &mut rand::rng());
    let who = Speaker {
        key: 1,
        exchange: 1,
    };
    let ask = exchanges(who, &relay);
    let opened = ask();
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    clock.advance(SESSION_LIFETIME - TICK);
    assert_eq!(ask(), opened);
    clock.advance(TICK);
    assert_eq!(ask(), [Err(Refusal::Spent), Err(Refusal::Spent)]);
    relay.purge();
    assert_eq!(ask(), [Err(Refusal::Spent), Err(Refusal::Spent)]);
}

/// Sends to `relay` while `time` passes between the challenge and its solution.
async fn send_after(relay: &InProcess, suite: Suite, time: Duration) -> Result<Accepted, Failure> {
    let observer = AtEvent(|event| {
        if matches!(event, Event::Exchanging) {
            relay.clock.advance(time);
        }
    });
    send_observed(relay, SuitePolicy::Only(suite), TEXT, &observer).await
}

#[tokio::test(start_paused = true)]
async fn a_slot_comes_back_by_itself_when_its_sender_stays_away() {
    for suite in BOTH {
        let inbox = relay(suite);
        let keeper = Arc::clone(&inbox.relay);
        let purging = tokio::spawn(async move { keeper.purge_when_due().await });
        settle().await; // it waits for the first session by now

        // The line ends between the exchange and the message, and for good.
        let lengths = undisturbed(suite).await;
        let cut = Cut {
            way: Way::ToRelay,
            after: lengths.before_message[0],
            moment: Moment::Next,
            end: End::Closed,
            failed_dials: 0,
        };
        let line = CutLine::new(&inbox, [cut], Then::NoDial);
        let sent = send_observed(&line, SuitePolicy::Only(suite), TEXT, &AtEvent(|_| ())).await;
        assert!(matches!(sent, Err(Failure::Unreachable(_))), "{sent:?}");
        assert_eq!(inbox.reserved(), 1);

        inbox.clock.advance(SESSION_LIFETIME);
        tokio::time::sleep(SESSION_LIFETIME + Duration::from_secs(1)).await;
        assert_eq!(inbox.reserved(), 0);
        purging.abort();
    }
}
