//! Values that `kkv` refuses, each with the reason; nothing is started then.

use crate::programs::{Outcome, Process, Relay, kkv};

#[track_caller]
fn refused(name: &str, value: &str, reason: &str) -> Outcome {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("kkv.sock");
    let mut command = kkv();
    command.arg("--socket").arg(&socket).args([name, value]);
    let outcome = Process::spawn(command, None).finish().must_end_with(2);
    assert!(!socket.exists() && outcome.stdout.is_empty());
    outcome.must_say(value).must_say(reason)
}

#[test]
fn a_cost_that_makes_no_sense_is_refused() {
    for value in ["61", "-1", "x", "", "4.5", "99999999999999999999"] {
        refused("-c", value, "from 0 to 60");
    }
}

#[test]
fn an_adaptive_cost_is_on_or_off() {
    for value in ["", "yes", "ON", "1"] {
        refused("--adaptive", value, "'on' and 'off'");
    }
}

#[test]
fn a_number_of_messages_that_makes_no_sense_is_refused() {
    for value in [
        "0",
        "100001",
        "-1",
        "x",
        "4294967297",
        "99999999999999999999999",
    ] {
        refused("-m", value, "from 1 to 100000");
    }
}

#[test]
fn a_time_to_pay_that_makes_no_sense_is_refused() {
    for value in ["0", "86401", "-1", "x", "4294967297", "99999999999"] {
        refused("-e", value, "from 1 to 86400");
    }
}

#[test]
fn a_time_to_live_that_makes_no_sense_is_refused() {
    for value in ["0s", "1ns", "1us", "999ms", "1000y", "101y"] {
        refused(
            "--ttl",
            value,
            "at least a second and at most a hundred years",
        );
        refused(
            "--wipe-after",
            value,
            "at least a second and at most a hundred years",
        );
    }
    for value in [
        "nonsense",
        "-1",
        "",
        "99999999999999999999999y",
        "1 fortnight",
    ] {
        refused("--ttl", value, "written like 30m, 12h or 7d");
    }
    refused("--ttl", "60", "a unit is missing: 60s are seconds");
}

#[test]
fn an_address_that_others_could_reach_is_refused() {
    for value in [
        "0.0.0.0:1",
        "192.168.1.1:1",
        "[::]:1",
        "8.8.8.8:1",
        "[::ffff:127.0.0.1]:1",
    ] {
        refused("--listen", value, "people could come without Tor");
    }
    for value in [
        "example.com:1",
        "garbage",
        "127.0.0.1",
        "127.0.0.1:65536",
        "",
    ] {
        refused("--listen", value, "is written 127.0.0.1:45069");
    }
}

#[test]
fn a_suite_that_cannot_be_spoken_alone_is_refused() {
    for value in ["1", "3", "kkv/2", ""] {
        refused("--suite", value, "there are 'any' and '2'");
    }
}

#[test]
fn a_way_onto_tor_that_there_is_not_is_refused() {
    for value in ["inside", "on", ""] {
        refused("--tor", value, "'external'");
    }
}

#[test]
fn a_cost_of_nothing_is_taken() {
    let relay = Relay::start(&["-c", "0"]);
    relay.deliver(b"cheap");
    assert_eq!(relay.list()[0]["cost"], 0);
}

#[test]
fn the_loopback_of_ipv6_can_be_listened_on() {
    let relay = Relay::start(&["--listen", "[::1]:0"]);
    assert!(relay.address().starts_with("[::1]:"));
    relay.deliver(b"six");
    assert_eq!(relay.text(1), "six");
}

#[test]
fn a_relay_that_speaks_only_kkv_2_refuses_kkv_1_and_the_sender_says_so() {
    let relay = Relay::start(&["--suite", "2"]);
    assert!(relay.process().stdout().contains("speaks kkv/2\n"));
    let refused = relay
        .send(["-m", "x", "--suite", "1"])
        .finish()
        .must_end_with(1);
    refused
        .must_say("doesn't speak that suite")
        .must_say("leave out --suite 1");
    relay.deliver(b"y");
    assert_eq!(relay.list().len(), 1);
}

/// With it they are taken, which tests/embedded tries.
#[cfg(not(feature = "embedded-tor"))]
#[test]
fn what_only_a_tor_inside_takes_is_refused_by_name_where_there_is_none() {
    use crate::programs::kkvc;

    let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    let no_option = |option: &str| format!("was built without Tor inside, so it has no {option}");
    let of_relay = [
        &["--allow", "x"][..],
        &["--state-dir", "x"],
        &["--tor-config=x"],
        &["--ephemeral"],
        &["--tor", "embedded"],
    ];
    for words in of_relay {
        let mut command = kkv();
        command.args(words);
        let told = Process::spawn(command, None).finish().must_end_with(2);
        let option = words[0].split('=').next().unwrap();
        told.must_say(&match option {
            "--tor" => "this kkv was built without Tor inside Use a system Tor".to_owned(),
            _ => format!("this kkv {}", no_option(option)),
        });
    }
    for words in [
        &["send", onion, "-m", "x", "--key", "x"][..],
        &["tui", "--state-dir", "x"],
        &["send", onion, "--tor-config", "x"],
    ] {
        let told = kkvc(words).finish().must_end_with(2);
        let option = words.iter().rev().nth(1).unwrap();
        told.must_say(&format!("this kkvc {}", no_option(option)));
    }
    for words in [
        &["--tor", "embedded"][..],
        &["send", onion, "--tor=embedded"],
    ] {
        let told = kkvc(words).finish().must_end_with(2);
        told.must_say("this kkvc was built without Tor inside Use a system Tor");
    }
    // Where no build has the option.
    let told = kkvc(["list", "--key", "x"]).finish().must_end_with(2);
    told.must_say("unexpected argument '--key'");
}
