//! What every scenario plays on: one private network, a relay with embedded Tor, one behind a `tor`, and a sender's
//! `tor`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::programs::{LIMIT, Relay, Run, comes_to, kkvc};
use crate::tor_network::{TorNetwork, service_lines};

const TORRC_EXAMPLE: &str = include_str!("../../torrc.example");

pub(crate) struct Stage {
    pub(crate) network: TorNetwork,
    /// arti's configuration for this network.
    pub(crate) config: PathBuf,
    /// State of the senders that have embedded Tor.
    pub(crate) senders: PathBuf,
    /// SOCKS port of the sender's `tor`.
    pub(crate) socks: SocketAddr,
    pub(crate) embedded: EmbeddedRelay,
    pub(crate) external: Relay,
    /// Address of the external one.
    pub(crate) external_onion: String,
}

/// A relay with embedded Tor, reachable.
pub(crate) struct EmbeddedRelay {
    pub(crate) relay: Relay,
    pub(crate) onion: String,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let network = TorNetwork::start().unwrap_or_else(|fault| panic!("{fault:#}"));
        println!("network: {}", network.timings());
        let config = network.dir().join("arti.toml");
        std::fs::write(&config, network.arti_config()).expect("the directory is ours");
        let senders = network.dir().join("senders");
        let external = Relay::start(&["--tor", "external"]);
        let behind = external.address();
        let lines = service_lines(TORRC_EXAMPLE, behind).expect("one onion service");
        let state = network.dir().join("relay");
        let (embedded, socks, external_onion) = thread::scope(|scope| {
            let embedded = scope.spawn(|| {
                let embedded = start(&config, &["--state-dir", path(&state)]);
                embedded.must_become("reachable");
                embedded
            });
            let socks = scope.spawn(|| network.socks_client("sender"));
            let onion = network.onion_service("host", &lines);
            (
                embedded.join().expect("it becomes reachable"),
                socks.join().expect("it returns its fault"),
                onion,
            )
        });
        Self {
            config,
            senders,
            socks: socks.unwrap_or_else(|fault| panic!("{fault:#}")),
            external_onion: external_onion.unwrap_or_else(|fault| panic!("{fault:#}")),
            network,
            embedded,
            external,
        }
    }

    /// `kkvc send` with embedded Tor.
    pub(crate) fn send(&self, onion: &str, options: &[&str], text: &str) -> Run {
        send(&self.config, &self.senders, onion, options, text)
    }

    /// `kkvc send` through the sender's `tor`.
    pub(crate) fn send_by_socks(&self, onion: &str, options: &[&str], text: &str) -> Run {
        self.client(true, "send", onion, options).stdin(text)
    }

    /// `kkvc COMMAND` to an inbox, through the sender's `tor` or with embedded Tor.
    pub(crate) fn client(
        &self,
        by_socks: bool,
        command: &str,
        onion: &str,
        options: &[&str],
    ) -> Run {
        if by_socks {
            let socks = format!("socks5://{}", self.socks);
            let arguments = ["--json", "--tor", &socks, command, onion];
            kkvc([&arguments[..], options].concat())
        } else {
            embedded(&self.config, &self.senders, command, onion, options)
        }
    }
}

/// `kkvc send` with embedded Tor, on the network that `config` describes and with its state in `state`.
pub(crate) fn send(config: &Path, state: &Path, onion: &str, options: &[&str], text: &str) -> Run {
    embedded(config, state, "send", onion, options).stdin(text)
}

fn embedded(config: &Path, state: &Path, command: &str, onion: &str, options: &[&str]) -> Run {
    let place = ["--state-dir", path(state), "--tor-config", path(config)];
    let arguments = ["--json", "--tor", "embedded", command, onion];
    kkvc([&arguments[..], &place, options].concat())
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("test directories have plain names")
}

/// A relay with embedded Tor, on its way to the network that `config` describes.
pub(crate) fn start(config: &Path, options: &[&str]) -> EmbeddedRelay {
    start_with(config, options, |command| command)
}

/// The same, with the command changed in whatever other way.
pub(crate) fn start_with(
    config: &Path,
    options: &[&str],
    change: impl FnOnce(&mut Command) -> &mut Command,
) -> EmbeddedRelay {
    let arguments = ["--tor", "embedded", "--tor-config", path(config)];
    let relay = Relay::start_with(&[&arguments[..], options].concat(), change);
    let onion = status(&relay)["onion"]
        .as_str()
        .expect("an address")
        .to_owned();
    EmbeddedRelay { relay, onion }
}

/// `kkvc status` of a relay.
pub(crate) fn status(relay: &Relay) -> Value {
    let status = relay.owner(["status", "--json"]).finish();
    status.must_end_with(0).json()
}

/// Checks that the last message of `relay` is `text`.
pub(crate) fn must_have_arrived(relay: &Relay, text: &str) {
    let list = relay.list();
    let last = list.last().expect("the message");
    let id = last["id"].as_u64().expect("a number");
    assert_eq!(relay.text(id), text);
}

impl EmbeddedRelay {
    /// Waits until its Tor is at `step`.
    pub(crate) fn must_become(&self, step: &str) {
        self.must_become_such(step, |state| state["step"] == step);
    }

    /// Waits until what it says of Tor is `so`.
    pub(crate) fn must_become_such(&self, what: &str, so: impl Fn(&Value) -> bool) {
        comes_to(|| {
            let state = status(&self.relay)["tor_state"].clone();
            let told = || format!("not {what} after {LIMIT:?}, but {state}");
            so(&state).then_some(()).ok_or_else(told)
        });
    }
}
