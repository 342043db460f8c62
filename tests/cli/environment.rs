//! Options from the environment: where the command line has none, and never more than it could have.

use crate::programs::{Outcome, Process, Relay, Signal, kkv, kkvc};

/// `kkv` refuses to start with this variable.
fn refused(name: &str, value: &str, words: &[&str]) -> Outcome {
    let mut command = kkv();
    command.env(name, value).args(words);
    Process::spawn(command, None).finish().must_end_with(2)
}

#[test]
fn a_relay_takes_its_options_from_the_environment_and_the_command_line_wins() {
    let capacity = |words: &[&str]| {
        let relay = Relay::start_with(words, |command| command.env("KKV_MAX_MESSAGES", "3"));
        relay.owner(["status", "--json"]).finish().json()["queue"]["capacity"].clone()
    };
    assert_eq!(capacity(&[]), 3);
    assert_eq!(capacity(&["--max-messages", "7"]), 7);
    assert_eq!(capacity(&["-m", "8"]), 8);
}

#[test]
fn a_bad_value_is_refused_with_the_name_of_its_variable_and_a_typed_one_without() {
    for (name, value) in [
        ("KKV_MAX_MESSAGES", "none"),
        ("KKV_TTL", "soon"),
        ("KKV_LISTEN", "0.0.0.0:1"),
        ("KKV_QUIET", "perhaps"),
    ] {
        let said = refused(name, value, &[]).stderr;
        let blamed = format!("{name} is set in the environment");
        assert!(said.contains(value) && said.contains(&blamed), "{said}");
    }
    for (name, words) in [
        ("KKV_TTL", &["--ttl", "never"][..]),
        ("KKV_TTL", &["--ttl=never"]),
        ("KKV_MAX_MESSAGES", &["-m", "none"]),
        ("KKV_MAX_MESSAGES", &["-qmnone"]),
    ] {
        let said = refused(name, "7", words).stderr;
        assert!(!said.contains("environment"), "{said}");
    }
}

#[test]
fn a_typed_option_wins_over_a_variable_that_excludes_it_and_two_variables_are_no_order() {
    let relay = Relay::start(&[]);
    let list = |set: &[&str], words: &[&str]| {
        let run = relay.owner([&["list"], words].concat());
        let run = run.with(|command| command.envs(set.iter().map(|name| (name, "1"))));
        run.finish()
    };
    let (quiet, verbose) = ("KKVC_QUIET", "KKVC_VERBOSE");
    for word in ["-q", "--quiet"] {
        let outcome = list(&[verbose], &[word]).must_end_with(0);
        assert_eq!(outcome.stderr, "");
    }
    list(&[quiet], &["-v"])
        .must_end_with(0)
        .must_say("Asking the kkv at");
    let both = list(&[quiet, verbose], &[]).must_end_with(2);
    both.must_say("KKVC_QUIET is set")
        .must_say("KKVC_VERBOSE is set");
    list(&[], &["-q", "-v"]).must_end_with(2);
}

#[test]
fn a_flag_takes_words_for_yes_and_no() {
    let relay = Relay::start(&[]);
    let list = |word: &str| {
        let run = relay.owner(["list"]);
        run.with(|command| command.env("KKVC_JSON", word)).finish()
    };
    for word in ["true", "yes", "on", "1", "Y"] {
        list(word).must_end_with(0).json();
    }
    for word in ["false", "no", "off", "0", "N", ""] {
        let outcome = list(word).must_end_with(0);
        assert!(outcome.stdout.is_empty(), "{word}");
    }
    list("perhaps").must_end_with(2).must_say("KKVC_JSON");
}

#[test]
fn a_flag_that_is_set_to_no_excludes_nothing() {
    let relay = Relay::start(&[]);
    let list = relay.owner(["list"]);
    let list = list.with(|command| command.env("KKVC_QUIET", "no").env("KKVC_VERBOSE", "yes"));
    list.finish().must_end_with(0).must_say("Asking the kkv at");
}

#[test]
fn no_variable_makes_one_message_all_of_them() {
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    relay.deliver(b"y");
    let delete = relay.owner(["delete", "1", "--yes"]);
    let delete = delete.with(|command| command.env("KKVC_ALL", "yes"));
    delete.finish().must_end_with(0);
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn the_socket_is_one_variable_for_both_and_other_options_are_each_programs_own() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("own.sock");
    let words = ["--socket", socket.to_str().unwrap()];
    let relay = Relay::start(&words);
    let list = kkvc(["list", "--json"]).with(|command| {
        let command = command.env("KKV_SOCKET", &socket).env("KKV_TOR", "off");
        command.env("KKV_SUITE", "nonsense")
    });
    list.finish().must_end_with(0).json();
    // The next one finds the socket taken until this one has ended.
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);
    let relay = Relay::start_with(&words, |command| {
        command.env("KKVC_TOR", "x").env("KKVC_QUIET", "x")
    });
    relay.deliver(b"x");
}

#[test]
fn a_message_is_never_taken_from_the_environment() {
    let relay = Relay::start(&[]);
    let send = relay.send::<&str>([]);
    let send = send.with(|command| command.env("KKVC_MESSAGE", "a secret"));
    send.finish().must_end_with(2).must_say("nothing was sent");
    assert!(relay.list().is_empty());
}

#[test]
fn the_command_that_is_meant_takes_variables_as_the_one_that_is_named() {
    for words in [&[][..], &["tui"], &["--"]] {
        let run = kkvc(words).with(|command| command.env("KKVC_THREADS", "0"));
        run.finish()
            .must_end_with(2)
            .must_say("KKVC_THREADS is set");
    }
}
