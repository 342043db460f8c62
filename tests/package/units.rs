//! The units as systemd reads them: nothing in them is unknown to it, and little is left open.

use std::collections::BTreeSet;
use std::process::Command;

use super::unit::{OF_SYSTEM, OF_SYSTEM_EXTERNAL, OF_USER, UNITS, Unit, analyze};
use crate::programs::Process;

/// The highest exposure that a unit of the system may have, in tenths: systemd's scale goes from 0 to 100.
const EXPOSURE: &str = "--threshold=20";

#[test]
fn systemd_understands_every_line() {
    let directory = tempfile::tempdir().unwrap();
    for name in UNITS {
        let unit = Unit::read(name).copy_to(directory.path(), name);
        let mut verify = Command::new("systemd-analyze");
        verify.args(["verify", "--recursive-errors=no"]).arg(unit);
        if name == OF_USER {
            verify.arg("--user");
            verify.env("XDG_RUNTIME_DIR", directory.path());
        }
        Process::spawn(verify, None).finish().must_end_with(0);
    }
}

#[test]
fn what_is_open_to_the_units_of_the_system_is_little() {
    let directory = tempfile::tempdir().unwrap();
    for name in [OF_SYSTEM, OF_SYSTEM_EXTERNAL] {
        let unit = Unit::read(name).copy_to(directory.path(), name);
        let unit = unit.to_str().unwrap();
        let looked_at = analyze(&["security", "--offline=true", EXPOSURE, unit]).finish();
        let said = looked_at.must_end_with(0).stdout_text();
        assert!(said.contains("Overall exposure level"), "{said}");
    }
}

#[test]
fn kkv_may_shut_itself_in_and_nothing_that_only_root_may() {
    for name in UNITS {
        let calls = Unit::read(name).calls();
        for call in [
            "landlock_create_ruleset",
            "landlock_add_rule",
            "landlock_restrict_self",
            "seccomp",
            "prctl",
            "prlimit64",
            "madvise",
            "mlock",
            "mlock2",
            "mlockall",
            "munlock",
        ] {
            assert!(calls.contains(call), "{name} forbids {call}");
        }
        for call in [
            "ptrace",
            "process_vm_readv",
            "io_uring_setup",
            "mount",
            "setuid",
            "chown",
            "bpf",
            "init_module",
            "kexec_load",
            "keyctl",
            "swapon",
            "settimeofday",
            "perf_event_open",
        ] {
            assert!(!calls.contains(call), "{name} allows {call}");
        }
    }
}

/// They are two files because systemd has no way to say a thing once for both.
#[test]
fn the_two_units_of_the_system_differ_in_what_has_to_do_with_tor_alone() {
    let [inside, external] = [OF_SYSTEM, OF_SYSTEM_EXTERNAL].map(Unit::read);
    let [inside, external] = [&inside, &external].map(|unit| unit.settings().collect());
    let only = |these: &BTreeSet<&str>, those: &BTreeSet<&str>| -> Vec<String> {
        these.difference(those).map(ToString::to_string).collect()
    };
    assert_eq!(
        only(&inside, &external),
        [
            "Description=kkv, an inbox in memory (Tor inside)",
            "Environment=XDG_RUNTIME_DIR=%t XDG_STATE_HOME=%S",
            "ExecStart=/usr/bin/kkv $KKV_OPTIONS",
            "RuntimeDirectoryMode=0700",
            "StateDirectory=kkv",
            "StateDirectoryMode=0700",
        ]
    );
    assert_eq!(
        only(&external, &inside),
        [
            "Description=kkv, an inbox in memory (behind a system Tor)",
            "Environment=KKV_LISTEN=unix:%t/kkv/tor.sock",
            "Environment=XDG_RUNTIME_DIR=%t",
            "ExecStart=/usr/bin/kkv --tor external $KKV_OPTIONS",
            "Group=debian-tor",
            "IPAddressAllow=localhost",
            "IPAddressDeny=any",
            "InaccessiblePaths=-/run/tor -/var/lib/tor",
            "ProcSubset=pid",
            "RuntimeDirectoryMode=0710",
        ]
    );
}
