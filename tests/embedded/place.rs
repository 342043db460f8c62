//! A relay with embedded Tor that never gets anywhere, and what it needs on the disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::stage::{EmbeddedRelay, path, start};
use crate::programs::{HeldPort, Outcome, Process, kkv};

/// A directory with what a relay needs that never gets anywhere.
pub(crate) struct Place(tempfile::TempDir, HeldPort);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap(), HeldPort::take());
        fs::write(place.path("arti.toml"), network_of(&place.1)).unwrap();
        for (name, passphrase) in [("passphrase", "several words\n"), ("wrong", "more words\n")] {
            fs::write(place.path(name), passphrase).unwrap();
            fs::set_permissions(place.path(name), PermissionsExt::from_mode(0o600)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn start(&self, state: &str) -> EmbeddedRelay {
        start(
            &self.path("arti.toml"),
            &["--state-dir", path(&self.path(state))],
        )
    }

    /// `kkv` with its state in `state`, which is expected not to start.
    pub(crate) fn refused(&self, state: &str) -> Outcome {
        let mut command = kkv();
        command.args(["--tor", "embedded", "--listen", "127.0.0.1:0"]);
        command.arg("--socket").arg(self.path("refused.sock"));
        command.arg("--tor-config").arg(self.path("arti.toml"));
        command.arg("--state-dir").arg(self.path(state));
        let ended = Process::spawn(command, None).finish().must_end_with(1);
        assert_eq!(ended.stdout_text(), "");
        ended
    }

    /// `kkv address` with its state in `state`.
    pub(crate) fn address(&self, state: &str, words: &[&str]) -> Outcome {
        address(&self.path(state), words)
    }

    pub(crate) fn passphrase(&self) -> String {
        format!("--passphrase-file={}", self.path("passphrase").display())
    }

    /// A new address in `state`.
    pub(crate) fn new_address(&self, state: &str) -> String {
        shown(&self.address(state, &["new"]).must_end_with(0))
    }
}

pub(crate) fn address(state: &Path, words: &[&str]) -> Outcome {
    let mut command = kkv();
    command
        .arg("address")
        .args(words)
        .arg("--state-dir")
        .arg(state);
    Process::spawn(command, None).finish()
}

/// The address alone, as it is printed.
pub(crate) fn shown(outcome: &Outcome) -> String {
    let out = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let address = out.strip_suffix('\n').expect("a line");
    address
        .parse::<kkv_protocol::onion::OnionAddress>()
        .expect("an address");
    address.to_owned()
}

/// A network of one relay, at an address where nobody listens.
fn network_of(nobody: &HeldPort) -> String {
    let (rsa, ed) = (
        "2".repeat(40),
        "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI",
    );
    let relay = nobody.address();
    format!(
        "[tor_network]
fallback_caches = [{{ rsa_identity = '{rsa}', ed_identity = '{ed}', orports = ['{relay}'] }}]
[tor_network.authorities]
v3idents = ['{rsa}']
"
    )
}
