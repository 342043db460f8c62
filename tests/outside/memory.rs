//! "RAM only": a message is in the relay's memory once, in its slot; deleted, wiped or expired it is nowhere, not even
//! 16 bytes of it.

use serde_json::Value;

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, Stage, texts, way};
use crate::programs::until;

/// What names the sender of the message `number`: its key and its signature, which an export shows.
fn sender(stage: &Stage, number: &str) -> Vec<Marker> {
    let export: Value = serde_json::from_str(&stage.run(&["export", number])).expect("JSON");
    let named = |field: &str| {
        let hex = export[field].as_str().expect("hex");
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes());
        let name = format!("the {field} of message {number}");
        Marker::with_hex(&name, &bytes.expect("hex"))
    };
    [named("sender"), named("signature")].concat()
}

/// Everything that an owner does with a message before it is deleted.
fn looked_at(stage: &Stage, number: &str, text: &Marker) {
    let read = stage.run(&["read", number]);
    assert!(read.contains(text.as_str()), "{read}");
    for command in [&["read", number, "--json"][..], &["export", number]] {
        let shown: Value = serde_json::from_str(&stage.run(command)).expect("JSON");
        assert_eq!(shown["text"], text.as_str());
    }
    stage.run(&["list"]);
    stage.run(&["mark", number, "--unread"]);
}

fn whole_life(suite: &str) {
    for run in 0..RUNS {
        let stage = Stage::new(&way(run));
        let texts = texts(suite);
        stage.deliver(suite, &texts);
        stage.holds_each_once(&texts);

        let numbers = stage.numbers(&texts);
        std::thread::scope(|scope| {
            for (number, text) in numbers.iter().zip(&texts) {
                scope.spawn(|| looked_at(&stage, number, text));
            }
        });
        stage.holds_each_once(&texts);
        let senders: Vec<_> = numbers.iter().map(|n| sender(&stage, n)).collect();
        let found = stage.scan(&senders.concat());
        // The key and the signature as they are stand beside the slot; nowhere is there any hex.
        for [plain, hex @ ..] in found.as_chunks::<3>().0 {
            plain.must_be_one_copy();
            must_be_nowhere(hex);
        }

        // Two go and two stay: what is searched is the right memory to the end.
        let ([first, second], others) = numbers.split_at(2) else {
            unreachable!("there are four");
        };
        stage.run(&["delete", first, second, "--yes"]);
        must_be_nowhere(&stage.scan(&texts[..2]));
        must_be_nowhere(&stage.scan(&senders[..2].concat()));
        stage.holds_each_once(&texts[2..]);
        assert_eq!(others.len(), 2);

        stage.run(&["wipe", "--yes"]);
        must_be_nowhere(&stage.scan(&texts));
        must_be_nowhere(&stage.scan(&senders.concat()));
    }
}

#[test]
fn a_kkv1_message_is_in_memory_once_however_often_it_is_read_and_deleted_or_wiped_nowhere() {
    whole_life("1");
}

#[test]
fn a_kkv2_message_is_in_memory_once_however_often_it_is_read_and_deleted_or_wiped_nowhere() {
    whole_life("2");
}

/// Twenty relays that live at once, each with messages of its own: waiting is what takes time here.
fn twenty(suite: &str, arguments: &[&str]) -> Vec<(Stage, [Marker; 4])> {
    let stages = (0..RUNS).map(|run| {
        let stage = Stage::new(&[&way(run), arguments].concat());
        let texts = texts(suite);
        std::thread::scope(|scope| {
            for text in &texts {
                let deliver = || {
                    stage
                        .relay
                        .deliver_between_wipes(&["--suite", suite], text.bytes());
                };
                scope.spawn(deliver);
            }
        });
        (stage, texts)
    });
    stages.collect()
}

fn expired(suite: &str) {
    for (stage, texts) in twenty(suite, &["--ttl", "1s"]) {
        // Nobody asks for anything: what is due is wiped all the same.
        until("the messages to leave memory", || {
            stage.scan(&texts).iter().all(|found| found.copies() == 0)
        });
        must_be_nowhere(&stage.scan(&texts));
        assert!(stage.relay.list().is_empty());
    }
}

#[test]
fn a_kkv1_message_that_has_expired_is_nowhere_in_memory_even_if_nobody_asks() {
    expired("1");
}

#[test]
fn a_kkv2_message_that_has_expired_is_nowhere_in_memory_even_if_nobody_asks() {
    expired("2");
}

fn abandoned(suite: &str) {
    for (stage, texts) in twenty(suite, &["--wipe-after", "10s"]) {
        until("the messages to leave memory", || {
            stage.scan(&texts).iter().all(|found| found.copies() == 0)
        });
        must_be_nowhere(&stage.scan(&texts));
        let told = "messages wiped: ";
        let process = stage.relay.process();
        process.wait_for_stdout(told, |out| out.contains(told));
    }
}

#[test]
fn kkv1_messages_whose_owner_stays_away_too_long_are_nowhere_in_memory() {
    abandoned("1");
}

#[test]
fn kkv2_messages_whose_owner_stays_away_too_long_are_nowhere_in_memory() {
    abandoned("2");
}
