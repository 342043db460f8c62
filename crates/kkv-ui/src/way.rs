//! The ways by which a message is carried, and one such journey.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use crate::error::CliError;
use crate::explain::{explained, explained_with_files, gone_back, unanswerable};
use crate::tor::{SenderTor, TorOptions, TorWay};
use kkv_base::clock::SystemClock;
use kkv_client::contacts::Name;
use kkv_client::replies::{CollectError, Collected, Found, Mailbox};
use kkv_client::sender::{
    Accepted, Delivery, DeliveryOptions, Failure, Observer, Reply, Uploader, deliver,
};
use kkv_net::tor::{Dial, LoopbackDialer, SocksDialer, Target, TorState};
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::random;
use kkv_protocol::files::Files as Content;
use kkv_protocol::onion::OnionAddress;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::upload::sender::Upload;

/// The embedded Tor: started when a message first needs it, and the same one for all that come after, each with
/// circuits of its own.
#[derive(Debug)]
pub struct SharedTor {
    options: TorOptions,
    tor: OnceCell<Arc<SenderTor>>,
}

impl SharedTor {
    /// Not started yet.
    #[must_use]
    pub fn new(options: TorOptions) -> Self {
        let tor = OnceCell::new();
        Self { options, tor }
    }

    /// The one that runs, if it may lead to this inbox. One that couldn't be started is tried again the next time.
    async fn to(&self, inbox: OnionAddress) -> Result<Arc<SenderTor>, CliError> {
        let start = async || SenderTor::start(&self.options, inbox).await.map(Arc::new);
        let tor = self.tor.get_or_try_init(start).await?;
        tor.must_lead_to(inbox)?;
        Ok(Arc::clone(tor))
    }
}

/// The way that an address and the options ask for.
#[derive(Debug)]
pub enum Way {
    /// To this machine.
    Loopback(LoopbackDialer),
    /// Through a Tor beside us.
    Socks(SocksDialer),
    /// Through the embedded Tor.
    Embedded {
        /// It.
        tor: Arc<SenderTor>,
        /// To which inbox.
        to: OnionAddress,
        /// Its port.
        port: u16,
        /// How long the way is tried.
        timeout: Duration,
    },
}

impl Way {
    /// Chooses it. The embedded Tor connects from here on: whoever types gives it time.
    ///
    /// # Errors
    /// The embedded Tor can't start, or may not lead there.
    pub async fn choose(
        tor: TorWay,
        target: Target,
        embedded: &SharedTor,
        timeout: Duration,
    ) -> Result<Self, CliError> {
        Ok(match (target, tor) {
            (Target::Loopback(address), _) => Self::Loopback(LoopbackDialer(address)),
            (Target::Onion { address, port }, TorWay::Socks(proxy)) => {
                let rng = &mut random::kernel();
                Self::Socks(SocksDialer::new(proxy, address, port, timeout, rng))
            }
            (Target::Onion { address, port }, TorWay::Embedded) => {
                let (tor, to) = (embedded.to(address).await?, address);
                Self::Embedded {
                    tor,
                    to,
                    port,
                    timeout,
                }
            }
        })
    }

    /// How the embedded Tor is doing, if it is used.
    #[must_use]
    pub fn state(&self) -> Option<watch::Receiver<TorState>> {
        match self {
            Self::Loopback(_) | Self::Socks(_) => None,
            Self::Embedded { tor, .. } => Some(tor.state()),
        }
    }

    /// Shows what is in a box, and takes the answers out: see [`Mailbox::collect`].
    ///
    /// # Errors
    /// As there.
    pub async fn collect<E: Send>(
        &self,
        wanted: Wanted<'_>,
        observer: &dyn Observer,
        show: impl FnMut(&Found) -> Result<bool, E> + Send,
    ) -> Result<Collected, CollectError<E>> {
        match self {
            Self::Loopback(dialer) => wanted.over(dialer, observer, show).await,
            Self::Socks(dialer) => wanted.over(dialer, observer, show).await,
            Self::Embedded {
                tor,
                to,
                port,
                timeout,
            } => {
                wanted
                    .over(&tor.dialer(*to, *port, *timeout), observer, show)
                    .await
            }
        }
    }

    /// Has a message with files delivered. `keep` is given what another run needs to go on, before anything of it is
    /// sent.
    ///
    /// # Errors
    /// As [`carry`](Self::carry), and whether another run may go on; what `keep` says.
    pub async fn carry_files(
        &self,
        load: FilesLoad<'_>,
        keep: impl FnOnce(&Upload, Paid) -> Result<(), CliError> + Send,
        observer: &dyn Observer,
    ) -> Result<Accepted, FilesFailed> {
        match self {
            Self::Loopback(dialer) => load.over(dialer, keep, observer).await,
            Self::Socks(dialer) => load.over(dialer, keep, observer).await,
            Self::Embedded {
                tor,
                to,
                port,
                timeout,
            } => {
                load.over(&tor.dialer(*to, *port, *timeout), keep, observer)
                    .await
            }
        }
    }

    /// Has the message delivered.
    ///
    /// # Errors
    /// It wasn't, or it can't be known: see [`Exit`](crate::error::Exit).
    pub async fn carry(
        &self,
        load: Load<'_>,
        observer: &dyn Observer,
    ) -> Result<Accepted, CliError> {
        match self {
            Self::Loopback(dialer) => load.over(dialer, observer).await,
            Self::Socks(dialer) => load.over(dialer, observer).await,
            Self::Embedded {
                tor,
                to,
                port,
                timeout,
            } => load.over(&tor.dialer(*to, *port, *timeout), observer).await,
        }
    }
}

/// A message with files that is carried.
#[derive(Debug)]
pub struct FilesLoad<'l> {
    /// Where to, and what may be done for it.
    pub options: DeliveryOptions,
    /// What is sent.
    pub what: Files<'l>,
}

/// A message with files that was not delivered, or may not be.
#[derive(Debug)]
pub struct FilesFailed {
    /// What is said of it.
    pub told: CliError,
    /// Whether another run may go on with it.
    pub may_go_on: bool,
}

impl From<CliError> for FilesFailed {
    /// Before anything of it was sent.
    fn from(told: CliError) -> Self {
        Self {
            told,
            may_go_on: false,
        }
    }
}

/// A message with files, or one that was begun.
#[derive(Debug)]
pub enum Files<'l> {
    /// It is paid for and sealed first.
    New {
        /// Who signs.
        key: Box<SenderKey>,
        /// What is in it.
        files: &'l Content<'l>,
        /// Whether it can be answered.
        reply: Reply<'l>,
    },
    /// It was sealed by another run, which paid so much.
    Begun(Box<Upload>, Paid),
}

/// What a message was let in for.
#[derive(Debug, Clone, Copy)]
pub struct Paid {
    /// The work.
    pub cost: Cost,
    /// Whether it came by an invitation.
    pub invited: bool,
}

/// What is carried, and what may be done for it.
#[derive(Debug)]
pub struct Load<'l> {
    /// Where to, and what may be done for it.
    pub options: DeliveryOptions,
    /// The contact whom it is for, if that one has spoken kkv/2 before: then nothing less is spoken.
    pub better: Option<&'l Name>,
    /// Who signs.
    pub key: SenderKey,
    /// The text.
    pub text: &'l Text,
    /// Whether it can be answered.
    pub reply: Reply<'l>,
}

/// Which box is looked into.
#[derive(Debug, Clone)]
pub struct Wanted<'w> {
    /// Where it is, and what may be done to get there.
    pub options: DeliveryOptions,
    /// By what it is opened.
    pub secrets: &'w ReplySecrets,
    /// Whether answers are kept there when they have been shown.
    pub keep: bool,
}

impl Wanted<'_> {
    async fn over<D: Dial, E: Send>(
        self,
        dialer: &D,
        observer: &dyn Observer,
        show: impl FnMut(&Found) -> Result<bool, E> + Send,
    ) -> Result<Collected, CollectError<E>> {
        let delivery = Delivery {
            dialer,
            options: self.options,
            clock: &SystemClock::default(),
            observer,
        };
        let mut mailbox = Mailbox::new(&delivery, self.secrets);
        let rng = &mut random::kernel();
        mailbox.collect(self.keep, show, rng).await
    }
}

impl FilesLoad<'_> {
    async fn over<D: Dial>(
        self,
        dialer: &D,
        keep: impl FnOnce(&Upload, Paid) -> Result<(), CliError> + Send,
        observer: &dyn Observer,
    ) -> Result<Accepted, FilesFailed> {
        let invited = self.options.invitation.is_some();
        let delivery = Delivery {
            dialer,
            options: self.options,
            clock: &SystemClock::default(),
            observer,
        };
        let failed = |failure: Failure| FilesFailed {
            told: explained_with_files(&failure, &delivery.options),
            may_go_on: failure.leaves_upload(),
        };
        let mut uploader = Uploader::new(&delivery);
        let (upload, paid) = match self.what {
            Files::Begun(upload, paid) => (*upload, paid),
            Files::New { key, files, reply } => {
                let rng = &mut random::kernel();
                let begun = uploader.begin(*key, files, reply, rng).await;
                let (upload, cost) = begun.map_err(failed)?;
                let paid = Paid { cost, invited };
                keep(&upload, paid)?;
                (upload, paid)
            }
        };
        let receipted = uploader.send(upload).await.map_err(failed)?;
        Ok(Accepted {
            suite: Suite::V2,
            relay: receipted.relay,
            sender: receipted.receipt.sender,
            cost: paid.cost,
            invited: paid.invited,
            receipt: Some(receipted),
        })
    }
}

impl Load<'_> {
    async fn over<D: Dial>(
        self,
        dialer: &D,
        observer: &dyn Observer,
    ) -> Result<Accepted, CliError> {
        let mut options = self.options;
        if self.better.is_some() {
            options.suites = SuitePolicy::Only(Suite::V2);
        }
        let delivery = Delivery {
            dialer,
            options,
            clock: &SystemClock::default(),
            observer,
        };
        let rng = &mut random::kernel();
        deliver(&delivery, self.key, self.text, self.reply, rng)
            .await
            .map_err(|failure| match (&failure, self.better) {
                (Failure::NoCommonSuite(_), Some(name)) => gone_back(name),
                (Failure::NoCommonSuite(_), None) if !matches!(self.reply, Reply::No) => {
                    unanswerable()
                }
                _ => explained(&failure, &delivery.options),
            })
    }
}
