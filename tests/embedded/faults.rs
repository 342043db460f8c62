//! Faults of the network and of the process: what the owner is told is true, and the relay is reachable again without a
//! restart.

use std::path::PathBuf;

use serde_json::Value;

use super::connections::connected_to;
use super::stage::{self, EmbeddedRelay, must_have_arrived, path, status};
use crate::programs::{Run, Signal};
use crate::tor_network::{Options, TorNetwork};

/// How many an onion service has, unless told otherwise.
const INTRODUCTION_POINTS: usize = 3;

/// A network to which things happen, and a relay to which they must not matter for long.
pub(crate) struct Trouble {
    network: TorNetwork,
    /// arti's configuration for it.
    pub(crate) config: PathBuf,
    relay: EmbeddedRelay,
}

impl Trouble {
    /// A network that is away, so far, and a relay that has never seen it.
    pub(crate) fn begin() -> Self {
        // As many as it takes that all that one client is connected to may die, and that arti believes them what they
        // say of the time.
        let options = Options {
            relays: 9,
            ..Options::default()
        };
        let network = TorNetwork::start_with(&options);
        let mut network = network.unwrap_or_else(|fault| panic!("{fault:#}"));
        println!("network: {}", network.timings());
        let config = network.dir().join("arti.toml");
        std::fs::write(&config, network.arti_config()).expect("the directory is ours");
        network.kill_nodes(|_| true);
        let state = network.dir().join("relay");
        let relay = stage::start(&config, &["--state-dir", path(&state)]);
        Self {
            network,
            config,
            relay,
        }
    }

    /// A file or directory that goes away with the network.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.network.dir().join(name)
    }

    /// All is as it should be, whatever the last scenario has left.
    fn heal(&mut self) {
        self.revive();
        self.relay.must_become("reachable");
    }

    fn revive(&mut self) {
        let revived = self.network.revive_nodes();
        revived.unwrap_or_else(|fault| panic!("{fault:#}"));
    }

    fn send(&self, relay: &EmbeddedRelay, text: &str) -> Run {
        stage::send(
            &self.config,
            &self.place("senders"),
            &relay.onion,
            &[],
            text,
        )
    }

    /// Waits until `relay` says that it is reachable, and then reaches it.
    pub(crate) fn must_be_reachable(&self, relay: &EmbeddedRelay, text: &str) {
        relay.must_become("reachable");
        self.must_arrive(relay, text);
    }

    /// What is found of an address may lead to nodes that have died since: a sender is told then that nothing was
    /// delivered, and to try again. It does so, as often as there are points of introduction.
    fn must_arrive(&self, relay: &EmbeddedRelay, text: &str) {
        for _ in 1..INTRODUCTION_POINTS {
            let sent = self.send(relay, text).finish();
            if sent.code == Some(0) {
                return must_have_arrived(&relay.relay, text);
            }
            sent.must_end_with(3).must_say("nothing was delivered");
        }
        self.send(relay, text).finish().must_end_with(0);
        must_have_arrived(&relay.relay, text);
    }

    /// In a network this small every relay is a directory of every address, so while one is dead an address is never
    /// published in full.
    fn must_work_without_some_directories(&self, relay: &EmbeddedRelay, text: &str) {
        let up = |state: &Value| {
            ["publishing", "reachable"].contains(&state["step"].as_str().unwrap_or_default())
        };
        relay.must_become_such("publishing or reachable", up);
        self.must_arrive(relay, text);
        let state = status(&relay.relay)["tor_state"].clone();
        assert!(up(&state), "{state}");
    }

    fn must_miss_the_network(&self) {
        let told = |state: &Value| state["trouble"] == "unreachable";
        self.relay.must_become_such("told", told);
        let before = self.relay.relay.list().len();
        self.relay.relay.deliver(b"over loopback, meanwhile");
        assert_eq!(self.relay.relay.list().len(), before + 1);
    }
}

pub(crate) fn a_network_that_comes_later_is_found(trouble: &mut Trouble) {
    trouble.must_miss_the_network();
    trouble.revive();
    trouble.must_be_reachable(&trouble.relay, "after the first minute");
}

pub(crate) fn a_network_that_goes_away_is_missed_and_found_again(trouble: &mut Trouble) {
    trouble.heal();
    let inbox = trouble.relay.onion.clone();
    trouble.network.kill_nodes(|_| true);
    trouble.must_miss_the_network();
    // Long enough for arti to try again only after a while, left alone.
    let lost = |state: &Value| state["step"] == "lost";
    trouble.relay.must_become_such("lost", lost);
    trouble.relay.must_become("connecting");
    trouble.revive();
    trouble.must_be_reachable(&trouble.relay, "after the outage");
    assert_eq!(status(&trouble.relay.relay)["onion"], *inbox);
}

pub(crate) fn a_guard_that_dies_is_replaced(trouble: &mut Trouble) {
    trouble.heal();
    let pid = trouble.relay.relay.process().pid();
    let network = &trouble.network;
    let connected = connected_to(pid);
    let guards = connected.iter().filter_map(|at| network.node_at(*at));
    let guards: Vec<String> = guards.map(str::to_owned).collect();
    assert!(!guards.is_empty(), "it is connected to {connected:?}");
    trouble
        .network
        .kill_nodes(|node| guards.iter().any(|guard| guard == node));
    let elsewhere = |_: &Value| {
        let now = connected_to(pid);
        !now.is_empty() && now.is_disjoint(&connected)
    };
    let told = "connected to others";
    trouble.relay.must_become_such(told, elsewhere);
    trouble.must_work_without_some_directories(&trouble.relay, "without its guards");
    trouble.heal();
}

pub(crate) fn without_directory_authorities_all_goes_on(trouble: &mut Trouble) {
    trouble.heal();
    let authorities = trouble.network.authorities();
    trouble
        .network
        .kill_nodes(|node| authorities.iter().any(|a| a == node));
    trouble.must_work_without_some_directories(&trouble.relay, "without authorities");
    let state = trouble.place("orphan");
    let new = stage::start(&trouble.config, &["--state-dir", path(&state)]);
    trouble.must_work_without_some_directories(&new, "to one that has never seen them");
    trouble.heal();
}

pub(crate) fn a_process_that_was_stopped_for_a_minute_goes_on(trouble: &mut Trouble) {
    trouble.heal();
    let process = trouble.relay.relay.process();
    process.signal(Signal::STOP);
    // A sender gives up after a minute, and is right.
    let sent = trouble
        .send(&trouble.relay, "to one that is stopped")
        .finish();
    sent.must_end_with(3).must_say("nothing was delivered");
    process.signal(Signal::CONT);
    trouble.must_be_reachable(&trouble.relay, "after the stop");
}
