//! The running relay, looked at from outside: every thread is held to its rules, its memory is closed, and it says so.

use std::fs;

use crate::programs::{Relay, Signal};

/// The value of `field` in every thread's status.
fn threads(relay: &Relay, field: &str) -> Vec<String> {
    let process = relay.process().pid().as_raw_nonzero();
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it has threads");
    let status = threads.map(|thread| {
        let path = thread.expect("an entry").path().join("status");
        fs::read_to_string(path).expect("it runs")
    });
    status.map(|status| value(&status, field)).collect()
}

fn value(status: &str, field: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let value = line.and_then(|line| line.strip_prefix(':'));
    value
        .unwrap_or_else(|| panic!("no {field} in {status}"))
        .trim()
        .to_owned()
}

#[test]
fn every_thread_of_it_is_held_to_the_rules_and_it_still_works_to_the_end() {
    for way in ["off", "external"] {
        let relay = Relay::start(&["--tor", way]);
        relay.deliver(b"a message"); // whatever threads it starts, it has started
        assert_eq!(relay.list().len(), 1);
        let seccomp = threads(&relay, "Seccomp");
        assert!(seccomp.iter().all(|mode| mode == "2"), "{seccomp:?}");
        let privileges = threads(&relay, "NoNewPrivs");
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
fn no_core_is_dumped_and_no_other_user_of_the_same_name_looks_in() {
    let relay = Relay::start(&[]);
    let process = relay.process().pid().as_raw_nonzero();
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let bounds: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(bounds, ["0", "0"], "{core}");
    // The kernel gives the files that show a process which nobody may look into to root, and asks for root's rights to open them.
    let memory = fs::metadata(format!("/proc/{process}/mem")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&memory), 0);
}
