//! One run of arti, and what another one like it is started from.

use std::sync::Arc;
use std::time::Duration;

use arti_client::config::TorClientConfig;
use arti_client::{BootstrapBehavior, KeystoreSelector, TorClient};
use tokio::sync::watch as channel;
use tokio::time::sleep;
use tor_hscrypto::pk::{HsClientDescEncSecretKey, HsId};
use tor_hsservice::RunningOnionService;
use tor_llcrypto::pk::curve25519::StaticSecret;
use tor_rtcompat::CompoundRuntime;
use tor_rtcompat::tls::RustlsProvider;
use tor_rtcompat::tokio::TokioRustlsRuntime;

use super::network::{Network, Observed};
use super::service::{self, Hosting};
use super::watch::{self, Directory};
use super::{StartError, trouble};
use kkv_base::limits::{BOOTSTRAP_PAUSE, MAX_BOOTSTRAP_PAUSE, REPUBLISH_PAUSE, SHUTDOWN_TIMEOUT};
use kkv_net::tor::{AccessSecret, TorState};
use kkv_protocol::onion::OnionAddress;

/// Its threads: what it computes is small.
const THREADS: usize = 2;

/// arti's runtime, with connections that are looked at.
type Runtime = CompoundRuntime<
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    Observed<TokioRustlsRuntime>,
    TokioRustlsRuntime,
    RustlsProvider,
    TokioRustlsRuntime,
>;
pub(super) type Client = TorClient<Runtime>;

/// What a run is started from.
pub(super) struct Plan {
    config: TorClientConfig,
    role: Role,
    /// Of all runs: what one has seen is true for the next.
    network: Network,
    state: channel::Sender<TorState>,
}

/// What it is for.
pub(super) enum Role {
    /// To reach onion services; also a closed one.
    Dial(Option<AccessSecret>),
    /// To be one.
    Serve(Box<Hosting>),
}

/// One arti at work, until it is dropped.
pub(super) struct Run {
    pub(super) client: Arc<Client>,
    service: Option<Arc<RunningOnionService>>,
    _threads: Threads,
}

/// What all tasks of a run are on, arti's and ours, and end with. Some of arti's sleep until a time of day and hold its
/// files meanwhile, so it is not enough to ask them to end.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn start() -> Result<(Self, TokioRustlsRuntime), StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("tor")
            .enable_all()
            .build()
            .map_err(StartError::new)?;
        let context = runtime.enter();
        let handle = TokioRustlsRuntime::current().map_err(StartError::new);
        drop(context);
        Ok((Self(Some(runtime)), handle?))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(runtime) = self.0.take() else { return };
        // From a thread of its own, as nothing asynchronous may wait; and waited for, as nothing may write into a
        // directory that is being removed.
        let ending = std::thread::spawn(move || runtime.shutdown_timeout(SHUTDOWN_TIMEOUT));
        let _ = ending.join();
    }
}

impl Plan {
    pub(super) fn new(config: TorClientConfig, role: Role) -> Self {
        let (state, _) = channel::channel(TorState::Connecting {
            percent: 0,
            trouble: None,
        });
        Self {
            config,
            role,
            network: Network::default(),
            state,
        }
    }

    /// How its present run is doing.
    pub(super) fn state(&self) -> channel::Receiver<TorState> {
        self.state.subscribe()
    }

    /// There is no run, and why.
    pub(super) fn not_started(&self, fault: &StartError) {
        let now = TorState::Connecting {
            percent: 0,
            trouble: Some(fault.trouble()),
        };
        self.state
            .send_if_modified(|last| std::mem::replace(last, now) != now);
    }

    /// Whether somebody would miss the present run.
    pub(super) fn is_used(&self) -> bool {
        match &self.role {
            Role::Dial(_) => false, // a sender whose way breaks asks for another
            Role::Serve(hosting) => hosting.door.is_used(),
        }
    }

    /// Starts a run. `again`: the last one may have published a moment ago.
    pub(super) async fn start(&self, again: bool) -> Result<Run, StartError> {
        // Whoever was first has chosen; there is one choice only.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (threads, runtime) = Threads::start()?;
        let client = TorClient::with_runtime(observed(&runtime, &self.network))
            .config(self.config.clone())
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
            Role::Serve(hosting) => {
                if again {
                    pause = REPUBLISH_PAUSE;
                }
                let (service, visitors) = hosting.launch(&client)?;
                threads.spawn(visitors);
                Some(service)
            }
        };
        let (ready, directory) = channel::channel(Directory::Awaited);
        threads.spawn(watch::watch(
            Arc::clone(&client),
            directory,
            self.network.clone(),
            service.clone(),
            self.state.clone(),
        ));
        threads.spawn(connect(Arc::clone(&client), ready, pause));
        Ok(Run {
            client,
            service,
            _threads: threads,
        })
    }
}

impl Run {
    /// The address of the onion service, if it hosts one.
    pub(super) fn address(&self) -> Option<OnionAddress> {
        self.service.as_deref().and_then(service::address)
    }
}

fn observed(plain: &TokioRustlsRuntime, network: &Network) -> Runtime {
    let tcp = Observed {
        inner: plain.clone(),
        network: network.clone(),
    };
    let [spawn, sleep, clock, unix, udp] = std::array::from_fn(|_| plain.clone());
    CompoundRuntime::new(
        spawn,
        sleep,
        clock,
        tcp,
        unix,
        RustlsProvider::default(),
        udp,
    )
}

/// Takes the key to a closed inbox, into memory only.
fn unlock(client: &Client, access: &AccessSecret) -> Result<(), StartError> {
    let service = HsId::from(access.inbox().public_key().0);
    let secret = HsClientDescEncSecretKey::from(StaticSecret::from(*access.as_bytes()));
    client
        .insert_service_discovery_key(KeystoreSelector::Primary, service, secret)
        .map_err(StartError::new)?;
    Ok(())
}

/// Gets Tor's directory, however often that fails, and says in `ready` how far that is. From then on arti keeps it by
/// itself, and builds what circuits are asked for.
async fn connect(client: Arc<Client>, ready: channel::Sender<Directory>, pause: Duration) {
    sleep(pause).await;
    let mut pause = BOOTSTRAP_PAUSE;
    while let Err(fault) = client.bootstrap().await {
        let local = trouble::local(&fault);
        ready.send_replace(local.map_or(Directory::Awaited, Directory::Hindered));
        sleep(pause).await;
        pause = MAX_BOOTSTRAP_PAUSE.min(pause * 2);
    }
    ready.send_replace(Directory::There);
}
