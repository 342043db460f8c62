//! The line is cut at several attempts in a row at one step, each one byte further than the one before, so that every
//! byte of every step is cut at: three times, and the message arrives; four times, and the sender is told what is true.

use kkv_base::limits::ATTEMPTS;
use kkv_client::sender::{Failure, Indeterminate};
use kkv_protocol::suite::Suite;

use super::sweep::{Lengths, deliver, undisturbed, varied};
use crate::cut::{Cut, Then, Way};

/// A part of a delivery that is repeated as a whole when it is cut: where it starts, and how long it is, one way.
#[derive(Debug, Clone, Copy)]
struct Step {
    start: u64,
    length: u64,
    is_message: bool,
}

/// The steps of kkv/2, one way.
fn steps(lengths: Lengths, way: Way) -> [Step; 3] {
    let marks = [
        [0, 0],
        lengths.before_exchange,
        lengths.before_message,
        lengths.whole,
    ];
    [0, 1, 2].map(|step| Step {
        start: marks[step][way as usize],
        length: marks[step + 1][way as usize] - marks[step][way as usize],
        is_message: step == 2,
    })
}

impl Step {
    /// Cuts at `offset` from the start of the step and, at the next attempts, one byte further each.
    fn cuts(self, way: Way, offset: u64, number: u32) -> Vec<Cut> {
        let before = |cut| if cut == 0 { self.start } else { 0 };
        (0..u64::from(number))
            .map(|cut| varied(way, before(cut) + offset + cut))
            .collect()
    }

    /// First offsets of rows of `number` cuts that reach every byte, of which the test of this part has its share.
    fn offsets(self, number: u32, part: usize, parts: usize) -> impl Iterator<Item = u64> {
        let rows = (0..=self.length).step_by(number as usize);
        rows.skip(part).step_by(parts)
    }
}

async fn arrives(way: Way, part: usize, parts: usize) {
    let number = ATTEMPTS - 1;
    let lengths = undisturbed(Suite::V2).await;
    for step in steps(lengths, way) {
        for offset in step.offsets(number, part, parts) {
            let cuts = step.cuts(way, offset, number);
            let outcome = deliver(Suite::V2, cuts.clone(), Then::Works).await;
            outcome.assert_delivered(&cuts);
            let inside = offset + u64::from(number) <= step.length;
            assert!(
                !inside || outcome.struck == number,
                "{cuts:?} did not strike"
            );
        }
    }
}

async fn tells_the_truth(way: Way, part: usize, parts: usize) {
    let lengths = undisturbed(Suite::V2).await;
    for step in steps(lengths, way) {
        for offset in step.offsets(ATTEMPTS, part, parts) {
            let cuts = step.cuts(way, offset, ATTEMPTS);
            let outcome = deliver(Suite::V2, cuts.clone(), Then::NoDial).await;
            outcome.assert_truthful(&cuts);
            // The last row of a step can go on into the next one.
            let inside = offset + u64::from(ATTEMPTS) <= step.length;
            match &outcome.result {
                Ok(_) => assert!(outcome.struck < ATTEMPTS, "{cuts:?}"),
                Err(Failure::Indeterminate(doubt)) => {
                    let arrived = step.is_message && way == Way::ToSender;
                    assert!(arrived || !inside, "{cuts:?}: {doubt:?}");
                    assert_eq!(*doubt, Indeterminate::Lost, "{cuts:?}");
                }
                Err(fault) => assert!(
                    !(step.is_message && way == Way::ToSender),
                    "{cuts:?}: {fault:?}, though the relay has the message"
                ),
            }
        }
    }
}

macro_rules! rows {
    ($($name:ident: $check:ident $way:ident $part:literal of $parts:literal;)+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            $check(Way::$way, $part - 1, $parts).await;
        }
    )+};
}

rows! {
    a_message_survives_three_cuts_in_a_row_at_any_byte_to_the_relay_part_1_of_3: arrives ToRelay 1 of 3;
    a_message_survives_three_cuts_in_a_row_at_any_byte_to_the_relay_part_2_of_3: arrives ToRelay 2 of 3;
    a_message_survives_three_cuts_in_a_row_at_any_byte_to_the_relay_part_3_of_3: arrives ToRelay 3 of 3;
    a_message_survives_three_cuts_in_a_row_at_any_byte_to_the_sender: arrives ToSender 1 of 1;
    a_sender_cut_at_every_attempt_at_any_byte_to_the_relay_knows_part_1_of_2: tells_the_truth ToRelay 1 of 2;
    a_sender_cut_at_every_attempt_at_any_byte_to_the_relay_knows_part_2_of_2: tells_the_truth ToRelay 2 of 2;
    a_sender_cut_at_every_attempt_at_any_byte_to_the_sender_knows: tells_the_truth ToSender 1 of 1;
}
