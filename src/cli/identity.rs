//! A signing key that a sender keeps in a file, to be recognised by it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use super::exit::{Exit, Failed};
use super::output::{print, print_json};
use super::visible::Visible;
use crate::crypto::identity::SenderKey;
use crate::crypto::random;
use crate::protocol::wire::Hex;

#[derive(Serialize)]
struct Identity {
    public_key: Hex<32>,
    fingerprint: String,
    made: bool,
}

/// Makes the key unless it exists, and shows its public half.
pub(super) fn show_or_make(path: &Path, json: bool) -> Result<(), Failed> {
    let (key, made) = match make(path) {
        Ok(key) => (key, true),
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => (load(path)?, false),
        Err(fault) => return Err(unusable(path, &fault)),
    };
    let public = key.public();
    let identity = Identity {
        public_key: Hex(*public.as_bytes()),
        fingerprint: public.fingerprint().to_string(),
        made,
    };
    if json {
        return print_json(&identity);
    }
    let done = if made { "A new key" } else { "The key" };
    print(&format!(
        "{done} in {}\n  fingerprint  {}\n  public key   {}\n",
        Visible(&path.to_string_lossy()),
        identity.fingerprint,
        identity.public_key
    ))
}

fn make(path: &Path) -> io::Result<SenderKey> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let key = SenderKey::generate(&mut random::kernel());
    let written = file
        .write_all(key.to_pem().as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(fault) = written {
        let _ = fs::remove_file(path); // half a key helps nobody
        return Err(fault);
    }
    Ok(key)
}

/// Reads the key in `path`, if nobody else can.
pub(super) fn load(path: &Path) -> Result<SenderKey, Failed> {
    let metadata = fs::metadata(path).map_err(|fault| unusable(path, &fault))?;
    if metadata.is_dir() {
        let what = format!("{} is a directory, not a file with a key", path.display());
        return Err(Failed::usage(what).hint("Name a file in it; `kkvc identity FILE` makes one."));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        let what = format!("other users may get at the key in {}", path.display());
        return Err(Failed::usage(what).hint(format!("Run: chmod 600 {}", path.display())));
    }
    let pem = Zeroizing::new(fs::read_to_string(path).map_err(|fault| unusable(path, &fault))?);
    SenderKey::from_pem(&pem).map_err(|fault| {
        Failed::usage(format!("{}: {fault}", path.display()))
            .hint("`kkvc identity FILE` makes a new one.")
    })
}

fn unusable(path: &Path, fault: &io::Error) -> Failed {
    let failed = Failed::new(
        Exit::Usage,
        format!("can't use the key in {}: {fault}", path.display()),
    );
    if fault.kind() == io::ErrorKind::NotFound {
        failed.hint("`kkvc identity FILE` makes one, in a directory that exists.")
    } else {
        failed
    }
}
