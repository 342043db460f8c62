//! For how long an output is waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::signals::stop_is_requested;

/// How long an output has for what is still to be written once the program is asked to end.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// How much longer it has while it takes what it gets.
const OWN_DELAY: Duration = Duration::from_secs(2);

/// Whether an output was waited for in vain: it is not waited for as long again.
static GAVE_UP: AtomicBool = AtomicBool::new(false);

/// Remembers that an output was waited for in vain.
pub(super) fn give_up() {
    GAVE_UP.store(true, Ordering::Relaxed);
}

/// How long it is waited.
pub(super) struct Patience {
    longest: Option<Instant>,
    last: Option<Instant>,
}

impl Patience {
    pub(super) fn new(longest: Option<Duration>) -> Self {
        Self {
            longest: longest.map(|longest| now() + longest),
            last: None,
        }
    }

    pub(super) fn is_over(&mut self) -> bool {
        if stop_is_requested() || GAVE_UP.load(Ordering::Relaxed) {
            self.last.get_or_insert_with(|| now() + LAST_WORDS);
        }
        self.end().is_some_and(|end| end <= now())
    }

    /// Whether not even this program's own threads are waited for any more, where an output takes what it gets: on a
    /// busy machine they may have had no turn yet.
    pub(super) fn is_exhausted(&self) -> bool {
        self.end().is_some_and(|end| end + OWN_DELAY <= now())
    }

    fn end(&self) -> Option<Instant> {
        [self.longest, self.last].into_iter().flatten().min()
    }
}

/// The steady clock: nothing here is dated, and no test moves it.
#[expect(
    clippy::disallowed_methods,
    reason = "an output takes real time, which dates nothing"
)]
fn now() -> Instant {
    Instant::now()
}
