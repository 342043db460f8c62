//! What may happen to a network: some of its nodes die, or all of them, and come back.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};

use super::TorNetwork;
use super::daemon::Daemon;
use super::plan::Node;

impl TorNetwork {
    /// The nickname of the node whose OR port is at this address.
    pub fn node_at(&self, address: SocketAddr) -> Option<&str> {
        let at = |node: &&Node| address == SocketAddr::from((node.ip, node.or_port));
        self.nodes.iter().find(at).map(|node| &*node.nickname)
    }

    /// The nicknames of the directory authorities.
    pub fn authorities(&self) -> Vec<String> {
        let authorities = self.nodes.iter().filter(|node| node.is_authority());
        authorities.map(|node| node.nickname.clone()).collect()
    }

    /// Kills those nodes of which `which` is true, in the middle of whatever they do. Their directories stay.
    pub fn kill_nodes(&mut self, which: impl Fn(&str) -> bool) {
        let nodes = self.nodes.iter().zip(&mut self.daemons);
        nodes
            .filter(|(node, _)| which(&node.nickname))
            .for_each(|(_, daemon)| daemon.kill());
    }

    /// Starts the nodes that were killed, and returns when every node serves the directory again.
    ///
    /// # Errors
    /// When one does not start, or has lost what it served.
    pub fn revive_nodes(&mut self) -> Result<()> {
        for (node, daemon) in self.nodes.iter().zip(&mut self.daemons) {
            if !daemon.is_running() {
                *daemon = Daemon::spawn(&self.tools, &node.dir, None)?;
            }
        }
        self.await_caches()
            .context("reviving the private Tor network")
    }
}
