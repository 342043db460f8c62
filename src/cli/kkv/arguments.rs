//! What `kkv` is told to do.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, value_parser};

use super::super::address::arguments::AddressCommand;
use super::super::build::mode;
use super::super::embedded::RelayArgs;
use super::super::environment::KKV_ENVIRONMENT;
use super::super::exit::RELAY_CODES;
use super::super::value_parsers::{self, SOCKET_HELP, from_one_to, named_file};
use crate::tor::{Listen, TorMode};
use kkv_base::limits::{
    DEFAULT_COST, DEFAULT_EXPECTED_SECONDS, DEFAULT_MESSAGES, DEFAULT_PORT, MAX_EXPECTED_SECONDS,
    MAX_LARGE_BYTES, MAX_MESSAGES, MAX_PAGE_FREE, MAX_TTL, MIN_LARGE_BYTES, MIN_TTL,
};
use kkv_pow::Cost;
use kkv_protocol::suite::{Suite, SuitePolicy};

/// Runs your inbox: an onion service at which anyone can leave you a message. Messages are kept in memory only;
/// stopping it (pkill -x kkv) wipes them. Read them with kkvc.
#[derive(Debug, Parser)]
#[command(name = "kkv", version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = format!("{RELAY_CODES}\n\n{KKV_ENVIRONMENT}"))]
pub(in crate::cli) struct Args {
    /// Messages that fit; more are refused
    #[arg(short, long, value_name = "N", default_value_t = DEFAULT_MESSAGES, allow_negative_numbers = true, value_parser = from_one_to(MAX_MESSAGES))]
    pub(super) max_messages: u32,

    /// Memory for messages with files, like 16M or 512K, beside that for texts; 0 for none
    #[arg(long, value_name = "SIZE", default_value = DEFAULT_SIZE, allow_negative_numbers = true, value_parser = file_memory)]
    pub(super) max_bytes: usize,

    /// What a sender pays: 2^COST hashes (0 to 60; each step doubles it)
    #[arg(short, long, value_name = "COST", default_value_t = default_cost(), allow_negative_numbers = true)]
    pub(super) cost_pow: Cost,

    /// Whether the cost rises as free slots run out: 'on' (by 6 at most) or 'off'
    #[arg(long, value_name = "WHETHER", default_value = "on", value_parser = on_or_off)]
    pub(super) adaptive: OnOrOff,

    /// Seconds that a sender has to pay
    #[arg(short, long, value_name = "SECONDS", default_value_t = DEFAULT_EXPECTED_SECONDS, allow_negative_numbers = true, value_parser = from_one_to(MAX_EXPECTED_SECONDS))]
    pub(super) expected_time: u32,

    /// Delete messages this long after they came, like 12h or 7d [default: keep until deleted]
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true, value_parser = duration)]
    pub(super) ttl: Option<Duration>,

    /// Wipe everything when you have not been there for this long: whatever you ask for with kkvc counts
    #[arg(long, value_name = "DURATION", allow_negative_numbers = true, value_parser = duration)]
    pub(super) wipe_after: Option<Duration>,

    /// Let senders who want answers see whether their message waits, is read or is gone
    #[arg(long)]
    pub(super) read_receipts: bool,

    /// Have a page at your onion address, on which people with only Tor Browser write and read answers
    #[arg(long, alias = "web")]
    pub(super) page: bool,

    /// Messages that the page lets in at a time for nothing, without an invitation
    #[arg(long, alias = "web-free", value_name = "N", default_value_t = 0, requires = "page", allow_negative_numbers = true, value_parser = value_parser!(u32).range(0..=i64::from(MAX_PAGE_FREE)))]
    pub(super) page_free: u32,

    /// Suites to speak: 'any', or '2' to refuse the published kkv/1
    #[arg(long, value_name = "SUITE", default_value_t, value_parser = relay_suites)]
    pub(super) suite: SuitePolicy,

    /// Where to listen on this machine: unix:/PATH for a system Tor alone, or a loopback address, which any user can
    /// take while kkv is down [default: 127.0.0.1:45069; with Tor inside nowhere]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<Listen>,

    #[arg(long, value_name = "PATH", help = format!("Socket for kkvc {SOCKET_HELP}"), value_parser = named_file())]
    pub(super) socket: Option<PathBuf>,

    /// How senders reach it: 'embedded' (Tor inside), 'external' (a system Tor, set up as in torrc.example) or 'off'
    /// (no Tor is expected)
    #[arg(long, value_name = "WAY", default_value_t = crate::tor::DEFAULT_MODE, value_parser = mode)]
    pub(super) tor: TorMode,

    /// Print nothing but what has gone wrong; `kkvc status` says the rest
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Use no colours, as with NO_COLOR in the environment
    #[arg(long)]
    // Looked for before anything is parsed: see `arguments::init_colour`.
    pub(super) no_color: bool,

    #[command(flatten)]
    pub(super) embedded: RelayArgs,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// [`kkv_base::limits::DEFAULT_LARGE_BYTES`], as it is written.
const DEFAULT_SIZE: &str = "16M";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
    pub(super) fn listen(&self) -> Option<Listen> {
        let published = Listen::Loopback(([127, 0, 0, 1], DEFAULT_PORT).into());
        let beside = self.tor != TorMode::Embedded;
        self.listen.clone().or(beside.then_some(published))
    }
}

/// A switch that is on unless said otherwise: a flag could only turn it on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnOrOff(pub(super) bool);

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

fn file_memory(text: &str) -> Result<usize, String> {
    let bytes = value_parsers::size(text)?;
    if bytes == 0 || (MIN_LARGE_BYTES..=MAX_LARGE_BYTES).contains(&bytes) {
        return Ok(bytes);
    }
    Err("it is 0, or at least 16K and at most 64M".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let written = "a duration is written like 30m, 12h or 7d";
    let duration = value_parsers::duration(text, |_| true, written)?;
    if !(MIN_TTL..=MAX_TTL).contains(&duration) {
        return Err("it is at least a second and at most a hundred years".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_base::limits::DEFAULT_LARGE_BYTES;

    #[test]
    fn memory_for_files_is_in_bounds_or_off() {
        assert_eq!(file_memory(DEFAULT_SIZE), Ok(DEFAULT_LARGE_BYTES));
        assert_eq!(file_memory("0"), Ok(0));
        assert_eq!(file_memory("16K"), Ok(16_384));
        assert_eq!(file_memory("64M"), Ok(64 << 20));
        for bad in [
            "1",
            "15K",
            "257M",
            "1G",
            "",
            "M",
            "-1",
            "16 M",
            "16MB",
            "99999999999G",
        ] {
            assert!(file_memory(bad).is_err(), "{bad}");
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
}
