//! Which addresses a network has, so that several can run at once on one machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context as _, Result};

use super::keys::Identity;

/// Node `i` is `127.(100+i).N.1`: each node has a /16 of its own, so that no implementation's
/// rule against two relays of one subnet needs an exception, and each network has its own `N`.
const FIRST_SUBNET: u8 = 100;

/// Below the ephemeral ports, where another program's outgoing connection could sit by chance.
const FIRST_PORT: u16 = 5000;

/// Values of `N` go round from 1 to this.
const NETWORKS: u32 = 250;

/// How many values of `N`, each with other ports, one claim looks at.
const CANDIDATES: u32 = 20;

/// A claim on the addresses of one network, held until it is dropped.
///
/// The claim is a listener on a port beside those of the first node: no two processes can hold
/// the same one, and a killed one leaves no stale lock.
#[derive(Debug)]
pub(super) struct Plan {
    network: u8,
    first_port: u16,
    claim: TcpListener,
}

impl Plan {
    /// Claims addresses for `nodes` nodes. Each `attempt` of a process looks elsewhere.
    pub(super) fn claim(attempt: u32, nodes: usize) -> Result<Self> {
        let seed = process::id().wrapping_add(attempt * CANDIDATES);
        (0..CANDIDATES)
            .find_map(|i| {
                let network = u8::try_from(1 + seed.wrapping_add(i) % NETWORKS).ok()?;
                // A program that listens on all addresses takes a port from every network.
                let first_port = FIRST_PORT + 10 * u16::try_from(i).ok()?;
                Self::try_claim(network, first_port, nodes).ok()
            })
            .with_context(|| {
                format!(
                    "no free addresses for a private Tor network: {CANDIDATES} places in \
                     127.{FIRST_SUBNET}.0.0/16, from port {FIRST_PORT} on, are taken (or loopback \
                     is not all of 127.0.0.0/8, as it is on Linux)"
                )
            })
    }

    fn try_claim(network: u8, first_port: u16, nodes: usize) -> Result<Self> {
        let claim = TcpListener::bind((ip(network, 0)?, first_port + 2))?;
        let plan = Self {
            network,
            first_port,
            claim,
        };
        for i in 0..nodes {
            let ip = ip(network, i)?;
            // Daemons of a harness that was killed live on for some seconds.
            TcpListener::bind((ip, first_port))?;
            TcpListener::bind((ip, first_port + 1))?;
        }
        Ok(plan)
    }

    /// One node for each of `identities`, with a directory of its own under `root`.
    pub(super) fn nodes(&self, root: &Path, identities: &[Identity]) -> Result<Vec<Node>> {
        let node = |(i, identity): (usize, &Identity)| {
            Ok(Node {
                nickname: identity.nickname.clone(),
                ip: ip(self.network, i)?,
                or_port: self.first_port,
                dir_port: self.first_port + 1,
                dir: root.join(&identity.nickname),
                identity: identity.clone(),
            })
        };
        identities.iter().enumerate().map(node).collect()
    }
}

fn ip(network: u8, node: usize) -> Result<Ipv4Addr> {
    let subnet = u8::try_from(node)
        .ok()
        .and_then(|node| FIRST_SUBNET.checked_add(node))
        .context("too many nodes for one network")?;
    Ok(Ipv4Addr::new(127, subnet, network, 1))
}

/// An authority or a relay: who it is and where it lives.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) nickname: String,
    pub(super) ip: Ipv4Addr,
    pub(super) or_port: u16,
    pub(super) dir_port: u16,
    pub(super) dir: PathBuf,
    pub(super) identity: Identity,
}

impl Node {
    pub(super) fn is_authority(&self) -> bool {
        self.identity.v3.is_some()
    }

    /// Where it answers directory requests over plain HTTP.
    pub(super) fn directory(&self) -> SocketAddr {
        (self.ip, self.dir_port).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_claims_never_share_a_network() {
        let one = Plan::claim(0, 5).unwrap();
        let two = Plan::claim(0, 5).unwrap();
        assert_ne!(one.network, two.network);
    }

    #[test]
    fn taken_ports_are_not_claimed() {
        let port = 5003; // no network's ports: they are multiples of ten, and the two after each
        let _squatter = TcpListener::bind((ip(251, 3).unwrap(), port)).unwrap();
        assert!(Plan::try_claim(251, port, 5).is_err());
        assert!(Plan::try_claim(252, port, 5).is_ok());
    }
}
