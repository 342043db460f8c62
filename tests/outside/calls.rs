//! "Tor only" and "RAM only": no system call reaches outside this machine, looks up a name, or writes to a disk.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::rules::Summary;
use super::sockaddr::Address;
use super::traced::{Traced, Tracer, must_be_possible};
use crate::programs::{HeldPort, Signal, kkv, kkvc, said, until, wait_for_block};

/// An onion address whose checksum is right; nobody is there.
const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

/// What programs that speak HTTP may take for a proxy. Nobody must connect to it.
const TRAPS: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// A directory for one test, and a number for each trace in it.
struct Tracing {
    directory: TempDir,
    traces: AtomicUsize,
}

impl Tracing {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        must_be_possible(directory.path());
        Self {
            directory,
            traces: AtomicUsize::new(0),
        }
    }

    fn path(&self, name: &str) -> String {
        let path = self.directory.path().join(name);
        path.to_str().expect("made of ASCII").to_owned()
    }

    fn start(&self, mut command: Command, input: Option<&[u8]>, tracer: Tracer) -> Traced {
        for name in TRAPS {
            command.env(name, "http://127.0.0.1:9");
        }
        command.env_remove("TZ"); // as most people run it: the time zone is the system's
        command.current_dir(self.directory.path());
        let number = self.traces.fetch_add(1, Ordering::Relaxed);
        let file = self.directory.path().join(format!("trace-{number}"));
        Traced::start(&command, input.map(<[u8]>::to_vec), tracer, &file)
    }

    /// Runs `kkvc` with `arguments` to its end, which has this `code`, and with a message to read.
    #[track_caller]
    fn kkvc(&self, arguments: &[&str], code: i32) -> Summary {
        let command = kkvc(arguments).into_command();
        let traced = self.start(command, Some(b"a message"), Tracer::Parent);
        kept(traced.finish(code, None))
    }
}

/// Fails the test if a rule was broken that holds whatever the program was asked to do.
#[track_caller]
fn kept(seen: Result<Summary, Vec<String>>) -> Summary {
    seen.unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// What a client may do: connect to one address, and nothing else.
fn connects_to(address: Address) -> Summary {
    Summary {
        connects: BTreeSet::from([address]),
        ..Summary::default()
    }
}

/// A relay under trace, which makes the directory of its owner's socket itself.
struct Watched<'t> {
    tracing: &'t Tracing,
    relay: Traced,
    address: SocketAddr,
    directory: String,
    socket: String,
}

impl<'t> Watched<'t> {
    fn start(tracing: &'t Tracing, options: &[&str]) -> Self {
        let (directory, socket) = (tracing.path("new"), tracing.path("new/kkv.sock"));
        let mut command = kkv();
        command.args(["--listen", "localhost:0", "-c", "4", "--socket", &socket]);
        command.args(options);
        let relay = tracing.start(command, None, Tracer::Aside);
        wait_for_block(relay.process());
        let address = said(relay.process(), "listens");
        Self {
            tracing,
            relay,
            address: address.parse().expect("an address"),
            directory,
            socket,
        }
    }

    /// Has a message sent to it, at `address`.
    #[track_caller]
    fn send(&self, address: &str, options: &[&str]) {
        let arguments = [&["send", address], options].concat();
        let seen = self.tracing.kkvc(&arguments, 0);
        let expected = connects_to(Address::Inet(self.address));
        assert_eq!(seen, expected, "{arguments:?}");
    }

    /// Runs `kkvc` for its owner.
    #[track_caller]
    fn owner(&self, arguments: &[&str]) {
        let with_socket = [arguments, &["--socket", &self.socket]].concat();
        let seen = self.tracing.kkvc(&with_socket, 0);
        let expected = connects_to(Address::Unix(self.socket.clone()));
        assert_eq!(seen, expected, "{arguments:?}");
    }

    /// Ends it, and fails the test unless it did nothing but let in so many senders, and its owner at least so often.
    #[track_caller]
    fn end(self, sends: usize, commands: usize) {
        self.relay.process().signal(Signal::TERM);
        let mut seen = kept(self.relay.finish(0, None));
        let (strangers, owners): (Vec<_>, Vec<_>) = std::mem::take(&mut seen.visitors)
            .into_iter()
            .partition(|visitor| matches!(visitor, Address::Inet(_)));
        // A delivery keeps its connection, because each costs a circuit. An owner's command may make several.
        assert_eq!(strangers.len(), sends, "{strangers:?}");
        assert!(owners.len() >= commands, "{owners:?}");
        let expected = Summary {
            binds: vec![
                Address::Unix(self.socket.clone()),
                Address::Inet((Ipv4Addr::LOCALHOST, 0).into()),
            ],
            changes: vec![
                format!("mkdir \"{}\"", self.directory),
                format!("unlink \"{}\"", self.socket),
            ],
            ..Summary::default()
        };
        assert_eq!(seen, expected);
    }
}

fn whole_exchange(tor: &str) {
    let tracing = Tracing::new();
    let relay = Watched::start(&tracing, &["--tor", tor]);
    let address = relay.address.to_string();
    let by_name = format!("localhost:{}", relay.address.port());
    relay.send(&address, &["--suite", "2"]);
    relay.send(&address, &["--suite", "1"]);
    relay.send(&by_name, &[]);
    let commands: [&[&str]; 12] = [
        &["list"],
        &["list", "--json"],
        &["read", "1"],
        &["read", "2", "--json"],
        &["read", "2", "--raw"],
        &["mark", "1", "2", "--unread"],
        &["export", "1"],
        &["export", "2"],
        &["status"],
        &["delete", "1", "--yes"],
        &["delete", "--all", "--yes"],
        &["wipe", "--yes"],
    ];
    for arguments in commands {
        relay.owner(arguments);
    }
    relay.end(3, commands.len());
}

#[test]
fn a_doctor_asks_the_relay_and_the_port_of_tor_and_nobody_else_and_changes_nothing() {
    let tracing = Tracing::new();
    let relay = Watched::start(&tracing, &["--tor", "external"]);
    let held = HeldPort::take();
    let no_tor = held.address();
    let tor = format!("socks5://{no_tor}");
    let seen = tracing.kkvc(&["doctor", "--tor", &tor, "--socket", &relay.socket], 1);
    let expected = Summary {
        connects: BTreeSet::from([Address::Inet(no_tor), Address::Unix(relay.socket.clone())]),
        ..Summary::default()
    };
    assert_eq!(seen, expected);
    relay.end(0, 1);
}

#[test]
fn a_relay_off_tor_and_its_visitors_stay_on_this_machine_and_write_nothing() {
    whole_exchange("off");
}

#[test]
fn a_relay_behind_a_system_tor_and_its_visitors_stay_on_this_machine_and_write_nothing() {
    whole_exchange("external");
}

#[test]
fn a_relay_whose_messages_expire_stays_on_this_machine_and_writes_nothing() {
    let tracing = Tracing::new();
    let relay = Watched::start(&tracing, &["--tor", "off", "--ttl", "1s"]);
    relay.send(&relay.address.to_string(), &[]);
    let list = || kkvc(["list", "--json", "--socket", &relay.socket]).finish();
    until("the message to expire", || {
        list().json()["messages"] == Value::Array(Vec::new())
    });
    relay.end(1, 1);
}

#[test]
fn a_relay_that_wipes_when_nobody_comes_stays_on_this_machine_and_writes_nothing() {
    let tracing = Tracing::new();
    let relay = Watched::start(&tracing, &["--tor", "off", "--wipe-after", "6s"]);
    let address = relay.address.to_string();
    // One that is under way when the time is over is refused.
    let refused = |_: &usize| kkvc(["send", &address, "-m", "x"]).finish().code != Some(0);
    let sends = 1 + (0..100).take_while(refused).count();
    let process = relay.relay.process();
    let told = "messages wiped: 1";
    process.wait_for_stdout(told, |out| out.contains(told));
    relay.end(sends, 0);
}

/// A port that hangs up on everyone who comes, and how many have come.
fn hangs_up() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("it has an address");
    let visitors = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&visitors);
    thread::spawn(move || {
        for visitor in listener.incoming() {
            counter.fetch_add(1, Ordering::Relaxed);
            drop(visitor);
        }
    });
    (address, visitors)
}

#[test]
fn towards_an_onion_address_only_the_port_of_tor_is_connected_to() {
    let tracing = Tracing::new();
    let (tor, visitors) = hangs_up();
    for host in ["127.0.0.1", "localhost"] {
        let before = visitors.load(Ordering::Relaxed);
        let proxy = format!("socks5://{host}:{}", tor.port());
        let seen = tracing.kkvc(&["--tor", &proxy, "send", ONION], 3);
        assert_eq!(seen, connects_to(Address::Inet(tor)), "{host}");
        assert!(visitors.load(Ordering::Relaxed) > before, "nobody came");
    }
}

#[test]
fn an_address_outside_tor_is_not_looked_up_and_not_connected_to() {
    let tracing = Tracing::new();
    for address in [
        "example.com",
        "example.com:80",
        "192.0.2.1",
        "[2001:db8::1]:45069",
    ] {
        let seen = tracing.kkvc(&["send", address], 2);
        assert_eq!(seen, Summary::default(), "{address}");
        let proxy = format!("socks5://{address}");
        let seen = tracing.kkvc(&["--tor", &proxy, "send", ONION], 2);
        assert_eq!(seen, Summary::default(), "{address}");
    }
}

#[test]
fn a_program_that_writes_a_file_is_found_out() {
    let tracing = Tracing::new();
    let key = tracing.path("key.pem");
    let identity = kkvc(["identity", &key]).into_command();
    let traced = tracing.start(identity, None, Tracer::Parent);
    let faults = traced.finish(0, None).expect_err("it writes a file");
    assert!(
        faults.iter().any(|fault| fault.contains(&key)),
        "{faults:?}"
    );
}

#[test]
fn a_program_that_looks_up_a_name_is_found_out() {
    let tracing = Tracing::new();
    let mut lookup = Command::new("getent");
    lookup.args(["ahosts", "localhost"]);
    let traced = tracing.start(lookup, None, Tracer::Parent);
    let faults = traced
        .finish(0, None)
        .expect_err("it reads the system's settings");
    assert!(
        faults.iter().any(|fault| fault.contains("nsswitch")),
        "{faults:?}"
    );
}
