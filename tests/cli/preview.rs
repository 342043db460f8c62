//! What the list shows of texts, and what it leaves out.

use crate::programs::Relay;

/// What a terminal of so many columns shows of a list, line by line, without what makes it bold.
fn listed(relay: &Relay, arguments: &[&str], columns: u16) -> Vec<String> {
    let words = [&["list", "--no-color"], arguments].concat();
    let (code, screen) = relay.owner(words).start_on(columns, 24).finish();
    assert_eq!(code, Some(0), "{screen}");
    screen.lines().map(str::to_owned).collect()
}

#[test]
fn a_terminal_that_is_wide_enough_shows_the_first_words_of_each_text() {
    let relay = Relay::start(&[]);
    relay.deliver("  Dear\tBob,\r\n\r\nsee you on \u{202e}Monday.".as_bytes());
    relay.deliver("many words ".repeat(30).as_bytes());
    relay.deliver("日本語".repeat(300).as_bytes());
    let wide = listed(&relay, &[], 100);
    assert!(wide[0].ends_with("SUITE  FIRST WORDS"), "{wide:?}");
    assert!(
        wide[1].ends_with("  │ Dear Bob, see you on <U+202E>Monday."),
        "{wide:?}"
    );
    assert!(
        wide[2].ends_with("│ many words many words many words many…"),
        "{wide:?}"
    );
    for columns in [72, 80, 81, 100, 300] {
        for line in listed(&relay, &[], columns) {
            let width = |c: char| {
                if c.is_ascii() || "│…".contains(c) {
                    1
                } else {
                    2
                }
            };
            // Where a terminal could count otherwise, it is told to end the line at its edge.
            let line = line.replace("\x1b[?7l", "").replace("\x1b[?7h", "");
            let taken: usize = line.chars().map(width).sum();
            assert!(taken <= columns.into(), "{columns}: {line:?}");
        }
    }
    assert!(relay.list().iter().all(|message| message["read"] == false));
}

#[test]
fn no_first_words_come_to_a_pipe_a_narrow_terminal_or_who_wants_none() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a secret");
    let piped = relay
        .owner(["list"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    let json = relay.owner(["list", "--json"]).finish().stdout_text();
    let narrow = listed(&relay, &[], 60).join("\n");
    let unwanted = listed(&relay, &["--no-preview"], 100).join("\n");
    let by_environment = relay
        .owner(["list"])
        .with(|list| list.env("KKVC_NO_PREVIEW", "true"));
    let (_, by_environment) = by_environment.start_on(100, 24).finish();
    for shown in [piped, json, narrow, unwanted, by_environment] {
        assert!(
            !shown.contains("secret") && !shown.contains("FIRST"),
            "{shown}"
        );
        assert!(shown.contains("kkv/2"), "{shown}");
    }
}

#[test]
fn an_openpgp_block_is_named_in_the_place_of_its_first_words() {
    let relay = Relay::start(&[]);
    relay.deliver(b"-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n");
    let list = listed(&relay, &[], 100);
    assert!(list[1].contains("kkv/2  OpenPGP message"), "{list:?}");
    assert!(!list[1].contains("BEGIN"), "{list:?}");
}

#[test]
fn an_openpgp_block_among_words_is_named_before_the_first_of_them() {
    let relay = Relay::start(&[]);
    relay.deliver(b"Hello,\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n");
    let list = listed(&relay, &[], 120);
    assert!(
        list[1].contains("kkv/2  OpenPGP in part  │ Hello,"),
        "{list:?}"
    );
    let list = listed(&relay, &[], 80);
    assert!(list[1].ends_with("kkv/2  OpenPGP in part"), "{list:?}");
}

#[test]
fn unread_lists_those_and_find_those_with_each_of_the_words() {
    let relay = Relay::start(&[]);
    for text in [
        "The Ärger of Bob",
        "bob called",
        "nothing, A\u{308}rgerlich",
    ] {
        relay.deliver(text.as_bytes());
    }
    relay.owner(["read", "2"]).finish().must_end_with(0);
    let ids = |words: &[&str]| {
        let words = [&["list", "--json"], words].concat();
        let list = relay.owner(words).finish().must_end_with(0).json();
        let messages = list["messages"].as_array().expect("an array").clone();
        messages
            .iter()
            .map(|message| message["id"].as_u64().expect("a number"))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&["--unread"]), [1, 3]);
    assert_eq!(ids(&["--find", "BOB"]), [1, 2]);
    assert_eq!(ids(&["--find", "of ärger"]), [1]);
    assert_eq!(ids(&["--find", "ärger"]), [1, 3], "composed or not");
    assert_eq!(ids(&["--find", "bob", "--unread"]), [1]);
    assert_eq!(ids(&["--find", "bob nothing"]), [0; 0]);
    assert_eq!(ids(&[]), [1, 2, 3]);
    let marks = relay.list();
    let read: Vec<_> = marks
        .iter()
        .map(|message| message["read"] == true)
        .collect();
    assert_eq!(
        read,
        [false, true, false],
        "to look for words marks nothing"
    );
    let none = relay
        .owner(["list", "--find", "x y"])
        .finish()
        .must_end_with(0);
    assert_eq!(none.stderr, "No messages with these words.\n");
    relay.owner(["mark", "1-3"]).finish().must_end_with(0);
    let none = relay.owner(["list", "--unread"]).finish().must_end_with(0);
    assert_eq!(none.stderr, "No unread messages.\n");
}

#[test]
fn what_is_looked_for_comes_from_no_environment() {
    let relay = Relay::start(&[]);
    relay.deliver(b"a");
    let list = relay
        .owner(["list", "--json"])
        .with(|list| list.env("KKVC_FIND", "b"));
    let list = list.finish().must_end_with(0).json();
    assert_eq!(list["messages"].as_array().map(Vec::len), Some(1));
}
