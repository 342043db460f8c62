//! Messages arrive by every pair of ways.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use kkv_base::limits::{DEFAULT_PORT, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};

use super::stage::{Stage, must_have_arrived, path};
use crate::programs::{Relay, Signal, comes_to};

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
            ("embedded", &stage.embedded.relay, &stage.embedded.onion),
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

/// Two messages, one after the other: the client starts a Tor of its own for the first, and keeps it for the next.
pub(crate) fn the_interactive_client_sends_with_embedded_tor(stage: &Stage) {
    let state = stage.network.dir().join("client");
    let client = stage.embedded.relay.owner([
        "tui",
        "--tor",
        "embedded",
        "--state-dir",
        path(&state),
        "--tor-config",
        path(&stage.config),
    ]);
    let mut terminal = client.start_on(100, 24);
    terminal.wait_for("reachable");
    for (relay, onion, text) in [
        (
            &stage.external,
            &stage.external_onion,
            "the first at the keys",
        ),
        (
            &stage.embedded.relay,
            &stage.embedded.onion,
            "the second at the keys",
        ),
    ] {
        terminal.press(&format!("c{onion}\n{text}\x13"));
        comes_to(|| {
            let last = relay.list().last().and_then(|last| last["id"].as_u64());
            let arrived = last.is_some_and(|id| relay.text(id) == text);
            arrived
                .then_some(())
                .ok_or_else(|| format!("{text:?} has not arrived"))
        });
        // There is no room for all of the address.
        let row = format!("{:>10}  {}", format!("{} bytes", text.len()), &onion[..40]);
        terminal.wait_until("it is accepted", |seen| {
            let before = seen.match_indices(&row).map(|(at, _)| &seen[..at]);
            let mut rows = before.filter_map(|before| before.rsplit('\x1b').next());
            rows.any(|row| row.contains("accepted"))
        });
    }
    terminal.press("\x03");
    let (code, _) = terminal.finish();
    assert_eq!(code, Some(0));
}
