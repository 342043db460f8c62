//! Waiting for other processes.

use std::thread;
use std::time::{Duration, Instant};

use crate::programs::LIMIT;

/// Waits for a condition that nothing announces.
#[expect(clippy::disallowed_methods, reason = "a real process takes real time")]
pub(crate) fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < LIMIT, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
