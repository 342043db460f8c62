//! Whole lives of a relay, started as its units start it: all that it asks of the kernel is what they let it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::asked::refused;
use super::unit::{OF_SYSTEM, OF_SYSTEM_EXTERNAL, OF_USER, Unit};
use crate::programs::{Process, Run, Signal, kkvc, said, wait_for_block};
use crate::tor_network::TorNetwork;

/// A relay under strace, in directories as systemd makes them.
struct Service {
    directory: TempDir,
    process: Process,
}

impl Service {
    fn start(unit: &Unit, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let [runtime, state] = ["run", "state"].map(|name| directory.path().join(name));
        for made in [&runtime, &state] {
            fs::create_dir_all(made.join("kkv")).expect("the directory is ours");
        }
        let always = ["--listen", "127.0.0.1:0", "--cost-pow", "4", "--ttl", "1h"];
        let kkv = unit.command(&[&always, options].concat(), &runtime, &state);
        let mut strace = Command::new("strace");
        strace.args(["-D", "-f", "-q", "-s", "0", "-o"]);
        strace.arg(trace_in(&directory)).arg("--");
        strace.arg(kkv.get_program()).args(kkv.get_args());
        strace.envs(
            kkv.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let process = Process::spawn(strace, None);
        wait_for_block(&process);
        Self { directory, process }
    }

    /// `kkvc` for its owner, who finds it without being told where.
    fn owner(&self, arguments: &[&str]) -> Run {
        let runtime = self.directory.path().join("run");
        kkvc(arguments).with(|command| command.env("XDG_RUNTIME_DIR", runtime))
    }

    /// Has its owner look at all that has arrived, ends it, and gives everything that it has asked of the kernel.
    fn end(self, messages: &[&str]) -> String {
        for (text, id) in messages.iter().zip(1..) {
            let read = self.owner(&["read", &id.to_string(), "--json"]).finish();
            assert_eq!(read.must_end_with(0).json()["text"], *text);
        }
        for command in [
            &["status"][..],
            &["list"],
            &["export", "1"],
            &["mark", "1", "--unread"],
            &["delete", "1", "-y"],
            &["delete", "--all", "--yes"],
        ] {
            self.owner(command).finish().must_end_with(0);
        }
        self.process.signal(Signal::TERM);
        self.process.finish().must_end_with(0);
        let trace = fs::read_to_string(trace_in(&self.directory)).expect("strace has written it");
        let whole = ["execve(", "accept4(", "+++ exited with 0 +++"];
        let missing = whole.iter().find(|part| !trace.contains(**part));
        assert_eq!(missing, None, "the trace is no use");
        trace
    }
}

fn trace_in(directory: &TempDir) -> PathBuf {
    directory.path().join("trace")
}

fn must_be_allowed(trace: &str, unit: &str) {
    let mut refused = refused(trace, &Unit::read(unit));
    if rustix::process::geteuid().is_root() {
        // SQLite, in which embedded Tor keeps its directory, gives its files to their directory's owner. It tries to
        // only as root, and services are not.
        refused.retain(|call| !call.starts_with("fchown("));
    }
    assert!(refused.is_empty(), "{unit} forbids: {refused:#?}");
}

fn send(to: &str, options: &[&str], text: &str) {
    let run = kkvc([&["send", to, "-"], options].concat());
    run.stdin(text).finish().must_end_with(0);
}

#[test]
fn behind_a_system_tor_kkv_asks_for_nothing_that_its_unit_forbids() {
    let service = Service::start(&Unit::read(OF_SYSTEM_EXTERNAL), &[]);
    let listens = said(&service.process, "listens");
    send(&listens, &[], "one");
    send(&listens, &["--suite", "1"], "two");
    let trace = service.end(&["one", "two"]);
    must_be_allowed(&trace, OF_SYSTEM_EXTERNAL);
}

#[test]
fn behind_a_system_tor_the_unit_has_it_listen_on_a_socket_that_its_group_may_use() {
    let directory = tempfile::tempdir().unwrap();
    let [runtime, state] = ["run", "state"].map(|name| directory.path().join(name));
    fs::create_dir_all(runtime.join("kkv")).unwrap();
    let unit = Unit::read(OF_SYSTEM_EXTERNAL);
    let kkv = Process::spawn(unit.command(&["--cost-pow", "4"], &runtime, &state), None);
    wait_for_block(&kkv);
    let socket = runtime.join("kkv/tor.sock");
    assert_eq!(said(&kkv, "listens"), format!("unix:{}", socket.display()));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&socket), 0o660);
    assert_eq!(mode(&runtime.join("kkv/kkv.sock")), 0o600);
}

#[test]
fn with_embedded_tor_kkv_asks_for_nothing_that_its_units_forbid() {
    let network = TorNetwork::start().unwrap_or_else(|fault| panic!("{fault:#}"));
    let config = network.dir().join("arti.toml");
    fs::write(&config, network.arti_config()).unwrap();
    let path = |path: &Path| {
        path.to_str()
            .expect("test directories have plain names")
            .to_owned()
    };
    let config = path(&config);
    let service = Service::start(&Unit::read(OF_SYSTEM), &["--tor-config", &config]);
    let reachable = |out: &str| out.contains("Tor: reachable");
    service.process.wait_for_stdout("reachable", reachable);
    let senders = path(&network.dir().join("senders"));
    let through_tor = ["--tor-config", &config, "--state-dir", &senders];
    let through_tor = [&["--tor", "embedded"][..], &through_tor].concat();
    send(&said(&service.process, "reach it"), &through_tor, "one");
    send(&said(&service.process, "listens"), &[], "two");
    assert!(service.directory.path().join("state/kkv/relay").is_dir());
    let trace = service.end(&["one", "two"]);
    for unit in [OF_SYSTEM, OF_USER] {
        must_be_allowed(&trace, unit);
    }
}
