//! The running relay, looked at from outside: every thread is held to its rules, its memory is closed, and it says so.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Command;

use crate::programs::{Process, Relay, Signal, run_by};

/// A user that owns nothing on this machine.
const SERVICE: u32 = 65_500;

#[test]
fn every_thread_of_it_is_held_to_the_rules_and_it_still_works_to_the_end() {
    for way in ["off", "external"] {
        let relay = Relay::start(&["--tor", way]);
        relay.deliver(b"a message"); // whatever threads it starts, it has started
        assert_eq!(relay.list().len(), 1);
        let seccomp = relay.in_every_thread("Seccomp");
        assert!(seccomp.iter().all(|mode| mode == "2"), "{seccomp:?}");
        let privileges = relay.in_every_thread("NoNewPrivs");
        assert!(privileges.iter().all(|no| no == "1"), "{privileges:?}");
        let status = relay.owner(["status", "--json"]).finish().json();
        let expected = serde_json::json!({"files": "fully", "calls": "fully", "writes": null});
        assert_eq!(status["sandbox"], expected);
        let said = relay
            .owner(["status"])
            .finish()
            .must_end_with(0)
            .stdout_text();
        assert!(
            said.contains("confined  by the kernel: writes no file, starts no program"),
            "{said}"
        );
        relay.process().signal(Signal::TERM);
        relay.process().finish().must_end_with(0);
        assert!(!relay.socket().exists(), "it could not remove its socket");
    }
}

#[test]
fn a_socket_for_a_system_tor_is_removed_at_the_end_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("tor.sock");
    let relay = Relay::start(&[
        "--tor",
        "external",
        "--listen",
        &format!("unix:{}", socket.display()),
    ]);
    assert!(socket.exists());
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);
    assert!(!socket.exists());
}

#[test]
fn a_socket_among_other_files_stays_behind_and_they_are_safe() {
    let directory = tempfile::tempdir().unwrap();
    let letter = directory.path().join("letter");
    fs::write(&letter, "dear diary").unwrap();
    let socket = directory.path().join("kkv.sock");
    for _ in 0..2 {
        // The second one replaces what the first one has left.
        let relay = Relay::start(&["--socket", socket.to_str().unwrap()]);
        relay.deliver(b"a message");
        relay.process().signal(Signal::TERM);
        relay.process().finish().must_end_with(0);
        assert!(socket.exists(), "what removed it could remove the letter");
    }
    assert_eq!(fs::read_to_string(letter).unwrap(), "dear diary");
}

#[test]
fn no_core_is_dumped_and_no_other_program_of_the_same_user_looks_in() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test starts programs as another user, which only root can, if only of a namespace: see scripts/test"
    );
    let directory = tempfile::tempdir().unwrap();
    chown(directory.path(), Some(SERVICE), None).unwrap();
    let socket = directory.path().join("kkv.sock");
    let relay = Relay::start_with(&["--socket", socket.to_str().unwrap()], |command| {
        run_by(SERVICE, command)
    });
    let mut plain = Command::new("/bin/sh");
    plain.args(["-c", "echo here; kill -STOP $$"]);
    run_by(SERVICE, &mut plain);
    let plain = Process::spawn(plain, None);
    plain.wait_for_stdout("the other program", |out| out == "here\n");
    let process = relay.process().pid().as_raw_nonzero();
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let bounds: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(bounds, ["0", "0"], "{core}");
    // The kernel gives the files that show a process which nobody may look into to root, and asks for root's rights to
    // open them.
    for (program, owner) in [(&plain, SERVICE), (relay.process(), 0)] {
        let process = format!("/proc/{}", program.pid().as_raw_nonzero());
        let uid = |path: &str| fs::metadata(path).unwrap().uid();
        assert_eq!(uid(&process), SERVICE, "it runs as that user");
        assert_eq!(uid(&format!("{process}/mem")), owner);
    }
}
