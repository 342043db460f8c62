//! What a shell completes, asked through a real bash: commands, options, and the numbers of the messages that are
//! there.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::programs::{Outcome, Process, Relay, kkvc, through};

/// Loads the script as a person does, and runs `script` after it.
fn bash(program: &str, socket: Option<&Path>, script: &str) -> Outcome {
    let own = Path::new(env!("CARGO_BIN_EXE_kkvc"))
        .parent()
        .expect("it is in a directory");
    let mut path = own.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let script = format!("source <(kkvc completions bash --for {program})\n{script}");
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &script]);
    // In the environment that programs have in tests.
    let mut bash = through(bash, &kkvc([""; 0]).into_command());
    bash.env("PATH", path);
    if let Some(socket) = socket {
        bash.env("KKV_SOCKET", socket);
    }
    Process::spawn(bash, None).finish()
}

/// What bash would offer for a line whose last word is being typed.
fn offered(words: &[&str], socket: Option<&Path>) -> Vec<String> {
    let (last, before) = words.split_last().expect("a word");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9\n\
         _clap_complete_{program} {program} '{last}' '{}' 2>&1\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        before.len(),
        before.last().expect("a program"),
        program = words[0],
    );
    let outcome = bash(words[0], socket, &script).must_end_with(0);
    assert_eq!(outcome.stderr, "");
    let text = outcome.stdout_text();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[test]
fn bash_is_told_which_function_completes() {
    for program in ["kkv", "kkvc"] {
        let outcome = bash(program, None, &format!("complete -p {program}"));
        let told = outcome.must_end_with(0).stdout_text();
        assert!(
            told.contains(&format!("-F _clap_complete_{program} {program}\n")),
            "{told}"
        );
    }
}

#[test]
fn commands_and_options_are_completed() {
    assert_eq!(offered(&["kkvc", "de"], None), ["delete"]);
    assert_eq!(offered(&["kkvc", "list", "--js"], None), ["--json"]);
    assert_eq!(offered(&["kkvc", "send", "--ide"], None), ["--identity"]);
    let shells = offered(&["kkvc", "completions", ""], None);
    assert_eq!(shells[..3], ["bash", "zsh", "fish"]);
    let both = ["--max-messages", "--max-bytes"];
    assert_eq!(offered(&["kkv", "--max"], None), both);
}

#[test]
fn the_numbers_of_messages_are_those_of_the_running_relay() {
    let relay = Relay::start(&[]);
    for _ in 0..11 {
        relay.deliver(b"a stranger's text");
    }
    relay.owner(["delete", "2", "-y"]).finish().must_end_with(0);
    let socket = Some(relay.socket());
    for command in ["read", "mark", "delete", "export"] {
        let all = offered(&["kkvc", command, ""], socket);
        let digits = |word: &String| word.bytes().all(|b| b.is_ascii_digit());
        let numbers: Vec<&String> = all.iter().filter(|word| digits(word)).collect();
        assert_eq!(
            numbers,
            ["1", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
            "{all:?}"
        );
        assert!(
            all.iter()
                .all(|word| digits(word) || word.starts_with("--")),
            "{all:?}"
        );
    }
    assert_eq!(offered(&["kkvc", "read", "1"], socket), ["1", "10", "11"]);
    assert_eq!(offered(&["kkvc", "mark", "1", "3"], socket), ["3"]);
    let ends = ["3-1", "3-10", "3-11"];
    assert_eq!(offered(&["kkvc", "delete", "3-1"], socket), ends);
    let named = relay.socket().to_str().unwrap();
    for words in [
        &["kkvc", "--socket", named, "read", "1"][..],
        &["kkvc", &format!("--socket={named}"), "read", "1"], // as zsh and fish give it
    ] {
        assert_eq!(offered(words, None), ["1", "10", "11"]);
    }
    assert_eq!(relay.list()[0]["read"], false);
}

#[test]
fn without_a_relay_or_with_one_that_is_silent_nothing_is_offered_and_nothing_said() {
    assert!(offered(&["kkvc", "read", "1"], None).is_empty());
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let _silent = UnixListener::bind(&socket).unwrap();
    assert!(offered(&["kkvc", "read", "1"], Some(&socket)).is_empty());
}
