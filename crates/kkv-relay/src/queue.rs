//! The bounded queue in memory where messages wait (ARCHITECTURE.md, "Decisions").
//!
//! All slots are taken at start. A slot is either free, reserved for one session, or holds one message. It is wiped
//! whenever it becomes free: on delete, on expiry, when a reservation lapses, and at the end. Each message has an id
//! that never changes or comes back.
//!
//! The queue knows nothing of protocols: beside the bytes in the slot it keeps a header `H` for its user, and times are
//! given to it.

mod listing;
mod reservation;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::memory::Page;
use kkv_base::limits::{LIST_PAGE, MAX_DELETED_IDS};
use listing::Gone;
pub use listing::{Changes, Waiting};
pub use reservation::Reservation;

/// A message's number. Counted from 1 since the relay started; a deleted one's is not given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub u64);

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// No slot is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no slot is free")]
pub struct Full;

/// The queue has been closed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is closed")]
pub struct Closed;

/// How full the queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Slots in all.
    pub capacity: u32,
    /// Slots that hold a message.
    pub stored: u32,
    /// Slots that wait for the message of an open session.
    pub reserved: u32,
    /// Messages not marked as read.
    pub unread: u32,
}

impl Counts {
    /// Slots that neither hold a message nor wait for one.
    #[must_use]
    pub fn free(&self) -> u32 {
        // They may be what somebody else says who answers in a relay's place.
        let taken = self.stored.saturating_add(self.reserved);
        self.capacity.saturating_sub(taken)
    }
}

/// When something happened: for people and for lifetimes.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Unix seconds.
    pub unix: u64,
    /// Steady time.
    pub elapsed: Duration,
}

/// The queue. Cheap to share; no operation holds its lock for longer than [`LIST_PAGE`] messages take.
#[derive(Debug)]
pub struct Queue<H> {
    shared: Arc<Shared<H>>,
}

impl<H> Clone for Queue<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

#[derive(Debug)]
struct Shared<H> {
    state: Mutex<State<H>>,
    /// The state's version, for those who wait for another one.
    version: watch::Sender<u64>,
    locked: bool,
}

#[derive(Debug)]
struct State<H> {
    capacity: u32,
    free: Vec<Page>,
    messages: BTreeMap<MessageId, Message<H>>,
    unread: u32,
    last_id: u64,
    /// Grows with every change that an owner can see.
    version: u64,
    gone: Gone,
    time_to_live: Option<Duration>,
    closed: bool,
}

#[derive(Debug)]
struct Message<H> {
    slot: Page,
    length: usize,
    /// In a place of its own, which is wiped with it: what the map moves about leaves copies behind.
    header: Box<H>,
    received: Now,
    read: bool,
    /// The version that its last change led to.
    version: u64,
}

impl<H> State<H> {
    fn counts(&self) -> Counts {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let stored = count(self.messages.len());
        Counts {
            capacity: self.capacity,
            stored,
            reserved: self.capacity - stored - count(self.free.len()),
            unread: self.unread,
        }
    }

    /// Wipes what has outlived its time. Ids are in order of arrival and all live equally long, so the first to stay
    /// ends the search.
    fn expire(&mut self, now: Duration) {
        let Some(time_to_live) = self.time_to_live else {
            return;
        };
        while let Some(first) = self.messages.first_entry() {
            if now < first.get().received.elapsed.saturating_add(time_to_live) {
                break;
            }
            let (id, message) = first.remove_entry();
            self.forget(id, message);
        }
    }

    /// What has been taken out of the queue is gone.
    fn forget(&mut self, id: MessageId, message: Message<H>) {
        self.unread -= u32::from(!message.read);
        self.release(message.slot);
        self.version += 1;
        if self.messages.is_empty() {
            self.gone.clear();
        } else {
            self.gone.add(id, self.version, self.oldest());
        }
    }

    /// There is no message before this one.
    fn oldest(&self) -> MessageId {
        let first = self.messages.first_key_value().map(|(id, _)| *id);
        first.unwrap_or(MessageId(self.last_id + 1))
    }

    fn release(&mut self, mut slot: Page) {
        slot.wipe();
        self.free.push(slot);
    }
}

impl<H> Queue<H> {
    /// Takes memory for `capacity` messages, each of which lives for `time_to_live` (`None`: until it is deleted).
    ///
    /// # Errors
    /// There is not so much memory.
    pub fn new(capacity: u32, time_to_live: Option<Duration>) -> io::Result<Self> {
        Self::remembering(MAX_DELETED_IDS, capacity, time_to_live)
    }

    /// The same, where so many deleted messages at most are remembered by their numbers.
    ///
    /// # Errors
    /// There is not so much memory.
    pub fn remembering(
        gone: usize,
        capacity: u32,
        time_to_live: Option<Duration>,
    ) -> io::Result<Self> {
        let free = Page::take(capacity as usize)?;
        let locked = free.iter().all(Page::is_locked);
        let state = State {
            capacity,
            free,
            messages: BTreeMap::new(),
            unread: 0,
            last_id: 0,
            version: 0,
            gone: Gone::new(gone),
            time_to_live,
            closed: false,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                version: watch::Sender::new(0),
                locked,
            }),
        })
    }

    /// Whether the kernel keeps its slots out of swap.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.shared.locked
    }

    /// Sets a slot aside. It comes back when the reservation is dropped.
    ///
    /// # Errors
    /// None is free.
    pub fn reserve(&self, now: Duration) -> Result<Reservation<H>, Full> {
        let slot = self.change(now, |state| state.free.pop().ok_or(Full))?;
        Ok(Reservation::new(self.clone(), slot))
    }

    /// How full it is.
    #[must_use]
    pub fn counts(&self, now: Duration) -> Counts {
        self.change(now, |state| state.counts())
    }

    /// Shows one message to `look`; `None` if there is none with this id.
    pub fn look<T>(
        &self,
        id: MessageId,
        now: Duration,
        look: impl FnOnce(Waiting<'_, H>) -> T,
    ) -> Option<T> {
        self.change(now, |state| {
            let message = state.messages.get(&id)?;
            Some(look(message.waiting(id)))
        })
    }

    /// Marks as read or unread. False if there is no such message.
    pub fn mark(&self, id: MessageId, read: bool, now: Duration) -> bool {
        self.change(now, |state| {
            let Some(message) = state.messages.get_mut(&id) else {
                return false;
            };
            if message.read != read {
                message.read = read;
                state.version += 1;
                message.version = state.version;
                state.unread = if read {
                    state.unread - 1
                } else {
                    state.unread + 1
                };
            }
            true
        })
    }

    /// Deletes and wipes. False if there is no such message.
    pub fn delete(&self, id: MessageId, now: Duration) -> bool {
        self.change(now, |state| {
            let message = state.messages.remove(&id);
            message.map(|message| state.forget(id, message)).is_some()
        })
    }

    /// Deletes and wipes every message that is there when it begins. Returns their ids.
    pub fn delete_all(&self, now: Duration) -> Vec<MessageId> {
        let last = self.change(now, |state| MessageId(state.last_id));
        let mut deleted = Vec::new();
        loop {
            let before = deleted.len();
            self.change(now, |state| {
                for _ in 0..LIST_PAGE {
                    match state.messages.first_entry() {
                        Some(first) if *first.key() <= last => {
                            let (id, message) = first.remove_entry();
                            state.forget(id, message);
                            deleted.push(id);
                        }
                        _ => break,
                    }
                }
            });
            if deleted.len() - before < LIST_PAGE {
                return deleted;
            }
        }
    }

    /// Deletes and wipes everything and takes nothing more, not even for sessions that are open.
    pub fn close(&self) {
        let version = {
            let mut state = crate::lock(&self.shared.state);
            state.closed = true;
            state.free.clear();
            state.messages.clear();
            state.gone.clear();
            state.unread = 0;
            state.capacity = 0;
            state.version += 1;
            state.version
        };
        self.announce(version);
    }

    /// Wipes expired messages and says when the next one expires.
    pub fn next_expiry(&self, now: Duration) -> Option<Duration> {
        self.change(now, |state| {
            let first = state.messages.values().next();
            let (message, life) = first.zip(state.time_to_live)?;
            message.received.elapsed.checked_add(life)
        })
    }

    /// Announces changes: the number grows with each that an owner can see.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Expires what is due, then does `operation`; then wakes watchers, outside the lock, if that has led to another
    /// version.
    fn change<T>(&self, now: Duration, operation: impl FnOnce(&mut State<H>) -> T) -> T {
        let (result, before, version) = {
            let mut state = crate::lock(&self.shared.state);
            let before = state.version;
            state.expire(now);
            (operation(&mut state), before, state.version)
        };
        if version > before {
            self.announce(version);
        }
        result
    }

    /// Another thread may have announced a later one meanwhile.
    fn announce(&self, version: u64) {
        let latest = |announced: &mut u64| *announced = version.max(*announced);
        self.shared.version.send_modify(latest);
    }

    /// The end of a reservation that holds a message of `length` bytes.
    fn store(&self, slot: Page, length: usize, header: H, now: Now) -> Result<MessageId, Closed> {
        self.change(now.elapsed, |state| {
            if state.closed {
                return Err(Closed);
            }
            state.last_id += 1;
            state.version += 1;
            let id = MessageId(state.last_id);
            let message = Message {
                slot,
                length,
                header: Box::new(header),
                received: now,
                read: false,
                version: state.version,
            };
            state.messages.insert(id, message);
            state.unread += 1;
            Ok(id)
        })
    }

    /// The end of a reservation that was not used.
    fn give_back(&self, slot: Page) {
        let mut state = crate::lock(&self.shared.state);
        if !state.closed {
            state.release(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_no_queue_has_leave_no_slot_free() {
        let counts = Counts {
            capacity: 50,
            stored: u32::MAX,
            reserved: u32::MAX,
            unread: 0,
        };
        assert_eq!(counts.free(), 0);
    }
}
