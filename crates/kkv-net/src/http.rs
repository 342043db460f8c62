//! HTTP/1.1 as this project serves it: bounded in memory and time, without a `Date` or `Server` header, and closed to
//! browsers but for pages that are theirs.
//!
//! Every new connection is accepted. At its limit, a connection replaces the one that has been idle longest in the same
//! phase: see [`ConnectionLimits`].

mod browsers;
mod connection;
mod error_response;
mod filter;
mod limits;

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

pub use browsers::Site;
use connection::Connection;
pub use connection::Progress;
pub use filter::AllowedHosts;
pub use limits::ConnectionLimits;

/// A source of connections to serve HTTP on: a loopback port, a Unix socket, an onion service.
pub trait Accept: Send + 'static {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Which values of `Host` are served here. Requests with another one are refused.
    fn allowed_hosts(&self) -> AllowedHosts;

    /// Waits for the next connection. A connection that fails is skipped. `None` once the source has ended.
    fn accept(&mut self) -> impl Future<Output = Option<Self::Stream>> + Send;
}

/// No connection is accepted any more: the accept loop has panicked, or the listener has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptStopped;

/// Serves `site` on every connection of `listener`, within `limits`, until dropped. Returns only if accepting fails
/// for good.
pub async fn serve(
    mut listener: impl Accept,
    site: impl Into<Site>,
    limits: ConnectionLimits,
) -> AcceptStopped {
    let site = site.into();
    let admission = limits.admission();
    let hosts = listener.allowed_hosts();
    // A task of its own is scheduled like the connections. `block_on` polls its future more often than any task, and
    // would accept a crowd faster than evicted connections can end.
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        while let Some(stream) = listener.accept().await {
            tokio::spawn(Connection::admit(&admission, hosts).serve(stream, site.clone()));
        }
    });
    accepting.join_next().await;
    AcceptStopped
}

/// Serves one connection to its end, as [`serve`] does each, with all of `limits` to itself. For tests and fuzzing,
/// which have no listener.
pub async fn serve_connection<S>(
    stream: S,
    site: impl Into<Site>,
    limits: ConnectionLimits,
    hosts: AllowedHosts,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = Connection::admit(&limits.admission(), hosts);
    connection.serve(stream, site.into()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;

    /// Fails at once: by a panic, or by its end.
    struct Failing {
        panics: bool,
    }

    impl Accept for Failing {
        type Stream = tokio::io::DuplexStream;

        fn allowed_hosts(&self) -> AllowedHosts {
            AllowedHosts::Owner
        }

        async fn accept(&mut self) -> Option<Self::Stream> {
            assert!(!self.panics, "as a bug would");
            None
        }
    }

    #[tokio::test]
    async fn serve_returns_when_nothing_is_accepted_any_more() {
        for panics in [true, false] {
            let limits = ConnectionLimits::default();
            let end = serve(Failing { panics }, Router::new(), limits).await;
            assert_eq!(end, AcceptStopped);
        }
    }
}
