//! A relay may answer with anything, at any length, for any time. The sender neither crashes nor hangs, and says what
//! it was.

mod any_bytes;
mod asks;
pub(crate) mod between;
mod bodies;
mod hanging;
mod http;
mod invited;
pub(crate) mod known_relay;
mod refusals;
mod repeated;
mod signed;
mod uploads;

use kkv_client::sender::{Failure, Indeterminate};
use kkv_protocol::error::ProtocolError;
use kkv_protocol::suite::{Suite, SuitePolicy};

use crate::in_process::InProcess;
use between::{Between, Say, steps};

/// What an answer comes to at one step.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// No answer of a kkv relay: a fault before the message, an unclear outcome after it.
    Nonsense,
    /// The connection broke each time it was tried.
    Broken,
    /// Nothing came in time, each time it was tried.
    Silent,
    /// A status other than 200, without a reason, that is no clear refusal of a message.
    Status(u16),
}

impl Expected {
    /// Whether `failure` says this at `path`.
    fn is(self, path: &str, failure: &Failure) -> bool {
        let message = path == "/msg";
        match (self, failure) {
            (Self::Nonsense, Failure::Protocol(ProtocolError::Malformed))
            | (Self::Broken, Failure::Broken)
            | (Self::Silent, Failure::Silent(_)) => !message,
            (Self::Status(status), Failure::RefusedUnread(said)) => !message && *said == status,
            (Self::Nonsense | Self::Status(_), Failure::Indeterminate(Indeterminate::Unclear))
            | (Self::Broken | Self::Silent, Failure::Indeterminate(Indeterminate::Lost)) => message,
            _ => false,
        }
    }
}

/// Has a message delivered to a relay that is honest but at one step, for each step of each suite, and checks what the
/// sender says.
///
/// `say` is given the suite and the path and may pass one over.
async fn at_each_step(
    case: &str,
    expected: Expected,
    mut say: impl FnMut(Suite, &'static str) -> Option<Say>,
) {
    for suite in [Suite::V1, Suite::V2] {
        for (index, path) in steps(suite).iter().copied().enumerate() {
            let Some(say) = say(suite, path) else {
                continue;
            };
            let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), path, say);
            let only = SuitePolicy::Only(suite);
            let failure = crate::delivery::deliver_to(&between, only, "text")
                .await
                .failure();
            assert!(
                expected.is(path, &failure),
                "{case}, {suite} {path}: {failure:?} instead of {expected:?}"
            );
            assert!(!between.flooded(), "{case} {path}: all of it was taken");
            // It went as far as this step and no further, however often it asked.
            let asked = between.asked();
            assert!(asked.iter().all(|line| {
                steps(suite)[..=index]
                    .iter()
                    .any(|path| line.ends_with(path))
            }));
            let times = asked.iter().filter(|line| line.ends_with(path)).count();
            let tried = match expected {
                Expected::Broken => kkv_base::limits::ATTEMPTS,
                Expected::Silent => kkv_base::limits::SILENT_ATTEMPTS,
                Expected::Nonsense | Expected::Status(_) => 1,
            };
            assert_eq!(
                times,
                usize::try_from(tried).expect("a few"),
                "{case} {path}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_lie_the_relays_of_these_tests_are_believed() {
    let honest = known_relay::KnownRelay::new(known_relay::Lies::default());
    let only = SuitePolicy::Only(Suite::V2);
    let delivered = crate::delivery::deliver_to(&honest, only, "text").await;
    assert!(delivered.result.is_ok(), "{:?}", delivered.result);
    for suite in [Suite::V1, Suite::V2] {
        let say = Say::Changed(Box::new(|answer| answer));
        let between = Between::new(InProcess::new(SuitePolicy::Any, 4, 0), "/msg", say);
        let only = SuitePolicy::Only(suite);
        let delivered = crate::delivery::deliver_to(&between, only, "text").await;
        assert!(delivered.result.is_ok(), "{:?}", delivered.result);
        assert_eq!(between.relay().texts(), ["text"]);
    }
}
