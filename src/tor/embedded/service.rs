//! An onion service in this process: its address, and its visitors' streams, bounded.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arti_client::DataStream;
use futures_util::{Stream, StreamExt};
use safelog::DisplayRedacted;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, mpsc, watch as channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tor_cell::relaycell::msg::Connected;
use tor_hsservice::config::OnionServiceConfigBuilder;
use tor_hsservice::{RendRequest, RunningOnionService, StreamRequest};
use tor_proto::stream::IncomingStreamRequest;

use super::{EmbeddedTor, Home, Keys, Settings, StartError, connect, open, watch};
use crate::http::Accept;
use crate::limits::{
    CIRCUIT_IDLE, MAX_CIRCUITS, MAX_STREAMS_PER_CIRCUIT, RENDEZVOUS_TIMEOUT, REPUBLISH_PAUSE,
};
use crate::onion::OnionAddress;
use crate::tor::AccessKey;

/// arti's name for the service, and of its files.
const NICKNAME: &str = "kkv";

/// An onion service. It is published until this value is dropped.
pub struct OnionService {
    /// Its Tor.
    pub tor: EmbeddedTor,
    /// Its address.
    pub address: OnionAddress,
    _running: Arc<RunningOnionService>,
}

impl std::fmt::Debug for OnionService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnionService")
    }
}

/// The streams of an onion service's visitors.
#[derive(Debug)]
pub struct OnionListener {
    streams: mpsc::Receiver<OnionStream>,
    _tasks: JoinSet<()>,
}

impl EmbeddedTor {
    /// Starts a Tor that hosts an onion service with one port. Its address is that of the last run in `home`. If `allow` is not empty, only they can find it.
    ///
    /// # Errors
    /// The directory, the settings or a key can't be used.
    pub async fn to_serve(
        home: &Home,
        settings: &Settings,
        port: u16,
        allow: &[AccessKey],
    ) -> Result<(OnionService, OnionListener), StartError> {
        let (client, network) = open(home, settings, home.keys()).await?;
        let (running, requests) = client
            .launch_onion_service(service_config(allow)?)
            .map_err(StartError::new)?
            .ok_or_else(|| StartError("the service is disabled".to_owned()))?;
        let address = running
            .onion_address()
            .and_then(|id| id.display_unredacted().to_string().parse().ok())
            .ok_or_else(|| StartError("the service has no address".to_owned()))?;

        let mut tasks = JoinSet::new();
        let (ready, bootstrapped) = channel::channel(false);
        let state = watch::start(&mut tasks, &client, bootstrapped, network, Some(&running));
        let connecting = Arc::clone(&client);
        let wait = home.used();
        tasks.spawn(async move {
            if wait {
                sleep(REPUBLISH_PAUSE).await;
            }
            connect(connecting, ready).await;
        });
        let listener = OnionListener::new(requests, port);
        let tor = Self {
            client,
            state,
            _tasks: tasks,
        };
        let service = OnionService {
            tor,
            address,
            _running: running,
        };
        Ok((service, listener))
    }
}

impl Home {
    /// An address for one run is not worth a file.
    fn keys(&self) -> Keys {
        if self.is_temporary() {
            Keys::InMemory
        } else {
            Keys::InHome
        }
    }
}

fn service_config(
    allow: &[AccessKey],
) -> Result<tor_hsservice::config::OnionServiceConfig, StartError> {
    let mut config = OnionServiceConfigBuilder::default();
    config
        .nickname(NICKNAME.parse().expect("it is a valid nickname"))
        .max_concurrent_streams_per_circuit(MAX_STREAMS_PER_CIRCUIT);
    if !allow.is_empty() {
        let discovery = config.restricted_discovery();
        discovery.enabled(true);
        for (number, key) in allow.iter().enumerate() {
            let name = format!("key{number}").parse().map_err(StartError::new)?;
            let key = key.to_string().parse().map_err(StartError::new)?;
            discovery.static_keys().access().push((name, key));
        }
    }
    config.build().map_err(StartError::new)
}

impl OnionListener {
    fn new(requests: impl Stream<Item = RendRequest> + Send + 'static, port: u16) -> Self {
        // Of one place: who is accepted here waits for a place in `http::serve`, not in a queue without end.
        let (sender, streams) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(meet(requests, port, sender));
        Self {
            streams,
            _tasks: tasks,
        }
    }
}

impl Accept for OnionListener {
    type Stream = OnionStream;

    async fn accept(&mut self) -> OnionStream {
        match self.streams.recv().await {
            Some(stream) => stream,
            // Tor has ended for good; the loopback listener and the owner's side go on.
            None => std::future::pending().await,
        }
    }
}

/// Meets visitors, [`MAX_CIRCUITS`] at once; more are not answered.
async fn meet(
    requests: impl Stream<Item = RendRequest> + Send,
    port: u16,
    streams: mpsc::Sender<OnionStream>,
) {
    let places = Arc::new(Semaphore::new(MAX_CIRCUITS));
    let mut requests = std::pin::pin!(requests);
    let mut circuits = JoinSet::new();
    loop {
        tokio::select! {
            request = requests.next() => {
                let Some(request) = request else { return };
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                circuits.spawn(serve_circuit(request, port, streams.clone(), Arc::new(place)));
            }
            Some(_) = circuits.join_next() => {}
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
