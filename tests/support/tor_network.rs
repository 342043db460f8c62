//! A private Tor network of real `tor` daemons on loopback, for the end-to-end tests and the demo.
//!
//! The order of a start is what makes it both quick and reliable:
//!
//! 1. identity keys, which do not depend on addresses, come from a cache;
//! 2. every daemon starts with a vote planned far in the future, and publishes its descriptor;
//! 3. once every authority holds every descriptor, the authorities are told (SIGHUP) to vote now;
//! 4. the one consensus of that vote is checked: it must be the one that all clients can live with;
//! 5. the relays are told (SIGHUP) to fetch now, and the network is ready when every directory
//!    cache serves the consensus and all microdescriptors.
//!
//! Nothing then moves for half an hour. Every step awaits its condition; when one fails, all is
//! stopped and tried again on other addresses.
//!
//! Here, *relay* has Tor's meaning; a *node* is an authority or a relay; a *guest* is a `tor` that
//! only uses the network: a client, or the host of an onion service.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "a library to tests and the demo, each of which uses a part of it"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "deadlines here are those of real processes, which no manual clock moves"
)]

// The paths are spelled out because a root that is itself reached through `#[path]`, as in the
// demo, would look for its modules beside itself and not in its folder.
#[path = "tor_network/arti.rs"]
mod arti;
#[path = "tor_network/control.rs"]
mod control;
#[path = "tor_network/daemon.rs"]
mod daemon;
#[path = "tor_network/directory.rs"]
mod directory;
#[path = "tor_network/faults.rs"]
mod faults;
#[path = "tor_network/guest.rs"]
mod guest;
#[path = "tor_network/keys.rs"]
mod keys;
#[path = "tor_network/options.rs"]
mod options;
#[path = "tor_network/plan.rs"]
mod plan;
#[path = "tor_network/service_lines.rs"]
mod service_lines;
#[path = "tor_network/start.rs"]
mod start;
#[path = "tor_network/tools.rs"]
mod tools;
#[path = "tor_network/torrc.rs"]
mod torrc;
#[path = "tor_network/uploads.rs"]
mod uploads;
#[path = "tor_network/vote.rs"]
mod vote;
#[path = "tor_network/wait.rs"]
mod wait;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use self::daemon::Daemon;
use self::directory::Consensus;
use self::plan::{Node, Plan};
use self::tools::Tools;

pub use self::{
    options::{Options, Timings},
    service_lines::service_lines,
};

/// A try fails for reasons that pass: a port just taken, a machine too busy to vote in time.
const TRIES: u32 = 5;

/// A running private Tor network. Dropping it stops every daemon and removes their directory.
#[derive(Debug)]
pub struct TorNetwork {
    tools: Tools,
    nodes: Vec<Node>,
    daemons: Vec<Daemon>,
    consensus: Option<Consensus>,
    guests: Mutex<BTreeMap<String, Daemon>>,
    timings: Timings,
    failed_tries: Vec<String>,
    // Held, not read: the addresses stay claimed, and the files stay, as long as the daemons run.
    plan: Plan,
    dir: TempDir,
}

impl TorNetwork {
    /// Starts one authority and four relays, the smallest network with room to spare (about 4 s
    /// when the keys are cached).
    ///
    /// # Errors
    /// As [`TorNetwork::start_with`].
    pub fn start() -> Result<Self> {
        Self::start_with(&Options::default())
    }

    /// Starts the network that `options` describe, and returns it when every directory cache
    /// serves the consensus and all microdescriptors.
    ///
    /// # Errors
    /// When `tor` is not installed, no keys can be made or kept, or five tries have failed; the
    /// error then tells about each of them.
    pub fn start_with(options: &Options) -> Result<Self> {
        options.check()?;
        torrc::check_temp_dir(&std::env::temp_dir())?;
        let tools = Tools::find()?;
        let began = Instant::now();
        let identities = keys::identities(&tools, options)?;
        let keys = began.elapsed();

        let mut failed_tries = Vec::new();
        for attempt in 0..TRIES {
            match Self::attempt(&tools, &identities, attempt) {
                Ok(mut network) => {
                    network.timings.keys = keys;
                    network.failed_tries = failed_tries;
                    return Ok(network);
                }
                Err(error) => failed_tries.push(format!("try {}: {error:#}", attempt + 1)),
            }
        }
        bail!(
            "the private Tor network did not start:\n{}",
            failed_tries.join("\n")
        )
    }

    /// How long the parts of the start took.
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Why earlier tries failed, if this network is not the first one that was tried.
    pub fn failed_tries(&self) -> &[String] {
        &self.failed_tries
    }

    /// The directory that has one subdirectory per daemon, named after it, with its
    /// `notice.log`. It goes away with the network.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The configuration, in TOML, with which arti uses this network; it deserialises into
    /// `TorClientConfigBuilder`. Storage directories are the caller's to add.
    pub fn arti_config(&self) -> String {
        arti::config(&self.nodes)
    }

    /// Starts a `tor` that is a client of this network, and returns the address of its SOCKS port
    /// when it is bootstrapped (about 2 s).
    ///
    /// # Errors
    /// When a guest of that nickname is running already, or bootstrapping fails.
    pub fn socks_client(&self, nickname: &str) -> Result<SocketAddr> {
        self.invite(nickname, |dir| {
            guest::socks_client(&self.tools, &self.nodes, dir)
        })
        .with_context(|| format!("Tor client {nickname}"))
    }

    /// Starts a `tor` that hosts an onion service, and returns its host name, 56 characters and
    /// `.onion`, when every directory that should hold its descriptor has accepted it (about 4 s).
    ///
    /// `service_lines` are the torrc lines of the service, without `HiddenServiceDir`; see
    /// [`service_lines()`]. A nickname that was stopped before gets its onion address back.
    ///
    /// # Errors
    /// When a guest of that nickname is running already, `tor` refuses the lines, or the
    /// descriptor is not accepted.
    pub fn onion_service(&self, nickname: &str, service_lines: &str) -> Result<String> {
        self.invite(nickname, |dir| {
            guest::onion_service(&self.tools, &self.nodes, dir, None, service_lines)
        })
        .with_context(|| format!("Tor onion service {nickname}"))
    }

    /// The same, of a `tor` that runs as another `user`, with the group of that number and no other, as a system's
    /// does. Only root can start one.
    ///
    /// # Errors
    /// As [`TorNetwork::onion_service`].
    pub fn onion_service_of(
        &self,
        user: u32,
        nickname: &str,
        service_lines: &str,
    ) -> Result<String> {
        // That user has to come to its own directory within.
        fs::set_permissions(self.dir(), Permissions::from_mode(0o711))?;
        self.invite(nickname, |dir| {
            guest::onion_service(&self.tools, &self.nodes, dir, Some(user), service_lines)
        })
        .with_context(|| format!("Tor onion service {nickname}"))
    }

    /// Stops one guest. Its directory stays, so that it can be started again as the same.
    ///
    /// # Errors
    /// When no guest of that nickname is running.
    pub fn stop_node(&self, nickname: &str) -> Result<()> {
        let guest = self.guests().remove(nickname);
        guest
            .with_context(|| format!("no client or onion service named {nickname} is running"))?
            .stop();
        Ok(())
    }

    fn invite<T>(
        &self,
        nickname: &str,
        start: impl FnOnce(&Path) -> Result<(Daemon, T)>,
    ) -> Result<T> {
        if !torrc::is_nickname(nickname) || self.nodes.iter().any(|n| n.nickname == nickname) {
            bail!("choose another nickname: 1 to 19 letters and digits, not one of a node");
        }
        if self.guests().contains_key(nickname) {
            bail!("a client or onion service of that nickname is running already");
        }
        let (daemon, answer) = start(&self.dir.path().join(nickname))?;
        self.guests().insert(nickname.to_owned(), daemon);
        Ok(answer)
    }

    fn guests(&self) -> MutexGuard<'_, BTreeMap<String, Daemon>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TorNetwork {
    fn drop(&mut self) {
        let guests = std::mem::take(&mut *self.guests());
        let mut all: Vec<_> = guests.into_values().chain(self.daemons.drain(..)).collect();
        // All are asked before any is awaited, so that they end side by side.
        all.iter_mut().for_each(Daemon::interrupt);
        all.into_iter().for_each(Daemon::stop);
    }
}
