//! "RAM only": of a message that the relay didn't take, or was sent twice, nothing is left in its memory that should
//! not be there.

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, Stage, texts, way};
use super::stranger::{Flaw, Stranger};

/// Messages that are sealed as they should be, so that the relay opens them, and then finds a fault inside.
fn flawed(suite: &str) {
    for run in 0..RUNS {
        let stage = Stage::new(&way(run));
        let stranger = || Stranger::new(stage.relay.address(), suite);
        let flaws = Flaw::of(suite);
        let strangers: Vec<_> = flaws.iter().map(|_| stranger()).collect();
        let sessions: Vec<_> = strangers.iter().map(Stranger::open).collect();
        let short = flaws.iter().map(|_| Marker::text(60));
        let long = flaws.iter().map(|_| Marker::text(2900));
        let markers: Vec<_> = short.chain(long).collect();
        for (number, marker) in markers.iter().enumerate() {
            let which = number % flaws.len();
            let body = sessions[which].message(marker, flaws[which]);
            let (status, said) = strangers[which].send(&body);
            let refused = (400..500).contains(&status);
            assert!(refused, "{:?}: {status} {said}", flaws[which]);
        }
        // Each slot still waits for a message, and is empty.
        must_be_nowhere(&stage.scan(&markers));

        let right = Marker::text(2900);
        let body = sessions[0].message(&right, Flaw::None);
        assert_eq!(strangers[0].send(&body).0, 200);
        stage.holds_each_once(&[right]);
    }
}

#[test]
fn of_a_kkv1_message_that_is_refused_for_what_is_inside_nothing_stays_in_memory() {
    flawed("1");
}

#[test]
fn of_a_kkv2_message_that_is_refused_for_what_is_inside_nothing_stays_in_memory() {
    flawed("2");
}

/// Messages that come garbled, after their session, again and again, or where there is no room.
fn at_the_wrong_time(suite: &str) {
    for run in 0..RUNS {
        let stage = Stage::new(&[&way(run)[..], &["-m", "2"]].concat());
        let texts = texts(suite);
        let [garbled, late, twice, full] = &texts;
        let stranger = || Stranger::new(stage.relay.address(), suite);

        let (one, other) = (stranger(), stranger());
        let (session, ended) = (one.open(), other.open());
        assert_eq!(one.send(&session.garbled(garbled)).0, 401);
        stage.run(&["wipe", "--yes"]);
        let too_late = ended.message(late, Flaw::None);
        assert_eq!(other.send(&too_late).0, 401);
        must_be_nowhere(&stage.scan(&texts[..2]));

        let sender = stranger();
        let session = sender.open();
        let body = session.message(twice, Flaw::None);
        let first = sender.send(&body);
        assert_eq!(first.0, 200, "{}", first.1);
        assert_eq!(sender.send(&body), first);
        let sessions = [one.open()];
        let sent = stage
            .relay
            .send(["-", "--suite", suite])
            .stdin(full.bytes());
        sent.finish().must_end_with(4);
        must_be_nowhere(&stage.scan(std::slice::from_ref(full)));
        stage.holds_each_once(std::slice::from_ref(twice));

        let number = stage.numbers(std::slice::from_ref(twice)).remove(0);
        stage.run(&["delete", &number, "--yes"]);
        assert_eq!(sender.send(&body), first, "its answer is still known");
        must_be_nowhere(&stage.scan(&texts));
        must_be_nowhere(&stage.scan(&sender.public()));
        drop(sessions);
    }
}

#[test]
fn of_a_kkv1_message_that_comes_garbled_late_twice_or_to_a_full_inbox_nothing_stays_in_memory() {
    at_the_wrong_time("1");
}

#[test]
fn of_a_kkv2_message_that_comes_garbled_late_twice_or_to_a_full_inbox_nothing_stays_in_memory() {
    at_the_wrong_time("2");
}
