//! The program `kkv`: takes its arguments, puts the rooms together, runs until it is told to stop, and leaves nothing.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;

use super::arguments::{self, SOCKET_HELP, from_one_to};
use super::exit::{Exit, Failed, RELAY_CODES};
use super::signals;
use super::visible::Visible;
use crate::clock::{Clock, SystemClock};
use crate::crypto::random;
use crate::http;
use crate::limits::{
    DEFAULT_COST, DEFAULT_EXPECTED_SECONDS, DEFAULT_MESSAGES, DEFAULT_PORT, MAX_EXPECTED_SECONDS,
    MAX_MESSAGES, MAX_TTL,
};
use crate::owner::api::Status;
use crate::owner::{self, Host, OwnerListener, SocketError};
use crate::pow::Cost;
use crate::protocol::Envelope;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::protocol::wire::Hex;
use crate::queue::{Now, Queue};
use crate::relay::{self, Relay, RelayConfig};
use crate::tor::{BindError, LoopbackListener, TorMode};

/// How long open connections get to end when the program stops; what they hold has been wiped before.
const SHUTDOWN: Duration = Duration::from_millis(20);

/// Runs your inbox: an onion service at which anyone can leave you a message. Messages are kept in memory only; stopping it
/// (pkill -x kkv) wipes them. Read them with kkvc.
#[derive(Debug, Parser)]
#[command(name = "kkv", version, max_term_width = 100, after_help = RELAY_CODES)]
struct Args {
    /// Messages that fit; more are refused
    #[arg(short, long, value_name = "N", default_value_t = DEFAULT_MESSAGES, allow_negative_numbers = true, value_parser = from_one_to(MAX_MESSAGES))]
    max_messages: u32,

    /// What a sender pays: 2^COST hashes (0 to 60; each step doubles it)
    #[arg(short, long, value_name = "COST", default_value_t = default_cost(), allow_negative_numbers = true)]
    cost_pow: Cost,

    /// Seconds that a sender has to pay
    #[arg(short, long, value_name = "SECONDS", default_value_t = DEFAULT_EXPECTED_SECONDS, allow_negative_numbers = true, value_parser = from_one_to(MAX_EXPECTED_SECONDS))]
    expected_time: u32,

    /// Delete messages this long after they came, like 12h or 7d [default: keep until deleted]
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true, value_parser = time_to_live)]
    ttl: Option<Duration>,

    /// Suites to speak: 'any', or '2' to refuse the published kkv/1
    #[arg(long, value_name = "SUITE", default_value_t, value_parser = relay_suites)]
    suite: SuitePolicy,

    /// Loopback address to listen on
    #[arg(long, value_name = "ADDRESS", default_value_t = default_listen(), value_parser = loopback)]
    listen: SocketAddr,

    #[arg(long, value_name = "PATH", help = format!("Socket for kkvc {SOCKET_HELP}"))]
    socket: Option<PathBuf>,

    /// How senders reach it: 'external' (a system Tor, set up as in torrc.example) or 'off' (no Tor is expected)
    #[arg(long, value_name = "WAY", default_value_t = TorMode::External)]
    tor: TorMode,
}

fn default_cost() -> Cost {
    Cost::new(DEFAULT_COST.into()).expect("the default is in range")
}

fn default_listen() -> SocketAddr {
    ([127, 0, 0, 1], DEFAULT_PORT).into()
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .replacen("localhost:", "127.0.0.1:", 1)
        .parse()
        .map_err(|_| "an address is written 127.0.0.1:45069".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(
            "only a loopback address (127.0.0.1, [::1]) can be listened on: \
             on any other, people could come without Tor"
                .to_owned(),
        )
    }
}

fn relay_suites(text: &str) -> Result<SuitePolicy, String> {
    match text.parse() {
        Ok(policy @ (SuitePolicy::Any | SuitePolicy::Only(Suite::V2))) => Ok(policy),
        _ => Err("there are 'any' and '2'".to_owned()),
    }
}

fn time_to_live(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|_| "a duration is written like 30m, 12h or 7d".to_owned())?;
    if duration.is_zero() || duration > MAX_TTL {
        return Err("a message can live from a moment to a hundred years".to_owned());
    }
    Ok(duration)
}

/// Runs the relay to its end.
#[must_use]
pub fn main() -> ExitCode {
    let args = match arguments::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(fault) => {
            let what = format!("can't start: {fault}");
            return Failed::new(Exit::Refused, what).report("kkv");
        }
    };
    let result = runtime.block_on(run(args));
    runtime.shutdown_timeout(SHUTDOWN);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => failed.report("kkv"),
    }
}

async fn run(args: Args) -> Result<(), Failed> {
    // Before anything else, so that no moment is left in which a signal would end the program without wiping.
    let stopped = signals::stopped()?;
    let config = RelayConfig {
        cost: args.cost_pow,
        expected_seconds: args.expected_time,
        suites: args.suite,
    };
    let socket = args.socket.clone().unwrap_or_else(owner::default_path);
    let owner_listener = OwnerListener::bind(&socket).await?;
    let listener = LoopbackListener::bind(args.listen).await?;
    let listens = listener
        .address()
        .map_err(|fault| Failed::new(Exit::Refused, fault.to_string()))?;

    let clock = Arc::new(SystemClock::default());
    let started = clock.elapsed();
    let queue = Queue::new(args.max_messages, args.ttl);
    let relay = Arc::new(Relay::new(config, queue, clock, &mut random::kernel()));
    let running = Arc::new(Running {
        relay: Arc::clone(&relay),
        tor: args.tor,
        listens,
        ttl: args.ttl,
        started,
    });
    announce(&running, &socket);

    tokio::select! {
        () = http::serve(listener, relay::router(Arc::clone(&relay))) => {}
        () = http::serve(owner_listener, owner::router(running)) => {}
        () = relay.purge_when_due() => {}
        () = stopped => {}
    }
    relay.close();
    Ok(())
}

impl From<SocketError> for Failed {
    fn from(error: SocketError) -> Self {
        let failed = Self::new(Exit::Refused, error.to_string());
        match error {
            SocketError::InUse(_) => failed
                .hint("Stop the other one (pkill -x kkv), or name another socket with --socket."),
            SocketError::Directory(path) => failed.hint(format!(
                "If it is yours, run: chmod 700 {}; if not, name another socket with --socket.",
                path.display()
            )),
            SocketError::NotASocket(_) | SocketError::Io(..) => {
                failed.hint("Name another socket with --socket.")
            }
        }
    }
}

impl From<BindError> for Failed {
    fn from(error: BindError) -> Self {
        let failed = Self::new(Exit::Refused, error.to_string());
        let other = "another port with --listen 127.0.0.1:PORT (and in the torrc).";
        match error {
            BindError::InUse(_) => failed.hint(format!("Stop the other one, or name {other}")),
            BindError::NotLoopback(_) | BindError::Io(..) => failed.hint(format!("Name {other}")),
        }
    }
}

/// The one block that is printed. Whether anybody reads it does not matter.
fn announce(running: &Running, socket: &std::path::Path) {
    let status = running.status();
    let suites: Vec<String> = status.suites.iter().map(Suite::to_string).collect();
    let reach = match status.tor {
        TorMode::External => {
            "through a system Tor: put the lines of torrc.example into its torrc;\n            \
             your address is then in the file `hostname` of its HiddenServiceDir"
        }
        TorMode::Off => {
            "from this machine; no Tor is expected, though one that still forwards to this port does"
        }
    };
    let life = running.ttl.map_or_else(String::new, |ttl| {
        format!(", each kept for {}", humantime::format_duration(ttl))
    });
    let block = format!(
        "kkv {} keeps up to {} messages in memory{life}; each costs its sender 2^{} hashes\n  \
         listens   {}, speaks {}\n  \
         reach it  {reach}\n  \
         owner     {} (kkvc list)\n  \
         key       {}\n",
        status.version,
        status.queue.capacity,
        status.cost,
        status.listens,
        suites.join(" and "),
        Visible(&socket.to_string_lossy()),
        running.relay.keys().public().fingerprint(),
    );
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(block.as_bytes()).and_then(|()| out.flush());
}

/// The program at work, as its owner sees it.
struct Running {
    relay: Arc<Relay>,
    tor: TorMode,
    listens: SocketAddr,
    ttl: Option<Duration>,
    started: Duration,
}

impl Host for Running {
    fn queue(&self) -> &Queue<Envelope> {
        self.relay.queue()
    }

    fn now(&self) -> Now {
        self.relay.now()
    }

    fn relay_key(&self) -> [u8; 32] {
        *self.relay.keys().public().as_bytes()
    }

    fn status(&self) -> Status {
        let now = self.now().elapsed;
        let public = self.relay.public_status();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: now.saturating_sub(self.started).as_secs(),
            tor: self.tor,
            listens: self.listens,
            suites: public.suites,
            cost: public.cost,
            expected_seconds: public.expected_seconds,
            ttl_seconds: self.ttl.map(|ttl| ttl.as_secs()),
            queue: self.queue().counts(now),
            relay: Hex(self.relay_key()),
        }
    }

    fn wipe(&self) {
        self.relay.wipe();
    }
}
