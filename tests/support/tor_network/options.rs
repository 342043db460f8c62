//! What a caller chooses about a network, and what it is told about the start.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

/// With fewer there are no four hops to choose: the network starts, and no onion service works.
const FEWEST_NODES: usize = 4;

/// One microdescriptor request carries at most 92 digests, and more nodes serve no test.
const MOST_NODES: usize = 50;

/// The shape of a network, and where its keys are kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directory authorities. With one there is a vote at once; with three, a real one, and the
    /// start takes twice as long.
    pub authorities: usize,
    /// Relays beside the authorities, which are relays as well. At least one.
    pub relays: usize,
    /// Where identity keys are kept from one network to the next; making them takes seconds.
    pub key_cache: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            authorities: 1,
            relays: 4,
            key_cache: default_key_cache(),
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        let nodes = self.authorities.saturating_add(self.relays);
        ensure!(
            self.authorities > 0 && self.relays > 0 && (FEWEST_NODES..=MOST_NODES).contains(&nodes),
            "a private Tor network needs an authority, a relay, and {FEWEST_NODES} to {MOST_NODES} nodes in all"
        );
        Ok(())
    }
}

/// Cargo's own place where it tells of one (it does to tests, not to examples); the uid keeps a
/// root's keys apart from those of an ordinary user, who could not read them.
fn default_key_cache() -> PathBuf {
    option_env!("CARGO_TARGET_TMPDIR")
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join(format!(
            "kkv-tor-keys-{}",
            rustix::process::getuid().as_raw()
        ))
}

/// How long the parts of a start took. `keys` stands alone; the others count from the moment the
/// daemons were started, and are those of the try that succeeded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// Making the identity keys, or finding them in the cache.
    pub keys: Duration,
    /// Until every authority had every descriptor.
    pub descriptors: Duration,
    /// Until the authorities had agreed on a consensus.
    pub consensus: Duration,
    /// Until every directory cache served everything.
    pub ready: Duration,
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "keys {:.2} s; descriptors {:.2} s, consensus {:.2} s, ready {:.2} s after start",
            self.keys.as_secs_f64(),
            self.descriptors.as_secs_f64(),
            self.consensus.as_secs_f64(),
            self.ready.as_secs_f64()
        )
    }
}
