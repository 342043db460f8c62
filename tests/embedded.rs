//! End to end with embedded Tor: the real programs over a private network of real `tor` daemons.
#![cfg(feature = "embedded-tor")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where something is missing, and tells how long its parts took"
)]

mod address;
mod alone;
mod calls;
mod clock;
mod congestion;
mod connections;
mod conversation;
mod delivery;
mod failure;
mod faults;
mod forgotten;
mod kept;
mod limits;
mod page;
mod place;
pub(crate) mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind};

use faults::Trouble;
use stage::Stage;

/// Plays scenarios one after the other, since the network is started once for all; those that failed are named at the
/// end.
macro_rules! play {
    ($stage:expr, $($room:ident :: $scenario:ident,)*) => {
        let mut failed = Vec::new();
        $(
            let began = tokio::time::Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| $room::$scenario($stage)));
            let name = stringify!($scenario);
            let word = if result.is_ok() { "ok" } else { "FAILED" };
            println!("{word:6} {:5.1} s  {name}", began.elapsed().as_secs_f64());
            if result.is_err() {
                failed.push(name);
            }
        )*
        assert!(failed.is_empty(), "failed, see above: {failed:?}");
    };
}

#[test]
fn what_is_sent_with_embedded_tor_arrives_or_the_sender_is_told_why_not() {
    let stage = Stage::set();
    play!(
        &stage,
        delivery::the_largest_message_of_each_suite_arrives_by_all_four_pairs,
        delivery::a_relay_on_a_socket_is_reached_through_a_system_tor,
        delivery::the_interactive_client_sends_with_embedded_tor,
        conversation::a_conversation_goes_three_rounds_by_its_words_alone,
        conversation::a_conversation_that_has_ended_is_said_to_be_gone,
        congestion::congestion_control_is_agreed_on_as_a_sender_and_as_an_inbox,
        address::the_address_outlives_the_process_and_is_reachable_at_once_again,
        address::every_thread_is_held_to_writing_in_the_state_directory_alone,
        address::an_ephemeral_address_is_another_each_time_and_leaves_no_file,
        kept::an_address_from_a_backup_answers_from_another_directory,
        failure::a_name_that_nobody_has_is_said_to_be_unpublished,
        failure::a_port_without_an_inbox_is_said_to_be_one,
        failure::a_relay_that_is_gone_is_said_not_to_answer,
        failure::a_relay_that_starts_meanwhile_is_found,
        failure::a_closed_inbox_opens_only_to_those_with_a_key,
        limits::a_circuit_with_too_many_streams_is_closed_and_no_other,
        page::browsers_find_the_page_at_their_own_port_if_there_is_one,
        forgotten::a_message_is_in_memory_once_and_deleted_nowhere,
        calls::the_kernel_sees_nothing_but_tor_and_files_that_go_away,
    );
}

#[test]
fn whatever_happens_to_the_network_the_owner_is_told_and_the_relay_is_reachable_again() {
    let mut trouble = Trouble::begin();
    play!(
        &mut trouble,
        faults::a_network_that_comes_later_is_found,
        faults::a_network_that_goes_away_is_missed_and_found_again,
        faults::a_guard_that_dies_is_replaced,
        faults::without_directory_authorities_all_goes_on,
        faults::a_process_that_was_stopped_for_a_minute_goes_on,
        clock::a_clock_that_is_an_hour_off_is_no_hindrance,
        clock::a_clock_that_is_days_off_is_told_and_may_be_set_right,
    );
}
