//! How a command gets to an inbox: its options for that, and the way that follows from them.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::commands::values::{patience, time_to_pay};
use super::common::Common;
use super::embedded::SenderArgs;
use super::value_parsers::from_one_to;
use crate::tor::{Target, TorWay};
use kkv_base::limits::MAX_THREADS;
use kkv_client::sender::DeliveryOptions;
use kkv_pow::Solver;
use kkv_protocol::suite::SuitePolicy;
use kkv_terminal::stderr::verbose;
use kkv_ui::error::CliError;
use kkv_ui::way::{SharedTor, Way};

/// What may be done to get to an inbox.
#[derive(Debug, Args)]
pub(super) struct Carrying {
    /// Longest time to pay for, like 90s or 10m [default: what the relay gives, up to 15m without asking]
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true, value_parser = time_to_pay)]
    max_time: Option<Duration>,

    /// Pay even where it takes long or will hardly be done in time, without asking
    #[arg(long)]
    pub(super) anyway: bool,

    #[command(flatten)]
    solving: Solving,

    /// How long to try to find the inbox, and to wait for each answer (twice, if none comes), like 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "1m", allow_negative_numbers = true, value_parser = patience)]
    timeout: Duration,

    #[command(flatten)]
    embedded: SenderArgs,
}

/// What searches for a proof of work.
#[derive(Debug, Default, Args)]
pub(super) struct Solving {
    /// Threads that search for the proof of work [default: one for each core]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = from_one_to(MAX_THREADS))]
    threads: Option<u32>,
}

impl Carrying {
    /// The same for a delivery.
    pub(super) fn options(&self, target: Target, suites: SuitePolicy) -> DeliveryOptions {
        DeliveryOptions {
            target,
            invitation: None,
            suites,
            solver: self.solving.solver(),
            max_time: self.max_time,
            anyway: self.anyway,
            timeout: self.timeout,
        }
    }

    /// Chooses the way to `target`, and says to who wants to know more what the options come to.
    pub(super) async fn way(
        &self,
        common: &Common,
        target: Target,
        suites: SuitePolicy,
    ) -> Result<Way, CliError> {
        match (target, common.tor) {
            (Target::Loopback(_), _) => {
                self.embedded.must_be_unused("an address on this machine")?;
            }
            (_, tor @ TorWay::Socks(_)) => self.embedded.must_be_unused(&format!("--tor {tor}"))?,
            (_, TorWay::Embedded) => {}
        }
        say_how(common.tor, target, suites, self.solving.solver());
        let embedded = SharedTor::new(self.embedded.options());
        Way::choose(common.tor, target, &embedded, self.timeout).await
    }
}

impl Solving {
    pub(super) fn solver(&self) -> Solver {
        let all = Solver::default();
        let threads = self.threads.and_then(|n| NonZeroUsize::new(n as usize));
        Solver {
            threads: threads.unwrap_or(all.threads),
            ..all
        }
    }
}

/// Says what the options come to, to who wants to know more.
fn say_how(tor: TorWay, target: Target, suites: SuitePolicy, solver: Solver) {
    match (target, tor) {
        (Target::Loopback(address), _) => verbose(format_args!("Going straight to {address}.")),
        (Target::Onion { .. }, TorWay::Socks(_)) => {
            verbose(format_args!("Going through the Tor at {tor}."));
        }
        (Target::Onion { .. }, TorWay::Embedded) => verbose("Going through the Tor inside."),
    }
    match suites {
        SuitePolicy::Any => verbose("Speaking kkv/2, or kkv/1 if the relay has nothing better."),
        SuitePolicy::Only(suite) => verbose(format_args!("Speaking {suite} and nothing else.")),
    }
    verbose(format_args!(
        "Paying with {}; threads: {}.",
        solver.instructions, solver.threads
    ));
}
