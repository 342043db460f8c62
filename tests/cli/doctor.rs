//! `kkvc doctor`: each thing that it looks at, in order and really broken.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::fake_clock;
use crate::programs::{HeldPort, Outcome, Relay, Run, Signal, kkvc, run_by, through};

/// A port on which each who comes gets `answer` to its first words, and then the end.
fn port_that_says(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody comes");
            let _ = stream.read(&mut [0; 16]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

/// A SOCKS port as Tor has one.
fn tor() -> SocketAddr {
    port_that_says(b"\x05\x02")
}

fn through_port(run: Run, port: SocketAddr) -> Run {
    run.with(|command| command.args(["--tor", &format!("socks5://{port}")]))
}

/// `kkvc doctor` for this relay's owner, with a Tor to send through.
fn doctor(relay: &Relay) -> Run {
    through_port(relay.owner(["doctor"]), tor())
}

/// What it says of `check`, by its state, with the command that may follow.
#[track_caller]
fn line<'o>(out: &'o str, check: &str) -> (&'o str, &'o str) {
    let begins = |(at, _): &(usize, &str)| *at == 0 || out[..*at].ends_with('\n');
    let lines = out.match_indices(char::is_alphabetic).filter(begins);
    let found = lines.map(|(at, _)| &out[at..]).find_map(|line| {
        let (state, rest) = line.split_once(' ')?;
        let rest = rest.trim_start().strip_prefix(check)?;
        let rest = rest.strip_prefix(' ')?.trim_start();
        let end = rest
            .match_indices('\n')
            .find(|(at, _)| !rest[at + 1..].starts_with(' '));
        Some((state, &rest[..end.map_or(rest.len(), |(at, _)| at)]))
    });
    found.unwrap_or_else(|| panic!("no {check} in {out}"))
}

/// Has it find just this, whatever else this machine lets it find, and end accordingly.
#[track_caller]
fn must_find(run: Run, check: &str, state: &str, told: &str) {
    let outcome = run.finish();
    let out = outcome.stdout_text();
    let (found, what) = line(&out, check);
    assert_eq!(found, state, "{out}{}", outcome.stderr);
    assert!(what.contains(told), "no {told:?} in {what:?}");
    let code = i32::from(out.lines().any(|line| line.starts_with("wrong ")));
    let outcome = outcome.must_end_with(code);
    if state == "wrong" {
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.stderr.contains(check), "{}", outcome.stderr);
    }
}

fn through_program(run: Run, program: &[&str]) -> Run {
    run.with(|command| {
        let mut before = Command::new(program[0]);
        before.args(&program[1..]);
        *command = through(before, command);
        command
    })
}

/// A relay that is started through another program.
fn relay_through(program: &[&str], arguments: &[&str]) -> Relay {
    Relay::start_with(arguments, |command| {
        let mut before = Command::new(program[0]);
        before.args(&program[1..]);
        *command = through(before, command);
        command
    })
}

const CHECKS: [&str; 10] = [
    "relay", "socket", "tor", "sending", "clock", "memory", "swap", "dumps", "sandbox", "files",
];

#[test]
fn where_all_is_well_it_says_so_line_by_line_and_ends_with_0() {
    let relay = Relay::start(&["--tor", "external"]);
    let outcome = doctor(&relay).finish().must_end_with(0);
    assert_eq!(outcome.stderr, "");
    let out = outcome.stdout_text();
    assert_eq!(out.lines().count(), CHECKS.len(), "{out}");
    for (shown, check) in out.lines().zip(CHECKS) {
        // What depends on the machine may be better, but is not wrong.
        let (state, _) = line(shown, check);
        let ours = ["relay", "socket", "sending", "clock", "dumps"].contains(&check);
        assert!(state == "ok" || !ours && state == "warning", "{shown}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let running = format!("ok       relay     running, {version}, up ");
    assert!(out.starts_with(&running), "{out}");

    let json = doctor(&relay).with(|command| command.arg("--json"));
    let json = json.finish().must_end_with(0).json();
    let findings = json["checks"].as_array().expect("an array");
    for (finding, check) in findings.iter().zip(CHECKS) {
        assert_eq!(finding["check"], check);
        let state = finding["state"].as_str().unwrap();
        assert_eq!(finding["mend"] == Value::Null, state == "ok", "{finding}");
        assert!(
            finding["what"]
                .as_str()
                .is_some_and(|what| !what.is_empty())
        );
    }
    assert_eq!(findings.len(), CHECKS.len());
    assert!(relay.list().is_empty());
}

#[test]
fn behind_a_port_it_warns_of_who_else_could_listen_there_and_behind_a_socket_of_who_could_not_reach_it()
 {
    let (state, told) = tor_of(&["--tor", "external"], 0);
    assert_eq!(state, "warning");
    assert!(told.contains("any user here can take that place"), "{told}");
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("relay.sock");
    let listen = format!("unix:{}", socket.display());
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o770)).unwrap();
    let (state, told) = tor_of(&["--tor", "external", "--listen", &listen], 1);
    assert_eq!(state, "wrong");
    assert!(told.contains("other users may write"), "{told}");
}

/// What the check of Tor says of a relay that is started so, and ends with.
fn tor_of(arguments: &[&str], code: i32) -> (String, String) {
    let relay = Relay::start(arguments);
    let outcome = doctor(&relay).finish().must_end_with(code);
    let out = outcome.stdout_text();
    let tor = out.lines().find(|line| line.contains("  tor  "));
    let (state, told) = line(tor.expect("it looks at Tor"), "tor");
    (state.to_owned(), told.to_owned())
}

#[test]
fn without_a_relay_it_says_how_to_start_one_and_what_one_would_find_here() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let run = || {
        let run = through_port(kkvc(["doctor"]), tor());
        run.with(|command| command.arg("--socket").arg(&socket))
    };
    must_find(run(), "relay", "wrong", "start it with `kkv &`");
    must_find(run(), "socket", "warning", "nothing is at");
    let out = run().finish().must_end_with(1).stdout_text();
    assert_eq!(out.lines().count(), CHECKS.len() - 1, "{out}");
    let json = run().with(|command| command.arg("--json")).finish();
    let json = json.must_end_with(1).must_say("something is wrong: relay");
    assert_eq!(json.json()["checks"][0]["state"], "wrong");
    // A kkv that was killed leaves its socket.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
    must_find(run(), "socket", "warning", "the next kkv replaces it");
    fs::remove_file(&socket).unwrap();
    fs::write(&socket, "").unwrap();
    must_find(run(), "socket", "wrong", "is not a socket");
}

#[test]
fn a_relay_that_says_nothing_is_told_from_one_that_is_not_there() {
    let relay = Relay::start(&[]);
    relay.process().signal(Signal::STOP);
    must_find(doctor(&relay), "relay", "wrong", "doesn't answer");
    relay.process().signal(Signal::CONT);
    must_find(doctor(&relay), "relay", "ok", "running");
}

#[test]
fn a_socket_with_other_rights_or_of_another_user_is_wrong() {
    let relay = Relay::start(&[]);
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set(relay.socket(), 0o666);
    must_find(doctor(&relay), "socket", "wrong", "chmod 600");
    set(relay.socket(), 0o600);
    set(relay.directory(), 0o777);
    must_find(doctor(&relay), "socket", "wrong", "other users may write");
    set(relay.directory(), 0o755);
    must_find(doctor(&relay), "socket", "ok", "for its user alone");
    let other = doctor(&relay).with(|command| run_by(65534, command));
    must_find(other, "socket", "wrong", "belongs to user 0");
}

#[test]
fn a_port_that_is_no_tor_is_told_with_why() {
    let relay = Relay::start(&[]);
    let dead = HeldPort::take();
    for (port, told) in [
        (dead.address(), "no Tor answers at"),
        (
            port_that_says(b"HTTP/1.1 400 Bad Request\r\n"),
            "SOCKS version 5",
        ),
        (port_that_says(b"\x05\x00"), "no user name and password"),
        (port_that_says(b""), "doesn't behave like Tor"),
    ] {
        let run = through_port(relay.owner(["doctor"]), port);
        must_find(run, "sending", "wrong", told);
    }
    // One that lets everyone in and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = through_port(relay.owner(["doctor"]), silent.local_addr().unwrap());
    must_find(run, "sending", "wrong", "it says nothing");
    must_find(
        doctor(&relay),
        "tor",
        "warning",
        "only who is on this machine",
    );
}

#[test]
fn a_clock_from_before_there_was_this_program_is_wrong() {
    let relay = Relay::start(&[]);
    let run = doctor(&relay).with(|command| {
        command
            .env("LD_PRELOAD", fake_clock::library())
            .env("FAKETIME", "@2020-01-01 12:00:00")
    });
    must_find(
        run,
        "clock",
        "wrong",
        "2020-01-01 12:00, when there was no kkvc yet",
    );
    must_find(doctor(&relay), "clock", "ok", "20");
}

/// Without the capability, the limit holds for root too.
const NO_LOCKS: [&str; 4] = [
    "prlimit",
    "--memlock=65536",
    "setpriv",
    "--bounding-set=-ipc_lock",
];

#[test]
fn messages_that_are_not_locked_are_told_with_the_limit_that_would_do() {
    let poor = [&NO_LOCKS[..], &["--inh-caps=-ipc_lock"]].concat();
    let relay = relay_through(&poor, &["-m", "17"]);
    must_find(
        doctor(&relay),
        "memory",
        "warning",
        "raise memlock from 64 KiB to 16452",
    );
    let rich = Relay::start(&["-m", "17"]);
    must_find(doctor(&rich), "memory", "ok", "17 messages");
    // And what one would find that is not there.
    let nowhere = relay.directory().join("nowhere");
    let run = || {
        let run = through_port(kkvc(["doctor"]), tor());
        run.with(|command| command.arg("--socket").arg(&nowhere))
    };
    let limited = through_program(run(), &poor);
    must_find(
        limited,
        "memory",
        "warning",
        "raise memlock from 64 KiB to 16584",
    );
    must_find(
        run(),
        "memory",
        "ok",
        "50 messages and 16 MiB of files can be locked",
    );
}

#[test]
fn too_few_files_are_told_of_a_relay_that_runs_and_of_one_that_would() {
    let few = ["prlimit", "--nofile=256:256"];
    let relay = relay_through(&few, &[]);
    must_find(doctor(&relay), "files", "warning", "only 256 open");
    let nowhere = relay.directory().join("nowhere");
    let run = through_port(kkvc(["doctor"]), tor());
    let run = run.with(|command| command.arg("--socket").arg(&nowhere));
    must_find(
        through_program(run, &few),
        "files",
        "warning",
        "raise nofile to 4096",
    );
}

/// Has it see `content` in place of the file at `path`, in a view of the files of its own.
fn with_file(run: Run, directory: &Path, path: &str, content: &str) -> Run {
    let other = directory.join("other");
    fs::write(&other, content).expect("the directory is ours");
    let other = other.to_str().expect("made of ASCII");
    let script = format!(r#"mount --bind {other} {path} && exec "$@""#);
    through_program(run, &["unshare", "-m", "sh", "-c", &script, "sh"])
}

#[test]
fn swap_on_a_disk_is_told_and_swap_in_memory_is_not() {
    let relay = Relay::start(&[]);
    for (swap, state, told) in [
        (
            "/dev/sda9 partition 4194300 0 -2",
            "warning",
            "/dev/sda9: what",
        ),
        ("/dev/zram0 partition 4194300 0 100", "ok", "none on a disk"),
    ] {
        let swaps = format!("Filename Type Size Used Priority\n{swap}\n");
        let run = with_file(doctor(&relay), relay.directory(), "/proc/swaps", &swaps);
        must_find(run, "swap", state, told);
    }
}

#[test]
fn a_kernel_that_can_not_confine_is_told_of_a_relay_that_runs_and_of_one_that_would() {
    let without = [
        "strace",
        "-D",
        "-f",
        "-q",
        "-o",
        "/dev/null",
        "-e",
        "trace=landlock_create_ruleset",
        "-e",
        "inject=landlock_create_ruleset:error=EOPNOTSUPP",
        "--",
    ];
    let relay = relay_through(&without, &[]);
    must_find(doctor(&relay), "sandbox", "warning", "no Landlock");
    let nowhere = relay.directory().join("nowhere");
    let run = || {
        let run = through_port(kkvc(["doctor"]), tor());
        run.with(|command| command.arg("--socket").arg(&nowhere))
    };
    must_find(
        through_program(run(), &without),
        "sandbox",
        "warning",
        "no Landlock",
    );
    let actions = "/proc/sys/kernel/seccomp/actions_avail";
    let run = with_file(run(), relay.directory(), actions, "");
    must_find(run, "sandbox", "warning", "no seccomp");
}

#[test]
fn it_takes_no_arguments_and_changes_nothing() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    let refused: Outcome = relay.owner(["doctor", "1"]).finish().must_end_with(2);
    assert!(refused.stdout.is_empty());
    doctor(&relay).finish().must_end_with(0);
    assert_eq!(relay.list()[0]["read"], false);
}
