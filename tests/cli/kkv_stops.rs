//! How `kkv` ends, and what happens where another one is or was.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use crate::programs::{
    Outcome, Process, Relay, Signal, Terminal, kkv, kkv_at, kkvc, run_by, through_shell,
};

/// A user that owns nothing on this machine.
const STRANGER: u32 = 65_501;

/// What stopping may take, by the program's own promise: shorter than anyone can look away.
const PROMISED: Duration = Duration::from_millis(100);

/// Stops a relay with 1,000 slots, eight of which hold a message, and returns how long that took.
fn stop(signal: Signal) -> Duration {
    let relay = Relay::start(&["-m", "1000", "-c", "0"]);
    for number in 0..8 {
        relay.deliver(format!("message {number}").as_bytes());
    }
    assert!(relay.socket().exists());
    #[expect(
        clippy::disallowed_methods,
        reason = "a real process ends in real time"
    )]
    let before = Instant::now();
    relay.process().signal(signal);
    let (_, ended) = relay.process().ended();
    relay.process().finish().must_end_with(0);
    assert!(!relay.socket().exists(), "its socket stayed behind");
    ended - before
}

/// Relays that are stopped until one has kept the promise. Whatever else the machine does can only make it longer, and
/// a program that takes longer takes it each time.
const TRIES: usize = 30;

#[track_caller]
fn stops_in_time(signal: Signal) {
    let mut took = (0..TRIES).map(|_| stop(signal));
    assert!(took.any(|took| took < PROMISED), "never in {TRIES} times");
}

#[test]
fn sigterm_ends_a_relay_of_a_thousand_slots_within_a_tenth_of_a_second() {
    stops_in_time(Signal::TERM);
}

#[test]
fn sigint_ends_a_relay_of_a_thousand_slots_within_a_tenth_of_a_second() {
    stops_in_time(Signal::INT);
}

#[test]
fn sighup_ends_a_relay_of_a_thousand_slots_within_a_tenth_of_a_second() {
    stops_in_time(Signal::HUP);
}

#[test]
fn on_a_terminal_it_says_in_a_line_of_its_own_that_all_is_wiped() {
    let directory = tempfile::tempdir().unwrap();
    let command = kkv_at(&directory.path().join("kkv.sock"));
    let mut terminal = Terminal::start(command, 80, 24);
    terminal.wait_for("\n  key ");
    terminal.process().signal(Signal::INT);
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    let end = "\r\n\r\nkkv has stopped; every message is wiped.\r\n";
    assert!(screen.ends_with(end), "{screen:?}");
}

#[test]
fn under_nohup_it_outlives_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let nohup = through_shell(&kkv_at(&socket), "trap '' HUP; exec \"$0\" \"$@\""); // what nohup does
    let process = Process::spawn(nohup, None);
    process.wait_for_stdout("the block", |out| out.contains("\n  key "));
    process.signal(Signal::HUP);
    let status = kkvc(["status", "--socket"])
        .with(|c| c.arg(&socket))
        .finish();
    status.must_end_with(0);
    assert!(process.is_running() && socket.exists());
    process.signal(Signal::TERM);
    process.finish().must_end_with(0);
}

fn refused(arguments: &[&str]) -> Outcome {
    let mut command = kkv();
    command.args(["--tor", "off"]).args(arguments);
    Process::spawn(command, None).finish().must_end_with(1)
}

#[test]
fn a_second_relay_at_the_same_socket_is_refused_and_the_first_goes_on() {
    let first = Relay::start(&[]);
    let socket = first.socket().to_str().unwrap();
    let second = refused(&["--listen", "127.0.0.1:0", "--socket", socket]);
    second
        .must_say("is in use by another kkv")
        .must_say("--socket");
    first.deliver(b"still here");
    assert_eq!(first.text(1), "still here");
}

#[test]
fn a_second_relay_on_the_same_port_is_refused_and_the_first_goes_on() {
    let first = Relay::start(&[]);
    let other = first.directory().join("other.sock");
    let second = refused(&[
        "--listen",
        first.address(),
        "--socket",
        other.to_str().unwrap(),
    ]);
    second
        .must_say("is in use by another program, perhaps another kkv")
        .must_say("--listen 127.0.0.1:PORT");
    assert!(!other.exists(), "the second one's socket stayed behind");
    first.deliver(b"still here");
    assert_eq!(first.text(1), "still here");
}

#[test]
fn a_socket_of_another_user_is_told_from_another_relay() {
    assert!(rustix::process::geteuid().is_root(), "see scripts/test");
    let directory = tempfile::tempdir().unwrap();
    // Not /tmp itself, where a directory for the socket has to be its owner's alone.
    let shared = directory.path().join("shared");
    fs::create_dir(&shared).unwrap();
    for (path, mode) in [(directory.path(), 0o755), (&shared, 0o1777)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let path = shared.join("kkv.sock");
    let refused = |user: Option<u32>, of: u32| {
        let mut command = kkv_at(&path);
        if let Some(user) = user {
            run_by(user, &mut command);
        }
        let told = Process::spawn(command, None).finish().must_end_with(1);
        assert!(!told.stderr.contains("the other one"), "{}", told.stderr);
        told.must_say(&format!("belongs to another user (uid {of})"))
            .must_say("Name another socket with --socket.");
        assert!(path.exists(), "it was taken away");
    };
    let listener = UnixListener::bind(&path).unwrap();
    chown(&path, Some(STRANGER), None).unwrap();
    refused(None, STRANGER); // root gets through to it
    chown(&path, Some(0), None).unwrap();
    refused(Some(STRANGER), 0); // by its mode another user doesn't
    drop(listener);
    fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    refused(Some(STRANGER), 0); // nobody listens, and only its owner may remove it
}

#[test]
fn where_no_socket_for_tor_can_be_had_it_is_said_which_option_names_another() {
    let first = Relay::start(&[]);
    let directory = first.directory();
    let (socket, taken, file) = ("other.sock", "tor.sock", "letter");
    let _other = UnixListener::bind(directory.join(taken)).unwrap();
    fs::write(directory.join(file), "dear diary").unwrap();
    for (place, reason) in [
        (taken, "is in use"),
        (file, "is not a socket"),
        ("none/tor.sock", "can't make the socket"),
    ] {
        let listen = format!("unix:{}", directory.join(place).display());
        let socket = directory.join(socket);
        let refused = refused(&["--listen", &listen, "--socket", socket.to_str().unwrap()]);
        assert!(!refused.stderr.contains("--socket"), "{}", refused.stderr);
        refused
            .must_say(reason)
            .must_say("--listen unix:/PATH (and in the torrc)");
    }
}

#[test]
fn the_socket_of_a_killed_relay_is_replaced() {
    let first = Relay::start(&[]);
    first.process().signal(Signal::KILL);
    first.process().ended();
    assert!(first.socket().exists(), "nobody could take it away");
    let second = Relay::start(&["--socket", first.socket().to_str().unwrap()]);
    second.deliver(b"hello");
    assert_eq!(second.list().len(), 1);
}

#[test]
fn a_file_where_the_socket_should_be_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter");
    fs::write(&path, "dear diary").unwrap();
    let refused = refused(&[
        "--listen",
        "127.0.0.1:0",
        "--socket",
        path.to_str().unwrap(),
    ]);
    assert!(
        !refused.stderr.contains("pkill"),
        "another kkv is not the reason: {}",
        refused.stderr
    );
    refused.must_say("is not a socket; it is left alone");
    assert_eq!(fs::read_to_string(&path).unwrap(), "dear diary");
}

#[test]
fn a_socket_that_cannot_be_made_is_said_with_the_systems_reason() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("x".repeat(120));
    let refused = refused(&[
        "--listen",
        "127.0.0.1:0",
        "--socket",
        long.to_str().unwrap(),
    ]);
    assert!(
        !refused.stderr.contains("pkill"),
        "another kkv is not the reason: {}",
        refused.stderr
    );
    refused.must_say("can't make the socket");
}
