//! The line is cut once, anywhere, and comes back: every step may be repeated, so the message always arrives, once.
//!
//! kkv/1 at every byte. A kkv/2 delivery takes four times as long in a debug build: its every byte is in `cut_again`.

use super::sweep::{Sweep, deliver, sweeps, undisturbed, varied};
use crate::cut::{Cut, End, Then};

/// Cuts once at each position, in the way that `shape` makes of a plain cut, and asks for the message each time.
async fn arrives(sweep: Sweep, shape: fn(Cut) -> Cut) {
    let lengths = undisturbed(sweep.suite).await;
    for after in sweep.positions(lengths) {
        let cut = shape(varied(sweep.way, after));
        let outcome = deliver(sweep.suite, [cut], Then::Works).await;
        outcome.assert_delivered(&cut);
        let inside = after < lengths.whole[sweep.way as usize];
        assert!(!inside || outcome.struck == 1, "{cut:?} did not strike");
    }
}

/// The line works again at once.
fn plain(cut: Cut) -> Cut {
    cut
}

/// The line works again after two more attempts.
fn two_dials_fail(cut: Cut) -> Cut {
    Cut {
        failed_dials: 2,
        ..cut
    }
}

/// Nobody is told that the line is cut.
fn silent(cut: Cut) -> Cut {
    Cut {
        end: End::Silent,
        ..cut
    }
}

sweeps! {
    arrives;

    a_kkv1_message_survives_a_cut_at_any_byte_to_the_relay: (plain) V1 ToRelay from 0 by 1;
    a_kkv1_message_survives_a_cut_at_any_byte_to_the_sender: (plain) V1 ToSender from 0 by 1;
    a_kkv2_message_survives_a_cut_at_every_eleventh_byte_to_the_relay: (plain) V2 ToRelay from 0 by 11;
    a_kkv2_message_survives_a_cut_at_every_seventh_byte_to_the_sender: (plain) V2 ToSender from 0 by 7;

    a_kkv1_message_survives_a_line_that_takes_its_time_to_come_back_on_its_way_to_the_relay:
        (two_dials_fail) V1 ToRelay from 0 by 1;
    a_kkv1_message_survives_a_line_that_takes_its_time_to_come_back_on_its_way_to_the_sender:
        (two_dials_fail) V1 ToSender from 0 by 1;
    a_kkv2_message_survives_a_line_that_takes_its_time_to_come_back_on_its_way_to_the_relay:
        (two_dials_fail) V2 ToRelay from 0 by 41;
    a_kkv2_message_survives_a_line_that_takes_its_time_to_come_back_on_its_way_to_the_sender:
        (two_dials_fail) V2 ToSender from 0 by 17;

    a_kkv1_message_survives_a_line_that_falls_silent_on_its_way_to_the_relay: (silent) V1 ToRelay from 0 by 1;
    a_kkv1_message_survives_a_line_that_falls_silent_on_its_way_to_the_sender: (silent) V1 ToSender from 0 by 1;
    a_kkv2_message_survives_a_line_that_falls_silent_on_its_way_to_the_relay: (silent) V2 ToRelay from 0 by 41;
    a_kkv2_message_survives_a_line_that_falls_silent_on_its_way_to_the_sender: (silent) V2 ToSender from 0 by 17;
}
