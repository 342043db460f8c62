//! How many connections there is room for, and for how long each.

use crate::places::{Places, Row};
use kkv_base::limits::{
    ANSWERED_TIMEOUT, HEAD_TIMEOUT, MAX_ANSWERED, MAX_ASKING, MAX_BEGUN, MAX_DESCRIPTORS,
    MAX_OWNER, MAX_SILENT, SILENT_TIMEOUT, WATCH_TIMEOUT,
};

/// Room for connections. Each is in one of four states, and each state has its own places: who has had an answer is not
/// pushed out by those who have not, however many they are.
#[derive(Debug, Clone, Copy)]
pub struct Room([Row; 4]);

/// The state of a connection: its row in [`Places`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Has not said anything.
    Silent,
    /// Its first request is on its way.
    Begun,
    /// Has had an answer, and asks nothing.
    Answered,
    /// Has had an answer, and another request is on its way.
    Asking,
}

impl Room {
    /// For strangers, if the process may have this many file descriptors.
    #[must_use]
    pub fn for_strangers(descriptors: u64) -> Self {
        let share = descriptors.min(MAX_DESCRIPTORS);
        let row = |places: usize, patience| {
            let places = places as u64 * share / MAX_DESCRIPTORS;
            Row {
                places: usize::try_from(places).unwrap_or(0).max(1),
                patience,
            }
        };
        Self([
            row(MAX_SILENT, SILENT_TIMEOUT),
            row(MAX_BEGUN, HEAD_TIMEOUT),
            row(MAX_ANSWERED, ANSWERED_TIMEOUT),
            row(MAX_ASKING, HEAD_TIMEOUT),
        ])
    }

    /// For the owner, who may wait for news.
    #[must_use]
    pub fn for_owner() -> Self {
        let row = |patience| Row {
            places: MAX_OWNER,
            patience,
        };
        let asking = WATCH_TIMEOUT + HEAD_TIMEOUT;
        Self([SILENT_TIMEOUT, asking, ANSWERED_TIMEOUT, asking].map(row))
    }

    pub(super) fn places(&self) -> Places {
        Places::new(&self.0)
    }
}

/// For strangers, with all the descriptors that are of use.
impl Default for Room {
    fn default() -> Self {
        Self::for_strangers(MAX_DESCRIPTORS)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use kkv_base::limits::CONNECTION_BYTES;

    fn places(room: &Room) -> u64 {
        room.0.iter().map(|row| row.places as u64).sum()
    }

    #[test]
    fn strangers_leave_a_quarter_of_the_descriptors_to_others() {
        for descriptors in [64, 256, 1024, 4096, 1 << 20] {
            let room = Room::for_strangers(descriptors);
            let share = descriptors.min(MAX_DESCRIPTORS);
            assert!(places(&room) <= share * 3 / 4, "{descriptors}: {room:?}");
        }
        assert!(places(&Room::for_owner()) <= MAX_DESCRIPTORS / 8);
    }

    #[test]
    fn all_that_strangers_can_make_a_relay_hold_is_under_its_limit() {
        let requests = MAX_BEGUN + MAX_ANSWERED + MAX_ASKING;
        let bytes = requests * CONNECTION_BYTES + MAX_SILENT * 2048;
        assert!(bytes <= 52 << 20, "{} MiB", bytes >> 20);
    }

    #[test]
    fn the_owner_may_watch_for_as_long_as_the_route_takes() {
        let patience: Vec<Duration> = Room::for_owner().0.iter().map(|r| r.patience).collect();
        for state in [State::Begun, State::Asking] {
            assert!(patience[state as usize] > WATCH_TIMEOUT);
        }
    }
}
