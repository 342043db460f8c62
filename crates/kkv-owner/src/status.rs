//! How a relay is.

use std::path::PathBuf;

use kkv_net::tor::{Listen, TorMode, TorState};
use kkv_protocol::ids::RelayId;
use kkv_protocol::suite::Suite;
use serde::{Deserialize, Serialize};

/// State of the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// How it is reached.
    pub tor: TorMode,
    /// Its onion address, if the embedded Tor has one.
    pub onion: Option<String>,
    /// How many keys its onion service lets in; none if it is open to whoever has the address.
    pub lets_in: Option<u32>,
    /// How the embedded Tor is doing, if there is one.
    pub tor_state: Option<TorState>,
    /// Where it listens on this machine; none if it is reached through the embedded Tor only.
    pub listens: Option<Listen>,
    /// Suites spoken, best first.
    pub suites: Vec<Suite>,
    /// The price: the cost of the next challenge.
    pub cost: u8,
    /// Cost while most slots are free.
    pub base_cost: u8,
    /// Whether the cost rises as free slots run out.
    pub adaptive: bool,
    /// Seconds to solve it in.
    pub expected_seconds: u32,
    /// Seconds that a message lives; none if until it is deleted.
    pub ttl_seconds: Option<u64>,
    /// Seconds without the owner after which everything is wiped; none if never.
    pub wipe_after_seconds: Option<u64>,
    /// When something was last wiped for that, in unix seconds.
    pub wiped: Option<u64>,
    /// Whether senders who want answers learn what has become of their messages. (A relay from before tells nobody.)
    #[serde(default)]
    pub read_receipts: bool,
    /// Its page for browsers; none if its owner wants none. (A relay from before has none.)
    #[serde(default)]
    pub page: Option<PageStatus>,
    /// How full the queue is.
    pub queue: Occupancy,
    /// How full the memory of messages with files is. (A relay from before has none.)
    #[serde(default)]
    pub room: Room,
    /// Whether the memory of its messages is locked against swapping.
    pub locked: bool,
    /// What the kernel holds it to.
    pub sandbox: Sandbox,
    /// The relay's public key.
    pub relay: RelayId,
}

/// What there is of a page for browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageStatus {
    /// How many messages without an invitation it lets in at a time.
    pub free: u32,
    /// How many of them are there.
    pub taken: u32,
    /// How many are held for a message whose files are on their way. (A relay from before doesn't say.)
    #[serde(default)]
    pub reserved: u32,
}

/// How others reach a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'s> {
    /// At this onion address, which is that of the embedded Tor.
    Onion(&'s str),
    /// Through a system Tor, which alone knows the address.
    SystemTor,
    /// From this machine alone.
    ThisMachine,
}

impl Status {
    /// How others reach it.
    #[must_use]
    pub fn reach(&self) -> Reach<'_> {
        match (&self.onion, self.tor) {
            (Some(onion), _) => Reach::Onion(onion),
            (None, TorMode::External) => Reach::SystemTor,
            (None, TorMode::Embedded | TorMode::Off) => Reach::ThisMachine,
        }
    }

    /// How many messages there are, with files and without.
    #[must_use]
    pub fn messages(&self) -> u32 {
        // Saturating: an owner's client reads these numbers from whoever answers on the socket.
        self.queue.stored.saturating_add(self.room.messages)
    }

    /// Where it listens, for people.
    #[must_use]
    pub fn place(&self) -> String {
        self.listens
            .as_ref()
            .map_or_else(|| "through Tor only".to_owned(), Listen::to_string)
    }
}

/// How full the queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// Slots in all.
    pub capacity: u32,
    /// Slots that hold a message.
    pub stored: u32,
    /// Slots that are reserved for the message of an open session.
    pub reserved: u32,
    /// Messages not marked as read.
    pub unread: u32,
}

impl Occupancy {
    /// Slots that are neither taken nor reserved.
    #[must_use]
    pub fn free(&self) -> u32 {
        // Saturating: an owner's client reads these numbers from whoever answers on the socket.
        let taken = self.stored.saturating_add(self.reserved);
        self.capacity.saturating_sub(taken)
    }
}

/// How full the memory of messages with files is, in bytes, counted by the sizes that they are sent in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// All of it; 0 if no files are taken.
    pub bytes: u64,
    /// How many messages with files there are. (A relay from before doesn't say.)
    #[serde(default)]
    pub messages: u32,
    /// What they take.
    pub stored: u64,
    /// What is reserved for the messages of open sessions.
    pub reserved: u64,
    /// How much of all is locked against swapping.
    pub locked: u64,
}

impl Room {
    /// What is neither taken nor reserved.
    #[must_use]
    pub fn free(&self) -> u64 {
        // Saturating, as for slots.
        let taken = self.stored.saturating_add(self.reserved);
        self.bytes.saturating_sub(taken)
    }
}

/// How far the sandbox is enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Landlock: files, and signals to other processes.
    pub files: Confined,
    /// seccomp: system calls.
    pub calls: Confined,
    /// The directory that it may write in.
    pub writes: Option<PathBuf>,
}

/// How far a set of rules is enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confined {
    /// Completely.
    Fully,
    /// The rules that this kernel knows.
    Partly,
    /// Not at all: this kernel has no such mechanism.
    #[default]
    Not,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_leave_no_slot_free() {
        let occupancy = Occupancy {
            capacity: 50,
            stored: u32::MAX,
            reserved: u32::MAX,
            unread: 0,
        };
        assert_eq!(occupancy.free(), 0);
    }
}
