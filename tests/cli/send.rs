//! `kkvc send`: what goes in is what arrives, and what it says on the way.

use std::fs;

use crate::cli::meddler::{Meddler, Verdict};
use crate::programs::{Outcome, Relay, kkvc};

#[test]
fn a_message_comes_from_the_command_line_a_file_a_pipe_or_a_dash() {
    let relay = Relay::start(&[]);
    let file = relay.directory().join("letter");
    fs::write(&file, "from a file\n").unwrap();
    let accepted = |outcome: Outcome| drop(outcome.must_end_with(0));
    accepted(relay.send(["-m", "from the command line"]).finish());
    accepted(relay.send([&file]).finish());
    accepted(relay.send::<&str>([]).stdin("from a pipe").finish());
    accepted(relay.send(["-"]).stdin("from a dash").finish());
    let texts: Vec<String> = (1..=4).map(|id| relay.text(id)).collect();
    let want = [
        "from the command line",
        "from a file\n",
        "from a pipe",
        "from a dash",
    ];
    assert_eq!(texts, want);
}

#[test]
fn exactly_the_bytes_that_were_sent_arrive() {
    let relay = Relay::start(&[]);
    let texts = [
        "\0".to_owned(),
        "a\0b\r\n\r\nc\n\n".to_owned(),
        "naïve 日本語 🙂 e\u{301} \u{feff}".to_owned(),
        "x".repeat(3500),
        "é".repeat(1750),
    ];
    for (id, text) in (1..).zip(&texts) {
        relay.deliver(text.as_bytes());
        assert_eq!(&relay.text(id), text);
        assert_eq!(relay.list()[id as usize - 1]["bytes"], text.len());
    }
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_dialled() {
    let relay = Relay::start(&[]);
    let directory = relay.directory();
    fs::write(directory.join("empty"), "").unwrap();
    fs::write(directory.join("long"), "x".repeat(3501)).unwrap();
    fs::write(directory.join("binary"), b"\xff\xfe").unwrap();
    fs::write(directory.join("cut"), &"é".as_bytes()[..1]).unwrap();
    for (file, reason) in [
        ("empty", "the message is empty"),
        ("long", "3500 bytes"),
        ("binary", "isn't UTF-8"),
        ("cut", "isn't UTF-8"),
        ("missing", "No such file"),
        (".", "Is a directory"),
        ("/dev/zero", "3500 bytes"),
    ] {
        let outcome = relay.send([file]).finish().must_end_with(2);
        let outcome = outcome.must_say(reason).must_say("nothing was sent");
        assert!(!outcome.stderr.contains("Connecting"), "{}", outcome.stderr);
    }
    for (input, reason) in [
        (vec![], "empty"),
        (vec![b'x'; 3501], "3500 bytes"),
        (vec![0xff], "UTF-8"),
    ] {
        let outcome = relay.send(["-"]).stdin(input).finish().must_end_with(2);
        outcome.must_say(reason).must_say("nothing was sent");
    }
    let long = "x".repeat(3501);
    for text in ["", &long] {
        let outcome = relay.send(["-m", text]).finish().must_end_with(2);
        outcome.must_say("nothing was sent");
    }
    relay.send(["-m", "x", "empty"]).finish().must_end_with(2);
    assert!(relay.list().is_empty());
}

#[test]
fn each_suite_can_be_asked_for_and_the_best_is_the_default() {
    let relay = Relay::start(&[]);
    for (suite, spoken) in [("1", "kkv/1"), ("2", "kkv/2"), ("any", "kkv/2")] {
        let told = relay
            .send(["-m", "x", "--suite", suite, "--json"])
            .finish()
            .must_end_with(0);
        assert_eq!(told.json()["suite"], spoken);
    }
    let told = relay
        .send(["-m", "x", "--json"])
        .finish()
        .must_end_with(0)
        .json();
    assert_eq!(
        (&told["suite"], &told["cost"], &told["accepted"]),
        (&"kkv/2".into(), &4.into(), &true.into())
    );
    let suites: Vec<_> = relay.list().iter().map(|m| m["suite"].clone()).collect();
    assert_eq!(suites, ["kkv/1", "kkv/2", "kkv/2", "kkv/2"]);
    relay
        .send(["-m", "x", "--suite", "3"])
        .finish()
        .must_end_with(2);
}

#[test]
fn what_kkv_1_cannot_carry_is_said_before_anything_is_dialled() {
    let relay = Relay::start(&[]);
    let long = "x".repeat(2921);
    let outcome = relay
        .send(["-m", &long, "--suite", "1"])
        .finish()
        .must_end_with(2);
    let outcome = outcome.must_say("carries 2920").must_say("shorten it");
    assert!(!outcome.stderr.contains("Connecting"), "{}", outcome.stderr);
    let outcome = relay
        .send(["-", "--suite", "1"])
        .stdin("a\0b")
        .finish()
        .must_end_with(2);
    let outcome = outcome.must_say("NUL");
    assert!(!outcome.stderr.contains("horten"), "{}", outcome.stderr);
    assert!(relay.list().is_empty());
}

/// A relay that has never heard of kkv/2.
pub(super) fn older(relay: &Relay) -> Meddler {
    Meddler::start(relay.address(), |asked| {
        if asked.json {
            Verdict::Answer(415, "Unsupported Media Type")
        } else {
            Verdict::Pass
        }
    })
}

#[test]
fn going_on_in_kkv_1_is_said_aloud() {
    let relay = Relay::start(&[]);
    let older = older(&relay);
    let outcome = kkvc(["send", &older.address, "-m", "x", "--json"])
        .finish()
        .must_end_with(0);
    assert_eq!(outcome.json()["suite"], "kkv/1");
    assert_eq!(outcome.json()["receipt"], serde_json::Value::Null);
    outcome.must_say("The relay has no kkv/2; going on in kkv/1, the older protocol.");
    assert_eq!(relay.list()[0]["suite"], "kkv/1");

    // However quiet one asks it to be; and nothing else is said then.
    let quiet = kkvc(["send", &older.address, "-m", "x", "-q"]);
    let outcome = quiet.finish().must_end_with(0);
    let told = "The relay has no kkv/2; going on in kkv/1, the older protocol.\n";
    assert_eq!(outcome.stderr, told);
    assert!(outcome.stdout.is_empty());
}

#[test]
fn who_asks_for_kkv_2_or_a_receipt_does_not_get_less() {
    let relay = Relay::start(&[]);
    let older = older(&relay);
    let receipt = relay.directory().join("receipt");
    for extra in [["--suite", "2"], ["--receipt", receipt.to_str().unwrap()]] {
        let outcome = kkvc(["send", &older.address, "-m", "x"]).with(|c| c.args(extra));
        let outcome = outcome
            .finish()
            .must_end_with(1)
            .must_say("doesn't speak kkv/2");
        outcome.must_say("nothing was delivered");
    }
    assert!(!receipt.exists() && relay.list().is_empty());
}

#[test]
fn a_message_on_this_machine_is_said_not_to_go_through_tor() {
    let relay = Relay::start(&[]);
    let outcome = relay.send(["-m", "x"]).finish().must_end_with(0);
    let told = &outcome.stderr;
    assert!(
        told.contains("\nAccepted: the message is in the inbox.\n"),
        "{told}"
    );
    assert!(
        told.contains("a key for this message only") && told.contains("paid    2^4 hashes, kkv/2")
    );
    outcome.must_say("This address is on this machine: the message does not go through Tor.");
}

#[test]
fn every_command_says_one_line_of_json_when_asked_and_nothing_else() {
    let relay = Relay::start(&[]);
    let key = relay.directory().join("key");
    relay
        .owner(["identity", key.to_str().unwrap(), "--json"])
        .finish()
        .must_end_with(0)
        .json();
    let receipt = relay.directory().join("receipt");
    let sent = relay.send([
        "-m",
        "é\x1b",
        "--json",
        "--receipt",
        receipt.to_str().unwrap(),
    ]);
    let sent = sent.finish().must_end_with(0);
    assert_eq!(sent.json()["receipt"]["format"], "kkv/2 receipt");
    for command in [
        &["list"][..],
        &["read", "1"],
        &["mark", "1", "--unread"],
        &["status"],
        &["export", "1"],
        &["verify", receipt.to_str().unwrap()],
        &["delete", "1", "--yes"],
    ] {
        let outcome = relay.owner(command).with(|c| c.arg("--json")).finish();
        let outcome = outcome.must_end_with(0);
        outcome.json();
        assert_eq!(outcome.stderr, "", "{command:?}");
    }
    let missing = relay
        .owner(["read", "1", "--json"])
        .finish()
        .must_end_with(1);
    assert!(missing.stdout.is_empty());
}

#[test]
fn help_of_kkvc_names_every_default_and_every_exit_code() {
    let flat = |args: &[&str]| {
        let help = kkvc(args).finish().must_end_with(0).stdout_text();
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
        help.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for args in [&["--help"][..], &["send", "--help"]] {
        let help = flat(args);
        for text in [
            "Exit codes: 0 done",
            "1 refused",
            "2 wrong usage",
            "3 the relay (or Tor) can't be reached",
            "4 the inbox is full",
            "5 the proof of work wasn't found in time",
            "6 a signature doesn't fit",
            "7 the message was sent, but",
            "130 cancelled",
            "[default: $XDG_RUNTIME_DIR/kkv/kkv.sock, or kkv-UID/kkv.sock in $TMPDIR or /tmp]",
            if cfg!(feature = "embedded-tor") {
                "[default: embedded]"
            } else {
                "[default: socks5://127.0.0.1:9050]"
            },
            "8 done, but",
        ] {
            assert!(help.contains(text), "no {text:?} in {help}");
        }
    }
    let send = flat(&["send", "--help"]);
    for text in [
        "[default: standard input]",
        "[default: any]",
        "[default: a new one that is forgotten]",
        "[default: 1m]",
    ] {
        assert!(send.contains(text), "no {text:?} in {send}");
    }
}

#[test]
fn a_message_on_the_command_line_may_begin_with_anything() {
    let relay = Relay::start(&[]);
    for (id, text) in (1..).zip(["- milk", "-5", "--", "--json"]) {
        relay.send(["-m", text]).finish().must_end_with(0);
        assert_eq!(relay.text(id), text);
    }
}

#[test]
fn what_kkv_1_can_not_carry_is_laid_to_the_option_that_asked_for_it() {
    let relay = Relay::start(&[]);
    for text in [&*"x".repeat(3000), "a\0b"] {
        let send = relay.send(["--suite", "1"]).stdin(text).finish();
        let send = send.must_end_with(2).must_say("Leave out --suite 1");
        assert!(!send.stderr.contains("this relay"), "{}", send.stderr);
    }
    assert!(relay.list().is_empty());
}
