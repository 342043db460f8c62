//! The embedded Tor, as a sender starts it, and what is said when it can't. (A build without it has `absent.rs`
//! instead.)

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kkv_net::tor::{AccessSecret, TorState, TorTrouble};
use kkv_protocol::onion::OnionAddress;
use kkv_terminal::visible::quoted;
use kkv_tor::{
    EmbeddedDialer, EmbeddedTor, KeyError, Settings, SettingsError, StartError, StateDir,
    StateDirError, default_state_dir,
};
use tokio::sync::watch;

use super::TorOptions;
use crate::error::{CliError, Exit};
use crate::key;

impl TorOptions {
    /// Where its files are.
    ///
    /// # Errors
    /// Nobody has said, and there is no usual place.
    pub fn state_dir(&self) -> Result<PathBuf, StateDirError> {
        self.state_dir.clone().map_or_else(default_state_dir, Ok)
    }

    /// Its settings.
    ///
    /// # Errors
    /// The file can't be read, or has none.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        self.settings
            .as_deref()
            .map_or_else(|| Ok(Settings::default()), Settings::load)
    }
}

/// A sender's Tor.
pub struct SenderTor {
    tor: EmbeddedTor,
    /// The one inbox that it may lead to: the one that its key is for.
    only: Option<OnionAddress>,
    /// After `tor`, which is dropped before it.
    _state_dir: StateDir,
}

impl SenderTor {
    /// Starts it for this inbox. It connects by itself from then on.
    ///
    /// # Errors
    /// Key, directory or settings can't be used; the key is for another inbox; it can't start.
    pub async fn start(options: &TorOptions, to: OnionAddress) -> Result<Self, CliError> {
        let access = match &options.key {
            Some(key) => Some(key::load(key).await?),
            None => None,
        };
        let only = access.as_ref().map(AccessSecret::inbox);
        must_be_for(only, to)?;
        let settings = options.settings()?;
        let state_dir = StateDir::for_senders(&options.state_dir()?, &settings)?;
        let tor = EmbeddedTor::to_dial(&state_dir, &settings, access).await?;
        Ok(Self {
            tor,
            only,
            _state_dir: state_dir,
        })
    }

    /// How it is doing.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<TorState> {
        self.tor.state()
    }

    /// Whether it may lead to this inbox, too.
    ///
    /// # Errors
    /// It may not: its key is for another one.
    pub fn must_lead_to(&self, to: OnionAddress) -> Result<(), CliError> {
        must_be_for(self.only, to)
    }

    /// The way to an inbox, which is tried for `timeout` at most.
    #[must_use]
    pub fn dialer(&self, to: OnionAddress, port: u16, timeout: Duration) -> EmbeddedDialer<'_> {
        self.tor.dialer(to, port, timeout)
    }
}

impl fmt::Debug for SenderTor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SenderTor")
    }
}

/// Who gives a key means the inbox that it is for.
fn must_be_for(only: Option<OnionAddress>, to: OnionAddress) -> Result<(), CliError> {
    if only.is_some_and(|only| only != to) {
        let what = "this key is for another inbox; nothing was sent";
        return Err(CliError::usage(what));
    }
    Ok(())
}

impl From<StateDirError> for CliError {
    fn from(error: StateDirError) -> Self {
        let failed = Self::new(Exit::Refused, error.to_string());
        // Said even of the usual one: who pastes it may have another, as root has for a service.
        let place = |relay: &Path| {
            let named = relay.parent().unwrap_or(relay);
            format!("--state-dir {}", quoted(named))
        };
        match error {
            StateDirError::InUse(_) => failed.hint(
                "Stop the other one (its messages go with it), name another directory with --state-dir, or use --ephemeral.",
            ),
            StateDirError::Insecure(insecure) => match insecure.repair_commands(|path| quoted(path)) {
                Some(commands) => failed
                    .hint("If it is yours and no kkv runs there, run:")
                    .command("  ", &commands)
                    .more("If not, name another directory with --state-dir."),
                None if insecure.has_symlinks() => failed.hint(
                    "Put there what it leads to, if nothing else uses that; or name another directory with --state-dir.",
                ),
                None => failed.hint("Name another directory with --state-dir."),
            },
            StateDirError::KeyMissing(path) => {
                let place = place(&path);
                failed
                    .hint("Put it back, or name the directory that has it with --state-dir. From a backup:")
                    .command("  ", &format!("kkv address restore FILE {place}"))
                    .more("For a new address, with the old one gone for good:")
                    .command("  ", &format!("kkv address new {place}"))
            }
            StateDirError::Key(path, _) => {
                let place = place(&path);
                failed
                    .hint("From a backup:")
                    .command("  ", &format!("kkv address restore FILE --replace {place}"))
                    .more("For a new address, with the old one gone for good:")
                    .command("  ", &format!("kkv address new {place}"))
            }
            StateDirError::Unwritten(_, fault, there) => unwritten(failed, &fault, there),
            StateDirError::Io(_, fault) => failed.hint(advice(&fault)),
            StateDirError::NoMemory => failed.hint("Leave out --ephemeral."),
            _ => failed.hint("Name a directory with --state-dir."),
        }
    }
}

/// What is done about a directory that can't be used.
const ELSEWHERE: &str = "Name another directory with --state-dir.";

fn advice(fault: &io::Error) -> &'static str {
    match fault.kind() {
        _ if is_full(fault) => {
            "Make room on the disk with Tor's files, or name another directory with --state-dir."
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Name a directory in which you may write with --state-dir."
        }
        io::ErrorKind::NotADirectory => "Name a directory, not a file, with --state-dir.",
        _ => ELSEWHERE,
    }
}

/// Says of a key that can't be written what is there instead.
fn unwritten(mut failed: CliError, fault: &KeyError, there: Option<OnionAddress>) -> CliError {
    let KeyError::Io(fault) = fault else {
        return failed.hint(ELSEWHERE);
    };
    match there {
        Some(there) => {
            failed.what += &format!("; the address that was there stays: {there}");
            failed.hint(match is_full(fault) {
                true => "Make room on the disk with Tor's files, and run it again.",
                false => "See that you may write there, and run it again.",
            })
        }
        None => {
            failed.what += "; no address was made";
            failed.hint(advice(fault))
        }
    }
}

fn is_full(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl From<SettingsError> for CliError {
    fn from(error: SettingsError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        let other = "name another directory with --state-dir, or use a system Tor with --tor.";
        let hint = match error.trouble() {
            TorTrouble::DiskFull => format!("Make room on the disk with Tor's files; or {other}"),
            _ => other.replacen('n', "N", 1),
        };
        Self::new(Exit::Refused, error.to_string()).hint(hint)
    }
}
