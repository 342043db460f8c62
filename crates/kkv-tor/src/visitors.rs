//! The visitors of an onion service: their circuits and streams, bounded.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arti_client::DataStream;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tor_cell::relaycell::msg::Connected;
use tor_hsservice::{RendRequest, StreamRequest};
use tor_proto::client::stream::{ClientDataStreamCtrl, ClientStreamCtrl};
use tor_proto::stream::IncomingStreamRequest;

use super::circuits::{Circuit, Circuits, StreamGuard};
use kkv_base::limits::RENDEZVOUS_TIMEOUT;
use kkv_net::http::{Accept, AllowedHosts};

/// The streams of an onion service's visitors.
#[derive(Debug)]
pub struct OnionListener(mpsc::Receiver<OnionStream>);

/// Where visitors come in, whichever run of Tor has brought them here.
#[derive(Debug, Clone)]
pub(super) struct Door {
    port: u16,
    streams: mpsc::Sender<OnionStream>,
    circuits: Circuits,
}

impl Door {
    /// One that leads to `port` only.
    pub(super) fn new(port: u16) -> (Self, OnionListener) {
        // Of one place: `http::serve` lets in whoever comes, so nobody waits here for longer than its turn takes.
        let (streams, listener) = mpsc::channel(1);
        let door = Self {
            port,
            streams,
            circuits: Circuits::new(),
        };
        (door, OnionListener(listener))
    }

    /// Whether any visitor is there.
    pub(super) fn is_used(&self) -> bool {
        !self.circuits.is_empty()
    }

    /// Meets visitors, whoever comes; who has got nowhere for the longest leaves when there are too many.
    pub(super) async fn meet(self, requests: impl Stream<Item = RendRequest> + Send) {
        let mut requests = std::pin::pin!(requests);
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                request = requests.next() => {
                    let Some(request) = request else { return };
                    let Some(circuit) = self.circuits.admit() else { continue };
                    visits.spawn(visit(request, self.port, self.streams.clone(), circuit));
                }
                Some(_) = visits.join_next() => {}
            }
        }
    }
}

impl Accept for OnionListener {
    type Stream = OnionStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Onion
    }

    /// None when what hosts the service has ended for good: a fault, since another run of Tor takes the place of each.
    async fn accept(&mut self) -> Option<OnionStream> {
        self.0.recv().await
    }
}

/// Serves one visitor's circuit until it is closed or evicted.
async fn visit(
    request: RendRequest,
    port: u16,
    streams: mpsc::Sender<OnionStream>,
    circuit: Arc<Circuit>,
) {
    let mut last = None;
    tokio::select! {
        biased; // what touches the permit is polled first
        () = serve_circuit(request, port, streams, &circuit, &mut last) => {}
        () = circuit.evicted() => {}
    }
    // Its streams may be anywhere in `http::serve`, and would keep it.
    if let Some(tunnel) = last.and_then(|stream| stream.tunnel()) {
        tunnel.terminate();
    }
}

/// `last` becomes what its last stream is steered by.
async fn serve_circuit(
    request: RendRequest,
    port: u16,
    streams: mpsc::Sender<OnionStream>,
    circuit: &Arc<Circuit>,
    last: &mut Option<Arc<ClientDataStreamCtrl>>,
) {
    let Ok(Ok(mut incoming)) = timeout(RENDEZVOUS_TIMEOUT, request.accept()).await else {
        return;
    };
    while let Some(request) = incoming.next().await {
        let Some(stream) = accept(request, port).await else {
            continue;
        };
        *last = stream.client_stream_ctrl().cloned();
        let guard = circuit.add_stream();
        if streams.send(OnionStream { stream, guard }).await.is_err() {
            return;
        }
    }
}

/// Accepts a stream to the inbox's port. Any other closes the visitor's circuit, as other onion services do.
async fn accept(request: StreamRequest, port: u16) -> Option<DataStream> {
    match request.request() {
        IncomingStreamRequest::Begin(begin) if begin.port() == port => {
            request.accept(Connected::new_empty()).await.ok()
        }
        _ => {
            let _ = request.shutdown_circuit();
            None
        }
    }
}

/// One visitor's stream.
pub struct OnionStream {
    stream: DataStream,
    guard: StreamGuard,
}

impl std::fmt::Debug for OnionStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnionStream")
    }
}

impl AsyncRead for OnionStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        AsyncRead::poll_read(Pin::new(&mut self.stream), cx, buffer)
    }
}

impl AsyncWrite for OnionStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = AsyncWrite::poll_write(Pin::new(&mut self.stream), cx, bytes);
        if matches!(written, Poll::Ready(Ok(_))) {
            self.guard.on_response(); // nothing else is written
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.stream), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.stream), cx)
    }
}
