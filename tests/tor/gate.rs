//! A gate between the onion service and a relay: it stops the relay at the very moment that a test names.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::programs::{HeldPort, LIMIT, Outcome, Relay, Signal};

/// Lets everything through up to one request, which it keeps.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    /// So that nobody else listens there afterwards.
    _port: HeldPort,
    relay: Relay,
    runtime: Runtime,
    arrived: UnboundedReceiver<()>,
}

impl Gate {
    /// A gate before a relay of its own, that keeps the request which begins with `request`.
    pub(crate) fn before(request: &'static str) -> Self {
        let relay = Relay::start(&["--tor", "external"]);
        let runtime = Runtime::new().expect("a runtime");
        let port = HeldPort::take();
        let (address, listener) = (port.address(), port.listener());
        listener.set_nonblocking(true).expect("a TCP socket");
        let (arriving, arrived) = unbounded_channel();
        let behind = relay.address().parse().expect("an address with a port");
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("the runtime has a driver");
            while let Ok((sender, _)) = listener.accept().await {
                tokio::spawn(pass(sender, behind, request, arriving.clone()));
            }
        });
        Self {
            address,
            _port: port,
            relay,
            runtime,
            arrived,
        }
    }

    /// Waits for the request; then stops the relay, and from there on nothing answers at the gate's address either.
    pub(crate) fn stop_relay(mut self) -> Outcome {
        self.runtime.block_on(async {
            tokio::time::timeout(LIMIT, self.arrived.recv())
                .await
                .expect("the request arrives")
                .expect("the listener runs");
        });
        self.relay.process().signal(Signal::TERM);
        let ended = self.relay.process().finish();
        // Closes the listener and every connection.
        self.runtime.shutdown_timeout(LIMIT);
        ended
    }
}

async fn pass(
    sender: TcpStream,
    relay: SocketAddr,
    request: &'static str,
    arriving: UnboundedSender<()>,
) -> std::io::Result<()> {
    let (mut from_sender, mut to_sender) = sender.into_split();
    let (mut from_relay, mut to_relay) = TcpStream::connect(relay).await?.into_split();
    tokio::spawn(async move { copy(&mut from_relay, &mut to_sender).await });
    let mut chunk = [0; 4096];
    loop {
        let length = from_sender.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        // A sender waits for each answer before it asks again, so a request never begins inside a chunk.
        if chunk[..length].starts_with(request.as_bytes()) {
            let _ = arriving.send(());
            return std::future::pending().await;
        }
        to_relay.write_all(&chunk[..length]).await?;
    }
}
