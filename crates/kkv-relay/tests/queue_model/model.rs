//! What a queue should be: a list of messages, a number of reservations, and a clock.

use std::time::Duration;

use kkv_relay::queue::{Now, Occupancy};

/// When the model's clock starts, in unix seconds.
const START: u64 = 1_800_000_000;

/// A message as an owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: u64,
    pub(crate) received: u64,
    pub(crate) read: bool,
    pub(crate) header: u32,
    pub(crate) content: Vec<u8>,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) capacity: u32,
    pub(crate) life: Option<Duration>,
    pub(crate) reserved: u32,
    pub(crate) closed: bool,
    pub(crate) elapsed: Duration,
    pub(crate) last_id: u64,
    /// In order of arrival, each with the time it came.
    messages: Vec<(Duration, Seen)>,
}

impl Model {
    pub(crate) fn new(capacity: u32, life: Option<Duration>) -> Self {
        Self {
            capacity,
            life,
            reserved: 0,
            closed: false,
            elapsed: Duration::ZERO,
            last_id: 0,
            messages: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            unix: START + self.elapsed.as_secs(),
            elapsed: self.elapsed,
        }
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.elapsed += time;
        let (now, life) = (self.elapsed, self.life);
        self.messages
            .retain(|(came, _)| life.is_none_or(|life| now < *came + life));
    }

    /// The messages that are there.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.messages.iter().map(|(_, seen)| seen.clone()).collect()
    }

    pub(crate) fn has_room(&self) -> bool {
        !self.closed && self.messages.len() < (self.capacity - self.reserved) as usize
    }

    /// Stores a message out of a reservation; its id.
    pub(crate) fn store(&mut self, header: u32, content: Vec<u8>) -> u64 {
        self.last_id += 1;
        let seen = Seen {
            id: self.last_id,
            received: self.now().unix,
            read: false,
            header,
            content,
        };
        self.messages.push((self.elapsed, seen));
        self.last_id
    }

    pub(crate) fn mark(&mut self, id: u64, read: bool) -> bool {
        let found = self.messages.iter_mut().find(|(_, seen)| seen.id == id);
        found.map(|(_, seen)| seen.read = read).is_some()
    }

    pub(crate) fn delete(&mut self, id: u64) -> bool {
        let before = self.messages.len();
        self.messages.retain(|(_, seen)| seen.id != id);
        self.messages.len() < before
    }

    pub(crate) fn delete_all(&mut self) -> Vec<u64> {
        self.messages.drain(..).map(|(_, seen)| seen.id).collect()
    }

    pub(crate) fn close(&mut self) {
        self.messages.clear();
        self.closed = true;
    }

    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        let (came, _) = self.messages.first()?;
        Some(*came + self.life?)
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        let number = |n: usize| u32::try_from(n).expect("a model is small");
        Occupancy {
            capacity: if self.closed { 0 } else { self.capacity },
            stored: number(self.messages.len()),
            reserved: if self.closed { 0 } else { self.reserved },
            unread: number(self.messages.iter().filter(|(_, m)| !m.read).count()),
        }
    }
}
