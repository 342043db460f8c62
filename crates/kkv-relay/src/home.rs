//! Where the owner's identity is, if the owner has one: until then there is nothing here, no thread and no memory.

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use kkv_agent::Agent;
use kkv_letters::{Identity, Minutes, Seed};
use rand::CryptoRng;
use tokio::sync::Notify;

use crate::lock;
use kkv_base::clock::Clock;

/// The home of at most one identity.
#[derive(Debug, Default)]
pub struct Home {
    place: Mutex<Place>,
    changed: Notify,
}

#[derive(Default)]
enum Place {
    #[default]
    Empty,
    Taken(Box<Agent>),
    /// Nobody comes in any more.
    Closed,
}

/// Why an identity isn't taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTakenIn {
    /// There is one already.
    Taken,
    /// The relay is ending.
    Closed,
}

impl Home {
    /// Takes in the identity of these words.
    ///
    /// # Errors
    /// There is one already, or the relay is ending.
    pub fn take_in(
        &self,
        seed: Seed,
        now: Minutes,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotTakenIn> {
        let mut place = self.place();
        match *place {
            Place::Taken(_) => return Err(NotTakenIn::Taken),
            Place::Closed => return Err(NotTakenIn::Closed),
            Place::Empty => {}
        }
        *place = Place::Taken(Box::new(Agent::new(Identity::new(seed), now, rng)));
        drop(place);
        self.changed.notify_one();
        Ok(())
    }

    /// Does something with the identity; nothing if there is none.
    pub fn with<T>(&self, act: impl FnOnce(&mut Agent) -> T) -> Option<T> {
        let done = match &mut *self.place() {
            Place::Taken(agent) => Some(act(agent)),
            Place::Empty | Place::Closed => None,
        };
        self.changed.notify_one();
        done
    }

    /// Wipes the identity, its keys and its posts. Returns how many posts there were; `None` without an identity.
    pub fn forget(&self) -> Option<usize> {
        let mut place = self.place();
        if !matches!(*place, Place::Taken(_)) {
            return None;
        }
        let Place::Taken(agent) = std::mem::take(&mut *place) else {
            return None;
        };
        Some(agent.room().posts)
    }

    /// The same, and none is taken in from now on.
    pub fn close(&self) {
        *self.place() = Place::Closed;
    }

    /// Wipes posts that have expired. Returns when the next one does, by the steady clock.
    pub(crate) fn purge(&self, clock: &dyn Clock) -> Option<Duration> {
        let unix = clock.wall();
        let mut place = self.place();
        let Place::Taken(agent) = &mut *place else {
            return None;
        };
        let next = agent.expire(Minutes::from_unix(unix))?;
        let wait = Duration::from_secs(next.unix().saturating_sub(unix));
        Some(clock.elapsed() + wait)
    }

    /// Once there may be something else that expires.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        lock(&self.place)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Taken(_) => "Taken",
            Self::Closed => "Closed",
        })
    }
}
