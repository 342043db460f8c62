//! The visitors of an onion service: their circuits and streams, bounded.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arti_client::DataStream;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tor_cell::relaycell::msg::Connected;
use tor_hsservice::{RendRequest, StreamRequest};
use tor_proto::stream::IncomingStreamRequest;

use crate::http::Accept;
use crate::limits::{CIRCUIT_IDLE, MAX_CIRCUITS, RENDEZVOUS_TIMEOUT};

/// The streams of an onion service's visitors.
#[derive(Debug)]
pub struct OnionListener(mpsc::Receiver<OnionStream>);

/// Where visitors come in, whichever run of Tor has brought them here.
#[derive(Debug, Clone)]
pub(super) struct Door {
    port: u16,
    streams: mpsc::Sender<OnionStream>,
    places: Arc<Semaphore>,
}

impl Door {
    /// One that leads to `port` only.
    pub(super) fn new(port: u16) -> (Self, OnionListener) {
        // Of one place: who is accepted here waits for a place in `http::serve`, not in a queue without end.
        let (streams, listener) = mpsc::channel(1);
        let places = Arc::new(Semaphore::new(MAX_CIRCUITS));
        let door = Self {
            port,
            streams,
            places,
        };
        (door, OnionListener(listener))
    }

    /// Whether any visitor is there.
    pub(super) fn is_used(&self) -> bool {
        self.places.available_permits() < MAX_CIRCUITS
    }

    /// Meets visitors, [`MAX_CIRCUITS`] at once; more are not answered.
    pub(super) async fn meet(self, requests: impl Stream<Item = RendRequest> + Send) {
        let mut requests = std::pin::pin!(requests);
        let mut circuits = JoinSet::new();
        loop {
            tokio::select! {
                request = requests.next() => {
                    let Some(request) = request else { return };
                    let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { continue };
                    circuits.spawn(serve_circuit(request, self.port, self.streams.clone(), Arc::new(place)));
                }
                Some(_) = circuits.join_next() => {}
            }
        }
    }
}

impl Accept for OnionListener {
    type Stream = OnionStream;

    async fn accept(&mut self) -> OnionStream {
        match self.0.recv().await {
            Some(stream) => stream,
            // Tor has ended for good; the loopback listener and the owner's side go on.
            None => std::future::pending().await,
        }
    }
}

/// Serves one visitor's circuit until it is closed, or has carried nothing for a while. `place` is given back when the circuit and all its streams have ended.
async fn serve_circuit<P: Send + Sync + 'static>(
    request: RendRequest,
    port: u16,
    streams: mpsc::Sender<OnionStream>,
    place: Arc<P>,
) {
    let Ok(Ok(mut incoming)) = timeout(RENDEZVOUS_TIMEOUT, request.accept()).await else {
        return;
    };
    loop {
        match timeout(CIRCUIT_IDLE, incoming.next()).await {
            Ok(Some(request)) => {
                let Some(stream) = accept(request, port).await else {
                    continue;
                };
                let held: Arc<dyn Send + Sync> = place.clone();
                let stream = OnionStream {
                    stream,
                    _place: held,
                };
                if streams.send(stream).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(_) if Arc::strong_count(&place) == 1 => return,
            Err(_) => {}
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
    _place: Arc<dyn Send + Sync>,
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
        AsyncWrite::poll_write(Pin::new(&mut self.stream), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.stream), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.stream), cx)
    }
}
