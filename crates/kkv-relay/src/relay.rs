//! The strangers' side of `kkv`: the protocol's steps over the queue (`steps`), and their routes (`router`).

mod asks;
mod exchanges;
mod invitations;
mod page;
mod price;
mod router;
mod sessions;
mod spent;
mod steps;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::boxes::Boxes;
use crate::home::Home;
use crate::queue::{MessageId, Now, Queue};
use asks::Asks;
use kkv_base::clock::Clock;
use kkv_base::limits::{BOX_LIFETIME, MAX_ASK_SESSIONS, MAX_TEXT_BYTES, PURGE_INTERVAL};
use kkv_pow::Cost;
use kkv_protocol::ids::{SessionId, SessionIdV1};
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::{MessageHeader, v1, v2};
use sessions::{Moment, Sessions};
use uploads::Uploads;

pub use invitations::{Invitations, NotInvited};
use page::Page;
pub use page::PageConfig;
pub use price::Pricing;
use router::LargeBodies;
pub use router::{PAGE_PATHS, router};

/// What an owner decides about a relay.
#[derive(Debug, Clone, Copy)]
pub struct RelayConfig {
    /// The price of a session.
    pub pricing: Pricing,
    /// Seconds that a sender has to pay it.
    pub expected_seconds: u32,
    /// Which suites are spoken.
    pub suites: SuitePolicy,
    /// Whether senders may know what has become of their messages.
    pub read_receipts: bool,
}

/// What anyone may know about a relay (`GET /status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStatus {
    /// Suites spoken, best first.
    pub suites: Vec<Suite>,
    /// The price: the cost of the next challenge.
    pub cost: u8,
    /// Seconds to solve it in.
    pub expected_seconds: u32,
    /// Longest text, in bytes of UTF-8.
    pub max_text_bytes: usize,
}

/// A relay at work.
#[derive(Debug)]
pub struct Relay {
    keys: RelayKeys,
    config: RelayConfig,
    queue: Queue<MessageHeader>,
    sessions_v1: Sessions<SessionIdV1, v1::relay::Session, ()>,
    sessions_v2: Sessions<SessionId, v2::relay::Session, v2::wire::MessageAnswer>,
    uploads: Uploads,
    asks: Asks,
    boxes: Arc<Boxes>,
    invitations: Arc<Invitations>,
    home: Home,
    large_bodies: LargeBodies,
    page: Option<Page>,
    /// Unix time of its start, in seconds: answers to asks say it.
    started: u64,
    clock: Arc<dyn Clock>,
    /// kkv/2's time at the zero of the steady clock.
    origin: Duration,
}

impl Relay {
    /// A relay with new keys from `rng` that puts what it accepts into `queue`.
    pub fn new(
        config: RelayConfig,
        queue: Queue<MessageHeader>,
        clock: Arc<dyn Clock>,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let slots = queue.occupancy(clock.elapsed()).capacity;
        let large = queue.most_large();
        let life = queue.time_to_live().unwrap_or(BOX_LIFETIME);
        let origin = Duration::from_secs(clock.unix()).saturating_sub(clock.elapsed());
        Self {
            keys: RelayKeys::generate(rng),
            origin,
            config,
            queue,
            sessions_v1: Sessions::new(),
            sessions_v2: Sessions::new(),
            uploads: Uploads::new(),
            asks: Asks::new(MAX_ASK_SESSIONS),
            boxes: Arc::new(Boxes::new(slots, large, life)),
            invitations: Arc::new(Invitations::new(config.suites)),
            home: Home::default(),
            large_bodies: LargeBodies::new(),
            page: None,
            started: clock.unix(),
            clock,
        }
    }

    /// With a page for browsers.
    #[must_use]
    pub fn with_page(self, config: PageConfig, rng: &mut impl CryptoRng) -> Self {
        Self {
            page: Some(Page::new(config, rng)),
            ..self
        }
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &RelayKeys {
        &self.keys
    }

    /// What its owner decided.
    #[must_use]
    pub fn config(&self) -> &RelayConfig {
        &self.config
    }

    /// Where its messages are.
    #[must_use]
    pub fn queue(&self) -> &Queue<MessageHeader> {
        &self.queue
    }

    /// Where answers to them wait.
    #[must_use]
    pub fn boxes(&self) -> &Boxes {
        &self.boxes
    }

    /// Who is let in without paying.
    #[must_use]
    pub fn invitations(&self) -> &Arc<Invitations> {
        &self.invitations
    }

    /// Where its owner's identity is.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The time by which messages are dated and live.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            unix: self.clock.wall(),
            elapsed: self.clock.elapsed(),
        }
    }

    /// The time that a suite's challenges and sessions live by. In kkv/2 only the relay reads expiries, so they count
    /// on from its start by the steady clock: setting the machine's clock changes no lifetime. In kkv/1 a published
    /// sender compares them with its own clock, so they follow the machine's, except backwards.
    fn moment(&self, suite: Suite) -> Moment {
        let elapsed = self.clock.elapsed();
        let challenges = match suite {
            Suite::V1 => self.clock.unix(),
            Suite::V2 => (self.origin + elapsed).as_secs(),
        };
        Moment {
            challenges,
            elapsed,
        }
    }

    /// The price of a challenge asked for at this moment.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let occupancy = self.queue.occupancy(self.clock.elapsed());
        self.config.pricing.cost(&occupancy)
    }

    /// `GET /status`.
    #[must_use]
    pub fn public_status(&self) -> PublicStatus {
        PublicStatus {
            suites: self.config.suites.suites(),
            cost: self.cost().bits(),
            expected_seconds: self.config.expected_seconds,
            max_text_bytes: MAX_TEXT_BYTES,
        }
    }

    /// Purges expired sessions, invitations, messages and posts. Returns when the next of them expires, by the steady
    /// clock.
    pub fn purge(&self) -> Option<Duration> {
        let next = [
            self.sessions_v1.purge(self.moment(Suite::V1)),
            self.sessions_v2.purge(self.moment(Suite::V2)),
            self.uploads.purge(self.moment(Suite::V2)),
            self.asks.purge(self.moment(Suite::V2)),
            self.invitations.purge(self.clock.elapsed()),
            self.queue.next_expiry(self.clock.elapsed()),
            self.boxes.purge(&self.queue, self.now()),
            self.home.purge(&*self.clock),
            self.page
                .as_ref()
                .and_then(|page| page.purge(self.clock.elapsed())),
        ];
        next.into_iter().flatten().min()
    }

    /// Runs [`purge`](Self::purge) whenever it is due, until dropped: expired secrets are wiped even if no request
    /// comes.
    pub async fn purge_when_due(&self) {
        let mut changes = self.queue.watch();
        loop {
            let wait = self.purge().map(|due| {
                // While the machine is suspended, this clock goes on and timers stand still.
                due.saturating_sub(self.clock.elapsed()).min(PURGE_INTERVAL)
            });
            tokio::select! {
                () = async {
                    match wait {
                        // Never early: that would cost a second round.
                        Some(wait) => tokio::time::sleep(wait + Duration::from_millis(10)).await,
                        None => std::future::pending().await,
                    }
                } => {}
                _ = changes.changed() => {}
                () = self.sessions_v1.opened() => {}
                () = self.sessions_v2.opened() => {}
                () = self.uploads.opened() => {}
                () = self.asks.opened() => {}
                () = self.invitations.made() => {}
                () = self.home.changed() => {}
                () = self.form_arrived() => {}
            }
        }
    }

    /// Deletes every message, session, box and invitation, and the owner's identity, and returns the messages' ids.
    /// Spent challenges stay spent, and repeated requests get the same response as before, so that strangers can't
    /// tell.
    pub fn wipe(&self) -> Vec<MessageId> {
        self.sessions_v1.wipe();
        self.sessions_v2.wipe();
        self.uploads.wipe();
        self.asks.wipe();
        self.invitations.wipe();
        self.home.forget();
        self.wipe_page();
        let deleted = self.queue.delete_all(self.clock.elapsed());
        self.wipe_page(); // once more: a form may have come between
        // Last: a message that is being accepted has its box with it.
        self.boxes.wipe();
        deleted
    }

    /// Deletes everything, and accepts no message from now on.
    pub fn close(&self) {
        self.queue.close();
        self.sessions_v1.close();
        self.sessions_v2.close();
        self.uploads.close();
        self.asks.close();
        self.invitations.wipe();
        self.home.close();
        if let Some(page) = &self.page {
            page.close();
        }
        self.boxes.wipe();
    }

    async fn form_arrived(&self) {
        match &self.page {
            Some(page) => page.arrived().await,
            None => std::future::pending().await,
        }
    }

    /// Its page for browsers, if its owner wants one.
    fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    fn wipe_page(&self) {
        if let Some(page) = &self.page {
            page.wipe();
        }
    }
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are objects of strings")
}
