//! Options from the environment: where the command line has none, and never more than it could have.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use regex::Regex;

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

/// What would look like a line of the program's own.
const LIE: &str = "kkvc: 7 messages deleted";

#[track_caller]
fn must_have_no_lie(outcome: &Outcome, what: &str) {
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned() + &outcome.stderr;
    let lies = said.lines().any(|line| line.trim_start().starts_with(LIE));
    assert!(!lies, "{what}: {said}");
}

/// The variables that the manual page of a program names.
fn variables(program: &str) -> BTreeSet<String> {
    let variable = Regex::new(r"(?m)^\\fB(KKVC?_[A-Z_]+) *\\fR").expect("an expression");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/man");
    let page = fs::read_to_string(page.join(program).with_extension("1"));
    let page = page.expect("it is kept");
    let named = variable.captures_iter(&page);
    named.map(|named| named[1].to_owned()).collect()
}

#[test]
fn no_variable_puts_a_line_of_its_own_into_what_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let must_tell_no_lie = |command: fn() -> Command, words: &[&str], name: &str| {
        // Of a list, each part is told by itself.
        let mut command = command();
        command.args(words).env(name, format!("a,b\n{LIE}\nc,d"));
        command.current_dir(directory.path());
        command.env("XDG_STATE_HOME", directory.path());
        let outcome = Process::spawn(command, None).finish();
        assert_ne!(outcome.code, Some(0), "{name} {words:?}: {outcome:?}");
        must_have_no_lie(&outcome, &format!("{name} {words:?}"));
    };
    // So that a relay which has nothing against the value ends as well.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let names = variables("kkv");
    assert!(names.len() > 12, "{names:?}");
    for name in &names {
        let words = ["--tor", "off", "--listen", &taken];
        let typed = match name.as_str() {
            "KKV_TOR" => &[][..],
            "KKV_LISTEN" => &words[..2],
            _ => &words[..],
        };
        must_tell_no_lie(kkv, typed, name);
        must_tell_no_lie(kkv, &["address", "backup", "file"], name);
    }
    let client = || kkvc([""; 0]).into_command();
    let names = variables("kkvc");
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        for words in [
            &[][..],
            &["send", "127.0.0.1:1", "-m", "x"],
            &["send", "name", "-m", "x"],
            &["list"],
            &["read", "1"],
            &["watch"],
            &["doctor"],
            &["card", "name"],
            &["contact", "add", "name", "127.0.0.1:1"],
            &["identity", "none/file"],
            &["verify", "file"],
            &["bench", "--none"],
        ] {
            must_tell_no_lie(client, words, name);
        }
    }
}

#[test]
fn no_word_puts_a_line_of_its_own_into_what_is_said() {
    let value = format!("4\n{LIE}\n5");
    for words in [
        [format!("-c{value}"), String::new()],
        [format!("-qc{value}"), String::new()],
        [format!("-c={value}"), String::new()],
        ["-c".to_owned(), value.clone()],
        [format!("--cost-pow={value}"), String::new()],
        ["--allow".to_owned(), format!("x,{value},y")],
        [format!("--{value}"), String::new()],
        [value.clone(), String::new()],
    ] {
        let mut command = kkv();
        command.args(words.iter().filter(|word| !word.is_empty()));
        let outcome = Process::spawn(command, None).finish().must_end_with(2);
        must_have_no_lie(&outcome, &format!("{words:?}"));
    }
}
