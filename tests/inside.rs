//! End to end with Tor inside: the real programs over a private network of real `tor` daemons.
#![cfg(feature = "embedded-tor")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where something is missing, and tells how long its parts took"
)]

#[path = "inside/address.rs"]
mod address;
#[path = "inside/alone.rs"]
mod alone;
#[path = "inside/delivery.rs"]
mod delivery;
#[path = "inside/failure.rs"]
mod failure;
#[path = "support/programs.rs"]
mod programs;
#[path = "inside/stage.rs"]
mod stage;
#[path = "support/tor_network.rs"]
mod tor_network;

use std::panic::{AssertUnwindSafe, catch_unwind};

use stage::Stage;

/// One test, since the network is started once for all: every scenario is played, and those that failed are named at the end.
#[test]
fn what_is_sent_with_tor_inside_arrives_or_the_sender_is_told_why_not() {
    let stage = Stage::set();
    let mut failed = Vec::new();
    macro_rules! play {
        ($room:ident :: $scenario:ident) => {
            let began = tokio::time::Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| $room::$scenario(&stage)));
            let name = stringify!($scenario);
            let word = if result.is_ok() { "ok" } else { "FAILED" };
            println!("{word:6} {:5.1} s  {name}", began.elapsed().as_secs_f64());
            if result.is_err() {
                failed.push(name);
            }
        };
    }
    play!(delivery::the_largest_message_of_each_suite_arrives_by_all_four_pairs);
    play!(delivery::a_relay_on_a_socket_is_reached_through_a_system_tor);
    play!(address::the_address_outlives_the_process_and_is_reachable_at_once_again);
    play!(address::an_ephemeral_address_is_another_each_time_and_leaves_no_file);
    play!(failure::a_name_that_nobody_has_is_said_to_be_unpublished);
    play!(failure::a_port_without_an_inbox_is_said_to_be_one);
    play!(failure::a_relay_that_is_gone_is_said_not_to_answer);
    play!(failure::a_relay_that_starts_meanwhile_is_found);
    play!(failure::a_closed_inbox_opens_only_to_those_with_a_key);
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}
