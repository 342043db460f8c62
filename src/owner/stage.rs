//! The owner's side of a relay in a test: a queue, a clock, a key.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UnixStream;

use super::api::Status;
use super::{Host, OwnerListener, router};
use crate::clock::{Clock, ManualClock};
use crate::http::{Accept, AcceptStopped, AllowedHosts, ConnectionLimits, serve};
use crate::pow::Cost;
use crate::protocol::Envelope;
use crate::protocol::kind::Kind;
use crate::protocol::suite::Suite;
use crate::protocol::wire::Hex;
use crate::queue::{MessageId, Now, Queue};
use crate::sender::counted::Counted;

pub(crate) const ADDRESS: &str =
    "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:45069";

/// How a relay with Tor inside is.
pub(crate) fn status() -> Box<Status> {
    let status = serde_json::json!({
        "version": "0.1.0", "uptime_seconds": 7, "tor": "embedded", "onion": ADDRESS,
        "tor_state": {"step": "reachable"}, "listens": "127.0.0.1:45069", "suites": ["kkv/2", "kkv/1"],
        "cost": 31, "base_cost": 30, "adaptive": true, "expected_seconds": 480, "ttl_seconds": null,
        "wipe_after_seconds": null, "wiped": null,
        "queue": {"capacity": 50, "stored": 3, "unread": 2, "reserved": 1}, "locked": true,
        "sandbox": {"files": "fully", "calls": "fully", "writes": null}, "relay": "07".repeat(32),
    });
    Box::new(serde_json::from_value(status).unwrap())
}

/// One run of a relay.
pub(crate) struct Stage {
    pub(crate) queue: Queue<Envelope>,
    pub(crate) clock: ManualClock,
    pub(crate) key: [u8; 32],
}

impl Stage {
    pub(crate) fn new(queue: Queue<Envelope>, key: u8) -> Arc<Self> {
        Arc::new(Self {
            queue,
            clock: ManualClock::new(1_800_000_000),
            key: [key; 32],
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// A message arrives, if there is room.
    pub(crate) fn arrive(&self, text: &str) -> Option<MessageId> {
        let mut slot = self.queue.reserve(self.elapsed()).ok()?;
        slot.bytes_mut()[..text.len()].copy_from_slice(text.as_bytes());
        let envelope = Envelope {
            suite: Suite::V2,
            kind: Kind::Text,
            cost: Cost::new(30).expect("a usual one"),
            sender: [7; 32],
            session: [2; 32],
            signature: [3; 64],
        };
        slot.store(text.len(), envelope, self.now()).ok()
    }
}

impl Host for Stage {
    fn queue(&self) -> &Queue<Envelope> {
        &self.queue
    }

    fn now(&self) -> Now {
        Now {
            unix: self.clock.wall(),
            elapsed: self.elapsed(),
        }
    }

    fn relay_key(&self) -> [u8; 32] {
        self.key
    }

    fn status(&self) -> Status {
        Status {
            queue: self.queue.occupancy(self.elapsed()),
            relay: Hex(self.key),
            ..*status()
        }
    }

    fn wipe(&self) -> Vec<MessageId> {
        self.queue.delete_all(self.elapsed())
    }

    fn seen(&self) {}
}

/// A place for an owner's socket. It counts what is said there.
pub(crate) struct Socket {
    directory: tempfile::TempDir,
    /// On each connection.
    said: Arc<Mutex<Vec<Arc<AtomicU64>>>>,
}

impl Socket {
    /// For who asks this relay; to be served by the future.
    pub(crate) async fn of(
        stage: &Arc<Stage>,
    ) -> (Self, impl Future<Output = AcceptStopped> + use<>) {
        let socket = Self {
            directory: tempfile::tempdir().unwrap(),
            said: Arc::default(),
        };
        let listener = OwnerListener::bind(&socket.path()).await.unwrap();
        let listener = Listener(listener, Arc::clone(&socket.said));
        let serving = serve(
            listener,
            router(stage.clone()),
            ConnectionLimits::for_owner(),
        );
        (socket, serving)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("kkv.sock")
    }

    /// Bytes that whoever asked was told.
    pub(crate) fn bytes(&self) -> u64 {
        let said = crate::lock(&self.said);
        said.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum()
    }
}

struct Listener(OwnerListener, Arc<Mutex<Vec<Arc<AtomicU64>>>>);

impl Accept for Listener {
    type Stream = Counted<UnixStream>;

    fn allowed_hosts(&self) -> AllowedHosts {
        self.0.allowed_hosts()
    }

    async fn accept(&mut self) -> Option<Self::Stream> {
        let stream = Counted::new(self.0.accept().await?);
        crate::lock(&self.1).push(stream.taken());
        Some(stream)
    }
}
