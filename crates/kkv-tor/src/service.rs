//! An onion service in this process, and its address.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use fs_mistrust::Mistrust;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use rand::CryptoRng;
use safelog::DisplayRedacted;
use tor_hscrypto::pk::HsIdKeypair;
use tor_hsservice::config::OnionServiceConfigBuilder;
use tor_hsservice::{OnionServiceConfig, RendRequest, RunningOnionService};
use tor_llcrypto::pk::ed25519::{ExpandedKeypair, Keypair};
use zeroize::Zeroizing;

use super::run::{Plan, Role};
use super::visitors::Door;
use super::{Client, EmbeddedTor, Home, OnionListener, Settings, StartError, config, home};
use kkv_base::limits::MAX_STREAMS_PER_CIRCUIT;
use kkv_net::tor::{AccessKey, TorTrouble};
use kkv_protocol::onion::OnionAddress;

/// arti's name for the service, and of its files.
pub(super) const NICKNAME: &str = "kkv";

/// An onion service. It is published until this value is dropped.
#[derive(Debug)]
pub struct OnionService {
    /// Its Tor.
    pub tor: EmbeddedTor,
    /// Its address.
    pub address: OnionAddress,
}

impl EmbeddedTor {
    /// Starts a Tor that hosts an onion service with one port. Its address is that of the last run in `home`, or if
    /// that is temporary, one of which the key stays in memory (32 bytes are drawn). If `allow` is not empty, only they
    /// can find it.
    ///
    /// # Errors
    /// The directory, the settings or a key can't be used.
    pub async fn to_serve(
        home: &Home,
        settings: &Settings,
        port: u16,
        allow: &[AccessKey],
        rng: &mut impl CryptoRng,
    ) -> Result<(OnionService, OnionListener), StartError> {
        let identity = home.is_temporary().then(|| Identity::generate(rng));
        let keys = identity
            .as_ref()
            .map_or(config::Keys::InHome, |_| config::Keys::InMemory);
        let (door, listener) = Door::new(port);
        let hosting = Hosting {
            config: service_config(allow)?,
            identity,
            home: home.path().to_owned(),
            mistrust: settings.mistrust(),
            first: OnceLock::new(),
            door,
        };
        let config = config::build(home, settings, keys)?;
        let (tor, address) = Self::start(
            Plan::new(config, Role::Serve(Box::new(hosting))),
            home.used(),
        )
        .await?;
        let address = address.ok_or_else(|| StartError::because("the service has no address"))?;
        Ok((OnionService { tor, address }, listener))
    }
}

/// The secret key of an address that is for one run of the program.
struct Identity(Zeroizing<[u8; 32]>);

impl Identity {
    fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self(seed)
    }

    fn keypair(&self) -> HsIdKeypair {
        ExpandedKeypair::from(&Keypair::from_bytes(&self.0)).into()
    }
}

/// What it takes to host the service, as often as it has to be begun anew.
pub(super) struct Hosting {
    config: OnionServiceConfig,
    /// None if it is in arti's own files.
    identity: Option<Identity>,
    home: PathBuf,
    mistrust: Mistrust,
    /// Its address, once it was launched.
    first: OnceLock<OnionAddress>,
    pub(super) door: Door,
}

impl Hosting {
    /// Launches it. Returns also what meets its visitors.
    pub(super) fn launch(
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
        self.must_have_its_key()?;
        let launched = if let Some(identity) = &self.identity {
            // What arti notes there names keys that were in memory, and arti would miss them.
            let _ = std::fs::remove_dir_all(self.home.join("state/hss"));
            client
                .launch_onion_service_with_hsid(config, identity.keypair())
                .map(boxed)
        } else {
            client.launch_onion_service(config).map(boxed)
        };
        let (service, requests) = launched
            .map_err(StartError::new)?
            .ok_or_else(|| StartError::because("the service is disabled"))?;
        if let Some(address) = address(&service)
            && *self.first.get_or_init(|| address) != address
        {
            return Err(key_gone());
        }
        Ok((service, self.door.clone().meet(requests)))
    }
}

impl Hosting {
    /// Sees, before it is begun anew, that the key of its address is where it was: arti would make another one, and the
    /// inbox would be at an address that nobody knows.
    fn must_have_its_key(&self) -> Result<(), StartError> {
        let (Some(first), None) = (self.first.get(), &self.identity) else {
            return Ok(());
        };
        match home::address_in(&self.home, &self.mistrust) {
            Ok(Some(there)) if there == *first => Ok(()),
            _ => Err(key_gone()),
        }
    }
}

fn key_gone() -> StartError {
    StartError {
        what: "the key of the address is gone, or another".to_owned(),
        trouble: TorTrouble::Files,
    }
}

type Launched<S> = Option<(Arc<RunningOnionService>, S)>;

/// With one type for what arti returns in two.
fn boxed<S>(launched: Launched<S>) -> Launched<BoxStream<'static, RendRequest>>
where
    S: Stream<Item = RendRequest> + Send + 'static,
{
    launched.map(|(service, requests)| (service, requests.boxed()))
}

/// The address of a service.
pub(super) fn address(service: &RunningOnionService) -> Option<OnionAddress> {
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
