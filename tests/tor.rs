//! End to end: the real programs over a private network of real `tor` daemons, with the onion service that
//! torrc.example makes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where something is missing, and tells how long its parts took"
)]

pub(crate) mod control;
mod delivery;
mod failure;
mod gate;
pub(crate) mod socks;
mod stage;

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use kkv_base::limits::DEFAULT_PORT;
use stage::{Stage, TORRC_EXAMPLE};

/// One test, since the network is started once for all: every scenario is played, and those that failed are named at
/// the end.
#[test]
fn what_is_sent_through_tor_arrives_whole_or_the_sender_is_told_why_not() {
    let (stage, mut gates) = Stage::set();
    let mut failed = Vec::new();
    let mut play = |name: &'static str, scenario: &mut dyn FnMut()| {
        let began = tokio::time::Instant::now();
        let result = catch_unwind(AssertUnwindSafe(scenario));
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("{word:6} {:5.1} s  {name}", began.elapsed().as_secs_f64());
        if result.is_err() {
            failed.push(name);
        }
    };
    macro_rules! play {
        ($room:ident :: $scenario:ident $(, $more:expr)?) => {
            play(stringify!($scenario), &mut || $room::$scenario(&stage $(, $more)?))
        };
    }
    play!(delivery::the_largest_message_of_each_suite_arrives_whole);
    play!(delivery::no_other_user_is_in_the_way_of_a_message);
    play!(delivery::two_senders_at_once_both_arrive);
    play!(delivery::no_two_sends_share_a_circuit);
    play!(delivery::strangers_find_no_owner_and_no_clock);
    play!(failure::an_address_that_nobody_has_is_said_to_be_unpublished);
    play!(failure::a_port_without_an_inbox_is_said_to_be_one);
    play!(failure::a_relay_that_does_not_run_is_said_not_to_answer);
    play!(
        failure::a_relay_stopped_before_the_message_has_nothing,
        &mut gates
    );
    play!(
        failure::a_relay_stopped_with_the_message_leaves_the_sender_in_doubt,
        &mut gates
    );
    play!(failure::an_inbox_whose_tor_is_off_is_said_to_be_out_of_reach);
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}

/// No network is needed here, so none is started: the port that would be dialled is the test's own, and nobody comes.
#[test]
fn a_mistyped_address_is_refused_before_anything_is_dialled() {
    let dialled = TcpListener::bind("127.0.0.1:0").unwrap();
    dialled.set_nonblocking(true).unwrap();
    let right = kkv_protocol::onion::OnionAddress::from_public_key(kkv_protocol::ids::ServiceKey(
        [0x58; 32],
    ))
    .to_string();
    let other = if right.starts_with('a') { "b" } else { "a" };
    let mistyped = format!("{other}{}", &right[1..]);
    let socks = dialled.local_addr().unwrap();
    let ended = stage::send_through(socks, &mistyped, &[], "text").finish();
    stage::must_fail_with(ended, 2).must_say("checksum doesn't fit");
    let nobody = dialled.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn tor_takes_the_torrc_example_and_it_leads_to_the_socket_that_it_has_kkv_listen_on() {
    let active: Vec<&str> = TORRC_EXAMPLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let to = |place: &str| format!("HiddenServicePort {DEFAULT_PORT} {place}");
    let socket = "unix:/srv/kkv/relay.sock";
    assert_eq!(active, ["HiddenServiceDir /var/lib/tor/kkv/", &to(socket)]);
    assert!(TORRC_EXAMPLE.contains(&format!("kkv --tor external --listen {socket}\n")));
    // Instead: the socket of the unit, and the port that kkv listens on if it isn't told where.
    for place in [
        "unix:/run/kkv/tor.sock",
        &format!("127.0.0.1:{DEFAULT_PORT}"),
    ] {
        assert!(
            TORRC_EXAMPLE.contains(&format!("\n#{}\n", to(place))),
            "{place}"
        );
    }
    let unit = include_str!("../dist/systemd/system/kkv-external.service");
    assert!(unit.contains("\nEnvironment=KKV_LISTEN=unix:%t/kkv/tor.sock\n"));

    // As it is, and with what is commented out. The directory is another, since the real one is the system Tor's.
    let all = TORRC_EXAMPLE.replace("\n#HiddenService", "\nHiddenService");
    assert_ne!(all, TORRC_EXAMPLE);
    // Debian installs tor in /usr/sbin, which the PATH of an ordinary user leaves out.
    let path_with_sbin = format!(
        "{}:/usr/sbin:/usr/local/sbin",
        std::env::var("PATH").unwrap()
    );
    for torrc in [TORRC_EXAMPLE, &all] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let file = dir.path().join("torrc");
        let torrc = torrc.replace("/var/lib/tor/kkv/", &format!("{path}/kkv/"));
        std::fs::write(&file, torrc).unwrap();
        let verified = Command::new("tor")
            .env("PATH", &path_with_sbin)
            .args(["--verify-config", "--defaults-torrc", "/nonexistent", "-f"])
            .arg(&file)
            .args(["--DataDirectory", path])
            .output()
            .expect("`apt-get install tor` brings it");
        let said = String::from_utf8_lossy(&verified.stdout);
        assert!(verified.status.success(), "{said}");
        assert!(said.contains("Configuration was valid"), "{said}");
    }
}
