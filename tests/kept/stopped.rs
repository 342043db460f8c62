//! The relay stops, anywhere in a delivery: what the sender is told is what was true when it stopped.

use std::sync::{Arc, Mutex};

use kkv_client::sender::Failure;
use kkv_protocol::suite::SuitePolicy;

use super::sweep::{Sweep, TEXT, relay, settle, sweeps, undisturbed, varied};
use crate::cut::{Cut, CutLine, End, Then};
use crate::in_process::send;

/// Stops the relay at each position; the line goes on, or ends with the relay.
async fn tells_the_truth(sweep: Sweep, line_ends: bool) {
    let lengths = undisturbed(sweep.suite).await;
    for after in sweep.positions(lengths) {
        let plain = varied(sweep.way, after);
        let end = if line_ends { plain.end } else { End::Unhurt };
        let cut = Cut { end, ..plain };
        let then = if line_ends { Then::NoDial } else { Then::Works };

        let relay = relay(sweep.suite);
        let held = Arc::new(Mutex::new(None));
        let (stopping, note) = (Arc::clone(&relay.relay), Arc::clone(&held));
        let line = CutLine::new(&relay, [cut], then).at_strike(move || {
            let occupancy = stopping.queue().occupancy(stopping.now().elapsed);
            stopping.close();
            *note.lock().expect("no holder panics") = Some(occupancy.stored);
        });
        let result = send(&line, SuitePolicy::Only(sweep.suite), TEXT).await;
        settle().await;

        let held = *held.lock().expect("no holder panics");
        let texts = relay.texts();
        match (held, &result) {
            (Some(1), Ok(_)) => assert!(texts.is_empty(), "{cut:?}: not wiped"),
            (Some(0), Err(Failure::Indeterminate(doubt)))
            | (Some(1), Err(Failure::Indeterminate(doubt))) => {
                assert!(line_ends, "{cut:?}: {doubt:?}, though every answer came");
                assert!(line.taken()[0] >= lengths.whole[0], "{cut:?}: {doubt:?}");
                assert!(texts.is_empty(), "{cut:?}: stored after the end");
            }
            (Some(0), Err(_)) => assert!(texts.is_empty(), "{cut:?}: stored after the end"),
            (None, Ok(_)) => assert_eq!(texts, [TEXT], "{cut:?}"),
            (held, result) => panic!("{cut:?}: held {held:?}, but the sender heard {result:?}"),
        }
        let occupancy = relay.relay.queue().occupancy(relay.relay.now().elapsed);
        if held.is_some() {
            assert_eq!(
                (occupancy.capacity, occupancy.stored, occupancy.reserved),
                (0, 0, 0)
            );
        }
    }
}

sweeps! {
    tells_the_truth;

    a_kkv1_sender_knows_what_a_relay_did_that_stopped_while_it_spoke: (false) V1 ToRelay from 0 by 1;
    a_kkv1_sender_knows_what_a_relay_did_that_stopped_while_it_listened: (false) V1 ToSender from 0 by 1;
    a_kkv2_sender_knows_what_a_relay_did_that_stopped_while_it_spoke: (false) V2 ToRelay from 0 by 29;
    a_kkv2_sender_knows_what_a_relay_did_that_stopped_while_it_listened: (false) V2 ToSender from 0 by 13;
    a_kkv1_sender_knows_what_a_relay_did_that_went_with_its_line_while_it_spoke: (true) V1 ToRelay from 0 by 1;
    a_kkv1_sender_knows_what_a_relay_did_that_went_with_its_line_while_it_listened: (true) V1 ToSender from 0 by 1;
    a_kkv2_sender_knows_what_a_relay_did_that_went_with_its_line_while_it_spoke: (true) V2 ToRelay from 0 by 29;
    a_kkv2_sender_knows_what_a_relay_did_that_went_with_its_line_while_it_listened: (true) V2 ToSender from 0 by 13;
}
