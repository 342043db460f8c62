//! The program `kkv`: takes its arguments, puts the rooms together, runs until it is told to stop, and leaves nothing.

mod arguments;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::address::{self, arguments::AddressCommand};
use super::arguments::parse;
use super::doctor::memory::is_swap_off;
use super::embedded::{PublishedService, TorSetup};
use super::exit::report_error;
use super::host::RunningRelay;
use super::output::notice;
use super::speed::Speed;
use super::{panic, runtime, tor_lines};
use crate::tor::{BindError, Listen, LocalListener};
use kkv_base::clock::SystemClock;
use kkv_base::count::counted;
use kkv_base::limits::{RATE_SAMPLE_TIME, SLOT_BYTES};
use kkv_net::http;
use kkv_net::process;
use kkv_net::unix_socket::{self, SocketError};
use kkv_owner::socket::default_path;
use kkv_pow::Solver;
use kkv_protocol::MessageHeader;
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::suite::Suite;
use kkv_relay::memory;
use kkv_relay::owner::{self, DeadManSwitch, OwnerListener};
use kkv_relay::queue::{Queue, Room};
use kkv_relay::relay::{self, PageConfig, Pricing, Relay, RelayConfig};
use kkv_relay::sandbox::{self, Needs};
use kkv_terminal::signals;
use kkv_terminal::stderr::{Verbosity, set_verbosity, warn};
use kkv_terminal::writer::{self, LastWords};
use kkv_ui::advice::close_directory;
use kkv_ui::error::{CliError, Exit};

pub(super) use arguments::Args;
use arguments::Command;

/// How long open connections get to end when the program stops; what they hold has been wiped before.
const SHUTDOWN: Duration = Duration::from_millis(20);
/// How long an output has to take why it ends by itself. (A signal that ends it is a reason of its own: see `writer`.)
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the relay to its end.
#[must_use]
pub fn main() -> ExitCode {
    // Whatever file it was started by (/proc/self/exe, a link): who ends `kkv` by its name means it.
    _ = rustix::thread::set_name(c"kkv");
    writer::hold();
    let _last = LastWords::within(Some(LAST_WORDS));
    panic::report_place_only("kkv");
    memory::harden();
    let mut args: Args = match parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    if args.quiet {
        set_verbosity(Verbosity::Quiet);
    }
    let done = match args.command.take() {
        Some(Command::Address { command }) => scrub::run_then_wipe_stack(|| keep(command)),
        None => scrub::run_then_wipe_stack(|| start(&args)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => report_error("kkv", &failed),
    }
}

fn start(args: &Args) -> Result<(), CliError> {
    let limits = http::ConnectionLimits::for_strangers(process::raise_descriptors());
    // A request is over in microseconds, and to wake another thread for it takes the processor as long as to answer it.
    let runtime = on_one_thread()?;
    // Dropped last: its directory is removed after everything that might write into it has ended.
    let embedded = args.embedded.prepare(args.tor)?;
    let result = runtime.block_on(run(args, embedded.as_ref(), limits));
    runtime.shutdown_timeout(SHUTDOWN);
    if result.is_ok() {
        let behind_ctrl_c = if io::stdout().is_terminal() { "\n" } else { "" };
        notice(format_args!(
            "{behind_ctrl_c}kkv has stopped; every message is wiped.\n"
        ));
    }
    result
}

/// Does what is asked with the address; nothing runs.
fn keep(command: AddressCommand) -> Result<(), CliError> {
    writer::begin(); // it confines itself to nothing
    let runtime = on_one_thread()?;
    let result = runtime.block_on(address::run(command));
    runtime.shutdown_timeout(SHUTDOWN); // somebody may still be expected to type
    result
}

fn on_one_thread() -> Result<Runtime, CliError> {
    runtime::start(
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(scrub::wipe_deep_stack),
    )
}

async fn run(
    args: &Args,
    embedded: Option<&TorSetup>,
    limits: http::ConnectionLimits,
) -> Result<(), CliError> {
    // Before anything else, so that no moment is left in which a signal would end the program without wiping.
    let mut stopped = std::pin::pin!(signals::stopped()?);
    let config = RelayConfig {
        read_receipts: args.read_receipts,
        pricing: Pricing {
            base: args.cost_pow,
            adaptive: args.adaptive.0,
        },
        expected_seconds: args.expected_time,
        suites: args.suite,
    };
    let socket = args.socket.clone().unwrap_or_else(default_path);
    let owner_listener = OwnerListener::bind(&socket)
        .await
        .map_err(|error| no_socket(&error, "another socket with --socket."))?;
    let listener = match args.listen() {
        Some(listen) => {
            let listener = LocalListener::bind(&listen).await;
            Some(listener.map_err(|error| no_listener(&error))?)
        }
        None => None,
    };
    let listens = listener.as_ref().map(LocalListener::listens);
    let queue = Queue::with_share(args.max_messages, args.max_bytes, args.ttl);
    let queue = queue.map_err(|_| no_memory(args))?;
    let locked = queue.is_locked();
    let room = queue.room(Duration::ZERO);
    let swaps = !is_swap_off(); // while /proc can be read
    // All that is opened for good is open now, and there is no thread yet but this one.
    let sandbox = sandbox::enter(needs(&socket, listens.as_ref(), embedded));
    memory::start_background_purging();
    writer::begin();
    let speed = Speed::measure(Solver::default(), Suite::V2, RATE_SAMPLE_TIME);
    let onion = match embedded {
        Some(embedded) => tokio::select! {
            onion = PublishedService::publish(embedded, &args.embedded, args.page) => Some(onion?),
            () = &mut stopped => return Ok(()),
        },
        None => None,
    };
    let speed = tokio::select! {
        speed = speed => speed,
        () = &mut stopped => return Ok(()),
    };

    let page = args.page.then_some(PageConfig {
        free: args.page_free,
    });
    let relay = relay_with(config, page, queue);
    let running = Arc::new(RunningRelay {
        relay: Arc::clone(&relay),
        tor: args.tor,
        onion: onion.as_ref().map(|onion| (onion.address(), onion.state())),
        lets_in: args.embedded.lets_in(),
        listens,
        ttl: args.ttl,
        dead_man_switch: args
            .wipe_after
            .map(|timeout| DeadManSwitch::new(timeout, relay.now())),
        started: relay.now().elapsed,
        locked,
        sandbox,
    });
    running.announce(&socket, &speed);
    if !locked {
        let lockable = memory::lockable_pages();
        warn(unlocked(args.max_messages, lockable, swaps));
    } else if room.locked < room.bytes && swaps {
        warn(unlocked_room(&room, args.max_messages));
    }

    let routes = relay::router(Arc::clone(&relay));
    let strangers = match page {
        Some(_) => http::Site::with_pages(routes, relay::PAGE_PATHS),
        None => routes.into(),
    };
    let on_this_machine = async {
        match listener {
            Some(listener) => listener.serve(strangers.clone(), limits).await,
            None => std::future::pending().await,
        }
    };
    let through_tor = async {
        match onion {
            Some(onion) => {
                let state = onion.state();
                let telling = async {
                    tor_lines::follow(state, running.lets_in).await;
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
        http::ConnectionLimits::for_owner(),
    );
    // One end is asked for. Any other would leave an inbox that nobody reaches, that its owner can't read, or that
    // keeps what it should forget.
    let ended = tokio::select! {
        http::AcceptStopped = on_this_machine => Err("the listener on this machine"),
        http::AcceptStopped = through_tor => Err("the onion service"),
        http::AcceptStopped = owners => Err("the owner's socket"),
        () = running.wipe_when_away() => Err("the timer of --wipe-after"),
        () = relay.purge_when_due() => Err("the deletion of expired messages"),
        () = &mut stopped => Ok(()),
    };
    relay.close();
    ended.map_err(part_ended)
}

/// A `part` that the relay needs has ended, though nobody asked for it. If it has panicked, the place is printed
/// already.
fn part_ended(part: &str) -> CliError {
    let what = format!(
        "internal error (a bug; please report it): {part} has ended; every message is wiped"
    );
    CliError::new(Exit::Internal, what)
        .hint("Start it again. Please report the lines above as well.")
}

/// In a frame of its own: the caller's is there for as long as the relay runs, and with it whatever copies of the keys
/// are left where they are made.
#[inline(never)]
fn relay_with(
    config: RelayConfig,
    page: Option<PageConfig>,
    queue: Queue<MessageHeader>,
) -> Arc<Relay> {
    let clock = Arc::new(SystemClock::default());
    let rng = &mut random::kernel();
    let relay = Relay::new(config, queue, clock, rng);
    Arc::new(match page {
        Some(page) => relay.with_page(page, rng),
        None => relay,
    })
}

/// What the program still needs once it runs.
fn needs(socket: &Path, listens: Option<&Listen>, embedded: Option<&TorSetup>) -> Needs {
    let mut sockets = vec![socket];
    if let Some(Listen::Unix(path)) = listens {
        sockets.push(path);
    }
    let directories = sockets
        .iter()
        .map(|socket| unix_socket::directory_of(socket));
    let own = directories.filter(|directory| unix_socket::holds_only(&sockets, directory));
    Needs {
        writes: embedded.map(|embedded| embedded.state_dir().to_owned()),
        removes: own.map(Path::to_owned).collect(),
        removed_from: embedded
            .and_then(TorSetup::removed_from)
            .map(Path::to_owned),
        connects: embedded.is_some(),
    }
}

fn no_memory(args: &Args) -> CliError {
    let what = format!(
        "there is no memory for {}",
        counted(args.max_messages, "message")
    );
    CliError::new(Exit::Refused, what)
        .hint("Ask for fewer with --max-messages, or for less memory for files with --max-bytes.")
}

/// What is said, once, if the messages could be swapped to a disk, and this user may lock so many pages; `swaps`:
/// whether there is swap to do it to.
fn unlocked(messages: u32, lockable: Option<u64>, swaps: bool) -> String {
    let (could, off) = match swaps {
        true => (
            "so the kernel could swap messages to the disk",
            ", or turn swap off",
        ),
        false => (
            "so messages would be swapped to a disk if swap were turned on (it is off)",
            "",
        ),
    };
    let Some(pages) = lockable.filter(|pages| *pages < messages.into()) else {
        return format!(
            "kkv: the system doesn't let it lock memory, {could}.\n  \
             It is not the limit: this user may lock as much. To mend it, see what keeps programs here from it \
             (the rules of a container?){off}."
        );
    };
    let fewer = match pages {
        0 => String::new(),
        _ => format!("ask for at most {}, ", counted(pages, "message")),
    };
    let kib = u64::from(messages) * (SLOT_BYTES as u64 >> 10);
    format!(
        "kkv: this user may not lock so much memory, {could}.\n  \
         To mend it, {fewer}raise the limit to {kib} KiB or more (memlock in \
         /etc/security/limits.conf, LimitMEMLOCK= in a systemd unit){off}."
    )
}

/// What is said, once, if not all memory for files could be locked, and there is swap. (`kkvc status` says it without,
/// too.)
fn unlocked_room(room: &Room, messages: u32) -> String {
    let less = match room.locked >> 20 {
        0 => "do without files (--max-bytes 0), ".to_owned(),
        mib => format!("ask for less (--max-bytes {mib}M), "),
    };
    let kib = (room.bytes >> 10) + u64::from(messages) * (SLOT_BYTES as u64 >> 10);
    format!(
        "kkv: this user may not lock so much memory, so the kernel could swap files in messages to the disk \
         ({} of the {} KiB for them; texts are locked).\n  \
         To mend it, {less}raise the limit to {kib} KiB or more (memlock in /etc/security/limits.conf, \
         LimitMEMLOCK= in a systemd unit), or turn swap off.",
        (room.bytes - room.locked) >> 10,
        room.bytes >> 10,
    )
}

/// What is said of a socket that can't be had, and which `other` may be.
fn no_socket(error: &SocketError, other: &str) -> CliError {
    let failed = CliError::new(Exit::Refused, error.to_string());
    match error {
        SocketError::InUse(_) => failed.hint(format!(
            "Stop the other one (its messages go with it), or name {other}"
        )),
        SocketError::Directory(path) => close_directory(failed, path, other),
        _ => failed.hint(format!("Name {other}")),
    }
}

/// What is said of a place to listen at that can't be had.
fn no_listener(error: &BindError) -> CliError {
    let failed = CliError::new(Exit::Refused, error.to_string());
    let other = "another port with --listen 127.0.0.1:PORT (and in the torrc).";
    match error {
        BindError::InUse(_) => failed.hint(format!("Stop the other one, or name {other}")),
        BindError::Socket(error) => no_socket(
            error,
            "another socket with --listen unix:/PATH (and in the torrc).",
        ),
        _ => failed.hint(format!("Name {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_nobody_asked_for_is_a_failure_by_which_a_service_is_started_again() {
        let failed = part_ended("the onion service");
        assert_eq!(failed.exit as u8, 101);
        let start = "internal error (a bug; please report it): the onion service has ended;";
        assert!(failed.what.starts_with(start), "{}", failed.what);
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
    fn who_may_lock_too_little_for_files_is_told_how_much_would_do() {
        let room = |locked: u64| Room {
            bytes: 16 << 20,
            locked: locked << 20,
            ..Room::default()
        };
        let said = unlocked_room(&room(7), 50);
        for part in [
            "9216 of the 16384 KiB",
            "--max-bytes 7M",
            "to 16584 KiB or more",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(unlocked_room(&room(0), 50).contains("--max-bytes 0"));
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
            for swaps in [true, false] {
                let said = unlocked(50, lockable, swaps);
                assert!(said.contains(advice), "{lockable:?}: {said}");
                assert_eq!(said.contains("turn swap off"), swaps, "{said}");
                assert_eq!(said.contains("it is off"), !swaps, "{said}");
                let fewer = said.contains("ask for at most");
                assert_eq!(fewer, lockable == Some(49), "{said}");
            }
        }
    }
}
