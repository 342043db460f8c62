//! `kkv` under attack: it stays up, within its memory, and useful to honest senders and to its owner.
//!
//! The program itself is attacked over loopback, harder than Tor would let anyone. How long an honest sender waits
//! meanwhile is not tested here but measured by `benches/siege.rs`.

mod attack;
mod cost;
mod flood;
mod hold;
mod memory;
mod panics;
mod pieces;
mod processor;
mod requests;
mod scarce;

use kkv_base::limits::MAX_TEXT_BYTES_V1;

use crate::answerable::leave_answerable;
use crate::programs::Relay;
use attack::{Attack, UnderWay};
use cost::{HELD, MOST_KIB, MOST_TIME};

/// Requests of each kind of which the cost is measured.
const REQUESTS: u32 = 300;

/// As long as kkv/1 takes it.
fn text() -> String {
    "x".repeat(MAX_TEXT_BYTES_V1)
}

/// Has one message delivered in each suite.
fn deliver_both(relay: &Relay) {
    for suite in ["1", "2"] {
        let sent = relay.send(["--suite", suite, "-"]).stdin(text());
        sent.finish().must_end_with(0);
    }
}

/// Opens boxes, on every one of which words are tried, and deletes their messages.
fn boxes(relay: &Relay) {
    let first = relay.list().len() + 1;
    for number in 0..20 {
        let other = [number; 16];
        let words = if number == 0 { &attack::WORDS } else { &other };
        leave_answerable(relay.address(), words, &text());
    }
    let numbers = (first..first + 20).map(|number| number.to_string());
    let delete = ["delete".to_owned(), "--yes".to_owned()];
    let delete = relay.owner(delete.into_iter().chain(numbers));
    delete.finish().must_end_with(0);
}

/// A relay that takes as much as this attack asks for, and leaves room for who is honest.
fn relay(attack: Attack) -> Relay {
    attack::relay(match attack {
        Attack::Solved(sessions) => sessions + 500,
        _ => 50,
    })
}

/// How many texts there are, as the owner sees it: beside them there may be files of attackers.
fn texts(relay: &Relay) -> usize {
    let list = relay.list();
    list.iter()
        .filter(|message| message["kind"] == "text")
        .count()
}

/// Ends sessions and messages.
fn wipe(relay: &Relay) {
    relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
}

/// What it takes to be useful while `attack` goes on, and to be as if nothing had been when it is over.
fn withstands(attack: Attack) {
    let relay = relay(attack);
    let process = relay.process();
    deliver_both(&relay);
    if let Attack::Asks | Attack::Pages = attack {
        boxes(&relay);
    }
    let before = memory::now(process);

    let address = relay.address().parse().expect("an address");
    let under_way = attack.start(address);
    if let Attack::Solved(sessions) = attack {
        let status = relay.owner(["status", "--json"]).finish().json();
        assert!(
            status["queue"]["reserved"].as_u64() >= Some(sessions),
            "{status}"
        );
    }
    for delivered in [4, 6, 8] {
        let rounds = under_way.rounds();
        deliver_both(&relay);
        assert_eq!(texts(&relay), delivered, "and the owner sees them");
        under_way.must_go_on(rounds);
    }
    let kept = under_way.kept();
    drop(under_way);
    let peak = memory::peak(process);
    assert!(peak < memory::MOST, "{peak} KiB at {attack}");

    // What attackers have paid for goes by itself two minutes later; nobody has to wait for that.
    wipe(&relay);
    memory::returns_to(process, before, kept);
    deliver_both(&relay);
    assert_eq!(texts(&relay), 2);
    assert_eq!(process.stderr(), "", "nothing is said because of strangers");
}

#[test]
fn fifteen_thousand_idle_connections_are_withstood() {
    withstands(Attack::Idle(15_000));
}

#[test]
fn a_thousand_half_sent_heads_are_withstood() {
    withstands(Attack::HalfHeads(1000));
}

#[test]
fn five_hundred_half_sent_bodies_are_withstood() {
    withstands(Attack::HalfBodies(500));
}

#[test]
fn five_hundred_who_ask_and_take_no_answer_are_withstood() {
    withstands(Attack::SlowReaders(500));
}

#[test]
fn a_thousand_who_are_answered_once_and_stay_are_withstood() {
    withstands(Attack::Answered(1000));
}

#[test]
fn a_flood_of_forged_exchanges_is_withstood() {
    withstands(Attack::Forged);
}

#[test]
fn a_flood_of_unsolved_challenges_is_withstood() {
    withstands(Attack::Unsolved);
}

#[test]
fn all_of_it_at_once_is_withstood() {
    let relay = relay(Attack::Forged);
    deliver_both(&relay);
    let before = memory::now(relay.process());
    let attacks = [
        Attack::Idle(3000),
        Attack::HalfHeads(500),
        Attack::HalfBodies(500),
        Attack::SlowReaders(500),
        Attack::Answered(600),
        Attack::Forged,
        Attack::Unsolved,
        Attack::Asks,
        Attack::HalfAsks(20),
        Attack::Pages,
        Attack::WrongPayments,
    ];
    let address = relay.address().parse().expect("an address");
    let under_way = attacks.map(|attack| attack.start(address));
    let rounds = under_way.each_ref().map(UnderWay::rounds);
    deliver_both(&relay);
    assert_eq!(texts(&relay), 4);
    for (attack, rounds) in under_way.iter().zip(rounds) {
        attack.must_go_on(rounds);
    }
    let kept = under_way.iter().map(UnderWay::kept).sum();
    drop(under_way);
    let peak = memory::peak(relay.process());
    assert!(peak < memory::MOST, "{peak} KiB");
    wipe(&relay);
    memory::returns_to(relay.process(), before, kept);
}

#[test]
fn a_flood_of_solved_challenges_is_withstood() {
    withstands(Attack::Solved(1500));
}

#[test]
fn a_flood_of_asks_is_withstood() {
    withstands(Attack::Asks);
}

#[test]
fn a_flood_of_files_is_withstood() {
    withstands(Attack::Uploads);
}

#[test]
fn a_flood_of_pages_is_withstood() {
    withstands(Attack::Pages);
}

#[test]
fn a_flood_of_the_pages_files_is_withstood() {
    withstands(Attack::PageUploads);
}

#[test]
fn a_flood_of_wrong_payments_is_withstood() {
    withstands(Attack::WrongPayments);
}

#[test]
fn a_hundred_half_sent_large_asks_are_withstood() {
    withstands(Attack::HalfAsks(100));
}

#[test]
fn no_request_of_a_stranger_costs_much_time_or_leaves_much_memory() {
    for cost in cost::of_each(REQUESTS) {
        assert!(cost.all < MOST_TIME && cost.kib < MOST_KIB, "{cost:?}");
    }
}

#[test]
fn no_connection_of_a_stranger_takes_much_memory() {
    for attack in HELD {
        let each = cost::held(attack);
        assert!(each < MOST_KIB, "{each} KiB for each of {attack}");
    }
}
