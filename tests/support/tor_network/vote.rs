//! When the authorities vote, and what they believe to have voted before.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

/// Half an hour: the longest interval a first vote may have, so that one consensus is made and
/// then nothing moves. `tor` in a test network derives the lifetime of onion service descriptors
/// from it, so that it cannot be short either: see [`hsdir_interval_minutes`].
pub(super) const INTERVAL_SECONDS: i64 = 1800;

/// From the vote to its consensus, and the like between its steps: as short as `tor` allows.
pub(super) const DELAY_SECONDS: i64 = 2;

/// Until all have published, the authorities must not vote. They start with a vote this far
/// ahead, beyond the time that a start may take.
const PLACEHOLDER_SECONDS: i64 = 240;

/// A vote on the first moment of a phase of the shared random protocol could begin a new run of
/// it, which forgets the values that were seeded.
const SHARED_RANDOM_PHASE_SECONDS: i64 = 12 * INTERVAL_SECONDS;

/// How long the seeded values are good for: longer than any network lives.
const SHARED_RANDOM_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The moment at which a consensus becomes valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VoteTime(i64);

impl VoteTime {
    /// A time that never comes: it is replaced before.
    pub(super) fn placeholder() -> Self {
        Self::in_seconds(PLACEHOLDER_SECONDS)
    }

    /// The earliest time that so many authorities can keep. Each further attempt leaves more
    /// time, for a machine that has proved slow.
    ///
    /// An authority looks at a new time one second after it has heard of it. When that time is
    /// past by then, it votes for the one half an hour later, and there is no consensus at all.
    pub(super) fn soon(authorities: usize, attempt: u32) -> Self {
        // Votes are exchanged two delays before, signatures one. An authority that is alone does
        // overdue steps at once; several must all have heard of the new time before the first.
        let lead = if authorities == 1 {
            DELAY_SECONDS
        } else {
            3 * DELAY_SECONDS
        };
        Self::in_seconds(lead + 4 * i64::from(attempt))
    }

    /// The whole second nearest to `seconds` from now. Rounded down, two seconds could be the one
    /// that is too short.
    fn in_seconds(seconds: i64) -> Self {
        let now = (Timestamp::now().as_millisecond() + 500).div_euclid(1000);
        let time = now + seconds;
        let on_the_edge = time % SHARED_RANDOM_PHASE_SECONDS == 0;
        Self(time + i64::from(on_the_edge))
    }

    /// What makes `tor` vote at this time: the offset of votes from the multiples of the interval.
    pub(super) fn offset(self) -> i64 {
        self.0 % INTERVAL_SECONDS
    }

    /// The two lines that begin and end the life of its consensus.
    pub(super) fn lifetime(self) -> String {
        let from = utc(self.0);
        let until = utc(self.0 + INTERVAL_SECONDS);
        format!("valid-after {from}\nfresh-until {until}\n")
    }

    /// Gives the authority in `dir` a past in which shared random values were agreed on.
    ///
    /// Real ones would take a day of votes. Without any, the ring of directories for the second
    /// time period is undefined, and arti never calls its onion service fully reachable.
    pub(super) fn seed_shared_random(self, dir: &Path) -> Result<()> {
        let state = format!(
            "\
Version 1
TorVersion Tor
ValidAfter {}
ValidUntil {}
SharedRandPreviousValue 9 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=
SharedRandCurrentValue 9 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBE=
",
            utc(self.0 - 1),
            utc(self.0 + SHARED_RANDOM_SECONDS)
        );
        fs::write(dir.join("sr-state"), state).context("writing an authority's sr-state")
    }
}

/// How long an onion service's descriptor lives at its directories. `tor` takes 24 voting
/// intervals in a test network; arti follows the consensus, which must therefore say the same, or
/// the two look for each other's services in different places.
pub(super) fn hsdir_interval_minutes() -> i64 {
    24 * INTERVAL_SECONDS / 60
}

fn utc(unix_seconds: i64) -> String {
    Timestamp::from_second(unix_seconds)
        .unwrap_or(Timestamp::MAX)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_written_as_directory_documents_do() {
        assert_eq!(
            VoteTime(951_782_400).lifetime(),
            "valid-after 2000-02-29 00:00:00\nfresh-until 2000-02-29 00:30:00\n"
        );
    }

    #[test]
    fn offsets_count_from_the_half_hour() {
        assert_eq!(VoteTime(951_782_400 + 1805).offset(), 5);
    }
}
