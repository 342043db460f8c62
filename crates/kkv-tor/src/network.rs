//! Tor's connections, looked at from below: whether the network carries them at all.
//!
//! arti says that it is offline only after a minute, and never once it has been online. Here it shows at once, since
//! every connection passes through.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{Pending, pending};
use futures_util::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tor_rtcompat::{NetStreamListener, NetStreamProvider, StreamOps};

use kkv_base::lock;
use kkv_net::tor::TorTrouble;

/// A channel that has carried more than a handshake, with a relay or with something that cuts in, works.
const CHANNEL_BYTES: usize = 8 * 1024;
/// So many connections in a row have to fail, or one and then none come about for so long: one relay may be down.
const FAILURES: u32 = 3;
const ALONE: Duration = Duration::from_secs(5);
/// What is written is answered within this time by a network that works: both ends of a channel send padding every ten
/// seconds at most.
const SILENCE: Duration = Duration::from_secs(20);

/// What the connections say of the network.
#[derive(Debug, Clone, Default)]
pub(super) struct Network(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Connections that carry a channel.
    channels: u32,
    /// Connections that failed since the last that carried one.
    failures: u32,
    /// When the first of them did, and how the latest.
    failing: Option<(Instant, TorTrouble)>,
    /// Since when what was written has had no answer of any kind.
    unanswered: Option<Instant>,
}

impl Network {
    /// What is wrong with the network, if anything.
    pub(super) fn trouble(&self) -> Option<TorTrouble> {
        let seen = lock(&self.0);
        if seen.channels == 0 {
            let (since, trouble) = seen.failing?;
            return (seen.failures >= FAILURES || since.elapsed() > ALONE).then_some(trouble);
        }
        let silent = seen
            .unanswered
            .is_some_and(|since| since.elapsed() > SILENCE);
        silent.then_some(TorTrouble::Unreachable)
    }

    fn failed(&self, trouble: TorTrouble) {
        let mut seen = lock(&self.0);
        seen.failures = seen.failures.saturating_add(1);
        let since = seen.failing.map_or_else(Instant::now, |(since, _)| since);
        seen.failing = Some((since, trouble));
    }
}

/// Connects as `T` does, and takes note.
#[derive(Clone)]
pub(super) struct Observed<T> {
    pub(super) inner: T,
    pub(super) network: Network,
}

#[async_trait]
impl<T: NetStreamProvider> NetStreamProvider for Observed<T> {
    type Stream = ObservedStream<T::Stream>;
    type Listener = NoListener<T::Stream>;
    type ConnectOptions = T::ConnectOptions;
    type ListenOptions = T::ListenOptions;

    async fn connect(
        &self,
        address: &SocketAddr,
        options: &Self::ConnectOptions,
    ) -> io::Result<Self::Stream> {
        match self.inner.connect(address, options).await {
            Ok(inner) => Ok(ObservedStream {
                inner,
                network: self.network.clone(),
                received: 0,
            }),
            Err(fault) => {
                self.network.failed(match fault.kind() {
                    ErrorKind::NetworkUnreachable
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkDown
                    | ErrorKind::AddrNotAvailable => TorTrouble::Offline,
                    _ => TorTrouble::Unreachable,
                });
                Err(fault)
            }
        }
    }

    /// Nothing here listens to the network: visitors come through circuits that were built from this side.
    async fn listen(&self, _: &SocketAddr, _: &Self::ListenOptions) -> io::Result<Self::Listener> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// Takes note of what is written and read.
pub(super) struct ObservedStream<S> {
    inner: S,
    network: Network,
    received: usize,
}

impl<S> ObservedStream<S> {
    fn read(&mut self, bytes: usize) {
        let before = self.received;
        self.received = before.saturating_add(bytes);
        let mut seen = lock(&self.network.0);
        seen.unanswered = None;
        if before < CHANNEL_BYTES && self.received >= CHANNEL_BYTES {
            seen.channels += 1;
            seen.failures = 0;
            seen.failing = None;
        }
    }

    fn wrote(&self) {
        let mut seen = lock(&self.network.0);
        seen.unanswered.get_or_insert_with(Instant::now);
    }
}

impl<S> Drop for ObservedStream<S> {
    fn drop(&mut self) {
        if self.received >= CHANNEL_BYTES {
            lock(&self.network.0).channels -= 1;
        } else {
            self.network.failed(TorTrouble::Blocked);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ObservedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(bytes @ 1..)) = read {
            self.read(bytes);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ObservedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(1..)) = wrote {
            self.wrote();
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl<S: StreamOps> StreamOps for ObservedStream<S> {
    fn set_tcp_notsent_lowat(&self, low_water: u32) -> io::Result<()> {
        self.inner.set_tcp_notsent_lowat(low_water)
    }

    fn new_handle(&self) -> Box<dyn StreamOps + Send + Unpin> {
        self.inner.new_handle()
    }
}

/// A listener that there never is.
pub(super) struct NoListener<S> {
    never: std::convert::Infallible,
    _stream: std::marker::PhantomData<fn() -> S>,
}

impl<S: Send + 'static> NetStreamListener for NoListener<S>
where
    ObservedStream<S>: AsyncRead + AsyncWrite + StreamOps + Send + Sync + Unpin + 'static,
{
    type Stream = ObservedStream<S>;
    type Incoming = Pending<io::Result<(Self::Stream, SocketAddr)>>;

    fn incoming(self) -> Self::Incoming {
        pending()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.never {}
    }
}
