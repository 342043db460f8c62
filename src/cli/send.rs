//! `kkvc send`: takes the text, has it delivered, and says what has become of it.

use std::io::{self, IsTerminal};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::exit::{Exit, Failed};
use super::explain::explained;
use super::inside::SenderTor;
use super::kkvc::{Common, Send};
use super::output::{print, print_json, say};
use super::progress::Progress;
use super::proof::Proof;
use super::receipt::ReceiptFile;
use super::{compose, identity, signals};
use crate::clock::SystemClock;
use crate::crypto::identity::SenderKey;
use crate::crypto::{random, scrub};
use crate::pow::Solver;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::protocol::text::Text;
use crate::protocol::wire::Hex;
use crate::sender::{Accepted, Delivery, deliver};
use crate::tor::{Dial, LoopbackDialer, SocksDialer, Target, TorState, TorWay};

#[derive(Serialize)]
struct Told {
    accepted: bool,
    suite: Suite,
    relay: Hex<32>,
    sender: Hex<32>,
    cost: u8,
    receipt: Option<Proof>,
}

/// Leaves a message.
pub(super) async fn send(common: &Common, mut args: Send) -> Result<(), Failed> {
    let mut stopped = std::pin::pin!(signals::stopped()?);
    // Whatever can be wrong on this side is found before anything is dialled, and before somebody has typed.
    let suites = suites(args.suite, args.receipt.is_some())?;
    let key = match &args.identity {
        Some(path) => identity::load(path)?,
        None => SenderKey::generate(&mut random::kernel()),
    };
    let way = Way::choose(common.tor, &args).await?;
    let mut receipt = args.receipt.take().map(ReceiptFile::create).transpose()?;
    if let Way::Loopback(_) = way {
        say("This address is on this machine: the message does not go through Tor.");
    }
    // On a thread of its own, since a signal can't interrupt somebody who types, or a pipe that nothing comes through.
    let (message, file) = (args.message.take(), args.file.take());
    let compose = move || compose::text(message, file.as_deref());
    let text = tokio::task::spawn_blocking(|| scrub::after(compose));
    let text = tokio::select! {
        text = text => text.expect("reading does not panic")?,
        () = &mut stopped => {
            if io::stdin().is_terminal() {
                say("");
            }
            return Err(Failed::new(Exit::Cancelled, "cancelled; nothing was delivered"));
        }
    };

    let load = Load {
        target: args.address,
        suites,
        solver: args.solving.solver(),
        max_time: args.max_time,
        key,
        text: &text,
    };
    let progress = Progress::start(way.state(), args.anyway);
    let result = tokio::select! {
        result = way.carry(load, &progress) => result,
        () = stopped => Err(cancelled(&progress)),
    };
    progress.finish();
    let accepted = result?;
    let proof = accepted.receipt.as_ref().map(Proof::from);
    let written = match (&mut receipt, &proof) {
        (Some(file), Some(proof)) => file.fill(proof),
        _ => Ok(()),
    };
    tell(&accepted, proof, args.identity.is_some(), common.json).map_err(|failed| {
        let what = format!("the message was accepted, but {}", failed.what);
        Failed::new(Exit::AcceptedUntold, what)
    })?;
    written
}

/// The way that an address and the options ask for.
enum Way {
    Loopback(LoopbackDialer),
    Socks(SocksDialer),
    Inside(SenderTor),
}

impl Way {
    /// The Tor inside connects from here on: whoever types gives it time.
    async fn choose(tor: TorWay, args: &Send) -> Result<Self, Failed> {
        Ok(match (args.address, tor) {
            (Target::Loopback(address), _) => {
                args.inside.must_be_unused("an address on this machine")?;
                Self::Loopback(LoopbackDialer(address))
            }
            (Target::Onion { address, port }, TorWay::Socks(proxy)) => {
                args.inside.must_be_unused(&format!("--tor {tor}"))?;
                let rng = &mut random::kernel();
                Self::Socks(SocksDialer::new(proxy, address, port, args.timeout, rng))
            }
            (Target::Onion { address, port }, TorWay::Embedded) => {
                Self::Inside(SenderTor::start(&args.inside, address, port, args.timeout).await?)
            }
        })
    }

    /// How the Tor inside is doing.
    fn state(&self) -> Option<watch::Receiver<TorState>> {
        match self {
            Self::Loopback(_) | Self::Socks(_) => None,
            Self::Inside(tor) => Some(tor.state()),
        }
    }

    async fn carry(&self, load: Load<'_>, progress: &Progress) -> Result<Accepted, Failed> {
        match self {
            Self::Loopback(dialer) => load.over(dialer, progress).await,
            Self::Socks(dialer) => load.over(dialer, progress).await,
            Self::Inside(tor) => load.over(&tor.dialer(), progress).await,
        }
    }
}

/// What is carried, and how it is paid for.
struct Load<'l> {
    target: Target,
    suites: SuitePolicy,
    solver: Solver,
    max_time: Option<Duration>,
    key: SenderKey,
    text: &'l Text,
}

impl Load<'_> {
    async fn over<D: Dial>(self, dialer: &D, progress: &Progress) -> Result<Accepted, Failed> {
        let delivery = Delivery {
            dialer,
            target: self.target,
            suites: self.suites,
            solver: self.solver,
            max_time: self.max_time,
            clock: &SystemClock::default(),
            observer: progress,
        };
        deliver(&delivery, self.key, self.text, &mut random::kernel())
            .await
            .map_err(|failure| explained(&failure))
    }
}

fn suites(asked: SuitePolicy, receipt: bool) -> Result<SuitePolicy, Failed> {
    match asked {
        SuitePolicy::Only(Suite::V1) if receipt => Err(Failed::usage(
            "kkv/1 has no receipts; leave out --receipt or --suite 1",
        )),
        _ if receipt => Ok(SuitePolicy::Only(Suite::V2)),
        _ => Ok(asked),
    }
}

fn tell(accepted: &Accepted, receipt: Option<Proof>, kept: bool, json: bool) -> Result<(), Failed> {
    if json {
        return print_json(&Told {
            accepted: true,
            suite: accepted.suite,
            relay: Hex(*accepted.relay.as_bytes()),
            sender: Hex(*accepted.sender.as_bytes()),
            cost: accepted.cost.bits(),
            receipt,
        });
    }
    let key = if kept {
        "your identity"
    } else {
        "a key for this message only"
    };
    let word = match accepted.suite {
        Suite::V2 => "and has signed for it",
        Suite::V1 => "(kkv/1 has no signed receipts)",
    };
    print(&format!(
        "Accepted: the message is in the inbox.\n  \
         relay   {} {word}\n  \
         sender  {}, {key}\n  \
         paid    2^{} hashes, {}\n",
        accepted.relay.fingerprint(),
        accepted.sender.fingerprint(),
        accepted.cost,
        accepted.suite,
    ))
}

fn cancelled(progress: &Progress) -> Failed {
    if progress.was_sending() {
        Failed::new(
            Exit::Cancelled,
            "cancelled while the message was on its way: whether it arrived can't be known",
        )
        .hint("Sending it again may leave it there twice.")
    } else {
        Failed::new(Exit::Cancelled, "cancelled; nothing was delivered")
    }
}
