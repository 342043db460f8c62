//! What a relay must hold and say: sessions and messages as plain lists.
//!
//! A session that is over may keep its slot until somebody clears up, so the number of reserved slots is known by its
//! bounds; all else exactly.

use std::ops::RangeInclusive;
use std::time::Duration;

use kkv_base::limits::SESSION_LIFETIME;
use kkv_pow::Cost;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_relay::queue::Occupancy;
use kkv_relay::relay::RelayConfig;

use crate::queue_model::Model as QueueModel;

/// A session that the relay has not let go of for sure.
#[derive(Debug)]
pub(super) struct Held {
    stranger: usize,
    suite: Suite,
    key: usize,
    end: Duration,
    state: State,
}

/// What has become of it.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// It waits for its message.
    Open,
    /// A newer one of the same key has taken its place, and another slot: its own waits for its end, for sure or
    /// perhaps.
    Replaced { surely: bool },
    /// The owner has wiped it: its exchange is answered as before.
    Wiped,
}

/// A message that was accepted.
#[derive(Debug)]
struct Accepted {
    stranger: usize,
    text: Vec<u8>,
    answer: String,
    end: Duration,
}

/// What somebody who has paid asks with.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) stranger: usize,
    pub(super) suite: Suite,
    pub(super) key: usize,
    pub(super) expiry: u64,
    pub(super) paid: Cost,
    /// If a session was opened with this challenge: whether by this very request, and the answer.
    pub(super) spent_on: Option<(bool, String)>,
}

/// What the relay has to say.
#[derive(Debug)]
pub(super) enum Expected {
    /// Yes, and something happens.
    New,
    /// The answer that was given before, and nothing happens.
    Same(String),
    /// No.
    No(Refusal),
    /// Yes or one of these, as long as nobody has cleared up.
    NewOr(Vec<Refusal>),
}

/// The model.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) queue: QueueModel,
    config: RelayConfig,
    held: Vec<Held>,
    accepted: Vec<Accepted>,
}

impl Expected {
    pub(super) fn check(&self, answer: &Result<String, Refusal>) {
        let right = match (self, answer) {
            (Self::New | Self::NewOr(_), Ok(_)) => true,
            (Self::Same(before), Ok(answer)) => before == answer,
            (Self::No(expected), Err(refusal)) => expected == refusal,
            (Self::NewOr(refusals), Err(refusal)) => refusals.contains(refusal),
            _ => false,
        };
        assert!(right, "{answer:?} instead of {self:?}");
    }
}

impl Model {
    pub(super) fn new(config: RelayConfig, capacity: u32, life: Option<Duration>) -> Self {
        Self {
            queue: QueueModel::new(capacity, life),
            config,
            held: Vec::new(),
            accepted: Vec::new(),
        }
    }

    fn now(&self) -> Duration {
        self.queue.now().elapsed
    }

    /// Slots that sessions have: for sure, and at most.
    fn reserved(&self) -> (u32, u32) {
        let now = self.now();
        let surely = |held: &&Held| match held.state {
            State::Open => true,
            State::Replaced { surely } => surely,
            State::Wiped => false,
        };
        let perhaps = |held: &&Held| held.state != State::Wiped;
        let count = |n: usize| u32::try_from(n).expect("a few");
        let live = self.held.iter().filter(|held| now < held.end);
        (
            count(live.filter(surely).count()),
            count(self.held.iter().filter(perhaps).count()),
        )
    }

    /// How full the queue is if as many slots are reserved.
    fn occupancy(&self, reserved: u32) -> Occupancy {
        Occupancy {
            reserved,
            ..self.queue.occupancy()
        }
    }

    pub(super) fn check(&self, occupancy: &Occupancy) {
        let (least, most) = self.reserved();
        let bounds = least..=most;
        assert!(
            bounds.contains(&occupancy.reserved),
            "{occupancy:?}, not {bounds:?}"
        );
        assert_eq!(*occupancy, self.occupancy(occupancy.reserved));
    }

    /// The price at this moment: the least and the most that it may be.
    pub(super) fn costs(&self) -> RangeInclusive<Cost> {
        let (least, most) = self.reserved();
        let cost = |reserved| self.config.pricing.cost(&self.occupancy(reserved));
        cost(least)..=cost(most)
    }

    pub(super) fn challenge(&self, suite: Suite) -> Expected {
        let (least, most) = self.reserved();
        if !self.config.suites.allows(suite) {
            Expected::No(Refusal::UnsupportedSuite)
        } else if self.occupancy(least).free() == 0 {
            Expected::No(Refusal::Full)
        } else if self.occupancy(most).free() == 0 {
            Expected::NewOr(vec![Refusal::Full])
        } else {
            Expected::New
        }
    }

    pub(super) fn exchange(&self, claim: &Claim) -> Expected {
        if claim.expiry <= self.queue.now().unix {
            return Expected::No(Refusal::Expired);
        }
        if let Some((same, answer)) = &claim.spent_on {
            let there = self
                .held
                .iter()
                .any(|held| held.answers(claim.stranger) && self.now() < held.end);
            return if *same && there {
                Expected::Same(answer.clone())
            } else {
                Expected::No(Refusal::Spent)
            };
        }
        let (least, most) = self.reserved();
        let older = self
            .held
            .iter()
            .any(|held| held.gives_way_to(claim.suite, claim.key) && self.now() < held.end);
        let refusal = |reserved| {
            let occupancy = self.occupancy(reserved);
            let honoured = self.config.pricing.accepts(claim.paid, &occupancy);
            if occupancy.free() == 0 && !(older && honoured) {
                Some(Refusal::Full)
            } else if honoured {
                None
            } else {
                Some(Refusal::PriceRose)
            }
        };
        match (refusal(least), refusal(most)) {
            (None, None) => Expected::New,
            (Some(refusal), other) if other == Some(refusal) => Expected::No(refusal),
            (one, other) => {
                // Somewhere between the two; and a queue that is full for one may be dear for the other.
                let refusals = [one, other, Some(Refusal::PriceRose)];
                Expected::NewOr(refusals.into_iter().flatten().collect())
            }
        }
    }

    /// A session was opened.
    pub(super) fn open(&mut self, stranger: usize, suite: Suite, key: usize) {
        let now = self.now();
        let (least, most) = self.reserved();
        let (least_free, most_free) = (self.occupancy(most).free(), self.occupancy(least).free());
        self.held.retain_mut(|older| {
            if !older.gives_way_to(suite, key) {
                return true;
            }
            older.state = State::Replaced {
                surely: least_free > 0,
            };
            most_free > 0 // or else the new one has taken its slot
        });
        self.held.push(Held {
            stranger,
            suite,
            key,
            end: now + SESSION_LIFETIME,
            state: State::Open,
        });
    }

    pub(super) fn message(&self, stranger: usize, suite: Suite, text: &[u8]) -> Expected {
        // Seen by its length, whether there is a session or not.
        if suite == Suite::V1 && text.is_empty() {
            return Expected::No(Refusal::BadContent);
        }
        let now = self.now();
        let again = self.accepted.iter().find(|accepted| {
            accepted.stranger == stranger && accepted.text == text && now < accepted.end
        });
        if let Some(accepted) = again {
            return Expected::Same(accepted.answer.clone());
        }
        let open = self
            .held
            .iter()
            .any(|held| held.stranger == stranger && held.state == State::Open && now < held.end);
        if !open {
            Expected::No(Refusal::Unproven)
        } else if is_text(suite, text) {
            Expected::New
        } else {
            Expected::No(Refusal::BadContent)
        }
    }

    /// A session has taken its message.
    pub(super) fn accept(&mut self, stranger: usize, header: u32, text: Vec<u8>, answer: String) {
        let now = self.now();
        self.queue.store(header, text.clone());
        self.held.retain(|held| held.stranger != stranger);
        self.accepted.push(Accepted {
            stranger,
            text,
            answer,
            end: now + SESSION_LIFETIME,
        });
    }

    /// What is over lets go of its slot.
    pub(super) fn purge(&mut self) {
        let now = self.now();
        self.held.retain(|held| now < held.end);
    }

    pub(super) fn wipe(&mut self) {
        self.held
            .retain(|held| !matches!(held.state, State::Replaced { .. }));
        for held in &mut self.held {
            held.state = State::Wiped;
        }
        self.queue.delete_all();
    }

    pub(super) fn close(&mut self) {
        self.held.clear();
        self.accepted.clear();
        self.queue.close();
    }
}

/// Whether a suite takes this for a text.
fn is_text(suite: Suite, text: &[u8]) -> bool {
    let nul = suite == Suite::V1 && text.contains(&0);
    !text.is_empty() && !nul && std::str::from_utf8(text).is_ok()
}

impl Held {
    /// Whether a session in kkv/1 gives way to another one of the same sender.
    fn gives_way_to(&self, suite: Suite, key: usize) -> bool {
        let same = suite == Suite::V1 && self.suite == suite && self.key == key;
        same && self.state == State::Open
    }

    /// Whether the exchange that has opened it is answered when it is repeated.
    fn answers(&self, stranger: usize) -> bool {
        self.stranger == stranger && !matches!(self.state, State::Replaced { .. })
    }
}
