//! Where arti's files are in a state directory.

use std::path::{Path, PathBuf};

/// The directory of what arti stores, under ours.
pub(crate) const ARTI_STATE: &str = "state";
/// arti's name for the onion service, and of its directories.
pub(crate) const NICKNAME: &str = "kkv";

/// The keystore.
pub(super) fn keystore(root: &Path) -> PathBuf {
    root.join(ARTI_STATE).join("keystore")
}

/// The keys of the onion service.
pub(super) fn service_keys(root: &Path) -> PathBuf {
    keystore(root).join("hss").join(NICKNAME)
}

/// arti's records of the onion service.
pub(super) fn service_records(root: &Path) -> PathBuf {
    root.join(ARTI_STATE).join("hss").join(NICKNAME)
}

/// Written by every arti that has been on the network from here.
pub(super) fn guards(root: &Path) -> PathBuf {
    root.join(ARTI_STATE).join("state/guards.json")
}
