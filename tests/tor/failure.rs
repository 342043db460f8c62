//! Scenarios in which nothing arrives, and the sender learns why.

use kkv_base::limits::DEFAULT_PORT;
use kkv_protocol::ids::ServiceKey;
use kkv_protocol::onion::OnionAddress;

use super::gate::Gate;
use super::socks;
use super::stage::{
    DESERTED_PORT, EXCHANGE_GATE_PORT, Gates, MESSAGE_GATE_PORT, Stage, must_fail_with,
    send_through,
};

/// What can't be found is looked for so long: the reasons are what they would be after a minute. One attempt has a
/// third of it, which a machine that is busy with other tests must be able to keep.
const TIME: [&str; 2] = ["--timeout", "20s"];

/// The address of a key that is valid (Ed25519's base point) and that no onion service has.
fn nobodys() -> OnionAddress {
    let mut base_point = [0x66; 32];
    base_point[0] = 0x58;
    OnionAddress::from_public_key(ServiceKey(base_point))
}

/// Both with a Tor as Debian has it, and with one as Tor Browser has it: what Tor replies, and what a person reads.
fn must_be_unreachable(stage: &Stage, address: &str, port: u16, ways: [(u8, &str); 2]) {
    let target = format!("{address}:{port}");
    let tors = [stage.socks, stage.extended_socks];
    let sends = tors.map(|socks| send_through(socks, &target, &TIME, "text").start());
    for ((socks, send), (code, reason)) in tors.into_iter().zip(sends).zip(ways) {
        let reply = socks::connect(socks, address, port).err();
        assert_eq!(reply, Some(code), "{target}");
        must_fail_with(send.finish(), 3)
            .must_say("Tor can't find or reach this onion service")
            .must_say(reason)
            .must_say("nothing was delivered");
    }
}

pub(crate) fn an_address_that_nobody_has_is_said_to_be_unpublished(stage: &Stage) {
    let ways = [(0x04, "it isn't published"), (0xf0, "it isn't published")];
    must_be_unreachable(stage, &nobodys().to_string(), DEFAULT_PORT, ways);
}

pub(crate) fn a_port_without_an_inbox_is_said_to_be_one(stage: &Stage) {
    let ways = [(0x05, "no inbox is at this port"); 2];
    must_be_unreachable(stage, &stage.onion, 80, ways);
}

pub(crate) fn a_relay_that_does_not_run_is_said_not_to_answer(stage: &Stage) {
    let ways = [(0x01, "nothing answers there"); 2];
    must_be_unreachable(stage, &stage.onion, DESERTED_PORT, ways);
}

/// It is stopped while the sender pays: the next request finds nobody.
pub(crate) fn a_relay_stopped_before_the_message_has_nothing(stage: &Stage, gates: &mut Gates) {
    let ended = send_and_stop(stage, EXCHANGE_GATE_PORT, gates.exchange.take());
    must_fail_with(ended, 3)
        .must_say("Paying with a proof of work")
        .must_say("nothing answers there")
        .must_say("nothing was delivered");
}

/// It is stopped when the message was on its way to it: nobody can know on which side of that moment the message was.
pub(crate) fn a_relay_stopped_with_the_message_leaves_the_sender_in_doubt(
    stage: &Stage,
    gates: &mut Gates,
) {
    let ended = send_and_stop(stage, MESSAGE_GATE_PORT, gates.message.take());
    let ended = must_fail_with(ended, 7).must_say("whether the message arrived can't be known");
    assert!(
        !ended.stderr.contains("nothing was delivered"),
        "{}",
        ended.stderr
    );
}

fn send_and_stop(stage: &Stage, port: u16, gate: Option<Gate>) -> crate::programs::Outcome {
    let sending = stage
        .send(&format!("{}:{port}", stage.onion), &TIME, "text")
        .start();
    let relay = gate.expect("each gate is used once").stop_relay();
    relay.must_end_with(0);
    sending.finish()
}

/// The last scenario, since the onion service does not come back. The relay runs on.
pub(crate) fn an_inbox_whose_tor_is_off_is_said_to_be_out_of_reach(stage: &Stage) {
    stage.stop_host();
    let before = stage.relay.list();
    let sending = stage.send(&stage.inbox(), &[], "text").start();
    let ended = must_fail_with(sending.finish(), 3).must_say("nothing was delivered");
    // Introduction points may let a client in for tens of seconds after the service is gone. It then waits for the
    // service, and `kkvc` gives up before Tor does. So there are two ways of learning that nobody is there; which one
    // it is depends on the moment.
    let told = [
        "Tor can't find or reach this onion service",
        "no connection within 60 seconds",
    ];
    assert!(
        told.iter().any(|reason| ended.stderr.contains(reason)),
        "{}",
        ended.stderr
    );
    assert_eq!(stage.relay.list(), before);
}
