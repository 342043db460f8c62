//! The queue: what is done to its state, under one lock.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::deleted::DeletedIds;
use super::message::{Message, MessageRef, Now, Place};
use super::state::State;
use crate::memory::{Page, Share};
use kkv_base::limits::{LIST_PAGE, MAX_DELETED_IDS};
use kkv_owner::{MessageId, Occupancy, Room};
use kkv_protocol::v2::purpose::LargeSize;

/// The queue was closed; see [`Queue::close`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is closed")]
pub struct Closed;

/// The queue. Clones share it. No operation locks it for longer than [`LIST_PAGE`] messages take, but for
/// [`look`](Self::look), by which boxes are told which of their messages are left: one or two for each box at most.
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
    /// The last version that watchers were told of.
    version: watch::Sender<u64>,
    /// The memory of large messages. Its locks are taken with the state's held, never the other way round.
    share: Share,
    locked: bool,
}

impl<H> Queue<H> {
    /// Allocates slots for `capacity` messages. Each message lives for `time_to_live`; with `None`, until it is
    /// deleted.
    ///
    /// # Errors
    /// The kernel has not enough memory.
    pub fn new(capacity: u32, time_to_live: Option<Duration>) -> io::Result<Self> {
        Self::with_deleted_ids(MAX_DELETED_IDS, capacity, time_to_live)
    }

    /// As [`new`](Self::new), with another bound than [`MAX_DELETED_IDS`].
    ///
    /// # Errors
    /// The kernel has not enough memory.
    pub(crate) fn with_deleted_ids(
        max_deleted_ids: usize,
        capacity: u32,
        time_to_live: Option<Duration>,
    ) -> io::Result<Self> {
        Self::build(max_deleted_ids, capacity, 0, time_to_live)
    }

    /// As [`new`](Self::new), with so many bytes of memory for large messages. What may be locked is locked for slots
    /// first.
    ///
    /// # Errors
    /// The kernel has not enough memory.
    pub fn with_share(
        capacity: u32,
        share_bytes: usize,
        time_to_live: Option<Duration>,
    ) -> io::Result<Self> {
        Self::build(MAX_DELETED_IDS, capacity, share_bytes, time_to_live)
    }

    fn build(
        max_deleted_ids: usize,
        capacity: u32,
        share_bytes: usize,
        time_to_live: Option<Duration>,
    ) -> io::Result<Self> {
        let free = Page::allocate(capacity as usize)?;
        let locked = free.iter().all(Page::is_locked);
        let share = Share::new(share_bytes)?;
        let state = State {
            capacity,
            free,
            in_slots: 0,
            in_blocks: 0,
            messages: BTreeMap::new(),
            unread: 0,
            last_id: 0,
            version: 0,
            deleted: DeletedIds::new(max_deleted_ids),
            time_to_live,
            closed: false,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                version: watch::Sender::new(0),
                share,
                locked,
            }),
        })
    }

    /// How long a message lives, if not until it is deleted.
    #[must_use]
    pub fn time_to_live(&self) -> Option<Duration> {
        crate::lock(&self.shared.state).time_to_live
    }

    /// Whether all slots are locked in memory (mlock(2)), and so never swapped.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.shared.locked
    }

    /// The memory of its large messages.
    pub(super) fn share(&self) -> &Share {
        &self.shared.share
    }

    /// How full its slots are.
    #[must_use]
    pub fn occupancy(&self, now: Duration) -> Occupancy {
        self.change(now, |state| state.occupancy())
    }

    /// How full the memory of large messages is.
    #[must_use]
    pub fn room(&self, now: Duration) -> Room {
        self.change(now, |state| {
            let bytes = |n: usize| n as u64;
            let share = self.share();
            let taken = share.bytes() - share.free_bytes();
            let large = state.messages.len() - state.in_slots as usize;
            Room {
                bytes: bytes(share.bytes()),
                messages: u32::try_from(large).unwrap_or(u32::MAX),
                stored: bytes(state.in_blocks),
                reserved: bytes(taken.saturating_sub(state.in_blocks)),
                locked: bytes(share.locked_bytes()),
            }
        })
    }

    /// How many large messages there is room for at most.
    #[must_use]
    pub fn most_large(&self) -> usize {
        self.share().bytes() / LargeSize::Kib16.bytes()
    }

    /// Calls `read` with the message, under the lock. `None` if there is no message with this id.
    pub fn with<T>(
        &self,
        id: MessageId,
        now: Duration,
        read: impl FnOnce(MessageRef<'_, H>) -> T,
    ) -> Option<T> {
        self.change(now, |state| {
            let message = state.messages.get(&id)?;
            Some(message.visit(id, read))
        })
    }

    /// Calls `look` with what says of an id whether that message is marked as read, if it is there: for many under one
    /// lock, which is held for as long as `look` takes.
    pub fn look<T>(
        &self,
        now: Duration,
        look: impl FnOnce(&dyn Fn(MessageId) -> Option<bool>) -> T,
    ) -> T {
        self.change(now, |state| {
            look(&|id| state.messages.get(&id).map(|message| message.read))
        })
    }

    /// Whether there is a message with this id.
    #[must_use]
    pub fn holds(&self, id: MessageId, now: Duration) -> bool {
        self.change(now, |state| state.messages.contains_key(&id))
    }

    /// Marks a message as read or unread. Returns false if there is no such message.
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

    /// Counts these messages as changed: something else is told of them from now on.
    pub fn touch(&self, ids: impl IntoIterator<Item = MessageId>, now: Duration) {
        self.change(now, |state| {
            for id in ids {
                if let Some(message) = state.messages.get_mut(&id) {
                    state.version += 1;
                    message.version = state.version;
                }
            }
        });
    }

    /// Deletes and wipes a message. Returns false if there is no such message.
    pub fn delete(&self, id: MessageId, now: Duration) -> bool {
        self.change(now, |state| {
            let message = state.messages.remove(&id);
            message.map(|message| state.remove(id, message)).is_some()
        })
    }

    /// Deletes and wipes every message that arrived before the call. Returns their ids.
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
                            state.remove(id, message);
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

    /// Deletes and wipes everything. No message is stored from now on, not even by reservations made before.
    pub fn close(&self) {
        let version = {
            let mut state = crate::lock(&self.shared.state);
            state.closed = true;
            state.free.clear();
            state.messages.clear();
            (state.in_slots, state.in_blocks) = (0, 0);
            state.deleted.clear();
            state.unread = 0;
            state.capacity = 0;
            state.version += 1;
            state.version
        };
        self.announce(version);
    }

    /// Wipes expired messages. Returns when the next one expires, on the steady clock.
    pub fn next_expiry(&self, now: Duration) -> Option<Duration> {
        self.change(now, |state| {
            let first = state.messages.values().next();
            let (message, life) = first.zip(state.time_to_live)?;
            message.received.elapsed.checked_add(life)
        })
    }

    /// The version, which grows with each change that an owner can see.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Expires messages, runs `operation`, and, after unlocking, wakes watchers if the version has changed.
    pub(super) fn change<T>(&self, now: Duration, operation: impl FnOnce(&mut State<H>) -> T) -> T {
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

    /// Never lowers the version: another thread may have announced a later one meanwhile.
    fn announce(&self, version: u64) {
        let latest = |announced: &mut u64| *announced = version.max(*announced);
        self.shared.version.send_modify(latest);
    }

    /// Turns what a reservation had into a message.
    pub(super) fn store(&self, place: Place, header: H, now: Now) -> Result<MessageId, Closed> {
        self.change(now.elapsed, |state| {
            if state.closed {
                return Err(Closed);
            }
            state.last_id += 1;
            state.version += 1;
            let id = MessageId(state.last_id);
            match &place {
                Place::Slot { .. } => state.in_slots += 1,
                Place::Block { block, .. } => state.in_blocks += block.size().bytes(),
            }
            let message = Message {
                place,
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

    /// Frees the slot of a reservation that was not used.
    pub(super) fn give_back(&self, slot: Page) {
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
    fn who_watches_is_woken_by_changes_and_by_nothing_else() {
        let queue = Queue::<()>::new(2, None).unwrap();
        let mut watch = queue.watch();
        watch.mark_unchanged();
        let changed = |watch: &mut watch::Receiver<u64>| {
            let changed = watch.has_changed().unwrap();
            watch.mark_unchanged();
            changed
        };
        let _ = queue.occupancy(Duration::ZERO);
        assert!(!queue.delete(MessageId(1), Duration::ZERO));
        assert!(!changed(&mut watch), "nothing has changed");
        let now = Now {
            unix: 0,
            elapsed: Duration::ZERO,
        };
        let slot = queue.reserve(now.elapsed).unwrap();
        slot.store(3, (), now).unwrap();
        assert!(changed(&mut watch));
        queue.mark(MessageId(1), true, now.elapsed);
        assert!(changed(&mut watch));
        queue.mark(MessageId(1), true, now.elapsed);
        assert!(!changed(&mut watch), "it was marked before");
        assert_eq!(queue.delete_all(now.elapsed), [MessageId(1)]);
        assert!(changed(&mut watch));
    }
}
