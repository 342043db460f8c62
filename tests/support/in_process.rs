//! A relay served to a sender in one process: the real router, the real HTTP, the real sender, over pipes instead of
//! Tor.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::sync::Arc;

use kkv_base::clock::ManualClock;
use kkv_base::limits::DEFAULT_PORT;
use kkv_client::sender::{
    Accepted, Delivery, DeliveryOptions, Event, Failure, Observer, Reply, deliver,
};
use kkv_net::http::{AllowedHosts, ConnectionLimits, serve_connection};
use kkv_net::tor::{Dial, DialError, Target};
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::{SenderKey, Signature};
use kkv_protocol::ids::{BoxDigest, SenderId, SessionId};
use kkv_protocol::kind::Kind;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use kkv_protocol::{MessageHeader, Via};
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, Relay, RelayConfig, router};
use rand::rngs::StdRng;
use rand::{CryptoRng, SeedableRng};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use zeroize::Zeroizing;

/// When the tests' clock starts, in unix seconds.
pub const START: u64 = 1_800_000_000;

/// Bytes that a pipe holds: more than any request or answer.
pub const PIPE_BYTES: usize = 64 * 1024;

/// A relay and its clock.
#[derive(Debug)]
pub struct InProcess {
    pub relay: Arc<Relay>,
    pub clock: Arc<ManualClock>,
}

impl InProcess {
    /// A relay with `slots` slots whose challenges cost `cost` bits.
    pub fn new(suites: SuitePolicy, slots: u32, cost: u32) -> Self {
        let config = RelayConfig {
            read_receipts: false,
            pricing: Pricing {
                base: Cost::new(cost).expect("tests ask for little"),
                adaptive: true,
            },
            expected_seconds: 60,
            suites,
        };
        let queue = Queue::new(slots, None).expect("so much memory");
        Self::with(config, queue, &mut rand::rng())
    }

    /// A relay as its owner wants it, with keys from `rng`.
    pub fn with(
        config: RelayConfig,
        queue: Queue<MessageHeader>,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let relay = Relay::new(config, queue, clock.clone(), rng);
        Self {
            relay: Arc::new(relay),
            clock,
        }
    }

    /// Slots that wait for the message of an open session.
    pub fn reserved(&self) -> u32 {
        let relay = &self.relay;
        relay.queue().occupancy(relay.now().elapsed).reserved
    }

    /// A new connection to the relay: the sender's end.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.serve(far);
        near
    }

    /// Serves the relay's end of a connection.
    pub fn serve(&self, far: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        tokio::spawn(serve_connection(
            far,
            router(Arc::clone(&self.relay)),
            ConnectionLimits::default(),
            AllowedHosts::Loopback(([127, 0, 0, 1], DEFAULT_PORT).into()), // as `target`
        ));
    }

    /// The texts in the queue, oldest first.
    pub fn texts(&self) -> Vec<String> {
        let now = self.relay.now().elapsed;
        let queue: &Queue<MessageHeader> = self.relay.queue();
        let ids = queue.list(now, |message| message.id);
        ids.into_iter()
            .filter_map(|id| {
                queue.with(id, now, |message| {
                    String::from_utf8_lossy(message.content).into_owned()
                })
            })
            .collect()
    }
}

impl Dial for InProcess {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        Ok(self.connect())
    }
}

/// Of a message that nobody has sent: what is tried with it happens to messages that are there already.
pub fn header() -> MessageHeader {
    MessageHeader {
        via: Via::V2,
        kind: Kind::Text,
        cost: Cost::new(0).expect("nothing is little"),
        invitation: None,
        sender: SenderId([1; 32]),
        session: SessionId([2; 32]),
        box_digest: BoxDigest([4; 32]),
        signature: Signature([3; 64]),
    }
}

/// Sends `text` by way of `dialer` in one of the suites.
pub async fn send<D: Dial>(
    dialer: &D,
    suites: SuitePolicy,
    text: &str,
) -> Result<Accepted, Failure> {
    send_observed(dialer, suites, text, &Unobserved).await
}

/// The same, with someone who is told how it goes.
pub async fn send_observed<D: Dial>(
    dialer: &D,
    suites: SuitePolicy,
    text: &str,
    observer: &dyn Observer,
) -> Result<Accepted, Failure> {
    let key = SenderKey::generate(&mut rand::rng());
    send_as(dialer, suites, key, text, observer).await
}

/// The same with this key.
pub async fn send_as<D: Dial>(
    dialer: &D,
    suites: SuitePolicy,
    key: SenderKey,
    text: &str,
    observer: &dyn Observer,
) -> Result<Accepted, Failure> {
    let clock = ManualClock::new(START);
    let delivery = delivery(dialer, suites, &clock, observer);
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let text = Text::new(Zeroizing::new(text.to_owned())).expect("tests send what fits");
    deliver(&delivery, key, &text, Reply::No, &mut rng).await
}

/// A way to a relay, with what a sender does if nobody says anything else.
pub fn delivery<'d, D>(
    dialer: &'d D,
    suites: SuitePolicy,
    clock: &'d ManualClock,
    observer: &'d dyn Observer,
) -> Delivery<'d, D> {
    Delivery {
        dialer,
        options: DeliveryOptions {
            suites,
            ..DeliveryOptions::new(target())
        },
        clock,
        observer,
    }
}

/// Hears nothing.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn event(&self, _: Event) {}
}

/// Some address; pipes don't look at it.
pub fn target() -> Target {
    "127.0.0.1:45069".parse().expect("a loopback address")
}

/// Each suite alone.
pub const EACH_SUITE: [SuitePolicy; 2] =
    [SuitePolicy::Only(Suite::V1), SuitePolicy::Only(Suite::V2)];
