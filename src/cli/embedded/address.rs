//! The key of the onion address of the embedded Tor: its backup, its way back, and a new one.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::address::arguments::{AddressCommand, KeyArgs, PassphraseArgs};
use super::super::ask::{can_ask, confirm};
use super::super::output::{print, print_outcome};
use super::super::passphrase;
use crate::tor::embedded::{AddressKey, Settings, StateDir, StateDirError, default_state_dir};
use kkv_client::contacts::{Backup, FileError};
use kkv_protocol::crypto::random;
use kkv_protocol::onion::OnionAddress;
use kkv_protocol::wire::Hex;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::quoted;
use kkv_ui::advice::close_file;
use kkv_ui::error::{CliError, Exit};

/// The version of what is in a backup.
const VERSION: u32 = 1;

/// What is in a backup, as JSON: a line, encrypted.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: Format,
    version: u32,
    onion: String,
    /// Ed25519's, expanded: 64 bytes in hex.
    secret: Zeroizing<String>,
}

/// So that no other file is taken for one.
#[derive(Serialize, Deserialize)]
enum Format {
    #[serde(rename = "kkv address")]
    Address,
}

/// Who names a system Tor means it: see `absent.rs`.
pub(in crate::cli) fn kept_inside() -> Option<CliError> {
    None
}

/// Runs one of the commands.
pub(in crate::cli) async fn run(command: AddressCommand) -> Result<(), CliError> {
    match command {
        AddressCommand::Backup {
            file,
            place,
            passphrase,
        } => backup(&file, &place, &passphrase).await,
        AddressCommand::Restore {
            file,
            replace,
            place,
            passphrase,
        } => restore(&file, replace, &place, &passphrase).await,
        AddressCommand::New { yes, place } => renew(yes, &place),
    }
}

impl KeyArgs {
    fn locate(&self) -> Result<(PathBuf, Settings), CliError> {
        let settings = self.tor_config.as_deref();
        let settings = settings.map_or_else(|| Ok(Settings::default()), Settings::load)?;
        let directory = self.state_dir.clone();
        Ok((directory.map_or_else(default_state_dir, Ok)?, settings))
    }
}

/// Also while `kkv` runs: it only reads.
async fn backup(file: &Path, place: &KeyArgs, passphrase: &PassphraseArgs) -> Result<(), CliError> {
    let (state_dir, settings) = place.locate()?;
    let key = StateDir::read_key(&state_dir, &settings)?.ok_or_else(|| {
        let what = format!("there is no address in {} yet", state_dir.display());
        CliError::new(Exit::Refused, what)
            .hint("kkv makes one when it starts; or name another directory with --state-dir.")
    })?;
    // Before anybody thinks of a passphrase.
    if file.symlink_metadata().is_ok() {
        return Err(unusable(file, &FileError::Exists));
    }
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|path| !path.is_dir()) {
        let what = format!("there is no directory {}", directory.display());
        return Err(CliError::new(Exit::Refused, what).hint("Make it, or name a file in another."));
    }
    let passphrase = passphrase::new(passphrase.passphrase_file.as_deref(), file).await?;
    let stored = Stored {
        format: Format::Address,
        version: VERSION,
        onion: key.address().to_string(),
        secret: Zeroizing::new(Hex(*key.as_bytes()).to_string()),
    };
    let stored =
        Zeroizing::new(serde_json::to_vec(&stored).expect("our own types are always JSON"));
    Backup::create(file, &passphrase, &stored).map_err(|fault| unusable(file, &fault))?;
    info(format_args!(
        "The key of {} is in {}, encrypted. Who has it and the passphrase can pose as your inbox. Whom --allow lets in is not in it.",
        key.address(),
        quoted(file)
    ));
    Ok(())
}

async fn restore(
    file: &Path,
    replace: bool,
    place: &KeyArgs,
    passphrase: &PassphraseArgs,
) -> Result<(), CliError> {
    let (state_dir, settings) = place.locate()?;
    let sealed = Backup::read(file).map_err(|fault| unusable(file, &fault))?;
    let locked = held(&state_dir, &settings)?;
    let there = locked.key(&settings);
    let there = if replace {
        there.ok().flatten()
    } else {
        there?
    };
    let open = |passphrase| sealed.open(&passphrase);
    let stored =
        passphrase::opened(passphrase.passphrase_file.as_deref(), file, "kkv", open).await?;
    let stored = stored.map_err(|fault| unusable(file, &fault))?;
    let key = parsed(&stored).map_err(|why| foreign(file, why))?;
    let address = key.address();
    match there.map(|there| there.address()) {
        Some(there) if there == address => {
            info("It is the address that is there already.");
            return print(&format!("{address}\n"));
        }
        Some(there) if !replace => {
            let what = format!("there is an address already: {there}");
            return Err(CliError::new(Exit::Refused, what).hint(
                "Name another directory with --state-dir, or say --replace; that address is gone then unless it has a backup.",
            ));
        }
        _ => {}
    }
    locked.put_key(&key, &settings)?;
    info(
        "Your inbox has this address when kkv starts. Only one kkv may run with it: stop any other.",
    );
    print_address(address)
}

fn renew(yes: bool, place: &KeyArgs) -> Result<(), CliError> {
    let (state_dir, settings) = place.locate()?;
    let locked = held(&state_dir, &settings)?;
    // One that can't be read is gone already.
    if let (Ok(Some(old)), false) = (locked.key(&settings), yes) {
        let old = old.address();
        if !can_ask() {
            return Err(CliError::usage(format!(
                "there is no terminal to ask on; say --yes to give up {old}"
            )));
        }
        if !confirm(&format!(
            "Give up {old}?\nWithout a backup (kkv address backup FILE) it can't come back, and nobody who has it reaches you."
        ))? {
            return Err(CliError::new(Exit::Cancelled, "the address stays"));
        }
    }
    let key = AddressKey::generate(&mut random::kernel());
    locked.put_key(&key, &settings)?;
    info("Your inbox has this address when kkv starts:");
    print_address(key.address())
}

/// The directory, which is nobody else's until this ends.
fn held(state_dir: &Path, settings: &Settings) -> Result<StateDir, CliError> {
    StateDir::for_relay(state_dir, settings).map_err(|fault| match fault {
        StateDirError::InUse(_) => CliError::new(Exit::Refused, fault.to_string())
            .hint("Stop that one (its messages go with it), then run this again."),
        other => other.into(),
    })
}

/// Prints the address that the inbox has from now on.
fn print_address(address: OnionAddress) -> Result<(), CliError> {
    let done = format_args!("your inbox has the address {address} when kkv starts");
    print_outcome(done, &format!("{address}\n"))
}

/// Why a backup that could be opened is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Foreign {
    NoBackup,
    Version(u32),
    /// Its key makes another address than it says.
    Another,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBackup => f.write_str("it is no backup of an address"),
            Self::Version(version) => {
                write!(
                    f,
                    "it is of version {version}, and only version {VERSION} is known"
                )
            }
            Self::Another => f.write_str("its key is not that of the address in it"),
        }
    }
}

fn parsed(stored: &[u8]) -> Result<AddressKey, Foreign> {
    /// What any version says.
    #[derive(Deserialize)]
    struct Any {
        #[expect(dead_code, reason = "that it is one is enough")]
        format: Format,
        version: u32,
    }
    let any: Any = serde_json::from_slice(stored).map_err(|_| Foreign::NoBackup)?;
    if any.version != VERSION {
        return Err(Foreign::Version(any.version));
    }
    let stored: Stored = serde_json::from_slice(stored).map_err(|_| Foreign::NoBackup)?;
    let onion: OnionAddress = stored.onion.parse().map_err(|_| Foreign::NoBackup)?;
    let secret = Hex::<64>::parse(&stored.secret).map_err(|_| Foreign::NoBackup)?;
    let secret = Zeroizing::new(secret.0);
    let key = AddressKey::from_bytes(&secret).ok_or(Foreign::NoBackup)?;
    if key.address() == onion {
        Ok(key)
    } else {
        Err(Foreign::Another)
    }
}

fn foreign(file: &Path, why: Foreign) -> CliError {
    let what = format!("can't use {}: {why}; nothing was changed", file.display());
    CliError::new(Exit::Refused, what)
}

/// What is said of a backup that can't be read or made.
fn unusable(file: &Path, fault: &FileError) -> CliError {
    let shown = file.display();
    match fault {
        FileError::Foreign | FileError::Malformed(_) => foreign(file, Foreign::NoBackup),
        FileError::Exposed => {
            let failed = CliError::new(Exit::Refused, format!("other users may get at {shown}"));
            match file.metadata() {
                Ok(metadata) => close_file(failed, file, &metadata),
                Err(_) => failed, // it has just gone
            }
        }
        FileError::Exists => CliError::new(Exit::Refused, format!("{shown} exists already"))
            .hint("Name a new file; none is ever written over."),
        other => CliError::new(Exit::Refused, format!("can't use {shown}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let key = AddressKey::generate(&mut rand::rng());
        let mut stored = serde_json::json!({
            "format": "kkv address",
            "version": 1,
            "onion": key.address().to_string(),
            "secret": Hex(*key.as_bytes()).to_string(),
        });
        change(&mut stored);
        serde_json::to_vec(&stored).unwrap()
    }

    #[test]
    fn only_a_whole_backup_whose_key_makes_its_address_is_taken() {
        let read = |change: fn(&mut serde_json::Value)| parsed(&stored(change)).map(|_| ());
        assert_eq!(read(|_| ()), Ok(()));
        let another = AddressKey::generate(&mut rand::rng()).address().to_string();
        let mixed = stored(|stored| stored["onion"] = another.into());
        assert_eq!(parsed(&mixed).unwrap_err(), Foreign::Another);
        assert_eq!(
            read(|stored| stored["version"] = 2.into()),
            Err(Foreign::Version(2))
        );
        assert_eq!(
            read(|stored| stored["format"] = "kkv".into()),
            Err(Foreign::NoBackup)
        );
        assert_eq!(
            read(|stored| stored["onion"] = "x.onion".into()),
            Err(Foreign::NoBackup)
        );
        assert_eq!(
            read(|stored| stored["secret"] = "00".into()),
            Err(Foreign::NoBackup)
        );
        // A scalar that is not below the group's order.
        assert_eq!(
            read(|stored| stored["secret"] = "ff".repeat(64).into()),
            Err(Foreign::NoBackup)
        );
        assert_eq!(parsed(b"{}").unwrap_err(), Foreign::NoBackup);
        assert_eq!(parsed(b"").unwrap_err(), Foreign::NoBackup);
    }
}
