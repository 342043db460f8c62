//! Tor inside: arti in this process, as a client and as the host of an onion service.

mod circuits;
mod config;
mod dialer;
mod home;
mod network;
mod renewal;
mod run;
mod service;
mod trouble;
mod visitors;
mod watch;

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch as channel;
use tokio::task::JoinSet;

use kkv_net::tor::{AccessSecret, TorState, TorTrouble};
use kkv_protocol::onion::OnionAddress;

use network::Network;
use renewal::Present;
use run::{Client, Plan, Role};

pub use config::{Settings, SettingsError};
pub use dialer::EmbeddedDialer;
pub use home::{AddressKey, Exposed, Fault, Home, HomeError, KeyError, default_state_dir};
pub use service::OnionService;
pub use visitors::OnionListener;

/// Tor in this process. It works on its connection for as long as this value lives, whatever happens to the network.
pub struct EmbeddedTor {
    present: channel::Receiver<Present>,
    state: channel::Receiver<TorState>,
    /// Ends with this value.
    _kept_going: JoinSet<()>,
}

impl fmt::Debug for EmbeddedTor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedTor")
    }
}

/// Why Tor can't be started at all. (That the network can't be reached is no such reason: it is tried for ever.)
#[derive(Debug, thiserror::Error)]
#[error("the Tor inside can't start: {what}")]
pub struct StartError {
    what: String,
    trouble: TorTrouble,
}

impl StartError {
    fn new(fault: impl std::error::Error + 'static) -> Self {
        let trouble = trouble::local(&fault).unwrap_or(TorTrouble::NotStarted);
        let what = match trouble {
            TorTrouble::DiskFull => "there is no room left on the disk with its files".to_owned(),
            _ => chain(&fault),
        };
        Self { what, trouble }
    }

    fn because(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            trouble: TorTrouble::NotStarted,
        }
    }

    /// What is the matter with this machine.
    #[must_use]
    pub fn trouble(&self) -> TorTrouble {
        self.trouble
    }
}

impl EmbeddedTor {
    /// Starts a Tor that only dials, with the key to a closed inbox if there is one. Nothing about where to is kept in
    /// `home`.
    ///
    /// # Errors
    /// The directory, the settings or the key can't be used.
    pub async fn to_dial(
        home: &Home,
        settings: &Settings,
        access: Option<AccessSecret>,
    ) -> Result<Self, StartError> {
        let config = config::build(home, settings, config::Keys::InMemory)?;
        let plan = Plan::new(config, Role::Dial(access));
        let (tor, _) = Self::start(plan, false).await?;
        Ok(tor)
    }

    /// Starts it, and returns the address of its onion service, if there is one. `again`: that service may have been
    /// published a moment ago.
    async fn start(plan: Plan, again: bool) -> Result<(Self, Option<OnionAddress>), StartError> {
        let run = plan.start(again).await?;
        let address = run.address();
        let (sender, present) = channel::channel(Some(Arc::clone(&run.client)));
        let state = plan.state();
        let mut kept_going = JoinSet::new();
        kept_going.spawn(renewal::keep_going(plan, run, sender));
        let tor = Self {
            present,
            state,
            _kept_going: kept_going,
        };
        Ok((tor, address))
    }

    /// How it is doing, from now on.
    #[must_use]
    pub fn state(&self) -> channel::Receiver<TorState> {
        self.state.clone()
    }
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
