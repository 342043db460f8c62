//! The relay's address: kept from run to run, or for one run only.

use std::path::Path;

use super::stage::{Stage, must_have_arrived, path, start, status};
use crate::programs::Signal;

pub(crate) fn the_address_outlives_the_process_and_is_reachable_at_once_again(stage: &Stage) {
    let state = stage.network.dir().join("restarted");
    let options = ["--state-dir", path(&state)];
    let first = start(&stage.config, &options);
    first.must_become("reachable");
    first.relay.process().signal(Signal::TERM);
    first.relay.process().finish().must_end_with(0);

    // In the same second, mostly: what it publishes must not be taken for what is published already.
    let again = start(&stage.config, &options);
    assert_eq!(again.onion, first.onion);
    again.must_become("reachable");
    let sent = stage.send(&again.onion, &[], "after the restart").finish();
    sent.must_end_with(0);
    must_have_arrived(&again.relay, "after the restart");

    // Another one can't have the same address at the same time.
    let mut second = crate::programs::kkv();
    second.args(["--listen", "127.0.0.1:0", "--socket"]);
    second.arg(again.relay.directory().join("second.sock"));
    second.args(options);
    crate::programs::Process::spawn(second, None)
        .finish()
        .must_end_with(1)
        .must_say("in use by another kkv");
}

pub(crate) fn every_thread_is_held_to_writing_in_the_state_directory_alone(stage: &Stage) {
    let relay = &stage.embedded.relay;
    for (field, expected) in [("Seccomp", "2"), ("NoNewPrivs", "1")] {
        let held = relay.in_every_thread(field);
        let threads = held.len();
        assert!(threads > 2, "Tor's threads are missing: {threads}");
        assert!(
            held.iter().all(|value| value == expected),
            "{field}: {held:?}"
        );
    }
    let home = stage.network.dir().join("relay/relay");
    let expected = serde_json::json!({"files": "fully", "calls": "fully", "writes": path(&home)});
    assert_eq!(status(relay)["sandbox"], expected);
}

pub(crate) fn an_ephemeral_address_is_another_each_time_and_leaves_no_file(stage: &Stage) {
    let mut onions = Vec::new();
    for text in ["one", "two"] {
        let relay = start(&stage.config, &["--ephemeral"]);
        // Others may have theirs there too, and come and go: only where this one may write is its own.
        let sandbox = status(&relay.relay)["sandbox"].clone();
        let writes = Path::new(sandbox["writes"].as_str().expect("a directory"));
        let own = writes.strip_prefix("/dev/shm").expect("it is in memory");
        let own = own.components().next().expect("a directory of its own");
        let own = Path::new("/dev/shm").join(own);
        assert!(own.is_dir(), "{sandbox}");
        relay.must_become("reachable");
        stage
            .send(&relay.onion, &[], text)
            .finish()
            .must_end_with(0);
        must_have_arrived(&relay.relay, text);
        relay.relay.process().signal(Signal::TERM);
        relay.relay.process().finish().must_end_with(0);
        assert!(!own.exists(), "{}", own.display());
        onions.push(relay.onion);
    }
    assert_ne!(onions[0], onions[1]);
}
