//! What a relay must hold and say: sessions and messages as plain lists.
//!
//! A session that is over may keep its slot until somebody clears up, so the number of reserved slots is known by its bounds; all else exactly.

use std::ops::RangeInclusive;
use std::time::Duration;

use kkv::limits::SESSION_LIFETIME;
use kkv::pow::Cost;
use kkv::protocol::refusal::Refusal;
use kkv::protocol::suite::Suite;
use kkv::queue::Counts;
use kkv::relay::RelayConfig;

use crate::queue_model::Model as QueueModel;

/// A session that the relay has not let go of for sure.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) stranger: usize,
    pub(super) suite: Suite,
    pub(super) key: usize,
    end: Duration,
    /// The message that it has taken, and the answer.
    accepted: Option<(Vec<u8>, String)>,
}

/// What somebody who has paid asks with.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) stranger: usize,
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
        }
    }

    fn now(&self) -> Duration {
        self.queue.now().elapsed
    }

    /// Slots that sessions have: for sure, and at most.
    fn reserved(&self) -> (u32, u32) {
        let now = self.now();
        let open = self.held.iter().filter(|held| held.accepted.is_none());
        let count = |n: usize| u32::try_from(n).expect("a few");
        let live = open.clone().filter(|held| now < held.end).count();
        (count(live), count(open.count()))
    }

    /// How full the queue is if as many slots are reserved.
    fn counts(&self, reserved: u32) -> Counts {
        Counts {
            reserved,
            ..self.queue.counts()
        }
    }

    pub(super) fn check(&self, counts: &Counts) {
        let (least, most) = self.reserved();
        let bounds = least..=most;
        assert!(
            bounds.contains(&counts.reserved),
            "{counts:?}, not {bounds:?}"
        );
        assert_eq!(*counts, self.counts(counts.reserved));
    }

    /// The price at this moment: the least and the most that it may be.
    pub(super) fn costs(&self) -> RangeInclusive<Cost> {
        let (least, most) = self.reserved();
        let cost = |reserved| self.config.pricing.cost(&self.counts(reserved));
        cost(least)..=cost(most)
    }

    pub(super) fn challenge(&self, suite: Suite) -> Expected {
        let (least, most) = self.reserved();
        if !self.config.suites.allows(suite) {
            Expected::No(Refusal::UnsupportedSuite)
        } else if self.counts(least).free() == 0 {
            Expected::No(Refusal::Full)
        } else if self.counts(most).free() == 0 {
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
                .any(|held| held.stranger == claim.stranger && self.now() < held.end);
            return if *same && there {
                Expected::Same(answer.clone())
            } else {
                Expected::No(Refusal::Spent)
            };
        }
        let (least, most) = self.reserved();
        let refusal = |reserved| {
            let counts = self.counts(reserved);
            if counts.free() == 0 {
                Some(Refusal::Full)
            } else if self.config.pricing.honours(claim.paid, &counts) {
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
        self.held.retain(|held| !held.gives_way_to(suite, key));
        self.held.push(Held {
            stranger,
            suite,
            key,
            end: self.now() + SESSION_LIFETIME,
            accepted: None,
        });
    }

    pub(super) fn message(
        &self,
        stranger: usize,
        suite: Suite,
        key: usize,
        text: &[u8],
    ) -> Expected {
        let found = self
            .held
            .iter()
            .find(|held| held.stranger == stranger || held.gives_way_to(suite, key));
        let Some(held) = found.filter(|held| self.now() < held.end) else {
            return Expected::No(Refusal::Unproven);
        };
        match &held.accepted {
            Some((accepted, answer)) if held.stranger == stranger && accepted == text => {
                Expected::Same(answer.clone())
            }
            Some(_) => Expected::No(Refusal::Spent),
            // Seen by its length, whosever session it is.
            None if text.is_empty() => Expected::No(Refusal::BadContent),
            None if held.stranger != stranger => Expected::No(Refusal::Unproven),
            None if is_text(suite, text) => Expected::New,
            None => Expected::No(Refusal::BadContent),
        }
    }

    /// A session has taken its message.
    pub(super) fn accept(&mut self, stranger: usize, header: u32, text: Vec<u8>, answer: String) {
        let now = self.now();
        self.queue.store(header, text.clone());
        let held = self.held.iter_mut().find(|held| held.stranger == stranger);
        let held = held.expect("only an open session takes a message");
        held.accepted = Some((text, answer));
        held.end = now + SESSION_LIFETIME;
    }

    /// What is over lets go of its slot.
    pub(super) fn purge(&mut self) {
        let now = self.now();
        self.held.retain(|held| now < held.end);
    }

    pub(super) fn wipe(&mut self) {
        self.held.clear();
        self.queue.delete_all();
    }

    pub(super) fn close(&mut self) {
        self.held.clear();
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
        suite == Suite::V1 && self.suite == suite && self.key == key
    }
}
