//! The clients of an onion service: their circuits and streams, bounded.

use std::sync::Arc;

use arti_client::DataStream;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::io::InspectWriter;
use tor_cell::relaycell::msg::Connected;
use tor_hsservice::{RendRequest, StreamRequest};
use tor_proto::client::stream::{ClientDataStreamCtrl, ClientStreamCtrl};
use tor_proto::stream::IncomingStreamRequest;

use crate::circuits::{Circuit, Circuits};
use kkv_base::limits::RENDEZVOUS_TIMEOUT;
use kkv_net::http::{Accept, AllowedHosts};

/// A client's stream. What is written to it is a response, and touches its circuit.
type OnionStream = InspectWriter<DataStream, Box<dyn FnMut(&[u8]) + Send>>;

/// The streams of an onion service's clients, from one instance after the other.
#[derive(Debug)]
pub struct OnionListener(mpsc::Receiver<OnionStream>);

/// Accepts circuits and streams, and passes the streams to the [`OnionListener`].
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    ports: &'static [u16],
    streams: mpsc::Sender<OnionStream>,
    circuits: Circuits,
}

impl Incoming {
    /// Accepts streams to these ports only.
    pub(crate) fn new(ports: &'static [u16]) -> (Self, OnionListener) {
        // A queue of one: `http::serve` accepts every stream at once.
        let (streams, listener) = mpsc::channel(1);
        let incoming = Self {
            ports,
            streams,
            circuits: Circuits::new(),
        };
        (incoming, OnionListener(listener))
    }

    /// Whether any client has a circuit.
    pub(crate) fn is_used(&self) -> bool {
        !self.circuits.is_empty()
    }

    /// Answers every rendezvous request, within the limits of [`Circuits`], until `requests` ends.
    pub(crate) async fn accept_all(self, requests: impl Stream<Item = RendRequest> + Send) {
        let mut requests = std::pin::pin!(requests);
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                request = requests.next() => {
                    let Some(request) = request else { return };
                    let Some(circuit) = self.circuits.admit() else { continue };
                    clients.spawn(serve_client(request, self.ports, self.streams.clone(), circuit));
                }
                Some(_) = clients.join_next() => {}
            }
        }
    }
}

impl Accept for OnionListener {
    type Stream = OnionStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Onion
    }

    /// `None` once no instance can follow: the [`OnionService`](crate::OnionService) was dropped, or its supervisor has
    /// panicked.
    async fn accept(&mut self) -> Option<OnionStream> {
        self.0.recv().await
    }
}

/// Serves one client's circuit until it is closed or evicted.
async fn serve_client(
    request: RendRequest,
    ports: &'static [u16],
    streams: mpsc::Sender<OnionStream>,
    circuit: Arc<Circuit>,
) {
    let mut last = None;
    tokio::select! {
        biased; // what touches the permit is polled first
        () = serve_circuit(request, ports, streams, &circuit, &mut last) => {}
        () = circuit.evicted() => {}
    }
    // Otherwise streams that `http::serve` still holds would keep the circuit open.
    if let Some(tunnel) = last.and_then(|stream| stream.tunnel()) {
        tunnel.terminate();
    }
}

/// Sets `last` to the control handle of the last stream, by which the circuit can be closed.
async fn serve_circuit(
    request: RendRequest,
    ports: &'static [u16],
    streams: mpsc::Sender<OnionStream>,
    circuit: &Arc<Circuit>,
    last: &mut Option<Arc<ClientDataStreamCtrl>>,
) {
    let Ok(Ok(mut incoming)) = timeout(RENDEZVOUS_TIMEOUT, request.accept()).await else {
        return;
    };
    while let Some(request) = incoming.next().await {
        let Some(stream) = accept(request, ports).await else {
            continue;
        };
        *last = stream.client_stream_ctrl().cloned();
        let guard = circuit.add_stream();
        let touch = Box::new(move |_: &[u8]| guard.on_response());
        let stream: OnionStream = InspectWriter::new(stream, touch);
        if streams.send(stream).await.is_err() {
            return;
        }
    }
}

/// Accepts a stream to one of the inbox's ports. Any other closes the circuit, as C tor does.
async fn accept(request: StreamRequest, ports: &'static [u16]) -> Option<DataStream> {
    match request.request() {
        IncomingStreamRequest::Begin(begin) if ports.contains(&begin.port()) => {
            request.accept(Connected::new_empty()).await.ok()
        }
        _ => {
            let _ = request.shutdown_circuit();
            None
        }
    }
}
