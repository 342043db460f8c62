//! The ways by which a message is carried, and one such journey.

use std::time::Duration;

use tokio::sync::watch;

use super::exit::Failed;
use super::explain::{explained, gone_back};
use super::inside::{SenderArgs, SenderTor};
use crate::clock::SystemClock;
use crate::contacts::Name;
use crate::crypto::identity::SenderKey;
use crate::crypto::random;
use crate::pow::Solver;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::protocol::text::Text;
use crate::sender::{Accepted, Delivery, Failure, Observer, deliver};
use crate::tor::{Dial, LoopbackDialer, SocksDialer, Target, TorState, TorWay};

/// The way that an address and the options ask for.
pub(crate) enum Way {
    Loopback(LoopbackDialer),
    Socks(SocksDialer),
    Inside(SenderTor),
}

impl Way {
    /// The Tor inside connects from here on: whoever types gives it time.
    pub(crate) async fn choose(
        tor: TorWay,
        target: Target,
        inside: &SenderArgs,
        patience: Duration,
    ) -> Result<Self, Failed> {
        Ok(match (target, tor) {
            (Target::Loopback(address), _) => Self::Loopback(LoopbackDialer(address)),
            (Target::Onion { address, port }, TorWay::Socks(proxy)) => {
                let rng = &mut random::kernel();
                Self::Socks(SocksDialer::new(proxy, address, port, patience, rng))
            }
            (Target::Onion { address, port }, TorWay::Embedded) => {
                Self::Inside(SenderTor::start(inside, address, port, patience).await?)
            }
        })
    }

    /// How the Tor inside is doing.
    pub(crate) fn state(&self) -> Option<watch::Receiver<TorState>> {
        match self {
            Self::Loopback(_) | Self::Socks(_) => None,
            Self::Inside(tor) => Some(tor.state()),
        }
    }

    pub(crate) async fn carry(
        &self,
        load: Load<'_>,
        observer: &dyn Observer,
    ) -> Result<Accepted, Failed> {
        match self {
            Self::Loopback(dialer) => load.over(dialer, observer).await,
            Self::Socks(dialer) => load.over(dialer, observer).await,
            Self::Inside(tor) => load.over(&tor.dialer(), observer).await,
        }
    }
}

/// What is carried, and how it is paid for.
pub(crate) struct Load<'l> {
    pub(crate) target: Target,
    pub(crate) suites: SuitePolicy,
    /// The contact whom it is for, if that one has spoken kkv/2 before: then nothing less is spoken.
    pub(crate) better: Option<&'l Name>,
    pub(crate) solver: Solver,
    pub(crate) max_time: Option<Duration>,
    /// Whether to pay for as long as the relay gives.
    pub(crate) anyway: bool,
    /// How long each answer is waited for.
    pub(crate) patience: Duration,
    pub(crate) key: SenderKey,
    pub(crate) text: &'l Text,
}

impl Load<'_> {
    async fn over<D: Dial>(self, dialer: &D, observer: &dyn Observer) -> Result<Accepted, Failed> {
        let delivery = Delivery {
            dialer,
            target: self.target,
            suites: match self.better {
                Some(_) => SuitePolicy::Only(Suite::V2),
                None => self.suites,
            },
            solver: self.solver,
            max_time: self.max_time,
            anyway: self.anyway,
            patience: self.patience,
            clock: &SystemClock::default(),
            observer,
        };
        deliver(&delivery, self.key, self.text, &mut random::kernel())
            .await
            .map_err(|failure| match (&failure, self.better) {
                (Failure::NoCommonSuite(_), Some(name)) => gone_back(name),
                _ => explained(&failure, self.target),
            })
    }
}
