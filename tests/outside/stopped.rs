//! "RAM only": a relay that is told to stop wipes everything before it ends, not leaving it to the kernel.

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, texts, way};
use super::standing::{At, Hold};
use super::stranger::Stranger;
use super::traced::must_be_possible;
use crate::programs::{Relay, Signal};

fn stopped(suite: &str) {
    let directory = tempfile::tempdir().expect("a directory for the test");
    must_be_possible(directory.path());
    for run in 0..RUNS {
        let hold = Hold::new(At::Exit);
        let relay = Relay::start_with(&way(run), |command| hold.prepare(command));
        let texts: [Marker; 4] = texts(suite);
        for text in &texts[..2] {
            let sent = relay.send(["-", "--suite", suite]).stdin(text.bytes());
            sent.finish().must_end_with(0);
        }
        let read = relay.owner(["read", "1"]).finish().must_end_with(0);
        assert!(read.stdout_text().contains(texts[0].as_str()));
        let stranger = Stranger::new(relay.address(), suite);
        let session = stranger.open();
        let signal = [Signal::TERM, Signal::INT, Signal::HUP][run % 3];
        relay.process().signal(signal);
        let held = hold.wait(relay.process());
        let sender = stranger.public();
        must_be_nowhere(&held.scan(&[&texts[..2], &session.secrets(), &sender].concat()));
    }
}

#[test]
fn a_relay_that_was_told_to_stop_holds_no_kkv1_message_and_no_key_of_a_session_when_it_ends() {
    stopped("1");
}

#[test]
fn a_relay_that_was_told_to_stop_holds_no_kkv2_message_and_no_key_of_a_session_when_it_ends() {
    stopped("2");
}
