//! The Tor inside, as both programs start it. (A build without it has `embedded/absent.rs` instead.)

pub(super) mod address;
mod arguments;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;

use super::exit::{CliError, Exit};
use crate::crypto::random;
use crate::http;
use crate::limits::DEFAULT_PORT;
use crate::onion::OnionAddress;
use crate::tor::embedded::{
    EmbeddedDialer, EmbeddedTor, KeyError, OnionListener, OnionService, Settings, SettingsError,
    StartError, StateDir, StateDirError, default_state_dir,
};
use crate::tor::{AccessSecret, TorMode, TorState, TorTrouble};
use arguments::TorArgs;
pub(crate) use arguments::{RelayArgs, SenderArgs};
use kkv_terminal::visible::quoted;

impl TorArgs {
    fn state_dir(&self) -> Result<PathBuf, StateDirError> {
        self.state_dir.clone().map_or_else(default_state_dir, Ok)
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        self.tor_config
            .as_deref()
            .map_or_else(|| Ok(Settings::default()), Settings::load)
    }
}

/// What the Tor inside starts from: all that is read, before the program gives up reading.
pub(super) struct TorSetup {
    settings: Settings,
    state_dir: StateDir,
}

impl TorSetup {
    /// Where Tor's files go.
    pub(super) fn state_dir(&self) -> &Path {
        self.state_dir.path()
    }

    /// Out of which directory it is removed at the end, if it is.
    pub(super) fn removed_from(&self) -> Option<&Path> {
        self.state_dir
            .is_temporary()
            .then(|| self.state_dir().parent())?
    }
}

impl RelayArgs {
    /// Reads what the Tor inside needs, if it is to run here.
    pub(super) fn prepare(&self, tor: TorMode) -> Result<Option<TorSetup>, CliError> {
        if tor == TorMode::Embedded {
            let settings = self.files.settings()?;
            settings.look_up_user();
            let state_dir = if self.ephemeral {
                StateDir::in_memory(&mut random::kernel())?
            } else {
                let state_dir = StateDir::for_relay(&self.files.state_dir()?, &settings)?;
                state_dir.address(&settings)?; // a new address is never made in silence
                state_dir
            };
            return Ok(Some(TorSetup {
                settings,
                state_dir,
            }));
        }
        let given = [
            ("--state-dir", self.files.state_dir.is_some()),
            ("--tor-config", self.files.tor_config.is_some()),
            ("--ephemeral", self.ephemeral),
            ("--allow", !self.allow.is_empty()),
        ];
        unused(
            &given,
            &format!("--tor {tor}"),
            "A system Tor keeps address and keys itself: see torrc.example.",
        )?;
        Ok(None)
    }
}

/// The relay's onion service.
pub(super) struct PublishedService {
    service: OnionService,
    listener: OnionListener,
}

impl PublishedService {
    /// Gives the relay its address. Tor goes on from there by itself.
    pub(super) async fn publish(ready: &TorSetup, args: &RelayArgs) -> Result<Self, CliError> {
        // arti would make one, too; but only this leaves nothing half made.
        ready
            .state_dir
            .ensure_key(&ready.settings, &mut random::kernel())?;
        let (service, listener) = EmbeddedTor::to_serve(
            &ready.state_dir,
            &ready.settings,
            DEFAULT_PORT,
            &args.allow,
            &mut random::kernel(),
        )
        .await?;
        Ok(Self { service, listener })
    }

    pub(super) fn address(&self) -> OnionAddress {
        self.service.address
    }

    pub(super) fn state(&self) -> watch::Receiver<TorState> {
        self.service.tor.state()
    }

    /// Serves `router` to whoever comes through Tor, until dropped. It returns only by a fault.
    pub(super) async fn serve(self, router: Router) -> http::AcceptStopped {
        let _published = self.service;
        http::serve(self.listener, router, http::ConnectionLimits::default()).await
    }
}

impl SenderArgs {
    /// Refuses options that would do nothing.
    pub(super) fn must_be_unused(&self, way: &str) -> Result<(), CliError> {
        let given = [
            ("--state-dir", self.files.state_dir.is_some()),
            ("--tor-config", self.files.tor_config.is_some()),
            ("--key", self.key.is_some()),
        ];
        unused(
            &given,
            way,
            "A system Tor has its own settings; keys go to its ClientOnionAuthDir.",
        )
    }
}

fn unused(given: &[(&str, bool)], way: &str, hint: &str) -> Result<(), CliError> {
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(CliError::usage(format!(
            "{option} is for the Tor inside, and {way} doesn't start it"
        ))
        .hint(hint)),
        None => Ok(()),
    }
}

/// A sender's Tor.
pub(crate) struct SenderTor {
    tor: EmbeddedTor,
    /// The one inbox that it may lead to: the one that its key is for.
    only: Option<OnionAddress>,
    /// After `tor`, which is dropped before it.
    _state_dir: StateDir,
}

impl SenderTor {
    /// Starts it for this inbox. It connects by itself from then on.
    pub(crate) async fn start(args: &SenderArgs, to: OnionAddress) -> Result<Self, CliError> {
        let access = match &args.key {
            Some(key) => Some(super::key::load(key).await?),
            None => None,
        };
        let only = access.as_ref().map(AccessSecret::inbox);
        must_be_for(only, to)?;
        let settings = args.files.settings()?;
        let state_dir = StateDir::for_senders(&args.files.state_dir()?, &settings)?;
        let tor = EmbeddedTor::to_dial(&state_dir, &settings, access).await?;
        Ok(Self {
            tor,
            only,
            _state_dir: state_dir,
        })
    }

    pub(crate) fn state(&self) -> watch::Receiver<TorState> {
        self.tor.state()
    }

    /// Whether it may lead to this inbox, too.
    pub(crate) fn must_lead_to(&self, to: OnionAddress) -> Result<(), CliError> {
        must_be_for(self.only, to)
    }

    pub(crate) fn dialer(
        &self,
        to: OnionAddress,
        port: u16,
        patience: Duration,
    ) -> EmbeddedDialer<'_> {
        self.tor.dialer(to, port, patience)
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
            StateDirError::Nowhere => failed.hint("Name a directory with --state-dir."),
            StateDirError::NoMemory => failed.hint("Leave out --ephemeral."),
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
