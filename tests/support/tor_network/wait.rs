//! Waiting for a condition, never for a while: polls, deadlines, and errors that quote the log.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::daemon::Daemon;

/// Short beside the seconds of a start, and cheap: each poll of a network is a few requests.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Enough to see what a `tor` was about, and short enough for an error message.
const QUOTED_LINES: usize = 8;

/// The moment after which waiting is given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    allowed: Duration,
}

impl Deadline {
    pub(super) fn after(allowed: Duration) -> Self {
        Self {
            at: Instant::now() + allowed,
            allowed,
        }
    }

    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.at
    }

    /// # Errors
    /// Once the deadline is over: one that names `what` was awaited, and quotes `log`.
    pub(super) fn check(self, what: &str, log: impl FnOnce() -> String) -> Result<()> {
        if self.is_over() {
            bail!(
                "waited {} s in vain for {what}; the last log lines are:\n{}",
                self.allowed.as_secs(),
                log()
            );
        }
        Ok(())
    }
}

/// The time between two looks at a condition.
pub(super) fn pause() {
    thread::sleep(POLL_EVERY);
}

/// Returns once `ready` has held for the index of each daemon (and is not asked about it again);
/// `what` says of one daemon what that means.
///
/// # Errors
/// When any daemon ends, `ready` fails, or the deadline passes.
pub(super) fn for_each(
    what: &str,
    deadline: Deadline,
    daemons: &mut [Daemon],
    mut ready: impl FnMut(usize) -> Result<bool>,
) -> Result<()> {
    let mut missing: Vec<usize> = (0..daemons.len()).collect();
    loop {
        for daemon in &mut *daemons {
            daemon.check_alive()?;
        }
        let mut still = Vec::new();
        for i in missing {
            if !ready(i)? {
                still.push(i);
            }
        }
        let Some(&first) = still.first() else {
            return Ok(());
        };
        let laggard = &daemons[first];
        deadline.check(&format!("{}: {what}", laggard.name()), || {
            laggard.last_words()
        })?;
        missing = still;
        pause();
    }
}

/// The last lines of each of some logs, indented, for the end of an error message.
pub(super) fn last_lines(files: &[PathBuf]) -> String {
    let mut quoted = Vec::new();
    for file in files {
        let text = fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(QUOTED_LINES));
        quoted.extend(last.map(|line| format!("    {line}")));
    }
    if quoted.is_empty() {
        return "    (none)".to_owned();
    }
    quoted.join("\n")
}
