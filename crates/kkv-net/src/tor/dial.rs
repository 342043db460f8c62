//! Dialling an inbox: the interface of all ways, and why dialling fails.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::TorTrouble;
use kkv_base::count::counted;
use kkv_base::limits::{DIAL_ATTEMPT_TIMEOUT, DIAL_PAUSE};

/// Dials one inbox.
pub trait Dial: Sync {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects, or fails within bounded time.
    fn dial(&self) -> impl Future<Output = Result<Self::Stream, DialError>> + Send;
}

/// Why no connection was made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Nothing listens on the SOCKS port.
    #[error("no Tor answers at {proxy}: {fault}")]
    NoTor {
        /// The SOCKS port.
        proxy: SocketAddr,
        /// The error of connect(2).
        fault: io::Error,
    },
    /// What listens there is no Tor, or refuses the request.
    #[error("what answers at {proxy} doesn't behave like Tor's SOCKS port: {fault}")]
    NotTor {
        /// The SOCKS port.
        proxy: SocketAddr,
        /// What it did.
        fault: String,
    },
    /// The embedded Tor has no connection to the network.
    #[error("no connection to Tor: {0}")]
    NotConnected(TorTrouble),
    /// Tor can't find or reach the onion service.
    #[error("Tor can't find or reach this onion service: {0}")]
    NoService(NoService),
    /// Nothing listens at the loopback address.
    #[error("nothing answers at {address}: {fault}")]
    NoRelay {
        /// The loopback address.
        address: SocketAddr,
        /// The error of connect(2).
        fault: io::Error,
    },
    /// It took too long. Tor lets a request wait for two minutes while it has no connection itself, and while an
    /// introduction point hasn't noticed that the service is gone.
    #[error("no connection within {}; the inbox may just have gone, or Tor is slow or not connected", counted(.0.as_secs(), "second"))]
    TimedOut(Duration),
}

/// Why Tor can't reach an onion service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoService {
    /// No directory has a descriptor for it.
    #[error(
        "it isn't published; the address may be wrong or out of use, or the inbox off or just started"
    )]
    NotPublished,
    /// It has a descriptor, and the rendezvous fails. An old `tor` reports so, too, if nothing listens behind the
    /// service.
    #[error(
        "it is published, but nothing answers there; its relay or its Tor may be off, or has just been restarted"
    )]
    NoAnswer,
    /// It refuses this port.
    #[error("it is up, but no inbox is at this port")]
    NoInbox,
    /// Its descriptor is encrypted for authorised clients.
    #[error("it lets in only those whom its owner gave a key, and this Tor has none that fits")]
    Closed,
    /// Another reason.
    #[error("{0}")]
    Other(&'static str),
}

impl DialError {
    /// Whether another attempt, on other circuits or a moment later, may succeed.
    fn is_transient(&self) -> bool {
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

/// Calls `attempt` until it connects, fails for good, or `timeout` is over. Each attempt should use circuits of its
/// own. An attempt may take a third of the time, and at most [`DIAL_ATTEMPT_TIMEOUT`]: Tor may retry one dead service
/// for minutes by itself.
///
/// # Errors
/// That of an attempt: the last one that is more specific than [`DialError::TimedOut`].
pub async fn retry<S, F>(timeout: Duration, attempt: impl Fn() -> F) -> Result<S, DialError>
where
    F: Future<Output = Result<S, DialError>>,
{
    let end = Instant::now() + timeout;
    let longest = DIAL_ATTEMPT_TIMEOUT.min(timeout / 3);
    let mut reason = None;
    loop {
        let now = Instant::now();
        let limit = end.min(now + longest);
        let fault = match timeout_at(limit, attempt()).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(fault)) if !fault.is_transient() => return Err(fault),
            Ok(Err(fault)) => fault,
            Err(_) => DialError::TimedOut(timeout),
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

    /// Retries for a minute. Attempts end as in `ends`; later ones never end.
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
        let result = retry(MINUTE, || async {
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
    async fn transient_errors_are_retried_and_others_returned_at_once() {
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
    async fn attempts_that_never_end_fail_within_the_timeout() {
        let (result, count, time) = tried([]).await;
        assert!(matches!(result, Err(DialError::TimedOut(MINUTE))));
        assert!(time <= MINUTE, "{time:?}");
        assert!(count > 1, "one stuck attempt must not take all the time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_specific_error_outlasts_a_timeout() {
        let (result, _, _) = tried([Some(DialError::NoService(NoService::NoAnswer))]).await;
        assert!(matches!(
            result,
            Err(DialError::NoService(NoService::NoAnswer))
        ));
    }
}
