//! Turns what arti says about itself into one [`TorState`].

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arti_client::status::{BlockageKind, BootstrapStatus};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;
use tor_hsservice::RunningOnionService;
use tor_hsservice::status::State;

use super::{Client, Network};
use crate::tor::{TorState, TorTrouble};

/// How often the connections are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Watches `client`, whether it is `bootstrapped` (has Tor's directory), the `network`, and the onion service if there is one.
pub(super) fn start(
    tasks: &mut JoinSet<()>,
    client: &Client,
    mut bootstrapped: watch::Receiver<bool>,
    network: Network,
    service: Option<&Arc<RunningOnionService>>,
) -> watch::Receiver<TorState> {
    let mut seen = Seen {
        progress: client.bootstrap_status(),
        bootstrapped: false,
        published: service.map(|service| service.status().state()),
        network,
    };
    let (sender, receiver) = watch::channel(seen.state());
    let bootstraps = client.bootstrap_events();
    let services = service.map(|service| service.status_events());
    tasks.spawn(async move {
        let mut bootstraps = pin!(bootstraps.fuse());
        let mut services = pin!(futures_util::stream::iter(services).flatten().fuse());
        let mut ticks = interval(TICK);
        loop {
            tokio::select! {
                _ = ticks.tick() => {} // that nothing happens is something too
                Some(next) = bootstraps.next() => seen.progress = next,
                Some(next) = services.next() => seen.published = Some(next.state()),
                Ok(()) = bootstrapped.changed() => seen.bootstrapped = *bootstrapped.borrow(),
                () = sender.closed() => return,
            }
            let next = seen.state();
            sender.send_if_modified(|last| {
                let new = *last != next;
                *last = next;
                new
            });
        }
    });
    receiver
}

/// What was last seen of it all.
struct Seen {
    progress: BootstrapStatus,
    bootstrapped: bool,
    published: Option<State>,
    network: Network,
}

impl Seen {
    /// arti's own "ready for traffic" is no help: with a directory from the last run it is never so before something is dialled.
    fn state(&self) -> TorState {
        let network = self.network.trouble();
        if !self.bootstrapped {
            return TorState::Connecting {
                // Rounded down, and never "all" before it is.
                percent: (self.progress.as_frac() * 100.0).clamp(0.0, 99.0) as u8,
                trouble: match self.progress.blocked().and_then(|why| trouble(&why.kind())) {
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
