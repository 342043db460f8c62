//! Where the embedded Tor keeps the key of the relay's onion address, by the names that arti gives. A build without it
//! looks whether there is one, so as to say that it isn't served.

use std::path::{Path, PathBuf};

/// The directory of what arti stores, under the relay's.
pub const ARTI_STATE: &str = "state";
/// arti's name for the onion service, and of its directories.
pub const NICKNAME: &str = "kkv";
/// arti's file of the key: 64 bytes of an expanded Ed25519 key, in the format of OpenSSH.
pub const KEY_FILE: &str = "ks_hs_id.ed25519_expanded_private";

/// The directory for Tor's files unless another is named: `$XDG_STATE_HOME/kkv`, or `~/.local/state/kkv`. None if
/// neither variable is an absolute path.
#[must_use]
pub fn default_state_dir() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("kkv"))
}

/// The relay's directory under that for Tor's files.
#[must_use]
pub fn relay_dir(state_dir: &Path) -> PathBuf {
    state_dir.join("relay")
}

/// arti's keystore under the relay's directory.
#[must_use]
pub fn keystore(relay: &Path) -> PathBuf {
    relay.join(ARTI_STATE).join("keystore")
}

/// The keys of the onion service under the relay's directory.
#[must_use]
pub fn service_keys(relay: &Path) -> PathBuf {
    keystore(relay).join("hss").join(NICKNAME)
}

/// Whether the directory for Tor's files has the key of an address.
#[must_use]
pub fn has_address(state_dir: &Path) -> bool {
    service_keys(&relay_dir(state_dir)).join(KEY_FILE).exists()
}
