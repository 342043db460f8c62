//! The owner's commands: list, read, mark, delete and status.

use crate::programs::{Relay, kkvc};

fn relay_with(texts: &[&str]) -> Relay {
    let relay = Relay::start(&[]);
    for text in texts {
        relay.deliver(text.as_bytes());
    }
    relay
}

fn ids(relay: &Relay) -> Vec<u64> {
    relay
        .list()
        .iter()
        .map(|m| m["id"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn list_shows_everything_but_the_text() {
    let relay = relay_with(&[]);
    let empty = relay.owner(["list"]).finish().must_end_with(0);
    assert_eq!((&*empty.stderr, empty.stdout.len()), ("No messages.\n", 0));
    relay.deliver(b"a secret");
    relay
        .send(["-m", "another", "--suite", "1"])
        .finish()
        .must_end_with(0);
    let list = relay
        .owner(["list"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        ["ID", "RECEIVED", "FROM", "BYTES", "COST", "SUITE"]
    );
    assert_eq!((lines[1][0], lines[1][1]), ("1", "*"));
    assert_eq!(lines[1][lines[1].len() - 3..], ["8", "4", "kkv/2"]);
    assert_eq!(lines[2][lines[2].len() - 3..], ["7", "4", "kkv/1"]);
    assert!(!list.contains("secret"));
    assert!(list.lines().all(|line| line.len() <= 80), "{list}");
}

#[test]
fn reading_shows_the_message_and_marks_it() {
    let relay = relay_with(&["line one\nline two"]);
    assert_eq!(relay.list()[0]["read"], false);
    let shown = relay
        .owner(["read", "1"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    let (head, text) = shown.split_once("\n\n").unwrap();
    assert!(head.starts_with("Message   1\nReceived  "), "{shown}");
    assert_eq!(text, "│ line one\n│ line two\n");
    assert_eq!(relay.list()[0]["read"], true);
}

#[test]
fn marks_can_be_set_and_taken_away() {
    let relay = relay_with(&["a", "b"]);
    let marked = relay.owner(["mark", "1", "2"]).finish().must_end_with(0);
    assert_eq!(marked.stderr, "Marked as read: 1, 2.\n");
    let unmarked = relay
        .owner(["mark", "2", "--unread"])
        .finish()
        .must_end_with(0);
    assert_eq!(unmarked.stderr, "Marked as unread: 2.\n");
    let marks: Vec<_> = relay
        .list()
        .iter()
        .map(|message| message["read"].clone())
        .collect();
    assert_eq!(marks, [true, false]);
}

#[test]
fn deleting_one_leaves_the_others_and_their_numbers() {
    let relay = relay_with(&["a", "b", "c"]);
    let deleted = relay.owner(["delete", "2", "-y"]).finish().must_end_with(0);
    assert_eq!(deleted.stderr, "Deleted and wiped: 2.\n");
    assert_eq!(ids(&relay), [1, 3]);
    relay.deliver(b"d");
    assert_eq!(ids(&relay), [1, 3, 4]);
    assert_eq!(relay.text(4), "d");
}

#[test]
fn a_number_that_is_not_there_ends_with_1() {
    let relay = relay_with(&["a"]);
    for command in [
        &["read", "7"][..],
        &["mark", "7"],
        &["delete", "7", "-y"],
        &["export", "7"],
    ] {
        let outcome = relay.owner(command).finish().must_end_with(1);
        assert!(outcome.stdout.is_empty(), "{command:?}");
        outcome.must_say("there is no message 7");
    }
    assert_eq!(ids(&relay), [1]);
}

#[test]
fn of_several_numbers_those_that_are_there_are_done_and_the_others_said() {
    let relay = relay_with(&["a", "b", "c"]);
    let outcome = relay
        .owner(["delete", "1", "9", "3", "8", "-y"])
        .finish()
        .must_end_with(1);
    outcome
        .must_say("Deleted and wiped: 1, 3.")
        .must_say("there are no messages 9, 8");
    assert_eq!(ids(&relay), [2]);
    let outcome = relay
        .owner(["mark", "2", "5", "--json"])
        .finish()
        .must_end_with(1);
    assert_eq!(
        outcome.json(),
        serde_json::json!({"schema": 1, "done": [2], "missing": [5]})
    );
}

#[test]
fn the_same_number_twice_is_deleted_once() {
    let relay = relay_with(&["a"]);
    let outcome = relay
        .owner(["delete", "1", "1", "-y"])
        .finish()
        .must_end_with(0);
    assert_eq!(outcome.stderr, "Deleted and wiped: 1.\n");
}

#[test]
fn deleting_needs_a_yes_where_there_is_nobody_to_ask() {
    let relay = relay_with(&["a", "b"]);
    for words in [&["--all"][..], &["1"], &["1-2"], &["7"]] {
        let asked = relay.owner(["delete"]).with(|c| c.args(words)).finish();
        let asked = asked.must_end_with(2).must_say("say --yes to delete");
        assert!(asked.stdout.is_empty(), "{words:?}");
    }
    assert_eq!(ids(&relay), [1, 2]);
    let deleted = relay
        .owner(["delete", "--all", "--yes"])
        .finish()
        .must_end_with(0);
    assert_eq!(deleted.stderr, "Deleted and wiped: 1, 2.\n");
    let again = relay
        .owner(["delete", "--all", "--yes"])
        .finish()
        .must_end_with(0);
    assert_eq!(again.stderr, "There was nothing to delete.\n");
}

#[test]
fn arguments_that_make_no_sense_end_with_2_and_do_nothing() {
    let relay = relay_with(&["a"]);
    for command in [
        &["read"][..],
        &["export", "1", "2"],
        &["mark"],
        &["delete"],
        &["delete", "--all", "1", "--yes"],
        &["export"],
        &["verify"],
        &["list", "1"],
        &["nonsense"],
        &[],
    ] {
        let outcome = relay.owner(command).finish().must_end_with(2);
        assert!(outcome.stdout.is_empty(), "{command:?}");
    }
    for number in ["x", "", "-1", "1.5", "99999999999999999999", "\x1b[2J"] {
        for command in ["read", "mark", "delete", "export"] {
            let outcome = relay.owner([command, number]).finish().must_end_with(2);
            assert!(!outcome.stderr.contains('\x1b'), "{:?}", outcome.stderr);
            outcome.must_say("as `kkvc list` shows");
        }
    }
    assert_eq!(relay.list()[0]["read"], false);
}

#[test]
fn status_shows_how_the_relay_is() {
    let relay = Relay::start(&["-m", "3", "-c", "5", "-e", "90", "--ttl", "2d"]);
    relay.deliver(b"a");
    relay.deliver(b"b");
    relay.owner(["read", "1"]).finish().must_end_with(0);
    let status = relay
        .owner(["status"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    for text in [
        "messages  2 (1 unread), 1 of 3 slots free",
        "kept      2days",
        "reach it  from this machine",
        &format!("listens   {}, speaks kkv/2 and kkv/1", relay.address()),
        "cost      8, raised by 3 from 5, since 2 of 3 slots are taken (senders have 90 seconds to pay it)",
    ] {
        assert!(status.contains(text), "no {text:?} in {status}");
    }
    let json = relay
        .owner(["status", "--json"])
        .finish()
        .must_end_with(0)
        .json();
    assert_eq!(json["queue"]["stored"], 2);
    assert_eq!(json["ttl_seconds"], 172_800);
    assert_eq!((&json["cost"], &json["base_cost"]), (&8.into(), &5.into()));
    assert_eq!(json["adaptive"], true);
}

#[test]
fn without_a_relay_every_command_of_the_owner_ends_with_3() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("kkv.sock");
    let file = directory.path().join("file");
    std::fs::write(&file, "no socket").unwrap();
    for (socket, said, advice) in [
        (
            &nowhere,
            "no kkv is running for you",
            "Start it with `kkv &`",
        ),
        (&file, "is no socket", "Name the socket that `kkv` shows"),
    ] {
        for command in [
            &["list"][..],
            &["read", "1"],
            &["mark", "1"],
            &["mark", "1", "--unread"],
            &["delete", "1", "-y"],
            &["delete", "--all", "--yes"],
            &["status"],
            &["export", "1"],
            &["read", "1", "--raw"],
            &["watch"],
        ] {
            let run = kkvc(command).with(|c| c.arg("--socket").arg(socket));
            let outcome = run.finish().must_end_with(3).must_say(said);
            outcome.must_say(advice);
        }
    }
}

#[test]
fn nobody_who_means_to_mark_as_read_is_led_to_the_opposite() {
    for (words, tip) in [
        (&["mark", "--read", "3"][..], Some("without --unread")),
        (&["list", "--read"], None),
    ] {
        let told = kkvc(words).finish().must_end_with(2);
        assert!(!told.stderr.contains("'--unread'"), "{told:?}");
        told.must_say(tip.unwrap_or("unexpected argument '--read'"));
    }
}

#[test]
fn that_all_may_be_deleted_is_said_where_numbers_are_missing() {
    let told = kkvc(["delete"]).finish().must_end_with(2);
    assert_eq!(told.stderr.matches("--all").count(), 2, "{told:?}");
}
