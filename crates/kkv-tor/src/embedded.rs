//! A Tor in this process, kept running whatever happens to the network.

use std::fmt;
use std::sync::Arc;

use rand::CryptoRng;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{self, Keystore};
use crate::error::StartError;
use crate::incoming::{Incoming, OnionListener};
use crate::instance::{Launcher, Role};
use crate::service::Service;
use crate::settings::Settings;
use crate::state_dir::StateDir;
use crate::supervisor::{self, Current};
use kkv_net::tor::{AccessKey, AccessSecret, TorState, TorTrouble};
use kkv_protocol::onion::OnionAddress;

/// A Tor in this process. It runs until this value is dropped.
pub struct EmbeddedTor {
    pub(crate) current: watch::Receiver<Current>,
    state: watch::Receiver<TorState>,
    /// Aborted on drop.
    _supervisor: JoinSet<()>,
}

impl fmt::Debug for EmbeddedTor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedTor")
    }
}

/// An onion service. It is published until this value is dropped.
#[derive(Debug)]
pub struct OnionService {
    /// The Tor that hosts it.
    pub tor: EmbeddedTor,
    /// Its address.
    pub address: OnionAddress,
}

impl EmbeddedTor {
    /// Starts a Tor that only dials; `access` is the key to a closed inbox. Nothing about destinations is stored in
    /// `state_dir`.
    ///
    /// # Errors
    /// The directory, the settings or the key can't be used.
    pub async fn to_dial(
        state_dir: &StateDir,
        settings: &Settings,
        access: Option<AccessSecret>,
    ) -> Result<Self, StartError> {
        let config = config::build(state_dir, settings, Keystore::Ephemeral)?;
        let (tor, _) = Self::start(Launcher::new(config, Role::Dial(access)), false).await?;
        Ok(tor)
    }

    /// Starts a Tor that hosts an onion service with these ports. Its address is that of the key in `state_dir`; if
    /// that is temporary, that of a new key in memory (32 bytes are drawn). Unless `allow` is empty, only the holders
    /// of these keys can find the service.
    ///
    /// # Errors
    /// The directory, the settings or a key can't be used.
    pub async fn to_serve(
        state_dir: &StateDir,
        settings: &Settings,
        ports: &'static [u16],
        allow: &[AccessKey],
        rng: &mut impl CryptoRng,
    ) -> Result<(OnionService, OnionListener), StartError> {
        let (incoming, listener) = Incoming::new(ports);
        let service = Service::new(state_dir, settings, allow, incoming, rng)?;
        let config = config::build(state_dir, settings, service.keystore())?;
        let launcher = Launcher::new(config, Role::Serve(Box::new(service)));
        let (tor, address) = Self::start(launcher, state_dir.was_used()).await?;
        let no_address =
            || StartError::because("the service has no address", TorTrouble::NotStarted);
        let address = address.ok_or_else(no_address)?;
        Ok((OnionService { tor, address }, listener))
    }

    /// Starts it, and returns the address of its onion service, if it hosts one. `republish`: that service may have
    /// been published a moment ago.
    async fn start(
        launcher: Launcher,
        republish: bool,
    ) -> Result<(Self, Option<OnionAddress>), StartError> {
        let instance = launcher.start(republish).await?;
        let address = instance.address();
        let (sender, current) = watch::channel(Some(Arc::clone(&instance.client)));
        let state = launcher.state();
        let mut supervisor = JoinSet::new();
        supervisor.spawn(supervisor::supervise(launcher, instance, sender));
        let tor = Self {
            current,
            state,
            _supervisor: supervisor,
        };
        Ok((tor, address))
    }

    /// Its state, and every change of it.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<TorState> {
        self.state.clone()
    }
}
