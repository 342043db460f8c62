//! Messages arrive by every pair of ways.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use kkv::limits::{DEFAULT_PORT, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};

use super::programs::{Relay, Signal};
use super::stage::{Stage, must_have_arrived, path};

/// So that no other user of the machine reaches it: see torrc.example.
pub(crate) fn a_relay_on_a_socket_is_reached_through_a_system_tor(stage: &Stage) {
    let directory = stage.network.dir().join("for-the-socket"); // alone in it, it is removed at the end
    let made = DirBuilder::new().mode(0o700).create(&directory);
    made.expect("the directory above is ours");
    let socket = directory.join("relay.sock");
    let listen = format!("unix:{}", path(&socket));
    let relay = Relay::start(&["--tor", "external", "--listen", &listen]);
    let mode = std::fs::metadata(&socket)
        .expect("it listens")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    let lines = format!("HiddenServicePort {DEFAULT_PORT} {listen}\n");
    let onion = stage.network.onion_service("socket", &lines);
    let onion = onion.unwrap_or_else(|fault| panic!("{fault:#}"));
    let sent = stage
        .send_by_socks(&onion, &[], "through a socket")
        .finish();
    sent.must_end_with(0);
    must_have_arrived(&relay, "through a socket");
    stage.network.stop_node("socket").expect("it is running");
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);
    assert!(!socket.exists());
}

pub(crate) fn the_largest_message_of_each_suite_arrives_by_all_four_pairs(stage: &Stage) {
    for (suite, bytes) in [("2", MAX_TEXT_BYTES), ("1", MAX_TEXT_BYTES_V1)] {
        for (name, relay, onion) in [
            ("embedded", &stage.inside.relay, &stage.inside.onion),
            ("external", &stage.external, &stage.external_onion),
        ] {
            for by_socks in [false, true] {
                let text = format!("{suite} {name} {by_socks} ");
                let text = text.clone() + &"x".repeat(bytes - text.len());
                let options = ["--suite", suite];
                let run = if by_socks {
                    stage.send_by_socks(onion, &options, &text)
                } else {
                    stage.send(onion, &options, &text)
                };
                let told = run.finish().must_end_with(0).json();
                assert_eq!(told["accepted"], true);
                must_have_arrived(relay, &text);
            }
        }
    }
}
