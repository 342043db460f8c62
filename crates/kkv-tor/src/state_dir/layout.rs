//! Where arti's files are in a state directory.

use std::path::{Path, PathBuf};

pub(crate) use kkv_net::tor::own_address::{ARTI_STATE, NICKNAME};
pub(super) use kkv_net::tor::own_address::{KEY_FILE, keystore, service_keys};

/// The directory of what arti can have anew from the network, under ours.
pub(crate) const CACHE: &str = "cache";

/// arti's records of all onion services, and their locks.
pub(crate) fn records(root: &Path) -> PathBuf {
    root.join(ARTI_STATE).join("hss")
}

/// arti's records of the onion service.
pub(super) fn service_records(root: &Path) -> PathBuf {
    records(root).join(NICKNAME)
}

/// The directories in which arti checks every file.
pub(super) fn checked_by_arti(root: &Path) -> [PathBuf; 3] {
    [
        root.join(CACHE),
        keystore(root),
        root.join(ARTI_STATE).join("state"),
    ]
}

/// Written by every arti that has been on the network from here.
pub(super) fn guards(root: &Path) -> PathBuf {
    root.join(ARTI_STATE).join("state/guards.json")
}
