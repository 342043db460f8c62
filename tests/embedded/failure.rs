//! What does not arrive, and what the sender is told: each reason apart, within the time that was given.

use kkv_protocol::ids::ServiceKey;
use kkv_protocol::onion::OnionAddress;

use super::stage::{Stage, path, start};
use crate::outside::keys::access;
use crate::outside::standing::{At, look_into, must_forget};
use crate::programs::{Outcome, Signal};

/// Each of these is tried for so long; a message takes less than one second here.
const TIME: [&str; 2] = ["--timeout", "15s"];

fn must_fail(ended: Outcome) -> Outcome {
    let ended = ended.must_end_with(3).must_say("nothing was delivered");
    assert_eq!(ended.stdout_text(), "");
    ended
}

/// Ed25519's base point: a valid key that no onion service has.
fn nobodys() -> String {
    let mut base_point = [0x66; 32];
    base_point[0] = 0x58;
    OnionAddress::from_public_key(ServiceKey(base_point)).to_string()
}

pub(crate) fn a_name_that_nobody_has_is_said_to_be_unpublished(stage: &Stage) {
    let sent = stage.send(&nobodys(), &TIME, "text").finish();
    must_fail(sent).must_say("it isn't published");
}

pub(crate) fn a_port_without_an_inbox_is_said_to_be_one(stage: &Stage) {
    let target = format!("{}:80", stage.external_onion);
    must_fail(stage.send(&target, &TIME, "text").finish()).must_say("no inbox is at this port");
}

pub(crate) fn a_relay_that_is_gone_is_said_not_to_answer(stage: &Stage) {
    let state = stage.network.dir().join("gone");
    let relay = start(&stage.config, &["--state-dir", path(&state)]);
    relay.must_become("reachable");
    let before = stage.send(&relay.onion, &[], "there").finish();
    before.must_end_with(0);
    relay.relay.process().signal(Signal::KILL);
    relay.relay.process().ended();
    let sent = stage.send(&relay.onion, &TIME, "text").finish();
    let ended = must_fail(sent);
    // Introduction points may let a visitor in who then waits for nobody. A busy machine may be late with a circuit.
    // Which it is depends on the moment.
    let told = [
        "nothing answers there",
        "the inbox may just have gone",
        "Tor failed to get there",
    ];
    assert!(
        told.iter().any(|reason| ended.stderr.contains(reason)),
        "{}",
        ended.stderr
    );
}

pub(crate) fn a_relay_that_starts_meanwhile_is_found(stage: &Stage) {
    let state = stage.network.dir().join("later");
    let options = ["--state-dir", path(&state)];
    let first = start(&stage.config, &options);
    first.relay.process().signal(Signal::TERM); // before it was ever published
    first.relay.process().finish().must_end_with(0);
    let sending = stage.send(&first.onion, &[], "patience").start();
    sending.wait_for_stderr("Connecting");
    let again = start(&stage.config, &options);
    sending.finish().must_end_with(0);
    assert_eq!(again.relay.list().len(), 1);
}

pub(crate) fn a_closed_inbox_opens_only_to_those_with_a_key(stage: &Stage) {
    let state = stage.network.dir().join("closed");
    let options = ["--state-dir", path(&state)];
    let open = start(&stage.config, &options);
    let inbox = open.onion.clone();
    open.relay.process().signal(Signal::TERM);
    open.relay.process().finish().must_end_with(0);

    let key = |name: &str| {
        let file = stage.network.dir().join(name);
        let made = crate::programs::kkvc(["key", &inbox, path(&file), "--json"]);
        let shown = made.finish().must_end_with(0).json();
        (file, shown["key"].as_str().expect("a key").to_owned())
    };
    let (friends, allowed) = key("friend.auth_private");
    let (strangers, _) = key("stranger.auth_private");
    let closed = start(
        &stage.config,
        &[&options[..], &["--allow", &allowed]].concat(),
    );
    assert_eq!(closed.onion, inbox);
    closed.must_become("reachable");

    let without = stage.send(&inbox, &TIME, "text").finish();
    must_fail(without).must_say("only those whom its owner gave a key");
    let wrong = [&TIME[..], &["--key", path(&strangers)]].concat();
    let wrong = stage.send(&inbox, &wrong, "text").finish();
    must_fail(wrong).must_say("only those whom its owner gave a key");
    let right = || stage.send(&inbox, &["--key", path(&friends)], "let in");
    let key = access(path(&friends));
    let used = look_into(right(), At::Connect, &key);
    assert!(used[0].copies() >= 1, "the search is no use: {used:?}");
    must_forget(right(), &key);
    let other = stage.send(&stage.embedded.onion, &["--key", path(&friends)], "text");
    other
        .finish()
        .must_end_with(2)
        .must_say("for another inbox");
    assert_eq!(closed.relay.list().len(), 1);
}
