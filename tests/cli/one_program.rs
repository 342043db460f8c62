//! `kkvc` is a name of the program `kkv`: which one a person called, which one it is for those who end programs by
//! their names, and what it takes for that program.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::programs::{Outcome, Process, Relay, kkv, kkvc};

/// A user that owns nothing on this machine.
const STRANGER: u32 = 65_501;

fn version(program: &Path) -> String {
    let mut command = Command::new(program);
    command.arg("--version");
    Process::spawn(command, None)
        .finish()
        .must_end_with(0)
        .stdout_text()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

/// A directory with `kkvc` in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempdir().expect("a directory"));
        set_mode(place.0.path(), 0o755);
        fs::copy(name_alone(), place.kkvc()).expect("room for it");
        set_mode(&place.kkvc(), 0o755);
        place
    }

    fn directory(&self) -> &Path {
        self.0.path()
    }

    fn kkvc(&self) -> PathBuf {
        self.directory().join("kkvc")
    }

    fn kkv(&self) -> PathBuf {
        self.directory().join("kkv")
    }

    /// Puts a `kkv` there.
    fn put(&self, content: &[u8]) {
        fs::write(self.kkv(), content).expect("room for it");
        set_mode(&self.kkv(), 0o755);
    }

    /// Runs `kkvc`, and fails the test unless it says that it has done nothing, and has.
    #[track_caller]
    fn must_do_nothing(&self, what: &str) -> Outcome {
        let mut command = Command::new(self.kkvc());
        command.args(["delete", "--all", "--yes"]);
        command.env("XDG_RUNTIME_DIR", "/nonexistent");
        let outcome = Process::spawn(command, None).finish();
        assert_eq!(outcome.code, Some(1), "{what}: {outcome:?}");
        assert!(outcome.stdout.is_empty(), "{what}: {outcome:?}");
        outcome
            .must_say("kkvc: can't start")
            .must_say("Nothing was done.")
    }
}

/// The file of the name, which is small.
fn name_alone() -> PathBuf {
    kkvc([""; 0]).into_command().get_program().into()
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
    let (place, elsewhere) = (Place::new(), tempdir().unwrap());
    symlink("/bin/true", elsewhere.path().join("kkv")).unwrap();
    let mut command = Command::new(place.kkvc());
    command
        .args(["send", "-m", "x"])
        .env("PATH", elsewhere.path());
    let outcome = Process::spawn(command, None).finish().must_end_with(1);
    outcome
        .must_say("it isn't there")
        .must_say("Nothing was done. Keep both in one directory.");
}

#[test]
fn what_is_no_program_or_half_of_one_is_not_taken_for_a_script() {
    let whole = fs::read(name_alone()).unwrap();
    let of_another_machine = {
        let mut program = whole.clone();
        program[18..20].copy_from_slice(&[0xfe, 0xff]); // e_machine: one that nobody makes
        program
    };
    let place = Place::new();
    for (what, content) in [
        ("empty", &b""[..]),
        ("zeros", &[0; 4096]),
        ("text", b"exit 0\n"),
        ("a script", b"#!/bin/sh\nexit 0\n"),
        ("its first bytes", &whole[..64]),
        ("half of it", &whole[..whole.len() / 2]),
        ("all but its last byte", &whole[..whole.len() - 1]),
        ("another machine's", &of_another_machine),
    ] {
        place.put(content);
        let outcome = place.must_do_nothing(what);
        outcome.must_say("Install both again.");
    }
}

#[test]
fn what_is_no_file_is_said() {
    let place = Place::new();
    fs::create_dir(place.kkv()).unwrap();
    place
        .must_do_nothing("a directory")
        .must_say("it is no file");
    fs::remove_dir(place.kkv()).unwrap();
    fs::copy(name_alone(), place.kkv()).unwrap();
    set_mode(&place.kkv(), 0o644);
    place
        .must_do_nothing("not executable")
        .must_say("Permission denied");
}

#[test]
fn a_name_of_that_name_does_not_start_itself_for_ever() {
    let place = Place::new();
    fs::copy(name_alone(), place.kkv()).unwrap();
    place
        .must_do_nothing("a copy")
        .must_say("it is kkvc itself");
    fs::remove_file(place.kkv()).unwrap();
    symlink("kkvc", place.kkv()).unwrap();
    place
        .must_do_nothing("a link")
        .must_say("it is kkvc itself");
}

#[test]
fn a_program_that_another_user_may_have_put_there_is_not_run() {
    // Its user and root may do what they like, so only root can play two users.
    assert!(rustix::process::geteuid().is_root(), "see scripts/test");
    let theirs = tempdir().unwrap();
    set_mode(theirs.path(), 0o755);
    let target = theirs.path().join("true");
    fs::copy("/bin/true", &target).unwrap();
    chown(theirs.path(), Some(STRANGER), None).unwrap();

    type Change<'c> = &'c dyn Fn(&Place);
    let cases: [(&str, Change<'_>, &str); 9] = [
        (
            "theirs",
            &|place| chown(place.kkv(), Some(STRANGER), None).unwrap(),
            "user 65501 owns it",
        ),
        (
            "theirs in a directory for everybody",
            &|place| {
                set_mode(place.directory(), 0o1777);
                chown(place.kkv(), Some(STRANGER), None).unwrap();
            },
            "user 65501 owns it",
        ),
        (
            "their link",
            &|place| {
                fs::remove_file(place.kkv()).unwrap();
                symlink("/bin/true", place.kkv()).unwrap();
                lchown(place.kkv(), Some(STRANGER), None).unwrap();
            },
            "user 65501 owns it",
        ),
        (
            "a link to where they may change it",
            &|place| {
                fs::remove_file(place.kkv()).unwrap();
                symlink(&target, place.kkv()).unwrap();
            },
            "user 65501 owns",
        ),
        (
            "in their directory",
            &|place| chown(place.directory(), Some(STRANGER), None).unwrap(),
            "user 65501 owns its directory",
        ),
        (
            "for everybody to change",
            &|place| set_mode(&place.kkv(), 0o757),
            "others may write to it",
        ),
        (
            "for a group to change",
            &|place| set_mode(&place.kkv(), 0o775),
            "others may write to it",
        ),
        (
            "in a directory for everybody to change",
            &|place| set_mode(place.directory(), 0o777),
            "others may write to its directory",
        ),
        (
            "a link into a directory for a group to change",
            &|place| {
                let directory = place.directory().join("of-a-group");
                fs::create_dir(&directory).unwrap();
                fs::rename(place.kkv(), directory.join("kkv")).unwrap();
                set_mode(&directory, 0o775);
                chown(&directory, None, Some(STRANGER)).unwrap();
                symlink(directory.join("kkv"), place.kkv()).unwrap();
            },
            "others may write to its directory",
        ),
    ];
    for (what, change, why) in cases {
        let place = Place::new();
        fs::copy("/bin/true", place.kkv()).unwrap();
        set_mode(&place.kkv(), 0o755);
        change(&place);
        place.must_do_nothing(what).must_say(why);
    }
}

#[test]
fn a_program_that_nobody_else_can_have_put_there_is_run() {
    assert!(rustix::process::geteuid().is_root(), "see scripts/test");
    let place = Place::new();
    fs::copy(kkv().get_program(), place.kkv()).unwrap();
    let both = [place.kkvc(), place.kkv()];
    let all = [place.directory(), &both[0], &both[1]];
    let modes = |directory, files| {
        set_mode(place.directory(), directory);
        both.iter().for_each(|file| set_mode(file, files));
    };
    let must_run = |what: &str| {
        let said = version(&place.kkvc());
        assert!(said.starts_with("kkvc "), "{what}: {said}");
    };
    modes(0o700, 0o700);
    must_run("one's own");
    modes(0o1777, 0o755);
    must_run("one's own in a directory for everybody");
    modes(0o775, 0o775);
    must_run("with umask 002: who may change kkv may change kkvc as well");
    modes(0o775, 0o755);
    must_run("put there by install(1) with umask 002: who may write there may replace both");

    // As it is installed for all of a machine.
    modes(0o755, 0o755);
    let id = STRANGER.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    command.arg(place.kkvc()).arg("--version");
    Process::spawn(command, None).finish().must_end_with(0);

    for path in all {
        chown(path, Some(STRANGER), None).unwrap();
    }
    must_run("a user's own, by root: both are the user's");

    let elsewhere = Place::new();
    chown(place.directory(), Some(0), None).unwrap();
    chown(place.kkv(), Some(0), None).unwrap();
    symlink(place.kkv(), elsewhere.kkv()).unwrap();
    assert!(version(&elsewhere.kkvc()).starts_with("kkvc "), "a link");
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
