//! The program `kkv`: takes its arguments, puts the rooms together, runs until it is told to stop, and leaves nothing.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use super::address::{AddressCommand, address};
use super::advice::close_directory;
use super::arguments::{self, KKV_ENVIRONMENT, SOCKET_HELP, from_one_to, named_file};
use super::exit::{Exit, Failed, RELAY_CODES};
use super::host::Running;
use super::inside::{Onion, Ready, RelayArgs};
use super::output::{Talk, complain, set_talk, tell};
use super::speed::Speed;
use super::writer::{self, LastWords};
use super::{panic, signals, tor_lines};
use crate::clock::SystemClock;
use crate::count::counted;
use crate::crypto::{random, scrub};
use crate::http;
use crate::limits::{
    DEFAULT_COST, DEFAULT_EXPECTED_SECONDS, DEFAULT_MESSAGES, DEFAULT_PORT, MAX_EXPECTED_SECONDS,
    MAX_MESSAGES, MAX_TTL, MIN_TTL, RATE_TIME, SLOT_BYTES,
};
use crate::memory;
use crate::owner::{self, Absence, OwnerListener};
use crate::pow::{Cost, Solver};
use crate::process;
use crate::protocol::Envelope;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::queue::Queue;
use crate::relay::{self, Pricing, Relay, RelayConfig};
use crate::sandbox::{self, Needs};
use crate::tor::{BindError, Listen, LocalListener, TorMode};
use crate::unix_socket::{self, SocketError};

/// How long open connections get to end when the program stops; what they hold has been wiped before.
const SHUTDOWN: Duration = Duration::from_millis(20);
/// How long an output has to take why it ends by itself. (A signal that ends it is a reason of its own: see `writer`.)
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs your inbox: an onion service at which anyone can leave you a message. Messages are kept in memory only; stopping it
/// (pkill -x kkv) wipes them. Read them with kkvc.
#[derive(Debug, Parser)]
#[command(name = "kkv", version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = format!("{RELAY_CODES}\n\n{KKV_ENVIRONMENT}"))]
pub(super) struct Args {
    /// Messages that fit; more are refused
    #[arg(short, long, value_name = "N", default_value_t = DEFAULT_MESSAGES, allow_negative_numbers = true, value_parser = from_one_to(MAX_MESSAGES))]
    max_messages: u32,

    /// What a sender pays: 2^COST hashes (0 to 60; each step doubles it)
    #[arg(short, long, value_name = "COST", default_value_t = default_cost(), allow_negative_numbers = true)]
    cost_pow: Cost,

    /// Whether the cost rises as free slots run out: 'on' (by 6 at most) or 'off'
    #[arg(long, value_name = "WHETHER", default_value = "on", value_parser = on_or_off)]
    adaptive: OnOrOff,

    /// Seconds that a sender has to pay
    #[arg(short, long, value_name = "SECONDS", default_value_t = DEFAULT_EXPECTED_SECONDS, allow_negative_numbers = true, value_parser = from_one_to(MAX_EXPECTED_SECONDS))]
    expected_time: u32,

    /// Delete messages this long after they came, like 12h or 7d [default: keep until deleted]
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true, value_parser = duration)]
    ttl: Option<Duration>,

    /// Wipe everything when you have not been there for this long: whatever you ask for with kkvc counts
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true, value_parser = duration)]
    wipe_after: Option<Duration>,

    /// Suites to speak: 'any', or '2' to refuse the published kkv/1
    #[arg(long, value_name = "SUITE", default_value_t, value_parser = relay_suites)]
    suite: SuitePolicy,

    /// Where to listen on this machine: unix:/PATH for a system Tor alone, or a loopback address, which any user can take while kkv is down [default: 127.0.0.1:45069; with Tor inside nowhere]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,

    #[arg(long, value_name = "PATH", help = format!("Socket for kkvc {SOCKET_HELP}"), value_parser = named_file())]
    socket: Option<PathBuf>,

    /// How senders reach it: 'embedded' (Tor inside), 'external' (a system Tor, set up as in torrc.example) or 'off' (no Tor is expected)
    #[arg(long, value_name = "WAY", default_value_t = crate::tor::DEFAULT_MODE)]
    tor: TorMode,

    /// Print nothing but what has gone wrong; `kkvc status` says the rest
    #[arg(short, long)]
    quiet: bool,

    /// Use no colours, as with NO_COLOR in the environment
    #[arg(long)]
    // Looked for before anything is parsed: see `colour::begin`.
    no_color: bool,

    #[command(flatten)]
    inside: RelayArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep, bring back or renew the onion address
    Address {
        #[command(subcommand)]
        command: AddressCommand,
    },
}

fn default_cost() -> Cost {
    Cost::new(DEFAULT_COST.into()).expect("the default is in range")
}

impl Args {
    /// With Tor inside nobody else has to come, and every program on this machine could, browsers among them.
    fn listen(&self) -> Option<Listen> {
        let published = Listen::Loopback(([127, 0, 0, 1], DEFAULT_PORT).into());
        let beside = self.tor != TorMode::Embedded;
        self.listen.clone().or(beside.then_some(published))
    }
}

/// A switch that is on unless said otherwise: a flag could only turn it on.
#[derive(Debug, Clone, Copy)]
struct OnOrOff(bool);

fn on_or_off(text: &str) -> Result<OnOrOff, String> {
    match text {
        "on" => Ok(OnOrOff(true)),
        "off" => Ok(OnOrOff(false)),
        _ => Err("there are 'on' and 'off'".to_owned()),
    }
}

fn relay_suites(text: &str) -> Result<SuitePolicy, String> {
    match text.parse() {
        Ok(policy @ (SuitePolicy::Any | SuitePolicy::Only(Suite::V2))) => Ok(policy),
        _ => Err("there are 'any' and '2'".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|_| "a duration is written like 30m, 12h or 7d".to_owned())?;
    if !(MIN_TTL..=MAX_TTL).contains(&duration) {
        return Err("it is at least a second and at most a hundred years".to_owned());
    }
    Ok(duration)
}

/// Runs the relay to its end.
#[must_use]
pub fn main() -> ExitCode {
    writer::hold();
    let _last = LastWords::within(Some(LAST_WORDS));
    panic::tell_where_only("kkv");
    memory::close();
    let mut args: Args = match arguments::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    if args.quiet {
        set_talk(Talk::Quiet);
    }
    let done = match args.command.take() {
        Some(Command::Address { command }) => scrub::after(|| keep(command)),
        None => scrub::after(|| start(&args)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => failed.report("kkv"),
    }
}

fn start(args: &Args) -> Result<(), Failed> {
    let room = http::Room::for_strangers(process::raise_descriptors());
    // A request is over in microseconds, and to wake another thread for it takes the processor as long as to answer it.
    let runtime = on_one_thread()?;
    let inside = args.inside.prepare(args.tor)?; // its directory goes when everything that might write into it has ended
    let result = runtime.block_on(run(args, inside.as_ref(), room));
    runtime.shutdown_timeout(SHUTDOWN);
    if result.is_ok() {
        let behind_ctrl_c = if io::stdout().is_terminal() { "\n" } else { "" };
        tell(format_args!(
            "{behind_ctrl_c}kkv has stopped; every message is wiped.\n"
        ));
    }
    result
}

/// Does what is asked with the address; nothing runs.
fn keep(command: AddressCommand) -> Result<(), Failed> {
    writer::begin(); // it confines itself to nothing
    let runtime = on_one_thread()?;
    let result = runtime.block_on(address(command));
    runtime.shutdown_timeout(SHUTDOWN); // somebody may still be expected to type
    result
}

fn on_one_thread() -> Result<Runtime, Failed> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(scrub::deep_stack)
        .build()
        .map_err(|fault| Failed::new(Exit::Refused, format!("can't start: {fault}")))
}

async fn run(args: &Args, inside: Option<&Ready>, room: http::Room) -> Result<(), Failed> {
    // Before anything else, so that no moment is left in which a signal would end the program without wiping.
    let mut stopped = std::pin::pin!(signals::stopped()?);
    let config = RelayConfig {
        pricing: Pricing {
            base: args.cost_pow,
            adaptive: args.adaptive.0,
        },
        expected_seconds: args.expected_time,
        suites: args.suite,
    };
    let socket = args.socket.clone().unwrap_or_else(owner::default_path);
    let owner_listener = OwnerListener::bind(&socket).await?;
    let listener = match args.listen() {
        Some(listen) => Some(LocalListener::bind(&listen).await?),
        None => None,
    };
    let listens = listener.as_ref().map(LocalListener::listens);
    let queue = Queue::new(args.max_messages, args.ttl).map_err(|_| no_memory(args))?;
    let locked = queue.is_locked();
    // All that is opened for good is open now, and there is no thread yet but this one.
    let sandbox = sandbox::enter(needs(&socket, listens.as_ref(), inside));
    memory::give_back_in_time();
    writer::begin();
    let speed = Speed::measure(Solver::default(), Suite::V2, RATE_TIME);
    let onion = match inside {
        Some(inside) => tokio::select! {
            onion = Onion::publish(inside, &args.inside) => Some(onion?),
            () = &mut stopped => return Ok(()),
        },
        None => None,
    };
    let speed = tokio::select! {
        speed = speed => speed,
        () = &mut stopped => return Ok(()),
    };

    let relay = relay_with(config, queue);
    let running = Arc::new(Running {
        relay: Arc::clone(&relay),
        tor: args.tor,
        onion: onion.as_ref().map(|onion| (onion.address(), onion.state())),
        listens,
        ttl: args.ttl,
        absence: args
            .wipe_after
            .map(|longest| Absence::new(longest, relay.now())),
        started: relay.now().elapsed,
        locked,
        sandbox,
    });
    running.announce(&socket, &speed);
    if !locked {
        complain(unlocked(args.max_messages, memory::lockable_pages()));
    }

    let strangers = relay::router(Arc::clone(&relay));
    let on_this_machine = async {
        match listener {
            Some(listener) => listener.serve(strangers.clone(), room).await,
            None => std::future::pending().await,
        }
    };
    let through_tor = async {
        match onion {
            Some(onion) => {
                let state = onion.state();
                let telling = async {
                    tor_lines::tell(state).await;
                    std::future::pending().await // with less to say it serves no worse
                };
                tokio::select! {
                    ended = onion.serve(strangers.clone()) => ended,
                    ended = telling => ended,
                }
            }
            None => std::future::pending().await,
        }
    };
    let owners = http::serve(
        owner_listener,
        owner::router(running.clone()),
        http::Room::for_owner(),
    );
    // One end is asked for. Any other would leave an inbox that nobody reaches, that its owner can't read, or that keeps what it should forget.
    let ended = tokio::select! {
        http::Ended = on_this_machine => Err("what lets strangers in on this machine"),
        http::Ended = through_tor => Err("what lets strangers in through Tor"),
        http::Ended = owners => Err("what lets its owner in"),
        () = running.wipe_when_away() => Err("what wipes when its owner is away"),
        () = relay.purge_when_due() => Err("what forgets in time"),
        () = &mut stopped => Ok(()),
    };
    relay.close();
    ended.map_err(failed_by_itself)
}

/// A part that the relay stands on has ended, though nobody asked for it. Where a part has panicked has been told already.
fn failed_by_itself(part: &str) -> Failed {
    let what = format!("{part} has ended by a fault of kkv's own; every message is wiped");
    Failed::new(Exit::Fault, what).hint("Start it again, and please report the lines above.")
}

/// In a frame of its own: the caller's is there for as long as the relay runs, and with it whatever copies of the keys are left where they are made.
#[inline(never)]
fn relay_with(config: RelayConfig, queue: Queue<Envelope>) -> Arc<Relay> {
    let clock = Arc::new(SystemClock::default());
    Arc::new(Relay::new(config, queue, clock, &mut random::kernel()))
}

/// What the program still needs once it runs.
fn needs(socket: &Path, listens: Option<&Listen>, inside: Option<&Ready>) -> Needs {
    let mut sockets = vec![socket];
    if let Some(Listen::Unix(path)) = listens {
        sockets.push(path);
    }
    let directories = sockets
        .iter()
        .map(|socket| unix_socket::directory_of(socket));
    let own = directories.filter(|directory| unix_socket::is_only_for(&sockets, directory));
    Needs {
        writes: inside.map(|inside| inside.home().to_owned()),
        removes: own.map(Path::to_owned).collect(),
        removed_from: inside.and_then(Ready::removed_from).map(Path::to_owned),
        connects: inside.is_some(),
    }
}

fn no_memory(args: &Args) -> Failed {
    let what = format!(
        "there is no memory for {}",
        counted(args.max_messages, "message")
    );
    Failed::new(Exit::Refused, what).hint("Ask for fewer with --max-messages.")
}

/// What is said, once, if the messages could be swapped to a disk, and this user may lock so many pages.
fn unlocked(messages: u32, lockable: Option<u64>) -> String {
    let Some(pages) = lockable.filter(|pages| *pages < messages.into()) else {
        return "kkv: the system doesn't let it lock memory, so the kernel could swap messages to the disk.\n  \
                It is not the limit: this user may lock as much. To mend it, see what keeps programs here from it\n  \
                (the rules of a container?), or turn swap off."
            .to_owned();
    };
    let fewer = match pages {
        0 => String::new(),
        _ => format!("ask for at most {}, ", counted(pages, "message")),
    };
    let kib = u64::from(messages) * (SLOT_BYTES as u64 >> 10);
    format!(
        "kkv: this user may not lock so much memory, so the kernel could swap messages to the disk.\n  \
         To mend it, {fewer}raise the limit to {kib} KiB or more (memlock in\n  \
         /etc/security/limits.conf, LimitMEMLOCK= in a systemd unit), or turn swap off."
    )
}

impl From<SocketError> for Failed {
    fn from(error: SocketError) -> Self {
        no_socket(&error, "another socket with --socket.")
    }
}

/// What is said of a socket that can't be had, and which `other` may be.
fn no_socket(error: &SocketError, other: &str) -> Failed {
    let failed = Failed::new(Exit::Refused, error.to_string());
    match error {
        SocketError::InUse(_) => failed.hint(format!(
            "Stop the other one (its messages go with it), or name {other}"
        )),
        SocketError::Directory(path) => close_directory(failed, path, other),
        SocketError::NotASocket(_) | SocketError::Io(..) => failed.hint(format!("Name {other}")),
    }
}

impl From<BindError> for Failed {
    fn from(error: BindError) -> Self {
        let failed = Self::new(Exit::Refused, error.to_string());
        let other = "another port with --listen 127.0.0.1:PORT (and in the torrc).";
        match error {
            BindError::InUse(_) => failed.hint(format!("Stop the other one, or name {other}")),
            BindError::Socket(error) => no_socket(
                &error,
                "another socket with --listen unix:/PATH (and in the torrc).",
            ),
            BindError::NotLoopback(_) | BindError::Io(..) => failed.hint(format!("Name {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_nobody_asked_for_is_a_failure_by_which_a_service_is_started_again() {
        let failed = failed_by_itself("what lets strangers in");
        assert_eq!(failed.exit as u8, 101);
        assert_eq!(
            failed.what.split(" has ended").next(),
            Some("what lets strangers in")
        );
        // What is not started again: wrong usage alone, and being told to stop.
        let units = [
            include_str!("../../dist/systemd/system/kkv.service"),
            include_str!("../../dist/systemd/system/kkv-external.service"),
            include_str!("../../dist/systemd/user/kkv.service"),
        ];
        for unit in units {
            assert!(unit.contains("\nRestart=on-failure\n"), "{unit}");
            assert!(unit.contains("\nRestartPreventExitStatus=2\n"), "{unit}");
        }
    }

    #[test]
    fn with_tor_inside_it_listens_on_this_machine_only_if_asked() {
        for (arguments, listens) in [
            (&["--tor", "embedded"][..], None),
            (
                &["--tor", "embedded", "--listen", "[::1]:7"],
                Some("[::1]:7"),
            ),
            (&["--tor", "external"], Some("127.0.0.1:45069")),
            (&["--tor", "off"], Some("127.0.0.1:45069")),
            (&["--tor", "off", "--listen", "unix:/s"], Some("unix:/s")),
        ] {
            let args = Args::try_parse_from([&["kkv"], arguments].concat()).unwrap();
            let listen = args.listen().map(|listen| listen.to_string());
            assert_eq!(listen.as_deref(), listens, "{arguments:?}");
        }
    }

    #[test]
    fn fewer_messages_are_advised_only_to_who_asked_for_more_than_may_be_locked() {
        for (lockable, advice) in [
            (Some(0), "To mend it, raise the limit to 200 KiB"),
            (Some(49), "To mend it, ask for at most 49 messages, raise"),
            (Some(50), "It is not the limit"),
            (Some(2048), "It is not the limit"),
            (None, "It is not the limit"),
        ] {
            let said = unlocked(50, lockable);
            assert!(said.contains(advice), "{lockable:?}: {said}");
            assert!(said.contains("turn swap off"), "{said}");
            let fewer = said.contains("ask for at most");
            assert_eq!(fewer, lockable == Some(49), "{said}");
        }
    }
}
