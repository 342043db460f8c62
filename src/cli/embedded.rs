//! The Tor inside, as both programs start it. (A build without it has `embedded/absent.rs` instead.)

pub(super) mod address;
mod arguments;

use std::collections::HashSet;
use std::path::Path;

use tokio::sync::watch;

use crate::tor::embedded::{EmbeddedTor, OnionListener, OnionService, Settings, StateDir};
use crate::tor::{AccessKey, TorMode, TorState};
use arguments::TorArgs;
pub(super) use arguments::{RelayArgs, SenderArgs};
use kkv_base::limits::{DEFAULT_PORT, PAGE_PORT};
use kkv_net::http;
use kkv_protocol::crypto::random;
use kkv_protocol::onion::OnionAddress;
use kkv_ui::error::CliError;
use kkv_ui::tor::TorOptions;

impl TorArgs {
    fn options(&self) -> TorOptions {
        TorOptions {
            state_dir: self.state_dir.clone(),
            settings: self.tor_config.clone(),
            key: None,
        }
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
    /// How many keys are let in, if not everybody is.
    pub(super) fn lets_in(&self) -> Option<u32> {
        let keys: HashSet<_> = self.allow.iter().map(AccessKey::to_string).collect();
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        (count > 0).then_some(count)
    }

    /// Reads what the Tor inside needs, if it is to run here.
    pub(super) fn prepare(&self, tor: TorMode) -> Result<Option<TorSetup>, CliError> {
        if tor == TorMode::Embedded {
            let options = self.files.options();
            let settings = options.settings()?;
            settings.look_up_user();
            let state_dir = if self.ephemeral {
                StateDir::in_memory(&mut random::kernel())?
            } else {
                let state_dir = StateDir::for_relay(&options.state_dir()?, &settings)?;
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
    /// Gives the relay its address, where browsers find it as well if it has a page. Tor goes on from there by itself.
    pub(super) async fn publish(
        setup: &TorSetup,
        args: &RelayArgs,
        has_page: bool,
    ) -> Result<Self, CliError> {
        // arti would make one, too; but only this leaves nothing half made.
        setup
            .state_dir
            .ensure_key(&setup.settings, &mut random::kernel())?;
        let (service, listener) = EmbeddedTor::to_serve(
            &setup.state_dir,
            &setup.settings,
            if has_page {
                &[DEFAULT_PORT, PAGE_PORT]
            } else {
                &[DEFAULT_PORT]
            },
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

    /// Serves `site` to whoever comes through Tor, until dropped. It returns only by a fault.
    pub(super) async fn serve(self, site: http::Site) -> http::AcceptStopped {
        let _published = self.service;
        http::serve(self.listener, site, http::ConnectionLimits::default()).await
    }
}

impl SenderArgs {
    /// What a sender's Tor starts with.
    pub(super) fn options(&self) -> TorOptions {
        TorOptions {
            key: self.key.clone(),
            ..self.files.options()
        }
    }

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
