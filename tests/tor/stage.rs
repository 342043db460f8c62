//! What every scenario plays on: one private network, a relay behind an onion service made from torrc.example, and a
//! sender's Tor.
//!
//! The Tor of the onion service runs as a user of its own, as a system's does, and reaches the relay by a socket in a
//! directory that is made as torrc.example says.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;

use kkv_base::limits::DEFAULT_PORT;
use tempfile::TempDir;

use super::control;
use super::gate::Gate;
use crate::programs::{HeldPort, Outcome, Relay, Run, kkvc};
use crate::tor_network::{TorNetwork, service_lines};

pub(crate) const TORRC_EXAMPLE: &str = include_str!("../../torrc.example");

/// Further ports of the onion service, each with another end. A real inbox has none of them.
pub(crate) const DESERTED_PORT: u16 = 1;
pub(crate) const EXCHANGE_GATE_PORT: u16 = 2;
pub(crate) const MESSAGE_GATE_PORT: u16 = 3;

/// The user that the Tor of the onion service runs as, and its group.
pub(crate) const TOR: u32 = 65_500;

/// Names of the two `tor`s that use the network.
const HOST: &str = "host";
const SENDER: &str = "sender";

pub(crate) struct Stage {
    network: TorNetwork,
    /// What is behind [`DESERTED_PORT`].
    _deserted: HeldPort,
    /// The relay behind the onion service's own port.
    pub(crate) relay: Relay,
    /// Where it has its socket for Tor.
    pub(crate) place: TempDir,
    /// Its address, without port.
    pub(crate) onion: String,
    /// The SOCKS port of the sender's Tor, and one of the same Tor with its own reply codes.
    pub(crate) socks: SocketAddr,
    pub(crate) extended_socks: SocketAddr,
}

/// The relays that a scenario stops in the middle of a send.
pub(crate) struct Gates {
    pub(crate) exchange: Option<Gate>,
    pub(crate) message: Option<Gate>,
}

impl Stage {
    pub(crate) fn set() -> (Self, Gates) {
        let network = TorNetwork::start().unwrap_or_else(|fault| panic!("{fault:#}"));
        println!("network: {}", network.timings());
        for failed in network.failed_tries() {
            println!("network: {failed}");
        }
        let place = place_for_tor();
        let listen = format!("unix:{}", socket_in(place.path()).display());
        let relay = Relay::start(&["--tor", "external", "--listen", &listen]);
        let deserted = HeldPort::take();
        let exchange = Gate::before("POST /exchange_keys ");
        let message = Gate::before("POST /msg ");
        let addresses = [exchange.address, message.address];
        let gates = Gates {
            exchange: Some(exchange),
            message: Some(message),
        };
        assert_eq!(relay.address(), listen);
        let mut lines = service_lines(TORRC_EXAMPLE, &listen).expect("one onion service");
        for (port, behind) in [
            (DESERTED_PORT, deserted.address()),
            (EXCHANGE_GATE_PORT, addresses[0]),
            (MESSAGE_GATE_PORT, addresses[1]),
        ] {
            lines += &format!("HiddenServicePort {port} {behind}\n");
        }
        let (socks, onion) = thread::scope(|scope| {
            let socks = scope.spawn(|| network.socks_client(SENDER));
            let onion = network.onion_service_of(TOR, HOST, &lines);
            (socks.join().expect("it returns its fault"), onion)
        });
        let socks = socks.unwrap_or_else(|fault| panic!("{fault:#}"));
        let onion = onion.unwrap_or_else(|fault| panic!("{fault:#}"));
        let extended_socks = control::extended_errors(&network.dir().join(SENDER), socks);
        let stage = Self {
            network,
            _deserted: deserted,
            relay,
            place,
            onion,
            socks,
            extended_socks,
        };
        (stage, gates)
    }

    /// The inbox's address, with the port that senders use unless told otherwise.
    pub(crate) fn inbox(&self) -> String {
        format!("{}:{DEFAULT_PORT}", self.onion)
    }

    /// `kkvc send` to `address` with further `options`.
    pub(crate) fn send(&self, address: &str, options: &[&str], text: &str) -> Run {
        send_through(self.socks, address, options, text)
    }

    /// Directory of the sender's Tor.
    pub(crate) fn senders_tor(&self) -> PathBuf {
        self.network.dir().join(SENDER)
    }

    pub(crate) fn stop_host(&self) {
        self.network.stop_node(HOST).expect("it is running");
    }
}

pub(crate) fn send_through(socks: SocketAddr, address: &str, options: &[&str], text: &str) -> Run {
    let tor = format!("socks5://{socks}");
    let arguments = ["--json", "--tor", &tor, "send", address];
    kkvc([&arguments[..], options].concat()).stdin(text)
}

/// Checks that a send failed with `code`, and told nobody that it was accepted.
pub(crate) fn must_fail_with(ended: Outcome, code: i32) -> Outcome {
    let ended = ended.must_end_with(code);
    assert_eq!(ended.stdout_text(), "");
    ended
}

/// What step 1 of torrc.example makes.
fn place_for_tor() -> TempDir {
    let step = "sudo install -d -m 2750 -o \"$USER\" -g debian-tor /srv/kkv";
    assert!(TORRC_EXAMPLE.contains(step), "it says something else now");
    let place = tempfile::tempdir().expect("a directory for the test");
    chown(place.path(), None, Some(TOR))
        .expect("only root can have a Tor of another user: see scripts/test");
    fs::set_permissions(place.path(), Permissions::from_mode(0o2750)).expect("it is ours");
    place
}

/// Where the relay's socket is in its place.
pub(crate) fn socket_in(place: &Path) -> PathBuf {
    place.join("relay.sock")
}
