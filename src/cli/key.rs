//! `kkvc key`: keys to closed inboxes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use super::exit::Failed;
use super::output::{print, print_json};
use crate::onion::OnionAddress;
use crate::tor::AccessSecret;

/// More than a key's line has; what is longer is none, and is not read.
const MAX_KEY_FILE_BYTES: u64 = 1024;

#[derive(Serialize)]
struct Shown {
    inbox: String,
    key: String,
}

/// Shows the public half of the key in `file`, which is made for `inbox` if it isn't there.
pub(super) fn show_or_make(inbox: OnionAddress, file: &Path, json: bool) -> Result<(), Failed> {
    let secret = match load(file) {
        Ok(secret) => secret,
        Err(_) if !file.exists() => make(inbox, file)?,
        Err(failed) => return Err(failed),
    };
    if secret.inbox() != inbox {
        let what = format!("{} is the key to another inbox", file.display());
        return Err(Failed::usage(what).hint("Name another file; each inbox has a key of its own."));
    }
    let key = secret.key().to_string();
    if json {
        let inbox = inbox.to_string();
        return print_json(&Shown { inbox, key });
    }
    print(&format!(
        "{key}\n  \
         Give this line to the inbox's owner, for kkv --allow. Keep {} to yourself;\n  \
         kkvc send --key uses it, and so does a system Tor in its ClientOnionAuthDir.\n",
        file.display()
    ))
}

/// Reads a secret key.
pub(super) fn load(file: &Path) -> Result<AccessSecret, Failed> {
    let failed = |fault: &dyn std::fmt::Display| {
        Failed::usage(format!("can't use {} as a key: {fault}", file.display()))
    };
    let length = fs::metadata(file).map_err(|fault| failed(&fault))?.len();
    if length > MAX_KEY_FILE_BYTES {
        return Err(failed(&"it is too long"));
    }
    let text = fs::read_to_string(file).map_err(|fault| failed(&fault))?;
    Zeroizing::new(text).parse().map_err(|fault| failed(&fault))
}

fn make(inbox: OnionAddress, file: &Path) -> Result<AccessSecret, Failed> {
    let secret = AccessSecret::generate(inbox, &mut rand::rng());
    let write = || -> io::Result<()> {
        let mut made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)?;
        made.write_all(secret.to_line().as_bytes())?;
        made.write_all(b"\n")?;
        made.sync_all()
    };
    write().map_err(|fault| Failed::usage(format!("can't make {}: {fault}", file.display())))?;
    Ok(secret)
}
