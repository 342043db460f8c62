//! Dialling an inbox: what every way of doing so promises, and why none may lead there.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::TorTrouble;
use kkv_base::count::counted;
use kkv_base::limits::{DIAL_ATTEMPT_TIMEOUT, DIAL_PAUSE};

/// A way to one inbox.
pub trait Dial: Sync {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects, or gives up in bounded time.
    fn dial(&self) -> impl Future<Output = Result<Self::Stream, DialError>> + Send;
}

/// Why no connection came about. Nothing was sent then.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Nothing answers at the SOCKS port.
    #[error("no Tor answers at {proxy}: {fault}")]
    NoTor {
        /// The SOCKS port.
        proxy: SocketAddr,
        /// What the kernel says.
        fault: io::Error,
    },
    /// What answers there is no Tor, or one that may not connect.
    #[error("what answers at {proxy} doesn't behave like Tor's SOCKS port: {fault}")]
    NotTor {
        /// The SOCKS port.
        proxy: SocketAddr,
        /// What is wrong with it.
        fault: String,
    },
    /// The Tor inside got no connection to the network.
    #[error("no connection to Tor: {0}")]
    NotConnected(TorTrouble),
    /// Tor can't find or reach the onion service.
    #[error("Tor can't find or reach this onion service: {0}")]
    NoService(NoService),
    /// Nothing answers at the loopback address.
    #[error("nothing answers at {address}: {fault}")]
    NoRelay {
        /// The loopback address.
        address: SocketAddr,
        /// What the kernel says.
        fault: io::Error,
    },
    /// It took too long. Tor keeps its clients waiting for two minutes while it isn't connected itself, and when an
    /// introduction point has not noticed yet that the service is gone.
    #[error("no connection within {}; the inbox may just have gone, or Tor is slow or not connected", counted(.0.as_secs(), "second"))]
    TimedOut(Duration),
}

/// Why Tor gives no way to an onion service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoService {
    /// No directory has a descriptor of it.
    #[error(
        "it isn't published; the address may be wrong or out of use, or the inbox off or just started"
    )]
    NotPublished,
    /// It has a descriptor, and nobody meets us; or, behind a `tor` of old, nobody listens.
    #[error(
        "it is published, but nothing answers there; its relay or its Tor may be off, or has just been restarted"
    )]
    NoAnswer,
    /// It answers, but not at this port.
    #[error("it is up, but no inbox is at this port")]
    NoInbox,
    /// Its descriptor is locked.
    #[error("it lets in only those whom its owner gave a key, and this Tor has none that fits")]
    Closed,
    /// What Tor says about it otherwise.
    #[error("{0}")]
    Other(&'static str),
}

impl DialError {
    /// Whether the next attempt, on other circuits or a moment later, may find what this one did not.
    fn may_pass(&self) -> bool {
        match self {
            Self::NoService(
                NoService::NotPublished | NoService::NoAnswer | NoService::Other(_),
            )
            | Self::TimedOut(_) => true,
            Self::NoService(NoService::NoInbox | NoService::Closed)
            | Self::NoTor { .. }
            | Self::NotTor { .. }
            | Self::NotConnected(_)
            | Self::NoRelay { .. } => false,
        }
    }
}

/// Calls `attempt` until it connects, fails for good, or `patience` is over; each call is to use circuits of its own.
/// An attempt may last a third of the time, [`DIAL_ATTEMPT_TIMEOUT`] at most: left alone, Tor may try the same dead way for
/// minutes.
///
/// # Errors
/// What the attempts came to: rather a reason than that time was over.
pub async fn persist<S, F>(patience: Duration, attempt: impl Fn() -> F) -> Result<S, DialError>
where
    F: Future<Output = Result<S, DialError>>,
{
    let end = Instant::now() + patience;
    let longest = DIAL_ATTEMPT_TIMEOUT.min(patience / 3);
    let mut reason = None;
    loop {
        let now = Instant::now();
        let limit = end.min(now + longest);
        let fault = match timeout_at(limit, attempt()).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(fault)) if !fault.may_pass() => return Err(fault),
            Ok(Err(fault)) => fault,
            Err(_) => DialError::TimedOut(patience),
        };
        if reason.is_none() || !matches!(fault, DialError::TimedOut(_)) {
            reason = Some(fault);
        }
        let next = Instant::now() + DIAL_PAUSE;
        if next >= end {
            return Err(reason.expect("set by the first attempt"));
        }
        sleep_until(next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Persists for a minute while attempts end as in `ends`; the last of them goes on for ever.
    async fn tried(
        ends: impl IntoIterator<Item = Option<DialError>>,
    ) -> (Result<(), DialError>, usize, Duration) {
        let ends = Mutex::new((ends.into_iter(), 0));
        let began = Instant::now();
        let next = || {
            let mut ends = ends.lock().unwrap();
            ends.1 += 1;
            ends.0.next()
        };
        let result = persist(MINUTE, || async {
            match next() {
                Some(Some(fault)) => Err(fault),
                Some(None) => Ok(()),
                None => std::future::pending().await,
            }
        })
        .await;
        let count = ends.into_inner().unwrap().1;
        (result, count, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_and_what_stays_is_said_at_once() {
        let unpublished = || Some(DialError::NoService(NoService::NotPublished));
        let (result, count, time) = tried([unpublished(), unpublished(), None]).await;
        assert!(result.is_ok());
        assert_eq!((count, time), (3, 2 * DIAL_PAUSE));

        let closed = Some(DialError::NoService(NoService::Closed));
        let (result, count, time) = tried([closed]).await;
        assert!(matches!(
            result,
            Err(DialError::NoService(NoService::Closed))
        ));
        assert_eq!((count, time), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_way_that_leads_nowhere_ends_within_the_time_given() {
        let (result, count, time) = tried([]).await;
        assert!(matches!(result, Err(DialError::TimedOut(MINUTE))));
        assert!(time <= MINUTE, "{time:?}");
        assert!(count > 1, "one stuck attempt must not take all the time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reason_is_not_forgotten_over_an_attempt_that_only_takes_time() {
        let (result, _, _) = tried([Some(DialError::NoService(NoService::NoAnswer))]).await;
        assert!(matches!(
            result,
            Err(DialError::NoService(NoService::NoAnswer))
        ));
    }
}
