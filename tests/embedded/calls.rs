//! "Tor only", of the programs with embedded Tor: every system call of a whole exchange is looked at.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::stage::{Stage, path, send};
use crate::outside::rules::Summary;
use crate::outside::sockaddr::Address;
use crate::outside::traced::{Traced, Tracer, must_be_possible};
use crate::programs::{self, Process, Signal};

/// Where glibc asks first who the user is; where nobody listens, as mostly, a lookup of a machine's name would show in
/// what is read next.
const NAMES: &str = "/var/run/nscd/socket";

/// What a program did, of which every connection went to the test network.
#[track_caller]
fn by_tor_alone(stage: &Stage, seen: Result<Summary, Vec<String>>) -> Summary {
    let mut seen = seen.unwrap_or_else(|faults| panic!("{faults:#?}"));
    let connects = std::mem::take(&mut seen.connects);
    assert!(!connects.is_empty());
    for address in connects {
        if address == Address::Unix(NAMES.to_owned()) {
            continue;
        }
        let node = match &address {
            Address::Inet(address) => stage.network.node_at(*address),
            Address::Unix(_) | Address::Unnamed => None,
        };
        assert!(node.is_some(), "{address:?} is no node of the network");
    }
    // Before it replaces one of its files, fs-mistrust 0.16 removes what has the name of its next version, but in the
    // wrong directory: the current one, where there is none.
    let misplaced = |change: &str| {
        change.starts_with("unlink \"") && change.ends_with(".tmp\"") && !change.contains('/')
    };
    seen.changes.retain(|change| !misplaced(change));
    seen.denied.retain(|change| !misplaced(change));
    seen
}

fn wait_for_address(process: &Process) -> String {
    process.wait_for_stdout("the address", |out| out.contains(".onion\n"));
    let block = process.stdout();
    let line = block.lines().find_map(|line| line.split_once("reach it  "));
    line.expect("it says how it is reached").1.to_owned()
}

pub(crate) fn the_kernel_sees_nothing_but_tor_and_files_that_go_away(stage: &Stage) {
    let directory = stage.network.dir().join("traced");
    std::fs::create_dir(&directory).expect("the directory is ours");
    must_be_possible(&directory);
    let file = |name: &str| directory.join(name);

    let socket = file("new/kkv.sock");
    let mut command = programs::kkv();
    command.args(["--tor", "embedded", "--ephemeral", "-c", "4"]);
    command.args(["--tor-config", path(&stage.config)]);
    command.args(["--listen", "127.0.0.1:0", "--socket", path(&socket)]);
    let relay = Traced::start(&command, None, Tracer::Aside, &file("relay.trace"));
    let onion = wait_for_address(relay.process());
    let reachable = |out: &str| out.contains("Tor: reachable");
    relay.process().wait_for_stdout("reachable", reachable);

    let senders = file("senders");
    for text in ["with an empty directory", "with a full one"] {
        let command = send(&stage.config, &senders, &onion, &[], text).into_command();
        let text = Some(text.as_bytes().to_vec());
        let sent = Traced::start(&command, text, Tracer::Parent, &file("send.trace"));
        let seen = by_tor_alone(stage, sent.finish(0, Some(path(&senders))));
        assert_eq!(seen, Summary::default());
    }

    relay.process().signal(Signal::TERM);
    let own = own_directory(&file("relay.trace"));
    let mut seen = by_tor_alone(stage, relay.finish(0, Some(&own)));
    assert!(own.contains("/kkv-ephemeral-"), "{own}");
    assert!(!Path::new(&own).exists());
    let loopback = Address::Inet(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let unix = Address::Unix(path(&socket).to_owned());
    assert_eq!(
        seen.binds.drain(..).collect::<BTreeSet<_>>(),
        [loopback, unix].into()
    );
    let made = format!("mkdir \"{}\"", path(&file("new")));
    let removed = format!("unlink \"{}\"", path(&socket));
    let expected = Summary {
        changes: vec![made, removed],
        ..Summary::default()
    };
    assert_eq!(seen, expected);
}

/// The directory of its own that a relay makes whose address is for one run. (It also looks into those that killed runs
/// have left.)
fn own_directory(trace: &Path) -> String {
    let text = std::fs::read_to_string(trace).expect("strace has written it");
    let made = text.lines().filter(|line| line.contains(" mkdir"));
    let mut names = made.filter_map(|line| line.split('"').nth(1));
    let own = names.find(|name| name.contains("/kkv-ephemeral-"));
    own.expect("it makes one").to_owned()
}
