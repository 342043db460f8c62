//! Waiting for what nothing announces: looking again and again, and for no fixed time.

use std::thread;
use std::time::{Duration, Instant};

use super::process::LIMIT;

/// Between the first two looks; each further pause is longer by half, up to the last of these.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];

/// Waits until `ready`, and fails the test if that takes longer than anything may.
#[track_caller]
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    comes_to(|| {
        ready()
            .then_some(())
            .ok_or_else(|| format!("waited in vain for {what}"))
    });
}

/// Looks until there is something, and returns it. If that takes longer than anything may, the test fails with what was
/// missing at last.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "a real process takes real time, and this is where all tests wait for one"
)]
pub fn comes_to<T>(mut look: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    let [mut pause, longest] = PAUSES;
    loop {
        match look() {
            Ok(found) => return found,
            Err(missing) => assert!(began.elapsed() < LIMIT, "{missing}"),
        }
        thread::sleep(pause);
        pause = longest.min(pause * 3 / 2);
    }
}
