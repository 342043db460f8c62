//! Tor inside: arti in this process, as a client and as the host of an onion service.

mod config;
mod dialer;
mod home;
mod network;
mod service;
mod watch;

use std::fmt;
use std::sync::Arc;

use arti_client::{BootstrapBehavior, TorClient};
use tokio::sync::watch as channel;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tor_rtcompat::CompoundRuntime;
use tor_rtcompat::tls::RustlsProvider;
use tor_rtcompat::tokio::TokioRustlsRuntime;

use super::TorState;
use crate::limits::{BOOTSTRAP_PAUSE, MAX_BOOTSTRAP_PAUSE};

use network::{Network, Observed};

pub use config::{Settings, SettingsError};
pub use dialer::EmbeddedDialer;
pub use home::{Home, HomeError, default_state_dir};
pub use service::{OnionListener, OnionService};

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
type Client = TorClient<Runtime>;

/// Tor in this process. It works on its connection for as long as this value lives, whatever happens to the network.
pub struct EmbeddedTor {
    client: Arc<Client>,
    state: channel::Receiver<TorState>,
    /// Ends with this value.
    _tasks: JoinSet<()>,
}

impl fmt::Debug for EmbeddedTor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedTor")
    }
}

/// Why Tor can't be started at all. (That the network can't be reached is no such reason: it is tried for ever.)
#[derive(Debug, thiserror::Error)]
#[error("the Tor inside can't start: {0}")]
pub struct StartError(String);

impl StartError {
    fn new(fault: impl std::error::Error + 'static) -> Self {
        Self(chain(&fault))
    }
}

/// A client that has not yet been told to connect.
async fn open(
    home: &Home,
    settings: &Settings,
    keys: Keys,
) -> Result<(Arc<Client>, Network), StartError> {
    // Whoever was first has chosen; there is one choice only.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = TokioRustlsRuntime::current().map_err(StartError::new)?;
    let network = Network::default();
    let runtime = observed(&runtime, &network);
    let config = config::build(home, settings, keys)?;
    let client = TorClient::with_runtime(runtime)
        .config(config)
        .bootstrap_behavior(BootstrapBehavior::OnDemand)
        .create_unbootstrapped_async()
        .await
        .map_err(StartError::new)?;
    Ok((client, network))
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

/// Where the keys of onion services and of closed inboxes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    InHome,
    InMemory,
}

impl EmbeddedTor {
    /// Starts a Tor that only dials. Nothing about where to is kept in `home`.
    ///
    /// # Errors
    /// The directory or the settings can't be used.
    pub async fn to_dial(home: &Home, settings: &Settings) -> Result<Self, StartError> {
        let (client, network) = open(home, settings, Keys::InMemory).await?;
        let mut tasks = JoinSet::new();
        let (ready, bootstrapped) = channel::channel(false);
        let state = watch::start(&mut tasks, &client, bootstrapped, network, None);
        tasks.spawn(connect(Arc::clone(&client), ready));
        Ok(Self {
            client,
            state,
            _tasks: tasks,
        })
    }

    /// How it is doing, from now on.
    #[must_use]
    pub fn state(&self) -> channel::Receiver<TorState> {
        self.state.clone()
    }
}

/// Gets Tor's directory, however often that fails, and sets `ready`. From then on arti keeps it by itself, and builds what circuits are asked for.
async fn connect(client: Arc<Client>, ready: channel::Sender<bool>) {
    let mut pause = BOOTSTRAP_PAUSE;
    while client.bootstrap().await.is_err() {
        sleep(pause).await;
        pause = MAX_BOOTSTRAP_PAUSE.min(pause * 2);
    }
    ready.send_replace(true);
}

/// A fault and its causes in one line. arti's own words for a fault are mostly "it failed", and its causes say why.
fn chain(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(fault) = cause {
        let more = fault.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = fault.source();
    }
    text
}
