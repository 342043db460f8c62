//! Turns what arti says about itself into one [`TorState`].

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

use super::{Client, Network};
use kkv_net::tor::{TorState, TorTrouble};

/// How often the connections are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Tor's directory, without which it knows no relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directory {
    Awaited,
    /// Awaited, and something on this machine is in the way.
    Hindered(TorTrouble),
    There,
}

/// Watches `client`, whether it has Tor's `directory`, the `network`, and the onion service if there is one; tells
/// `state`.
pub(super) async fn watch(
    client: Arc<Client>,
    mut directory: watch::Receiver<Directory>,
    network: Network,
    service: Option<Arc<RunningOnionService>>,
    state: watch::Sender<TorState>,
) {
    let mut seen = Seen {
        progress: client.bootstrap_status(),
        directory: Directory::Awaited,
        published: service.as_ref().map(|service| service.status().state()),
        network,
        wrong_clock: false,
    };
    let bootstraps = client.bootstrap_events();
    let mut times = Times::of(client);
    let services = service.map(|service| service.status_events());
    let mut bootstraps = pin!(bootstraps.fuse());
    let mut services = pin!(futures_util::stream::iter(services).flatten().fuse());
    let mut ticks = interval(TICK);
    loop {
        tokio::select! {
            // That nothing happens is something too.
            _ = ticks.tick() => seen.wrong_clock = times.contradict_the_clock(),
            Some(next) = bootstraps.next() => seen.progress = next,
            Some(next) = services.next() => seen.published = Some(next.state()),
            Ok(()) = directory.changed() => seen.directory = *directory.borrow(),
        }
        let next = seen.state();
        state.send_if_modified(|last| {
            let new = *last != next;
            *last = next;
            new
        });
    }
}

/// What was last seen of it all.
struct Seen {
    progress: BootstrapStatus,
    directory: Directory,
    published: Option<State>,
    network: Network,
    wrong_clock: bool,
}

/// What others say about the time.
struct Times {
    client: Arc<Client>,
    /// What arti makes of what relays say when it connects to them, if it says so: that takes many relays.
    skews: Option<ClockSkewEvents>,
    skewed: bool,
}

impl Times {
    fn of(client: Arc<Client>) -> Self {
        Self {
            client,
            skews: None,
            skewed: false,
        }
    }

    fn contradict_the_clock(&mut self) -> bool {
        if self.skews.is_none() {
            self.skews = self
                .client
                .circmgr()
                .ok()
                .map(|circuits| circuits.skew_events());
        }
        while let Some(Some(estimate)) = self
            .skews
            .as_mut()
            .and_then(|skews| skews.next().now_or_never())
        {
            self.skewed = estimate.is_some_and(|estimate| estimate.noteworthy());
        }
        self.skewed || self.directory_is_of_the_future()
    }

    /// What the authorities have signed can't have been signed later than now.
    fn directory_is_of_the_future(&self) -> bool {
        let directory = self.client.dirmgr().ok();
        let directory = directory.and_then(|manager| manager.netdir(Timeliness::Unchecked).ok());
        directory.is_some_and(|directory| {
            directory.lifetime().valid_after() > self.client.runtime().wallclock()
        })
    }
}

impl Seen {
    /// What on this machine keeps the directory from being had.
    fn hindered(&self) -> Option<TorTrouble> {
        match self.directory {
            Directory::Hindered(trouble) => Some(trouble),
            Directory::Awaited | Directory::There => None,
        }
    }

    /// arti's own "ready for traffic" is no help: with a directory from the last run it is never so before something is
    /// dialled.
    fn state(&self) -> TorState {
        let network = self.network.trouble();
        if self.directory != Directory::There {
            return TorState::Connecting {
                // Rounded down, and never "all" before it is.
                percent: (self.progress.as_frac() * 100.0).clamp(0.0, 99.0) as u8,
                trouble: match self.progress.blocked().and_then(|why| trouble(&why.kind())) {
                    _ if self.hindered().is_some() => self.hindered(),
                    _ if self.wrong_clock => Some(TorTrouble::Clock),
                    Some(TorTrouble::Clock) => Some(TorTrouble::Clock), // the cause of what the connections show
                    told => network.or(told),
                },
            };
        }
        if let Some(trouble) = network {
            return TorState::Lost { trouble };
        }
        match self.published {
            None => TorState::Connected,
            Some(state) if state.is_fully_reachable() => TorState::Reachable,
            Some(_) if self.wrong_clock => TorState::Publishing {
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
        BlockageKind::Disabled => None, // it has not been started yet
        BlockageKind::Offline => Some(TorTrouble::Offline),
        BlockageKind::Filtering => Some(TorTrouble::Blocked),
        BlockageKind::ClockSkewed => Some(TorTrouble::Clock),
        BlockageKind::CantBootstrap => Some(TorTrouble::NoDirectory),
        _ => Some(TorTrouble::Unreachable),
    }
}
