//! The line is cut, anywhere, and never comes back: the sender is told what is true, and "in doubt" only where nobody
//! could know better.
//!
//! kkv/1 at every byte. A kkv/2 delivery takes four times as long in a debug build: its every byte is in `cut_again`.

use kkv_client::sender::Failure;

use super::sweep::{Sweep, deliver, sweeps, undisturbed, varied};
use crate::cut::{Cut, End, Then};

/// Cuts for good at each position and asks for the truth each time.
async fn tells_the_truth(sweep: Sweep, then: Then, end: Option<End>) {
    let lengths = undisturbed(sweep.suite).await;
    for after in sweep.positions(lengths) {
        let plain = varied(sweep.way, after);
        let cut = Cut {
            end: end.unwrap_or(plain.end),
            ..plain
        };
        let outcome = deliver(sweep.suite, [cut], then).await;
        outcome.assert_truthful(&cut);
        let all_taken = outcome.taken[0] >= lengths.whole[0];
        match &outcome.result {
            Ok(_) => assert_eq!(outcome.taken, lengths.whole, "{cut:?}"),
            Err(Failure::Indeterminate(doubt)) => assert!(
                all_taken,
                "{cut:?}: {doubt:?}, though the line never took the whole message"
            ),
            Err(fault) => assert!(
                outcome.struck == 1 && (!all_taken || end == Some(End::Silent)),
                "{cut:?}: {fault:?} of an undisturbed delivery"
            ),
        }
    }
}

sweeps! {
    tells_the_truth;

    a_kkv1_sender_cut_off_at_any_byte_to_the_relay_knows: (Then::NoDial, None) V1 ToRelay from 0 by 1;
    a_kkv1_sender_cut_off_at_any_byte_to_the_sender_knows: (Then::NoDial, None) V1 ToSender from 0 by 1;
    a_kkv2_sender_cut_off_at_every_eleventh_byte_to_the_relay_knows: (Then::NoDial, None) V2 ToRelay from 0 by 11;
    a_kkv2_sender_cut_off_at_every_seventh_byte_to_the_sender_knows: (Then::NoDial, None) V2 ToSender from 0 by 7;

    a_kkv1_sender_whose_connections_all_end_at_once_knows_to_the_relay:
        (Then::Dead(End::Closed), None) V1 ToRelay from 0 by 1;
    a_kkv1_sender_whose_connections_all_end_at_once_knows_to_the_sender:
        (Then::Dead(End::Reset), None) V1 ToSender from 0 by 1;
    a_kkv2_sender_whose_connections_all_end_at_once_knows_to_the_relay:
        (Then::Dead(End::Reset), None) V2 ToRelay from 0 by 41;
    a_kkv2_sender_whose_connections_all_end_at_once_knows_to_the_sender:
        (Then::Dead(End::Closed), None) V2 ToSender from 0 by 17;

    a_kkv1_sender_whose_line_falls_silent_for_good_knows_to_the_relay:
        (Then::Dead(End::Silent), Some(End::Silent)) V1 ToRelay from 0 by 1;
    a_kkv1_sender_whose_line_falls_silent_for_good_knows_to_the_sender:
        (Then::Dead(End::Silent), Some(End::Silent)) V1 ToSender from 0 by 1;
    a_kkv2_sender_whose_line_falls_silent_for_good_knows_to_the_relay:
        (Then::Dead(End::Silent), Some(End::Silent)) V2 ToRelay from 0 by 41;
    a_kkv2_sender_whose_line_falls_silent_for_good_knows_to_the_sender:
        (Then::Dead(End::Silent), Some(End::Silent)) V2 ToSender from 0 by 17;
}
