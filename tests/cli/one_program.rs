//! `kkvc` is a name of the program `kkv`: which one a person called, and which one it is for those who end programs by
//! their names.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use crate::programs::{Process, Relay, kkv, kkvc};

fn version(program: &Path) -> String {
    let mut command = Command::new(program);
    command.arg("--version");
    Process::spawn(command, None)
        .finish()
        .must_end_with(0)
        .stdout_text()
}

#[test]
fn a_link_of_that_name_is_the_client_and_any_other_the_relay() {
    let place = tempdir().unwrap();
    for (name, is) in [("kkvc", "kkvc "), ("kkv", "kkv "), ("inbox", "kkv ")] {
        let link = place.path().join(name);
        symlink(kkv().get_program(), &link).unwrap();
        let said = version(&link);
        assert!(said.starts_with(is), "{name}: {said}");
    }
}

#[test]
fn a_client_without_its_program_says_so_and_starts_no_other() {
    let (place, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let alone = place.path().join("kkvc");
    fs::copy(kkvc([""; 0]).into_command().get_program(), &alone).unwrap();
    symlink("/bin/true", elsewhere.path().join("kkv")).unwrap();
    let mut command = Command::new(alone);
    command
        .args(["send", "-m", "x"])
        .env("PATH", elsewhere.path());
    let outcome = Process::spawn(command, None).finish().must_end_with(1);
    outcome
        .must_say("keep both in one directory")
        .must_say("Nothing was done.");
}

#[test]
fn who_ends_the_relay_by_its_name_does_not_mean_a_client() {
    let relay = Relay::start(&[]);
    let watching = relay.owner(["watch"]).start();
    watching.wait_for_stderr("Watching for messages");
    let named = |process: &Process| {
        let pid = process.pid().as_raw_nonzero();
        fs::read_to_string(format!("/proc/{pid}/comm")).unwrap()
    };
    assert_eq!(named(&watching), "kkvc\n");
    assert_eq!(named(relay.process()), "kkv\n");
}
