//! The memory of the messages: locked against swapping and left out of dumps, as far as this user may lock any; and
//! said, once, where not.

use std::fs;
use std::process::Command;

use crate::programs::{Relay, Signal, through};

/// Starts a relay with further `arguments` through another `program`, such as `prlimit`, that sets the scene and then
/// becomes the relay.
fn start_through(program: &[&str], arguments: &[&str]) -> Relay {
    Relay::start_with(arguments, |kkv| {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]);
        *kkv = through(command, kkv);
        kkv
    })
}

/// Kilobytes, as a line like `VmLck: 200 kB` has them.
fn kilobytes(text: &str, field: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    let number = number.unwrap_or_else(|| panic!("no {field} in {text}"));
    number.parse().expect("a number")
}

fn of_process(relay: &Relay, file: &str) -> String {
    let process = relay.process().pid().as_raw_nonzero();
    fs::read_to_string(format!("/proc/{process}/{file}")).expect("it runs, and we may look")
}

fn says(relay: &Relay) -> bool {
    let status = relay.owner(["status", "--json"]).finish().json();
    status["locked"].as_bool().expect("yes or no")
}

#[test]
fn the_slots_are_one_piece_of_memory_that_is_never_swapped_and_never_dumped() {
    let relay = Relay::start(&["-m", "123"]);
    assert!(says(&relay));
    let maps = of_process(&relay, "smaps");
    // Each mapping begins with a line that has its addresses, and ends with its flags.
    let locked = maps
        .split_inclusive("VmFlags:")
        .zip(maps.split("VmFlags:").skip(1));
    let slots: Vec<_> = locked
        .map(|(mapping, flags)| {
            let flags = flags.lines().next().unwrap_or_default().split_whitespace();
            (kilobytes(mapping, "Size"), flags.collect::<Vec<_>>())
        })
        .filter(|(size, flags)| *size == 123 * 4 && flags.contains(&"dd"))
        .collect();
    assert_eq!(slots.len(), 1, "{maps}");
    assert!(slots[0].1.contains(&"lo"), "{slots:?}");
}

#[test]
fn who_may_lock_too_little_is_told_once_how_to_mend_it_and_served_all_the_same() {
    // Without the capability, the limit holds for root too.
    let poor = [
        "prlimit",
        "--memlock=65536",
        "setpriv",
        "--bounding-set=-ipc_lock",
        "--inh-caps=-ipc_lock",
    ];
    let relay = start_through(&poor, &["-m", "17"]);
    relay.process().wait_for_stderr("in a systemd unit");
    let said = relay.process().stderr();
    for part in [
        "ask for at most 16 messages",
        "to 68 KiB or more",
        "LimitMEMLOCK=",
    ] {
        assert_eq!(said.matches(part).count(), 1, "{said}");
    }
    assert!(!says(&relay));
    relay.deliver(b"a message");
    assert_eq!(relay.text(1), "a message");
    let again = relay
        .owner(["status"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    assert!(again.contains("memory    not locked"), "{again}");
    relay.process().signal(Signal::TERM);
    let ended = relay.process().finish().must_end_with(0);
    assert_eq!(ended.stderr.trim(), said.trim(), "nothing more is said");

    let enough = start_through(&poor, &["-m", "16"]);
    assert!(says(&enough));
}

#[test]
fn memory_for_files_that_is_not_locked_is_said_by_the_relay_its_status_and_doctor() {
    // Whether there is swap is what the file says that each of them sees in place of the kernel's.
    let directory = tempfile::tempdir().unwrap();
    let swaps = directory.path().join("swaps");
    let disk = "Filename Type Size Used Priority\n/dev/sda9 partition 4194300 0 -2\n";
    fs::write(&swaps, disk).unwrap();
    let script = format!(
        r#"mount --bind {} /proc/swaps && exec "$@""#,
        swaps.display()
    );
    let seen = ["unshare", "-m", "sh", "-c", &script, "sh"];
    // 68 KiB of slots and one of four MiB for files.
    let poor = [
        "prlimit",
        "--memlock=2097152",
        "setpriv",
        "--bounding-set=-ipc_lock",
        "--inh-caps=-ipc_lock",
    ];
    let arguments = ["-m", "17", "--max-bytes", "4M"];
    let relay = start_through(&[&seen[..], &poor].concat(), &arguments);
    relay.process().wait_for_stderr("in a systemd unit");
    let said = relay.process().stderr();
    for part in [
        "3072 of the 4096 KiB",
        "--max-bytes 1M",
        "to 4164 KiB or more",
    ] {
        assert_eq!(said.matches(part).count(), 1, "{said}");
    }
    assert!(says(&relay), "texts are locked");
    let status = relay.owner(["status", "--json"]).finish().json();
    let locked = [&status["room"]["bytes"], &status["room"]["locked"]];
    assert_eq!(locked, [4 << 20, 1 << 20]);
    assert_eq!(kilobytes(&of_process(&relay, "status"), "VmLck"), 68 + 1024);
    let status = relay.owner(["status"]).finish().must_end_with(0);
    let status = status.stdout_text();
    let part = "messages are locked: never swapped to a disk; of that for files 3 MiB are not";
    assert!(status.contains(part), "{status}");
    let doctor = relay.owner(["doctor"]).with(|doctor| {
        let mut command = Command::new(seen[0]);
        command.args(&seen[1..]);
        *doctor = through(command, doctor);
        doctor
    });
    let found = doctor.finish().stdout_text();
    let words = found.split_whitespace().collect::<Vec<_>>().join(" ");
    let part = "3 MiB of kkv's 4 MiB for files aren't locked, so files in messages may be swapped to a disk: raise memlock from 2048 KiB to 4164";
    assert!(words.contains(part), "{found}");

    let enough = start_through(&poor, &["-m", "17", "--max-bytes", "1M"]);
    let status = enough.owner(["status"]).finish().must_end_with(0);
    assert!(!status.stdout_text().contains("are not"));
    assert_eq!(enough.process().stderr(), "");
}

#[test]
fn more_messages_than_there_is_memory_for_are_an_error_that_says_so() {
    let mut command = Command::new("prlimit");
    command.arg("--as=200000000").arg(env!("CARGO_BIN_EXE_kkv"));
    command.args([
        "--tor",
        "off",
        "--listen",
        "127.0.0.1:0",
        "-m",
        "100000",
        "--socket",
    ]);
    let directory = tempfile::tempdir().unwrap();
    command.arg(directory.path().join("kkv.sock"));
    let refused = crate::programs::Process::spawn(command, None).finish();
    let refused = refused.must_end_with(1);
    refused
        .must_say("there is no memory for 100000 messages")
        .must_say("--max-messages");
}
