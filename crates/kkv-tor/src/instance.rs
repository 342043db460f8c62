//! One running arti, and the configuration that it is started and restarted from.

use std::sync::Arc;
use std::time::Duration;

use arti_client::config::TorClientConfig;
use arti_client::{BootstrapBehavior, KeystoreSelector, TorClient};
use tokio::sync::watch;
use tokio::time::sleep;
use tor_hscrypto::pk::{HsClientDescEncSecretKey, HsId};
use tor_hsservice::RunningOnionService;
use tor_llcrypto::pk::curve25519::StaticSecret;

use crate::error::StartError;
use crate::faults;
use crate::network::Network;
use crate::runtime::{Client, Threads, monitored};
use crate::service::{self, Service};
use crate::status::{self, Directory};
use kkv_base::limits::{BOOTSTRAP_PAUSE, MAX_BOOTSTRAP_PAUSE, REPUBLISH_PAUSE};
use kkv_net::tor::{AccessSecret, TorState};
use kkv_protocol::onion::OnionAddress;

/// What instances are started from, one after the other.
pub(crate) struct Launcher {
    arti: TorClientConfig,
    role: Role,
    /// Shared by all instances: what one has observed holds for the next.
    network: Network,
    state: watch::Sender<TorState>,
}

/// What an instance is for.
pub(crate) enum Role {
    /// To dial onion services; with a key, also a closed one.
    Dial(Option<AccessSecret>),
    /// To host one.
    Serve(Box<Service>),
}

/// A running arti. It ends when dropped.
pub(crate) struct Instance {
    pub(crate) client: Arc<Client>,
    service: Option<Arc<RunningOnionService>>,
    _threads: Threads,
}

impl Launcher {
    pub(crate) fn new(arti: TorClientConfig, role: Role) -> Self {
        let (state, _) = watch::channel(TorState::Connecting {
            percent: 0,
            trouble: None,
        });
        Self {
            arti,
            role,
            network: Network::default(),
            state,
        }
    }

    /// The state of the current instance.
    pub(crate) fn state(&self) -> watch::Receiver<TorState> {
        self.state.subscribe()
    }

    /// Reports that no instance could be started.
    pub(crate) fn not_started(&self, fault: &StartError) {
        let now = TorState::Connecting {
            percent: 0,
            trouble: Some(fault.trouble()),
        };
        self.state
            .send_if_modified(|last| std::mem::replace(last, now) != now);
    }

    /// Whether a restart would cut anyone off.
    pub(crate) fn is_used(&self) -> bool {
        match &self.role {
            Role::Dial(_) => false, // a sender whose connection breaks dials again
            Role::Serve(service) => service.is_used(),
        }
    }

    /// Starts an instance. `republish`: its service may have been published a moment ago.
    pub(crate) async fn start(&self, republish: bool) -> Result<Instance, StartError> {
        // Fails if one is installed already; there is only this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (threads, runtime) = Threads::start()?;
        let client = TorClient::with_runtime(monitored(&runtime, &self.network))
            .config(self.arti.clone())
            .bootstrap_behavior(BootstrapBehavior::OnDemand)
            .create_unbootstrapped_async()
            .await
            .map_err(StartError::new)?;
        let mut pause = Duration::ZERO;
        let service = match &self.role {
            Role::Dial(access) => {
                if let Some(access) = access {
                    unlock(&client, access)?;
                }
                None
            }
            Role::Serve(service) => {
                if republish {
                    pause = REPUBLISH_PAUSE;
                }
                let (service, serving) = service.launch(&client)?;
                threads.spawn(serving);
                Some(service)
            }
        };
        let (ready, directory) = watch::channel(Directory::Pending);
        threads.spawn(status::report(
            Arc::clone(&client),
            directory,
            self.network.clone(),
            service.clone(),
            self.state.clone(),
        ));
        threads.spawn(bootstrap(Arc::clone(&client), ready, pause));
        Ok(Instance {
            client,
            service,
            _threads: threads,
        })
    }
}

impl Instance {
    /// The address of the onion service, if it hosts one.
    pub(crate) fn address(&self) -> Option<OnionAddress> {
        self.service.as_deref().and_then(service::address)
    }
}

/// Gives arti the key to a closed inbox, in memory only.
fn unlock(client: &Client, access: &AccessSecret) -> Result<(), StartError> {
    let service = HsId::from(access.inbox().public_key().0);
    let secret = HsClientDescEncSecretKey::from(StaticSecret::from(*access.as_bytes()));
    client
        .insert_service_discovery_key(KeystoreSelector::Primary, service, secret)
        .map_err(StartError::new)?;
    Ok(())
}

/// Bootstraps until it succeeds, after a first `pause`, and reports to `ready`. From then on arti maintains the
/// directory and circuits by itself.
async fn bootstrap(client: Arc<Client>, ready: watch::Sender<Directory>, pause: Duration) {
    sleep(pause).await;
    let mut pause = BOOTSTRAP_PAUSE;
    while let Err(fault) = client.bootstrap().await {
        let local = faults::local(&fault);
        ready.send_replace(local.map_or(Directory::Pending, Directory::Blocked));
        sleep(pause).await;
        pause = MAX_BOOTSTRAP_PAUSE.min(pause * 2);
    }
    ready.send_replace(Directory::Ready);
}
