//! Merges arti's events and our observations into one [`TorState`].

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arti_client::status::{BlockageKind, BootstrapStatus};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::interval;
use tor_circmgr::ClockSkewEvents;
use tor_hsservice::RunningOnionService;
use tor_hsservice::status::State;
use tor_netdir::Timeliness;
use tor_rtcompat::SleepProvider;

use crate::network::Network;
use crate::runtime::Client;
use kkv_net::tor::{TorState, TorTrouble};

/// How often the connections are checked.
const TICK: Duration = Duration::from_secs(1);

/// The state of Tor's directory, which lists the relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directory {
    Pending,
    /// Pending, because of a fault of this machine.
    Blocked(TorTrouble),
    Ready,
}

/// Watches the client, its directory, the network and the onion service if there is one, and reports to `state`.
pub(crate) async fn report(
    client: Arc<Client>,
    mut directory: watch::Receiver<Directory>,
    network: Network,
    service: Option<Arc<RunningOnionService>>,
    state: watch::Sender<TorState>,
) {
    let mut observed = Observed {
        progress: client.bootstrap_status(),
        directory: Directory::Pending,
        published: service.as_ref().map(|service| service.status().state()),
        network,
        clock_is_wrong: false,
    };
    let bootstraps = client.bootstrap_events();
    let mut skew = ClockSkew::of(client);
    let services = service.map(|service| service.status_events());
    let mut bootstraps = pin!(bootstraps.fuse());
    let mut services = pin!(futures_util::stream::iter(services).flatten().fuse());
    let mut ticks = interval(TICK);
    loop {
        tokio::select! {
            // Also notices that nothing happens.
            _ = ticks.tick() => observed.clock_is_wrong = skew.is_observed(),
            Some(next) = bootstraps.next() => observed.progress = next,
            Some(next) = services.next() => observed.published = Some(next.state()),
            Ok(()) = directory.changed() => observed.directory = *directory.borrow(),
        }
        let next = observed.state();
        state.send_if_modified(|last| {
            let new = *last != next;
            *last = next;
            new
        });
    }
}

/// The last observations.
struct Observed {
    progress: BootstrapStatus,
    directory: Directory,
    published: Option<State>,
    network: Network,
    clock_is_wrong: bool,
}

/// Whether other machines contradict this one's clock.
struct ClockSkew {
    client: Arc<Client>,
    /// arti's estimate from the handshakes of many relays, once it has a circuit manager.
    estimates: Option<ClockSkewEvents>,
    is_noteworthy: bool,
}

impl ClockSkew {
    fn of(client: Arc<Client>) -> Self {
        Self {
            client,
            estimates: None,
            is_noteworthy: false,
        }
    }

    fn is_observed(&mut self) -> bool {
        if self.estimates.is_none() {
            self.estimates = self
                .client
                .circmgr()
                .ok()
                .map(|circuits| circuits.skew_events());
        }
        while let Some(Some(estimate)) = self
            .estimates
            .as_mut()
            .and_then(|estimates| estimates.next().now_or_never())
        {
            self.is_noteworthy = estimate.is_some_and(|estimate| estimate.noteworthy());
        }
        self.is_noteworthy || self.directory_is_from_the_future()
    }

    /// The authorities can't have signed a directory later than now.
    fn directory_is_from_the_future(&self) -> bool {
        let directory = self.client.dirmgr().ok();
        let directory = directory.and_then(|manager| manager.netdir(Timeliness::Unchecked).ok());
        directory.is_some_and(|directory| {
            directory.lifetime().valid_after() > self.client.runtime().wallclock()
        })
    }
}

impl Observed {
    /// The fault of this machine that blocks the directory.
    fn blocked(&self) -> Option<TorTrouble> {
        match self.directory {
            Directory::Blocked(trouble) => Some(trouble),
            Directory::Pending | Directory::Ready => None,
        }
    }

    /// Doesn't use arti's `ready_for_traffic`: with a directory from an earlier run that stays false until something is
    /// dialled.
    fn state(&self) -> TorState {
        let network = self.network.trouble();
        if self.directory != Directory::Ready {
            return TorState::Connecting {
                // Rounded down, and never 100 before it is connected.
                percent: (self.progress.as_frac() * 100.0).clamp(0.0, 99.0) as u8,
                trouble: match self.progress.blocked().and_then(|why| trouble(&why.kind())) {
                    _ if self.blocked().is_some() => self.blocked(),
                    _ if self.clock_is_wrong => Some(TorTrouble::Clock),
                    Some(TorTrouble::Clock) => Some(TorTrouble::Clock), // it is why connections fail
                    reported => network.or(reported),
                },
            };
        }
        if let Some(trouble) = network {
            return TorState::Lost { trouble };
        }
        match self.published {
            None => TorState::Connected,
            Some(state) if state.is_fully_reachable() => TorState::Reachable,
            Some(_) if self.clock_is_wrong => TorState::Publishing {
                trouble: Some(TorTrouble::Clock),
            },
            Some(State::Shutdown | State::Bootstrapping) => TorState::Publishing { trouble: None },
            Some(_) => TorState::Publishing {
                trouble: Some(TorTrouble::Unpublished),
            },
        }
    }
}

fn trouble(kind: &BlockageKind) -> Option<TorTrouble> {
    match kind {
        BlockageKind::Disabled => None, // not started yet
        BlockageKind::Offline => Some(TorTrouble::Offline),
        BlockageKind::Filtering => Some(TorTrouble::Blocked),
        BlockageKind::ClockSkewed => Some(TorTrouble::Clock),
        BlockageKind::CantBootstrap => Some(TorTrouble::NoDirectory),
        _ => Some(TorTrouble::Unreachable),
    }
}
