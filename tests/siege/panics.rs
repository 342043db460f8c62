//! A panic in one request touches no other.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use kkv_net::http::{Accept, AllowedHosts, ConnectionLimits, serve};
use kkv_protocol::suite::SuitePolicy;
use kkv_relay::relay::{Relay, router};
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::in_process::{InProcess, PIPE_BYTES, header};
use crate::raw_http::{Wire, get as asks};

/// Pipes in place of a port.
struct Pipes(UnboundedReceiver<DuplexStream>);

impl Accept for Pipes {
    type Stream = DuplexStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Onion // as `raw_http` calls everyone
    }

    async fn accept(&mut self) -> Option<DuplexStream> {
        match self.0.recv().await {
            Some(stream) => Some(stream),
            None => std::future::pending().await,
        }
    }
}

/// The relay's routes, and one whose handler panics while it holds the queue's lock, in the middle of a look at a
/// message.
fn routes(relay: &Arc<Relay>) -> Router {
    let shown = Arc::clone(relay);
    let panics = Router::new().route(
        "/panic",
        get(async move || {
            let now = shown.now().elapsed;
            shown
                .queue()
                .list(now, |_| -> () { panic!("as a fault would") });
            "nothing to look at"
        }),
    );
    router(Arc::clone(relay)).merge(panics)
}

#[tokio::test]
async fn a_panic_in_one_request_ends_its_connection_and_touches_no_other() {
    let relay = InProcess::new(SuitePolicy::Any, 3, 0).relay;
    let slot = relay.queue().reserve(relay.now().elapsed).unwrap();
    slot.store(0, header(), relay.now()).unwrap();
    let (comes, pipes) = unbounded_channel();
    // Two requests at once: had a panic kept its place, the next ones would push out each other.
    let limits = ConnectionLimits::for_strangers(32);
    tokio::spawn(serve(Pipes(pipes), routes(&relay), limits));
    let come = || {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        comes.send(far).unwrap();
        Wire::new(near)
    };

    let mut before = come();
    assert_eq!(before.ask(&asks("/status")).await.status, 200);
    for _ in 0..10 {
        let answer = come().try_ask(&asks("/panic")).await;
        assert_eq!(answer, None, "its connection is closed");
        // Neither the place nor the lock has gone with it.
        assert_eq!(before.ask(&asks("/status")).await.status, 200);
        assert_eq!(come().ask(&asks("/status")).await.status, 200);
    }
    let occupancy = relay.queue().occupancy(relay.now().elapsed);
    assert_eq!(
        (occupancy.stored, occupancy.reserved, occupancy.unread),
        (1, 0, 1)
    );
}
