//! One running `tor`: started, reloaded, watched, stopped.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::tools::Tools;
use super::torrc;
use super::wait::{self, Deadline};

/// A healthy `tor` ends within 50 ms of SIGINT, since its torrc says `ShutdownWaitLength 0`.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// A `tor` of ours. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Daemon {
    dir: PathBuf,
    child: Child,
}

impl Daemon {
    /// Starts `tor` on the torrc in `dir`, as another user if there is one.
    pub(super) fn spawn(tools: &Tools, dir: &Path, user: Option<u32>) -> Result<Self> {
        let said = File::create(dir.join(torrc::OUTPUT))
            .with_context(|| format!("creating a file in {}", dir.display()))?;
        let mut tor = Command::new(&tools.tor);
        if let Some(user) = user {
            tor.uid(user).gid(user); // and in no other group
        }
        let child = tor
            .arg("-f")
            .arg(dir.join(torrc::FILE))
            // The system's own torrc-defaults must not have a say.
            .args(["--defaults-torrc", "/nonexistent", "--hush"])
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .with_context(|| format!("starting {}", tools.tor.display()))?;
        Ok(Self {
            dir: dir.to_owned(),
            child,
        })
    }

    /// The name of its directory, which is its nickname.
    pub(super) fn name(&self) -> String {
        let name = self.dir.file_name().unwrap_or_default();
        format!("tor {}", name.display())
    }

    /// # Errors
    /// When it has ended, with its last words.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended ({status}):\n{}", self.name(), self.last_words());
        }
        Ok(())
    }

    /// The end of its log, and of what it printed before it had one.
    pub(super) fn last_words(&self) -> String {
        let files = [torrc::OUTPUT, torrc::LOG].map(|file| self.dir.join(file));
        wait::last_lines(&files)
    }

    /// Has it read its torrc again, and retry its downloads at once.
    pub(super) fn reload(&mut self) -> Result<()> {
        self.check_alive()?;
        self.signal(Signal::HUP)
            .with_context(|| format!("sending SIGHUP to {}", self.name()))
    }

    /// Asks it to end, without waiting for that.
    pub(super) fn interrupt(&mut self) {
        if self.is_running() {
            // The one error left is that it has just ended, which is what was wanted.
            let _ = self.signal(Signal::INT);
        }
    }

    /// Ends it at once, without a chance to say farewell.
    pub(super) fn kill(&mut self) {
        // Whatever fails here, it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it; see `Drop`.
    pub(super) fn stop(self) {
        drop(self);
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// To be called on a child that has not been waited for: only then is the pid surely still
    /// its own.
    fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        kill_process(Pid::from_child(&self.child), signal)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.interrupt();
        let deadline = Deadline::after(STOP_WITHIN);
        while self.is_running() {
            if deadline.is_over() {
                self.kill();
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}
