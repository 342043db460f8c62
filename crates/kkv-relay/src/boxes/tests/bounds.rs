//! How many boxes there are at most, which one ends for another, and that a look does the same work whatever is there.

use std::cell::Cell;

use super::*;
use kkv_protocol::v2::answers::MAX_ENTRIES;

/// So many boxes at most, beside a queue that would let there be more.
const BOUND: usize = 8;
const MANY_SLOTS: u32 = 20;

#[test]
fn however_large_the_queue_is_boxes_are_bounded_and_the_owner_is_told_which_were_pushed_out() {
    let side = Side::with_bound(BOUND, MANY_SLOTS);
    let version = |side: &Side| *side.queue.watch().borrow();
    let ids: Vec<MessageId> = (0..MANY_SLOTS as u8)
        .map(|words| side.accept(opens(words, 1)).unwrap())
        .collect();
    assert_eq!(side.boxes.counts(), (BOUND, 0));
    let (pushed_out, there) = ids.split_at(ids.len() - BOUND);
    for id in pushed_out {
        assert_eq!(side.answer(*id, "too late"), Err(CantReply::PushedOut));
    }
    // Half of the boxes may have answers waiting, so that there is always one that can end.
    let (answered, others) = there.split_at(BOUND / 2);
    for id in answered {
        side.answer(*id, "waits").unwrap();
    }
    // The first of those that were answered is the one whose answer has waited longest.
    let conversation = pushed_out.len() as u64 + 1;
    assert_eq!(
        side.answer(others[0], "more"),
        Err(CantReply::NoPlace {
            conversation,
            waiting: 1,
            since: 1000,
        })
    );
    let before = version(&side);
    for (words, id) in (100..).zip(pushed_out) {
        side.queue.delete(*id, Duration::ZERO);
        side.accept(opens(words, 1)).unwrap();
    }
    assert_eq!(side.boxes.counts(), (BOUND, BOUND / 2));
    let told_anew = side
        .queue
        .changes(Some(before), Duration::ZERO, |message| message.id);
    assert!(others.iter().all(|id| told_anew.shown.contains(id)));
    for id in others {
        assert_eq!(side.answer(*id, "too late"), Err(CantReply::PushedOut));
    }
}

#[test]
fn who_writes_on_has_not_waited_less_for_it() {
    let mut side = Side::with_bound(2 * 3, MANY_SLOTS);
    let open = |side: &Side, words| side.accept(opens(words, 1)).unwrap();
    let occupant = open(&side, 1);
    for seconds in 1..=2 {
        side.seconds = seconds;
        side.answer(occupant, "nobody fetches it").unwrap();
    }
    side.seconds = 3;
    let (honest, third) = (open(&side, 2), open(&side, 3));
    side.answer(honest, "waits for its sender").unwrap();
    let full = CantReply::NoPlace {
        conversation: 1,
        waiting: 2,
        since: 1001,
    };
    assert_eq!(side.answer(third, "no place"), Err(full));
    side.seconds = 4;
    side.accept(follows_up(1, 2, &SESSION)).unwrap();
    assert_eq!(side.answer(third, "no place"), Err(full));
    let waiting = |number| side.boxes.waiting(number, &side.queue, side.now());
    assert_eq!(waiting(1), Some((2, Some(1001))));
    assert_eq!(waiting(3), Some((0, None)));
    assert_eq!(waiting(4), None);
}

#[test]
fn when_a_box_ends_is_said_alike_at_every_look() {
    let mut side = Side::new();
    side.accept(opens(1, 1)).unwrap();
    for tenths in 0..10 {
        side.fraction = Duration::from_millis(100 * tenths);
        let told = side.ask(1, &[], false).unwrap();
        assert_eq!(told.status.ends, 1000 + LIFE, "{tenths}");
    }
}

#[test]
fn one_whose_messages_are_gone_ends_before_an_older_one_that_has_some() {
    let mut side = Side::with_bound(BOUND, MANY_SLOTS);
    let ids: Vec<MessageId> = (0..BOUND as u8)
        .map(|words| side.accept(opens(words, 1)).unwrap())
        .collect();
    // Two messages, of which one is left: the older one, then the newer one.
    for (words, gone) in [(4, false), (5, true)] {
        let newer = side.accept(follows_up(words, 2, &SESSION)).unwrap();
        let gone = if gone { ids[usize::from(words)] } else { newer };
        side.queue.delete(gone, Duration::ZERO);
    }
    side.queue.delete(ids[6], Duration::ZERO);
    side.accept(opens(100, 1)).unwrap();
    let there: Vec<bool> = (0..BOUND as u8)
        .map(|words| side.ask(words, &[], false).is_some())
        .collect();
    let expected: Vec<bool> = (0..BOUND).map(|words| words != 6).collect();
    assert_eq!(there, expected);
}

#[test]
fn the_names_of_messages_that_are_gone_are_dropped_bit_by_bit() {
    let side = Side::new();
    let first = side.accept(opens(1, 0)).unwrap();
    for salt in 1..200 {
        let id = side.accept(follows_up(1, salt, &SESSION)).unwrap();
        side.queue.delete(id, Duration::ZERO);
        let names = crate::lock(&side.boxes.table).messages_in(1);
        assert!(names.len() <= 6 && names[0] == first, "{names:?}");
    }
}

#[test]
fn a_look_does_as_much_for_nobody_as_for_a_box() {
    let side = Side::with_bound(BOUND, MANY_SLOTS);
    let mut last = side.accept(opens(1, 0)).unwrap();
    side.accept(opens(2, 0)).unwrap();
    for salt in 1..=MAX_ENTRIES as u8 {
        last = side.accept(follows_up(2, salt, &SESSION)).unwrap();
    }
    side.answer(last, "waits").unwrap();
    let table = crate::lock(&side.boxes.table);
    for (found, entries, waiting) in [(None, 16, 4), (Some(1), 1, 0), (Some(2), 16, 1)] {
        let looked = Cell::new(0);
        let told = table.tell(found, true, |_| {
            looked.set(looked.get() + 1);
            Some(false)
        });
        assert_eq!(looked.get(), MAX_ENTRIES, "{found:?}");
        assert_eq!(told.status.entries.len(), entries);
        assert_eq!(usize::from(told.status.waiting), waiting);
        let copied = told
            .waiting
            .map(|answer| answer.sealed.iter().any(|byte| *byte != 0));
        let real = copied.iter().filter(|is_real| **is_real).count();
        assert_eq!((copied.len(), real), (MAX_WAITING, waiting % MAX_WAITING));
    }
}
