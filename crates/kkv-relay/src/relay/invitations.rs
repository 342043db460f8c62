//! Invitations (PROTOCOL.md §15): who is let in without paying, how often, and until when.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::CryptoRng;
use tokio::sync::Notify;

use crate::queue::Now;
use kkv_base::limits::MAX_INVITATIONS;
use kkv_owner::Invitation;
use kkv_protocol::ids::{InvitationProof, SenderId};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::invitation::{InvitationKey, InvitationNumber, Token};

/// All of them.
#[derive(Debug)]
pub struct Invitations {
    suites: SuitePolicy,
    table: Mutex<Table>,
    made: Notify,
}

#[derive(Default)]
struct Table {
    /// The number of the last one that was made.
    last: u64,
    /// Those that have a use left.
    open: BTreeMap<InvitationNumber, Open>,
}

struct Open {
    /// Boxed: the map moves its entries, which would leave unwiped copies.
    key: Box<InvitationKey>,
    /// Uses that are not spent, those that are reserved included.
    left: u32,
    reserved: u32,
    /// When it ends.
    end: Now,
}

/// Why no invitation is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotInvited {
    /// The relay speaks kkv/1 alone, which knows none.
    #[error("invitations need kkv/2, and this inbox was started without it (--suite)")]
    NoKkv2,
    /// There are [`MAX_INVITATIONS`].
    #[error(
        "there are {MAX_INVITATIONS} invitations already, and no more at one time; revoke one first"
    )]
    TooMany,
}

/// A use that is reserved for one session. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct ReservedUse {
    of: Arc<Invitations>,
    number: InvitationNumber,
}

impl Invitations {
    /// None, of a relay that speaks these suites.
    #[must_use]
    pub fn new(suites: SuitePolicy) -> Self {
        Self {
            suites,
            table: Mutex::default(),
            made: Notify::new(),
        }
    }

    /// Makes one, of so many uses (at least 1) and for this long. Returns its token, which is not kept, and how it is
    /// listed from now on.
    ///
    /// # Errors
    /// See [`NotInvited`].
    pub fn make(
        &self,
        uses: u32,
        lifetime: Duration,
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<(Token, Invitation), NotInvited> {
        if !self.suites.allows(Suite::V2) {
            return Err(NotInvited::NoKkv2);
        }
        let token = Token::generate(rng);
        let mut table = crate::lock(&self.table);
        table.purge(now.elapsed);
        if table.open.len() >= MAX_INVITATIONS {
            return Err(NotInvited::TooMany);
        }
        table.last += 1;
        let number = InvitationNumber(table.last);
        let open = Open {
            key: Box::new(token.key()),
            left: uses,
            reserved: 0,
            end: Now {
                unix: now.unix.saturating_add(lifetime.as_secs()),
                elapsed: now.elapsed.saturating_add(lifetime),
            },
        };
        let listed = open.listed(number);
        table.open.insert(number, open);
        drop(table);
        self.made.notify_one();
        Ok((token, listed))
    }

    /// Which one this sender proves to have, if it can be used.
    ///
    /// # Errors
    /// `uninvited`.
    pub(super) fn find(
        &self,
        sender: &SenderId,
        proof: &InvitationProof,
        now: Duration,
    ) -> Result<InvitationNumber, Refusal> {
        let table = crate::lock(&self.table);
        // All of them, whichever fits: the time it takes says how many there are, and nothing else.
        let keys: Vec<&InvitationKey> = table.open.values().map(|open| &*open.key).collect();
        let which = InvitationKey::which(&keys, sender, proof).ok_or(Refusal::Uninvited)?;
        let (number, open) = table.open.iter().nth(which).ok_or(Refusal::Uninvited)?;
        open.check(now).map(|()| *number)
    }

    /// Whether this one can be used.
    ///
    /// # Errors
    /// `uninvited`.
    pub(super) fn check(&self, number: InvitationNumber, now: Duration) -> Result<(), Refusal> {
        let table = crate::lock(&self.table);
        let open = table.open.get(&number).ok_or(Refusal::Uninvited)?;
        open.check(now)
    }

    /// Reserves a use of this one.
    ///
    /// # Errors
    /// `uninvited`: it can't be used.
    pub(super) fn reserve(
        self: &Arc<Self>,
        number: InvitationNumber,
        now: Duration,
    ) -> Result<ReservedUse, Refusal> {
        let mut table = crate::lock(&self.table);
        let open = table.open.get_mut(&number).ok_or(Refusal::Uninvited)?;
        open.check(now)?;
        open.reserved += 1;
        Ok(ReservedUse {
            of: Arc::clone(self),
            number,
        })
    }

    /// Those that there are, by number.
    #[must_use]
    pub fn list(&self, now: Duration) -> Vec<Invitation> {
        let mut table = crate::lock(&self.table);
        table.purge(now);
        let open = table.open.iter();
        open.map(|(number, open)| open.listed(*number)).collect()
    }

    /// Ends this one. Whether it was there. A session that holds a use of it goes on.
    pub fn revoke(&self, number: InvitationNumber, now: Duration) -> bool {
        let mut table = crate::lock(&self.table);
        table.purge(now);
        table.open.remove(&number).is_some()
    }

    /// Removes what has expired. Returns when something expires next.
    pub(super) fn purge(&self, now: Duration) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        table.purge(now);
        table.open.values().map(|open| open.end.elapsed).min()
    }

    /// Ends all of them. Their numbers don't come back.
    pub fn wipe(&self) {
        crate::lock(&self.table).open.clear();
    }

    /// Waits until one is made.
    pub(super) async fn made(&self) {
        self.made.notified().await;
    }
}

impl ReservedUse {
    /// Of which invitation.
    pub(super) fn number(&self) -> InvitationNumber {
        self.number
    }

    /// Its message is in the queue.
    pub(super) fn spend(self) {
        let mut table = crate::lock(&self.of.table);
        if let Some(open) = table.open.get_mut(&self.number) {
            open.left -= 1; // what is dropped below gives back a use of those that are left
            if open.left == 0 {
                table.open.remove(&self.number);
            }
        }
        drop(table);
    }
}

impl Drop for ReservedUse {
    fn drop(&mut self) {
        // It may have ended meanwhile; numbers never come back, so it is no other one.
        if let Some(open) = crate::lock(&self.of.table).open.get_mut(&self.number) {
            open.reserved -= 1;
        }
    }
}

impl Table {
    fn purge(&mut self, now: Duration) {
        self.open.retain(|_, open| now < open.end.elapsed);
    }
}

impl Open {
    fn check(&self, now: Duration) -> Result<(), Refusal> {
        if now < self.end.elapsed && self.reserved < self.left {
            Ok(())
        } else {
            Err(Refusal::Uninvited)
        }
    }

    fn listed(&self, number: InvitationNumber) -> Invitation {
        Invitation {
            number,
            uses_left: self.left,
            in_use: self.reserved,
            expires: self.end.unix,
        }
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} invitations", self.open.len())
    }
}

#[cfg(test)]
mod tests;
