//! Monitors Tor's TCP connections: whether there is a network at all.
//!
//! arti reports that it is offline after a minute at the earliest, and never once it has been online. Every connection
//! passes through here, so we know at once.

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

/// A connection that has received more than a handshake, with a relay or with a censor that cuts it, is a working
/// channel.
const CHANNEL_BYTES: usize = 8 * 1024;
/// The network is at fault after this many failed connections in a row; a single one may be one relay's fault.
const FAILURES: u32 = 3;
/// Or if no connection succeeds for this long after the first failure.
const FAILING: Duration = Duration::from_secs(5);
/// A working network answers what is written within this time: both ends of a channel send padding at least every ten
/// seconds.
const SILENCE: Duration = Duration::from_secs(20);

/// What the connections tell about the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network(Arc<Mutex<Observed>>);

#[derive(Debug, Default)]
struct Observed {
    /// Working channels.
    channels: u32,
    /// Connections that failed since the last working channel.
    failures: u32,
    /// When the first of them failed, and how the last one did.
    failing: Option<(Instant, TorTrouble)>,
    /// Since when nothing was received after something was written.
    unanswered: Option<Instant>,
}

impl Network {
    /// What is wrong with the network.
    pub(crate) fn trouble(&self) -> Option<TorTrouble> {
        let observed = lock(&self.0);
        if observed.channels == 0 {
            let (since, trouble) = observed.failing?;
            return (observed.failures >= FAILURES || since.elapsed() > FAILING).then_some(trouble);
        }
        let silent = observed
            .unanswered
            .is_some_and(|since| since.elapsed() > SILENCE);
        silent.then_some(TorTrouble::Unreachable)
    }

    fn failed(&self, trouble: TorTrouble) {
        let mut observed = lock(&self.0);
        observed.failures = observed.failures.saturating_add(1);
        let since = observed
            .failing
            .map_or_else(Instant::now, |(since, _)| since);
        observed.failing = Some((since, trouble));
    }
}

/// Connects by `T`, and monitors the connections.
#[derive(Clone)]
pub(crate) struct Monitored<T> {
    pub(crate) inner: T,
    pub(crate) network: Network,
}

#[async_trait]
impl<T: NetStreamProvider> NetStreamProvider for Monitored<T> {
    type Stream = MonitoredStream<T::Stream>;
    type Listener = NoListener<T::Stream>;
    type ConnectOptions = T::ConnectOptions;
    type ListenOptions = T::ListenOptions;

    async fn connect(
        &self,
        address: &SocketAddr,
        options: &Self::ConnectOptions,
    ) -> io::Result<Self::Stream> {
        match self.inner.connect(address, options).await {
            Ok(inner) => Ok(MonitoredStream {
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

    /// Nothing listens here: clients come by circuits that this side has built.
    async fn listen(&self, _: &SocketAddr, _: &Self::ListenOptions) -> io::Result<Self::Listener> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// A monitored connection.
pub(crate) struct MonitoredStream<S> {
    inner: S,
    network: Network,
    received: usize,
}

impl<S> MonitoredStream<S> {
    fn read(&mut self, bytes: usize) {
        let before = self.received;
        self.received = before.saturating_add(bytes);
        let mut observed = lock(&self.network.0);
        observed.unanswered = None;
        if before < CHANNEL_BYTES && self.received >= CHANNEL_BYTES {
            observed.channels += 1;
            observed.failures = 0;
            observed.failing = None;
        }
    }

    fn wrote(&self) {
        let mut observed = lock(&self.network.0);
        observed.unanswered.get_or_insert_with(Instant::now);
    }
}

impl<S> Drop for MonitoredStream<S> {
    fn drop(&mut self) {
        if self.received >= CHANNEL_BYTES {
            lock(&self.network.0).channels -= 1;
        } else {
            self.network.failed(TorTrouble::Blocked);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MonitoredStream<S> {
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

impl<S: AsyncWrite + Unpin> AsyncWrite for MonitoredStream<S> {
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

impl<S: StreamOps> StreamOps for MonitoredStream<S> {
    fn set_tcp_notsent_lowat(&self, low_water: u32) -> io::Result<()> {
        self.inner.set_tcp_notsent_lowat(low_water)
    }

    fn new_handle(&self) -> Box<dyn StreamOps + Send + Unpin> {
        self.inner.new_handle()
    }
}

/// A listener that can't exist.
pub(crate) struct NoListener<S> {
    never: std::convert::Infallible,
    _stream: std::marker::PhantomData<fn() -> S>,
}

impl<S: Send + 'static> NetStreamListener for NoListener<S>
where
    MonitoredStream<S>: AsyncRead + AsyncWrite + StreamOps + Send + Sync + Unpin + 'static,
{
    type Stream = MonitoredStream<S>;
    type Incoming = Pending<io::Result<(Self::Stream, SocketAddr)>>;

    fn incoming(self) -> Self::Incoming {
        pending()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.never {}
    }
}
