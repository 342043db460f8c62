//! Where relay and client meet: a Unix socket, told by its path.

use std::path::{Path, PathBuf};

use kkv_net::process::own_uid;

/// Where relay and client meet unless told otherwise: `$XDG_RUNTIME_DIR/kkv/kkv.sock`, or `kkv-<uid>/kkv.sock` in
/// `$TMPDIR` or `/tmp` where there is no such directory. A socket is a name in a directory, not a file with content;
/// nothing that goes through it is written to the disk.
#[must_use]
pub fn default_path() -> PathBuf {
    let directory = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(runtime) if Path::new(&runtime).is_absolute() => PathBuf::from(runtime).join("kkv"),
        _ => std::env::temp_dir().join(format!("kkv-{}", own_uid())),
    };
    directory.join("kkv.sock")
}

/// Where it is of a relay that runs as a service of the whole machine (dist/systemd/system): only root can put anything
/// there.
pub const SERVICE_PATH: &str = "/run/kkv/kkv.sock";
