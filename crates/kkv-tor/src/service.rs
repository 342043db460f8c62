//! The onion service: its key, its configuration, and how it is launched on each instance.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use fs_mistrust::Mistrust;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use rand::CryptoRng;
use safelog::DisplayRedacted;
use tor_hsservice::config::OnionServiceConfigBuilder;
use tor_hsservice::{OnionServiceConfig, RendRequest, RunningOnionService};
use tor_llcrypto::pk::ed25519::ExpandedKeypair;

use crate::config::Keystore;
use crate::error::StartError;
use crate::incoming::Incoming;
use crate::runtime::Client;
use crate::settings::Settings;
use crate::state_dir::{self, AddressKey, NICKNAME, StateDir};
use kkv_base::limits::MAX_STREAMS_PER_CIRCUIT;
use kkv_net::tor::{AccessKey, TorTrouble};
use kkv_protocol::onion::OnionAddress;

/// An onion service that can be launched on one instance after the other.
pub(crate) struct Service {
    config: OnionServiceConfig,
    /// The key if it is never stored; `None` if it is in the state directory.
    ephemeral_key: Option<AddressKey>,
    state_dir: PathBuf,
    mistrust: Mistrust,
    /// Set by the first launch.
    address: OnceLock<OnionAddress>,
    incoming: Incoming,
}

impl Service {
    /// A service whose streams go to `incoming`. For a temporary directory it gets a new key (32 bytes are drawn).
    pub(crate) fn new(
        state_dir: &StateDir,
        settings: &Settings,
        allow: &[AccessKey],
        incoming: Incoming,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, StartError> {
        Ok(Self {
            config: service_config(allow)?,
            ephemeral_key: state_dir.is_temporary().then(|| AddressKey::generate(rng)),
            state_dir: state_dir.path().to_owned(),
            mistrust: settings.mistrust(),
            address: OnceLock::new(),
            incoming,
        })
    }

    /// Where arti is to keep its key.
    pub(crate) fn keystore(&self) -> Keystore {
        match self.ephemeral_key {
            Some(_) => Keystore::Ephemeral,
            None => Keystore::StateDir,
        }
    }

    /// Whether it has clients.
    pub(crate) fn is_used(&self) -> bool {
        self.incoming.is_used()
    }

    /// Launches it. Run the returned future on the instance's threads: it accepts the clients.
    pub(crate) fn launch(
        &self,
        client: &Client,
    ) -> Result<
        (
            Arc<RunningOnionService>,
            impl Future<Output = ()> + Send + use<>,
        ),
        StartError,
    > {
        let config = self.config.clone();
        self.check_key()?;
        let launched = if let Some(key) = &self.ephemeral_key {
            // It refers to keys that an earlier instance had in memory, and arti would miss them.
            let _ = std::fs::remove_dir_all(state_dir::records(&self.state_dir));
            let pair = ExpandedKeypair::from_secret_key_bytes(*key.as_bytes());
            let pair = pair.ok_or_else(key_gone)?.into();
            client
                .launch_onion_service_with_hsid(config, pair)
                .map(boxed)
        } else {
            client.launch_onion_service(config).map(boxed)
        };
        let disabled = || StartError::because("the service is disabled", TorTrouble::NotStarted);
        let (service, requests) = launched.map_err(StartError::new)?.ok_or_else(disabled)?;
        if let Some(address) = address(&service)
            && *self.address.get_or_init(|| address) != address
        {
            return Err(key_gone());
        }
        Ok((service, self.incoming.clone().accept_all(requests)))
    }

    /// Checks before a relaunch that the key is still there. Without it arti would generate another one, and the inbox
    /// would move to an address that nobody knows.
    fn check_key(&self) -> Result<(), StartError> {
        let (Some(first), None) = (self.address.get(), &self.ephemeral_key) else {
            return Ok(());
        };
        match state_dir::address_in(&self.state_dir, &self.mistrust) {
            Ok(Some(found)) if found == *first => Ok(()),
            _ => Err(key_gone()),
        }
    }
}

fn key_gone() -> StartError {
    StartError::because(
        "the key of the address is gone, or another",
        TorTrouble::Files,
    )
}

type Launched<S> = Option<(Arc<RunningOnionService>, S)>;

/// Gives arti's two ways of launching one type.
fn boxed<S>(launched: Launched<S>) -> Launched<BoxStream<'static, RendRequest>>
where
    S: Stream<Item = RendRequest> + Send + 'static,
{
    launched.map(|(service, requests)| (service, requests.boxed()))
}

/// The address of a launched service.
pub(crate) fn address(service: &RunningOnionService) -> Option<OnionAddress> {
    let id = service.onion_address()?;
    id.display_unredacted().to_string().parse().ok()
}

fn service_config(allow: &[AccessKey]) -> Result<OnionServiceConfig, StartError> {
    let mut config = OnionServiceConfigBuilder::default();
    config
        .nickname(NICKNAME.parse().expect("it is a valid nickname"))
        .max_concurrent_streams_per_circuit(MAX_STREAMS_PER_CIRCUIT);
    if !allow.is_empty() {
        let discovery = config.restricted_discovery();
        discovery.enabled(true);
        for (number, key) in allow.iter().enumerate() {
            let name = format!("key{number}").parse().map_err(StartError::new)?;
            let key = key.to_string().parse().map_err(StartError::new)?;
            discovery.static_keys().access().push((name, key));
        }
    }
    config.build().map_err(StartError::new)
}
