//! One try of a start: what is done in which order, and what each step awaits.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::TorNetwork;
use super::daemon::Daemon;
use super::directory::{self, Consensus};
use super::keys::Identity;
use super::options::Timings;
use super::plan::{Node, Plan};
use super::tools::Tools;
use super::torrc;
use super::vote::VoteTime;
use super::wait::{self, Deadline};

/// Ten times what was needed with six busy loops on the same two cores.
const DESCRIPTORS_WITHIN: Duration = Duration::from_secs(60);

/// A vote that was missed is not made up for half an hour, so there is no use in waiting longer.
const CONSENSUS_WITHIN: Duration = Duration::from_secs(25);

/// Longer than the 10 s that a relay waits between two tries to fetch a document.
const CACHES_WITHIN: Duration = Duration::from_secs(40);

impl TorNetwork {
    /// One try of a start, on addresses that depend on the `attempt`. `tools` and `identities` do
    /// not, and are good for all of them.
    pub(super) fn attempt(tools: &Tools, identities: &[Identity], attempt: u32) -> Result<Self> {
        let plan = Plan::claim(attempt, identities.len())?;
        let dir = tempfile::Builder::new()
            .prefix("kkv-tor-net-")
            .tempdir()
            .context("no directory for the private Tor network; is the temp directory writable?")?;
        let nodes = plan.nodes(dir.path(), identities)?;
        for node in &nodes {
            node.identity.install(&node.dir)?;
        }
        let placeholder = VoteTime::placeholder();
        write_torrcs(&nodes, placeholder)?;
        for node in authorities(&nodes) {
            placeholder.seed_shared_random(&node.dir)?;
        }

        let began = Instant::now();
        let daemons = nodes
            .iter()
            .map(|node| Daemon::spawn(tools, &node.dir, None))
            .collect::<Result<Vec<_>>>()?;
        let mut network = Self {
            tools: tools.clone(),
            nodes,
            daemons,
            guests: Mutex::default(),
            consensus: None,
            timings: Timings::default(),
            failed_tries: Vec::new(),
            plan,
            dir,
        };
        network.await_descriptors()?;
        network.timings.descriptors = began.elapsed();
        network.consensus = Some(network.vote(attempt)?);
        network.timings.consensus = began.elapsed();
        // To a relay, SIGHUP also means "retry downloads now"; its back-off can take 10 s more.
        network.reload(|node| !node.is_authority())?;
        network.await_caches()?;
        network.timings.ready = began.elapsed();
        Ok(network)
    }

    fn await_descriptors(&mut self) -> Result<()> {
        let nodes = &self.nodes;
        wait::for_each(
            "its descriptor at each authority",
            Deadline::after(DESCRIPTORS_WITHIN),
            &mut self.daemons,
            |i| {
                Ok(authorities(nodes).all(|authority| {
                    directory::has_descriptor(authority.directory(), &nodes[i].nickname)
                }))
            },
        )
    }

    fn vote(&mut self, attempt: u32) -> Result<Consensus> {
        let vote = VoteTime::soon(authorities(&self.nodes).count(), attempt);
        write_torrcs(&self.nodes, vote)?;
        self.reload(Node::is_authority)?;

        let nodes = &self.nodes;
        let mut agreed = None;
        wait::for_each(
            "its consensus",
            Deadline::after(CONSENSUS_WITHIN),
            &mut self.daemons,
            |i| {
                if !nodes[i].is_authority() {
                    return Ok(true);
                }
                let Some(consensus) = Consensus::fetch(nodes[i].directory()) else {
                    return Ok(false);
                };
                consensus.check(vote, nodes.len())?;
                agreed = Some(consensus);
                Ok(true)
            },
        )?;
        agreed.context("no authority, no consensus")
    }

    /// Waits until every node serves what was voted.
    pub(super) fn await_caches(&mut self) -> Result<()> {
        let nodes = &self.nodes;
        let consensus = self.consensus.as_ref().context("no vote, no caches")?;
        wait::for_each(
            "the consensus and all microdescriptors in its cache",
            Deadline::after(CACHES_WITHIN),
            &mut self.daemons,
            |i| Ok(consensus.is_served_by(nodes[i].directory())),
        )
    }

    fn reload(&mut self, which: impl Fn(&Node) -> bool) -> Result<()> {
        let chosen = self.nodes.iter().zip(&mut self.daemons);
        chosen
            .filter(|(node, _)| which(node))
            .try_for_each(|(_, daemon)| daemon.reload())
    }
}

fn authorities(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| node.is_authority())
}

fn write_torrcs(nodes: &[Node], vote: VoteTime) -> Result<()> {
    nodes
        .iter()
        .try_for_each(|node| torrc::write(&node.dir, &torrc::node(node, nodes, vote)))
}
