//! Several messages at once: numbers, ranges of them, and what is said of those that aren't there.

use serde_json::{Value, json};

use crate::programs::Relay;

/// A relay with so many messages, `m1`, `m2`, …
fn relay_with(messages: usize) -> Relay {
    let relay = Relay::start(&[]);
    for number in 1..=messages {
        relay.deliver(format!("m{number}").as_bytes());
    }
    relay
}

fn ids(relay: &Relay) -> Vec<u64> {
    let list = relay.list();
    list.iter()
        .map(|m| m["id"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn a_range_is_whatever_is_in_it() {
    let relay = relay_with(6);
    relay.owner(["delete", "3", "-y"]).finish().must_end_with(0);
    let marked = relay.owner(["mark", "2-4", "6"]).finish();
    assert_eq!(marked.must_end_with(0).stderr, "Marked as read: 2, 4, 6.\n");
    let deleted = relay.owner(["delete", "2-5", "4-6", "-y"]).finish();
    let deleted = deleted.must_end_with(0);
    assert_eq!(deleted.stderr, "Deleted and wiped: 2, 4, 5, 6.\n");
    assert_eq!(ids(&relay), [1]);
}

#[test]
fn reading_several_shows_each_as_it_would_be_shown_alone() {
    let relay = relay_with(3);
    let all = relay.owner(["read", "3", "1-2"]).finish();
    let all = all.must_end_with(0).stdout_text();
    assert!(relay.list().iter().all(|message| message["read"] == true));
    let alone = ["3", "1", "2"].map(|id| relay.owner(["read", id]).finish().stdout_text());
    assert_eq!(all, alone.join("\n"));
    let lines = relay.owner(["read", "1-9", "--json"]).finish();
    let lines = lines.must_end_with(0).stdout_text();
    let texts: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["text"].clone())
        .collect();
    assert_eq!(texts, ["m1", "m2", "m3"]);
}

#[test]
fn what_is_missing_is_said_and_what_is_there_is_done() {
    let relay = relay_with(2);
    let read = relay.owner(["read", "1", "8", "2"]).finish();
    let read = read.must_end_with(1).must_say("there is no message 8");
    assert!(read.stdout_text().ends_with("│ m2\n"));
    for command in [&["read"][..], &["mark"], &["delete", "--yes"]] {
        let words = [command, &["7-9", "5"]].concat();
        let none = relay.owner(words).finish();
        let none = none.must_end_with(1);
        let none = none.must_say("there are no messages 7-9, 5");
        assert!(none.stdout.is_empty());
    }
    let outcome = relay
        .owner(["delete", "-y", "2-8", "9-12", "--json"])
        .finish();
    let outcome = outcome
        .must_end_with(1)
        .must_say("there are no messages 9-12");
    let want = json!({"schema": 1, "done": [2], "missing": []});
    assert_eq!(outcome.json(), want);
    assert_eq!(ids(&relay), [1]);
}

#[test]
fn if_one_word_is_no_number_it_is_named_and_nothing_is_done() {
    let relay = relay_with(3);
    for bad in [
        "x",
        "3-1",
        "1-",
        "1-2-3",
        "-2",
        "1,3",
        "1-99999999999999999999",
    ] {
        for command in ["read", "mark", "delete"] {
            let refused = relay.owner([command, "1", bad, "3"]).finish();
            let refused = refused.must_end_with(2).must_say(&format!("'{bad}'"));
            assert!(refused.stdout.is_empty());
        }
    }
    assert_eq!(ids(&relay), [1, 2, 3]);
    assert!(relay.list().iter().all(|message| message["read"] == false));
}

#[test]
fn the_longest_range_costs_what_is_in_it() {
    let relay = relay_with(2);
    let all = "0-18446744073709551615";
    let many = [&["mark"][..], &[all; 1000]].concat();
    let marked = relay.owner(many).finish().must_end_with(0);
    assert_eq!(marked.stderr, "Marked as read: 1, 2.\n");
}

#[test]
fn the_question_counts_what_a_range_has_in_it_now() {
    let relay = relay_with(3);
    let mut terminal = relay.owner(["delete", "2-9"]).start_on(60, 12);
    terminal.wait_for("Delete 2 messages? It can't be undone. [y/N] ");
    relay.deliver(b"m4"); // was not in the question
    terminal.press("y\n");
    assert_eq!(terminal.finish().0, Some(0));
    assert_eq!(ids(&relay), [1, 4]);
}

#[test]
fn raw_text_is_that_of_one_message() {
    let relay = relay_with(2);
    for words in [&["read", "--raw", "1", "2"][..], &["read", "--raw", "1-2"]] {
        let refused = relay.owner(words).finish();
        let refused = refused.must_end_with(2).must_say("name one message");
        assert!(refused.stdout.is_empty());
    }
    let one = relay.owner(["read", "--raw", "2-2"]).finish();
    assert_eq!(one.must_end_with(0).stdout_text(), "m2");
}
