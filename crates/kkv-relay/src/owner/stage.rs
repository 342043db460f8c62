//! The owner's side of a relay in a test: a queue, a clock, a key.

use std::sync::Arc;
use std::time::Duration;

use kkv_owner::{MessageId, Status};

use super::Host;
use crate::boxes::Boxes;
use crate::home::Home;
use crate::queue::{Now, Queue};
use crate::relay::Invitations;
use kkv_base::clock::{Clock, ManualClock};
use kkv_base::limits::BOX_LIFETIME;
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::ids::{RelayId, SenderId, SessionId};
use kkv_protocol::kind::Kind;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::{MessageHeader, Via};

/// The address of a relay with embedded Tor.
pub const ADDRESS: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:45069";

/// How a relay with embedded Tor is.
///
/// # Panics
/// Never: it is read from JSON that is right.
#[must_use]
pub fn status() -> Box<Status> {
    let status = serde_json::json!({
        "version": "0.1.0", "uptime_seconds": 7, "tor": "embedded", "onion": ADDRESS,
        "tor_state": {"step": "reachable"}, "listens": "127.0.0.1:45069", "suites": ["kkv/2", "kkv/1"],
        "cost": 31, "base_cost": 30, "adaptive": true, "expected_seconds": 480, "ttl_seconds": null,
        "lets_in": null, "wipe_after_seconds": null, "wiped": null,
        "queue": {"capacity": 50, "stored": 3, "unread": 2, "reserved": 1}, "locked": true,
        "sandbox": {"files": "fully", "calls": "fully", "writes": null}, "relay": "07".repeat(32),
    });
    Box::new(serde_json::from_value(status).expect("it is one"))
}

/// One run of a relay.
#[derive(Debug)]
pub struct Stage {
    /// Its messages.
    pub queue: Queue<MessageHeader>,
    /// Where answers to them wait: for a week.
    pub boxes: Boxes,
    /// Its time.
    pub clock: ManualClock,
    /// Its public key.
    pub key: RelayId,
    /// Its invitations.
    pub invitations: Arc<Invitations>,
    /// Where its owner's identity is.
    pub home: Home,
}

impl Stage {
    /// One whose key is that byte over and over.
    #[must_use]
    pub fn new(queue: Queue<MessageHeader>, key: u8) -> Arc<Self> {
        let slots = queue.occupancy(Duration::ZERO).capacity;
        Arc::new(Self {
            queue,
            boxes: Boxes::new(slots, 0, BOX_LIFETIME),
            clock: ManualClock::new(1_800_000_000),
            key: RelayId([key; 32]),
            invitations: Arc::new(Invitations::new(SuitePolicy::Any)),
            home: Home::default(),
        })
    }

    /// Steady time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// A message arrives, if there is room.
    ///
    /// # Panics
    /// `text` is longer than a message.
    pub fn arrive(&self, text: &str) -> Option<MessageId> {
        self.arrive_with(text, BoxPart::None).ok()
    }

    /// A message arrives that can be answered as this says.
    ///
    /// # Errors
    /// Full, no box, or stopping.
    ///
    /// # Panics
    /// `text` is longer than a message.
    pub fn arrive_with(&self, text: &str, box_part: BoxPart) -> Result<MessageId, Refusal> {
        let mut slot = self
            .queue
            .reserve(self.elapsed())
            .map_err(|_| Refusal::Full)?;
        slot.bytes_mut()[..text.len()].copy_from_slice(text.as_bytes());
        let header = MessageHeader {
            via: Via::V2,
            kind: Kind::Text,
            cost: Cost::new(30).expect("a usual one"),
            invitation: None,
            sender: SenderId([7; 32]),
            session: SessionId([2; 32]),
            box_digest: box_part.digest(),
            signature: Signature([3; 64]),
        };
        let (session, mut id) = (header.session, None);
        let store = || {
            let stored = slot.store(text.len(), header, self.now());
            id = stored.ok();
            id.ok_or(Refusal::Stopping)
        };
        self.boxes
            .accept(box_part, &session, &self.queue, self.now(), store)?;
        id.ok_or(Refusal::Stopping)
    }
}

impl Host for Stage {
    fn queue(&self) -> &Queue<MessageHeader> {
        &self.queue
    }

    fn now(&self) -> Now {
        Now {
            unix: self.clock.wall(),
            elapsed: self.elapsed(),
        }
    }

    fn boxes(&self) -> &Boxes {
        &self.boxes
    }

    fn invitations(&self) -> &Arc<Invitations> {
        &self.invitations
    }

    fn home(&self) -> &Home {
        &self.home
    }

    fn relay_key(&self) -> RelayId {
        self.key
    }

    fn status(&self) -> Status {
        Status {
            queue: self.queue.occupancy(self.elapsed()),
            relay: self.key,
            ..*status()
        }
    }

    fn wipe(&self) -> Vec<MessageId> {
        self.invitations.wipe();
        let deleted = self.queue.delete_all(self.elapsed());
        self.boxes.wipe();
        deleted
    }

    fn seen(&self) {}
}
