//! The ways by which a message is carried, and one such journey.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use super::embedded::{SenderArgs, SenderTor};
use super::exit::CliError;
use super::explain::{explained, gone_back};
use crate::clock::SystemClock;
use crate::contacts::Name;
use crate::crypto::identity::SenderKey;
use crate::crypto::random;
use crate::onion::OnionAddress;
use crate::pow::Solver;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::protocol::text::Text;
use crate::sender::{Accepted, Delivery, Failure, Observer, deliver};
use crate::tor::{Dial, LoopbackDialer, SocksDialer, Target, TorState, TorWay};

/// The Tor inside: started when a message first needs it, and the same one for all that come after, each with circuits
/// of its own.
pub(crate) struct SharedTor {
    args: SenderArgs,
    tor: OnceCell<Arc<SenderTor>>,
}

impl SharedTor {
    pub(crate) fn new(args: SenderArgs) -> Self {
        let tor = OnceCell::new();
        Self { args, tor }
    }

    /// The one that runs, if it may lead to this inbox. One that couldn't be started is tried again the next time.
    async fn to(&self, inbox: OnionAddress) -> Result<Arc<SenderTor>, CliError> {
        let start = async || SenderTor::start(&self.args, inbox).await.map(Arc::new);
        let tor = self.tor.get_or_try_init(start).await?;
        tor.must_lead_to(inbox)?;
        Ok(Arc::clone(tor))
    }
}

/// The way that an address and the options ask for.
pub(crate) enum Way {
    Loopback(LoopbackDialer),
    Socks(SocksDialer),
    Inside {
        tor: Arc<SenderTor>,
        to: OnionAddress,
        port: u16,
        patience: Duration,
    },
}

impl Way {
    /// The Tor inside connects from here on: whoever types gives it time.
    pub(crate) async fn choose(
        tor: TorWay,
        target: Target,
        embedded: &SharedTor,
        patience: Duration,
    ) -> Result<Self, CliError> {
        Ok(match (target, tor) {
            (Target::Loopback(address), _) => Self::Loopback(LoopbackDialer(address)),
            (Target::Onion { address, port }, TorWay::Socks(proxy)) => {
                let rng = &mut random::kernel();
                Self::Socks(SocksDialer::new(proxy, address, port, patience, rng))
            }
            (Target::Onion { address, port }, TorWay::Embedded) => {
                let (tor, to) = (embedded.to(address).await?, address);
                Self::Inside {
                    tor,
                    to,
                    port,
                    patience,
                }
            }
        })
    }

    /// How the Tor inside is doing.
    pub(crate) fn state(&self) -> Option<watch::Receiver<TorState>> {
        match self {
            Self::Loopback(_) | Self::Socks(_) => None,
            Self::Inside { tor, .. } => Some(tor.state()),
        }
    }

    pub(crate) async fn carry(
        &self,
        load: Load<'_>,
        observer: &dyn Observer,
    ) -> Result<Accepted, CliError> {
        match self {
            Self::Loopback(dialer) => load.over(dialer, observer).await,
            Self::Socks(dialer) => load.over(dialer, observer).await,
            Self::Inside {
                tor,
                to,
                port,
                patience,
            } => {
                load.over(&tor.dialer(*to, *port, *patience), observer)
                    .await
            }
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
    async fn over<D: Dial>(
        self,
        dialer: &D,
        observer: &dyn Observer,
    ) -> Result<Accepted, CliError> {
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
