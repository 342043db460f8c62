//! Room for a newcomer: what of its sender's share and of the whole bag goes for it. Nothing goes before all of it is
//! found and the newcomer's signature is checked.

use std::collections::BTreeSet;
use std::ops::Bound;

use kkv_letters::Minutes;

use super::accounts::{Head, Turn};
use super::entry::Order;
use super::removal::Why;
use super::standing::{Class, Kind, quota};
use super::{Bag, Change, Refusal, Watcher};

impl Bag {
    /// Adds to `victims` what of its sender's share goes for a newcomer of `size` bytes that would stand at `place`.
    pub(super) fn room_of_sender(
        &self,
        class: Class,
        place: &Order,
        size: usize,
        victims: &mut Vec<u32>,
    ) -> Result<(), Refusal> {
        let most = quota(class, place.kind, self.budget);
        if size > most {
            return Err(Refusal::Quota);
        }
        let Some(account) = self.accounts.get(place.account) else {
            return Ok(());
        };
        let ours = |slot: &u32| {
            let entry = self.entries.get(*slot)?;
            let same = entry.account == place.account && entry.kind == place.kind;
            same.then(|| entry.sealed.allocated())
        };
        let mut held = account.bytes(place.kind) + size;
        held -= victims.iter().filter_map(ours).sum::<usize>();
        for order in self.order.range(first(place.account, place.kind)..) {
            if held <= most {
                return Ok(());
            }
            let is_ours = (order.account, order.kind) == (place.account, place.kind);
            if !is_ours || (order.rank, order.time) > (place.rank, place.time) {
                break;
            }
            if !victims.contains(&order.slot) {
                held -= ours(&order.slot).unwrap_or(0);
                victims.push(order.slot);
            }
        }
        if held <= most {
            return Ok(());
        }
        Err(Refusal::Quota)
    }

    /// Adds to `victims` what of the whole bag goes so that `change` fits: in the order of purging, as long as its turn
    /// comes before that of the newcomer.
    pub(super) fn room_in_all(
        &self,
        mut change: Change,
        newcomer: Turn,
        victims: &mut Vec<u32>,
    ) -> Result<(), Refusal> {
        let size = |slot: &u32| {
            self.entries
                .get(*slot)
                .map_or(0, |entry| entry.sealed.allocated())
        };
        change.removed += victims.len();
        change.freed += victims.iter().map(size).sum::<usize>();
        if self.bytes_with(&change) <= self.budget {
            return Ok(());
        }
        // Purging frees places in tables, too; they are counted as if they grew all the same.
        let chosen: BTreeSet<u32> = victims.iter().copied().collect();
        let mut heads = self.heads.iter().copied().peekable();
        let mut opened: BTreeSet<(Head, u32)> = BTreeSet::new();
        loop {
            let head_first = match (heads.peek(), opened.first()) {
                (None, None) => return Err(Refusal::NoRoom),
                (Some(head), Some((next, _))) => head < next,
                (head, _) => head.is_some(),
            };
            let found = if head_first {
                let head = heads.next();
                head.and_then(|head| Some((head, self.head_order(&head)?)))
            } else {
                let next = opened.pop_first();
                next.and_then(|(head, slot)| Some((head, self.entries.get(slot)?.order(slot))))
            };
            let Some((head, order)) = found else {
                return Err(Refusal::NoRoom);
            };
            if head.turn > newcomer {
                return Err(Refusal::NoRoom);
            }
            if !chosen.contains(&order.slot) {
                change.removed += 1;
                change.freed += size(&order.slot);
                victims.push(order.slot);
                if self.bytes_with(&change) <= self.budget {
                    return Ok(());
                }
            }
            let after = (Bound::Excluded(order), Bound::Unbounded);
            if let Some(next) = self.order.range(after).next()
                && (next.account, next.kind) == (order.account, order.kind)
                && let Some(account) = self.accounts.get(next.account)
            {
                let turn = Turn::of(account.class(), next);
                opened.insert((Head { turn, ..head }, next.slot));
            }
        }
    }

    /// The envelope that a head stands for: the first of its sender and kind.
    fn head_order(&self, head: &Head) -> Option<Order> {
        let order = self.order.range(first(head.account, head.kind)..).next()?;
        let same = (order.account, order.kind) == (head.account, head.kind);
        same.then_some(*order)
    }

    /// Removes what goes for a newcomer. Those of its own chain are `superseded`; they go without their newest.
    pub(super) fn purge(
        &mut self,
        victims: &[u32],
        superseded: &[u32],
        watcher: &mut impl Watcher,
    ) {
        for slot in superseded {
            self.unlink(*slot, Why::Purged);
        }
        for slot in victims {
            if !superseded.contains(slot) {
                self.remove(*slot, Why::Purged, watcher);
            }
        }
    }

    /// Removes what goes first until the bag is within its budget. Each step removes something, or it ends.
    pub(super) fn fit(&mut self, watcher: &mut impl Watcher) {
        while self.bytes() > self.budget {
            let first = self.heads.first().copied();
            let Some(order) = first.and_then(|head| self.head_order(&head)) else {
                return;
            };
            self.remove(order.slot, Why::Purged, watcher);
        }
    }

    /// Brings what stands first of a sender's envelopes of a kind up to date, after the order has changed.
    pub(super) fn update_head(&mut self, account: u32, kind: Kind) {
        let place = Head {
            turn: Turn::LAST,
            account,
            kind,
        };
        let order = self.head_order(&place);
        let Some(found) = self.accounts.get_mut(account) else {
            return;
        };
        let class = found.class();
        let head = order.map(|order| Head {
            turn: Turn::of(class, &order),
            account,
            kind,
        });
        let before = std::mem::replace(&mut found.heads[kind as usize], head);
        if before == head {
            return;
        }
        if let Some(before) = before {
            self.heads.remove(&before);
        }
        if let Some(head) = head {
            self.heads.insert(head);
        }
    }
}

/// The first place in the order of purging that a sender's envelope of a kind can have.
pub(super) fn first(account: u32, kind: Kind) -> Order {
    Order {
        account,
        kind,
        rank: 0,
        time: Minutes(0),
        slot: 0,
    }
}
