//! How many connections a listener keeps in each phase, and for how long.

use crate::admission::{Admission, Class};
use kkv_base::limits::{
    FIRST_BYTE_TIMEOUT, HEAD_TIMEOUT, KEEP_ALIVE_TIMEOUT, MAX_DESCRIPTORS, MAX_FIRST_REQUESTS,
    MAX_IDLE_CONNECTIONS, MAX_NEW_CONNECTIONS, MAX_NEXT_REQUESTS, MAX_OWNER_CONNECTIONS,
    WATCH_TIMEOUT,
};

/// The bounds of each phase of a connection. A newcomer to a phase evicts only connections in that phase, so no number
/// of half-sent first requests evicts a sender that has been answered.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits([Class; 4]);

/// The phase of a connection: its class in [`Admission`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Has sent nothing.
    New,
    /// Is sending its first request.
    FirstRequest,
    /// Has been answered, and is sending nothing.
    Idle,
    /// Has been answered, and is sending another request.
    NextRequest,
}

impl ConnectionLimits {
    /// For strangers' connections, in a process that may have so many file descriptors.
    #[must_use]
    pub fn for_strangers(descriptors: u64) -> Self {
        let share = descriptors.min(MAX_DESCRIPTORS);
        let class = |most: usize, idle_timeout| {
            let capacity = most as u64 * share / MAX_DESCRIPTORS;
            Class {
                capacity: usize::try_from(capacity).unwrap_or(0).max(1),
                idle_timeout,
            }
        };
        Self([
            class(MAX_NEW_CONNECTIONS, FIRST_BYTE_TIMEOUT),
            class(MAX_FIRST_REQUESTS, HEAD_TIMEOUT),
            class(MAX_IDLE_CONNECTIONS, KEEP_ALIVE_TIMEOUT),
            class(MAX_NEXT_REQUESTS, HEAD_TIMEOUT),
        ])
    }

    /// For the owner's connections, which may wait for changes.
    #[must_use]
    pub fn for_owner() -> Self {
        let class = |idle_timeout| Class {
            capacity: MAX_OWNER_CONNECTIONS,
            idle_timeout,
        };
        let request = WATCH_TIMEOUT + HEAD_TIMEOUT;
        Self([FIRST_BYTE_TIMEOUT, request, KEEP_ALIVE_TIMEOUT, request].map(class))
    }

    pub(super) fn admission(&self) -> Admission {
        Admission::new(&self.0)
    }
}

/// For strangers, with as many file descriptors as are of use.
impl Default for ConnectionLimits {
    fn default() -> Self {
        Self::for_strangers(MAX_DESCRIPTORS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_base::limits::CONNECTION_BYTES;

    fn total(limits: &ConnectionLimits) -> u64 {
        limits.0.iter().map(|class| class.capacity as u64).sum()
    }

    #[test]
    fn strangers_leave_a_quarter_of_the_descriptors_to_others() {
        for descriptors in [64, 256, 1024, 4096, 1 << 20] {
            let limits = ConnectionLimits::for_strangers(descriptors);
            let share = descriptors.min(MAX_DESCRIPTORS);
            assert!(total(&limits) <= share * 3 / 4, "{descriptors}: {limits:?}");
        }
        assert!(total(&ConnectionLimits::for_owner()) <= MAX_DESCRIPTORS / 8);
    }

    #[test]
    fn what_strangers_can_make_a_relay_hold_is_bounded() {
        let requests = MAX_FIRST_REQUESTS + MAX_IDLE_CONNECTIONS + MAX_NEXT_REQUESTS;
        let bytes = requests * CONNECTION_BYTES + MAX_NEW_CONNECTIONS * 2048;
        assert!(bytes <= 52 << 20, "{} MiB", bytes >> 20);
    }

    #[test]
    fn the_owner_may_watch_for_as_long_as_the_route_takes() {
        let ConnectionLimits(classes) = ConnectionLimits::for_owner();
        for phase in [Phase::FirstRequest, Phase::NextRequest] {
            assert!(classes[phase as usize].idle_timeout > WATCH_TIMEOUT);
        }
    }
}
