//! The key of the address: kept elsewhere, brought back, renewed, missed; and directories that were copied.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use kkv_tor::{Settings, StateDir};

use super::place::{Place, address, shown};
use super::stage::{EmbeddedRelay, Stage, must_have_arrived, path, start};
use crate::programs::{Outcome, Process, Signal, Terminal, kkv};

fn stop(relay: &EmbeddedRelay) {
    relay.relay.process().signal(Signal::TERM);
    relay.relay.process().finish().must_end_with(0);
}

/// The commands that are printed to be pasted.
fn pasted(told: &str) -> String {
    let mut lines = told.lines().skip_while(|line| !line.ends_with("run:"));
    lines.nth(1).expect("commands").trim().to_owned()
}

#[test]
fn an_address_comes_back_from_its_backup_in_another_directory() {
    let place = Place::new();
    let (file, passphrase) = (place.path("backup"), place.passphrase());
    let file = path(&file);
    place
        .address("first", &["backup", file, &passphrase])
        .must_end_with(1)
        .must_say("no address");
    assert!(!place.path("first").exists(), "to look makes nothing");
    let running = place.start("first");
    let saved = place.address("first", &["backup", file, &passphrase]);
    saved
        .must_end_with(0)
        .must_say(&running.onion)
        .must_say("Whom --allow lets in is not in it.");
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(file).unwrap();
    let key = StateDir::read_key(&place.path("first"), &Settings::default())
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("age-encryption.org/v1") && !text.contains("onion"));
    let again = place.address("first", &["backup", file, &passphrase]);
    again.must_end_with(1).must_say("exists already");
    assert_eq!(fs::read(file).unwrap(), bytes);

    let wrong = format!("--passphrase-file={}", place.path("wrong").display());
    place
        .address("second", &["restore", file, &wrong])
        .must_end_with(1)
        .must_say("passphrase is wrong");
    let restored = place
        .address("second", &["restore", file, &passphrase])
        .must_end_with(0);
    assert_eq!(shown(&restored), running.onion);
    let found = StateDir::read_key(&place.path("second"), &Settings::default())
        .unwrap()
        .unwrap();
    assert_eq!(found.as_bytes(), key.as_bytes());
    stop(&running);
    let moved = place.start("second");
    assert_eq!(moved.onion, running.onion);
    // Never under a running one.
    for words in [&["restore", file, &passphrase][..], &["new", "--yes"]] {
        let told = place.address("second", words).must_end_with(1);
        let told = told.must_say("in use by another kkv");
        let told = told.must_say("Stop that one (its messages go with it), then run this again.");
        assert!(!told.stderr.contains("--ephemeral"), "{}", told.stderr);
    }
}

#[test]
fn no_address_is_given_up_unless_that_is_asked_for() {
    let place = Place::new();
    let (file, passphrase) = (place.path("backup"), place.passphrase());
    let file = path(&file);
    let first = place.new_address("first");
    place
        .address("first", &["backup", file, &passphrase])
        .must_end_with(0);
    let other = place.new_address("other");
    let restore = ["restore", file, &passphrase];
    place
        .address("other", &restore)
        .must_end_with(1)
        .must_say(&other)
        .must_say("--replace");
    place
        .address("other", &["new"])
        .must_end_with(2)
        .must_say("--yes");
    let running = place.start("other");
    assert_eq!(running.onion, other);
    stop(&running);
    let replaced = place.address("other", &["restore", file, &passphrase, "--replace"]);
    assert_eq!(shown(&replaced.must_end_with(0)), first);
    place
        .address("other", &restore)
        .must_end_with(0)
        .must_say("there already");
    let renewed = shown(&place.address("other", &["new", "--yes"]).must_end_with(0));
    assert!(renewed != first && renewed != other);
    let running = place.start("other");
    assert_eq!(running.onion, renewed);
}

#[test]
fn a_passphrase_that_was_mistyped_is_asked_for_again() {
    let place = Place::new();
    let first = place.new_address("first");
    let backup = path(&place.path("backup")).to_owned();
    place
        .address("first", &["backup", &backup, &place.passphrase()])
        .must_end_with(0);
    let mut command = kkv();
    command.args(["address", "restore", &backup, "--state-dir"]);
    command.arg(place.path("second"));
    let mut terminal = Terminal::start(command, 80, 24);
    for (before, typed) in ["more words\n", "several words\n"].iter().enumerate() {
        terminal.wait_for_times("the passphrase is wrong; try again", before);
        terminal.wait_for_times("Passphrase of ", before + 1);
        terminal.press(typed);
    }
    let (ended, screen) = terminal.finish();
    assert!(ended == Some(0) && screen.contains(&first), "{screen}");
}

#[test]
fn what_is_no_backup_changes_nothing() {
    let place = Place::new();
    let first = place.new_address("first");
    let backup = path(&place.path("backup")).to_owned();
    let passphrase = place.passphrase();
    place
        .address("first", &["backup", &backup, &passphrase])
        .must_end_with(0);
    let whole = fs::read(&backup).unwrap();
    let restore = || place.address("first", &["restore", &backup, "--replace", &passphrase]);
    for (bytes, told) in [
        (&b""[..], "no backup of an address"),
        (b"words", "no backup of an address"),
        (&whole[..whole.len() - 1], "cut off or altered"),
        (&[&whole[..], b"x"].concat(), "cut off or altered"),
    ] {
        fs::write(&backup, bytes).unwrap();
        restore().must_end_with(1).must_say(told);
    }
    fs::set_permissions(&backup, PermissionsExt::from_mode(0o644)).unwrap();
    restore().must_end_with(1).must_say("chmod 600");
    fs::remove_file(&backup).unwrap();
    restore().must_end_with(1).must_say("no such file");
    let key = StateDir::read_key(&place.path("first"), &Settings::default())
        .unwrap()
        .unwrap();
    assert_eq!(key.address().to_string(), first);
}

#[test]
fn a_key_that_is_missing_is_told_with_the_ways_out_and_none_is_made() {
    let place = Place::new();
    let first = place.start("first");
    let backup = path(&place.path("backup")).to_owned();
    place
        .address("first", &["backup", &backup, &place.passphrase()])
        .must_end_with(0);
    stop(&first);
    let keys = place.path("first/relay/state/keystore");
    fs::remove_dir_all(&keys).unwrap();
    let told = place
        .refused("first")
        .must_say("the key of your address is missing");
    let named = format!("--state-dir {}", place.path("first").display());
    let told = told.must_say(&format!("kkv address restore FILE {named}"));
    told.must_say(&format!("kkv address new {named}"));
    assert!(!keys.exists());
    place
        .address("first", &["restore", &backup, &place.passphrase()])
        .must_end_with(0);
    let again = place.start("first");
    assert_eq!(again.onion, first.onion);
}

#[test]
fn a_copied_directory_starts_after_one_paste() {
    let place = Place::new();
    let first = place.start("first");
    stop(&first);
    let sh = |script: &str| {
        let ran = Command::new("sh")
            .args(["-c", script])
            .current_dir(place.path(""))
            .status();
        assert!(ran.unwrap().success(), "{script}");
    };
    sh(
        "umask 022; cp -r first copied; find copied -type d -exec chmod 755 {} +; chmod 664 copied/relay/state/keystore/hss/kkv/*",
    );
    let told = place.refused("copied").must_say("other users may use");
    sh(&pasted(&told.stderr));
    let copied = place.start("copied");
    assert_eq!(copied.onion, first.onion);
    stop(&copied);
    sh("cp -a first taken && chown -R 7:8 taken/relay");
    // Root saves what a service's user has, and changes nothing.
    let backup = path(&place.path("backup")).to_owned();
    let saved = place.address("taken", &["backup", &backup, &place.passphrase()]);
    saved.must_end_with(0).must_say(&first.onion);
    let told = place.refused("taken").must_say("another user's (7)");
    sh(&pasted(&told.stderr));
    assert_eq!(place.start("taken").onion, first.onion);
}

/// A shell's `script` with `kkv` as `$0`, in `place`, with mounts of its own.
fn in_shell(place: &Place, script: &str) -> Outcome {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc", script]);
    command.arg(kkv().get_program()).current_dir(place.path(""));
    Process::spawn(command, None).finish()
}

#[test]
fn on_a_full_disk_the_address_stays_and_nothing_half_written_does() {
    let place = Place::new();
    let told = in_shell(
        &place,
        r#"mkdir disk && mount -t tmpfs -o size=64k,mode=700 none disk
        $0 address new --state-dir disk/old
        head -c 100000 /dev/zero >disk/filled 2>/dev/null || test -s disk/filled
        $0 address new --yes --state-dir disk/old && exit 7
        $0 address new --state-dir disk/new && exit 7
        $0 --tor embedded --tor-config arti.toml --socket "$PWD/s" --state-dir disk/new && exit 7
        find disk -name "*hs_id*" -o -name "address*"
        rm disk/filled
        $0 address new --state-dir disk/new"#,
    );
    let out = told.stdout_text();
    let told = told.must_end_with(0).must_say("No space left on device");
    let lines: Vec<&str> = out.lines().collect();
    let [old, key, _new] = lines[..] else {
        panic!("{out}")
    };
    assert_eq!(
        key,
        "disk/old/relay/state/keystore/hss/kkv/ks_hs_id.ed25519_expanded_private"
    );
    let told = told.must_say(&format!("the address that was there stays: {old}"));
    let told = told.must_say("Make room on the disk with Tor's files, and run it again.");
    assert_eq!(told.stderr.matches("no address was made").count(), 2);
    assert!(!told.stderr.contains("restore"), "{}", told.stderr);
}

#[test]
fn an_address_that_can_not_be_printed_is_told_all_the_same() {
    let place = Place::new();
    place.new_address("state");
    for words in ["address new --yes", "address restore backup --replace"] {
        let script = format!(
            "test -e backup || $0 address backup backup --state-dir state --passphrase-file passphrase
            exec $0 {words} --state-dir state $1 >/dev/full"
        );
        let passphrase = if words.contains("restore") {
            "--passphrase-file passphrase"
        } else {
            ""
        };
        let told = in_shell(&place, &script.replace("$1", passphrase)).must_end_with(8);
        let key = StateDir::read_key(&place.path("state"), &Settings::default());
        let now = key.unwrap().unwrap().address();
        told.must_say(&format!("your inbox has the address {now} when kkv starts"))
            .must_say("only its output failed: can't write to standard output");
    }
}

#[test]
fn nothing_is_done_with_what_is_behind_a_link_in_the_directory() {
    let place = Place::new();
    let [first, _] = ["first", "second"].map(|state| place.new_address(state));
    let state = place.path("second/relay/state");
    fs::rename(&state, place.path("away")).unwrap();
    std::os::unix::fs::symlink(place.path("first/relay/state"), &state).unwrap();
    place
        .address("second", &["new", "--yes"])
        .must_end_with(1)
        .must_say("is a link to another place");
    place
        .refused("second")
        .must_say("Put there what it leads to");
    let key = StateDir::read_key(&place.path("first"), &Settings::default());
    assert_eq!(key.unwrap().unwrap().address().to_string(), first);
}

#[test]
fn with_a_system_tor_it_is_said_where_the_key_is() {
    let place = Place::new();
    for words in [
        &["new", "--yes", "--tor", "external"][..],
        &["backup", "x", "--tor", "external"],
        &["restore", "x", "--tor", "external"],
    ] {
        let told = place.address("first", words).must_end_with(2);
        told.must_say("HiddenServiceDir");
    }
    assert!(!place.path("first").exists());
}

pub(crate) fn an_address_from_a_backup_answers_from_another_directory(stage: &Stage) {
    let directory = |name: &str| stage.network.dir().join(name);
    let (before, after) = (directory("kept-before"), directory("kept-after"));
    let (backup, words) = (directory("kept-backup"), directory("kept-words"));
    fs::write(&words, "several words\n").unwrap();
    fs::set_permissions(&words, PermissionsExt::from_mode(0o600)).unwrap();
    let first = start(&stage.config, &["--state-dir", path(&before)]);
    first.must_become("reachable");
    let passphrase = ["--passphrase-file", path(&words)];
    address(
        &before,
        &[&["backup", path(&backup)], &passphrase[..]].concat(),
    )
    .must_end_with(0);
    stop(&first);
    fs::remove_dir_all(&before).unwrap();
    address(
        &after,
        &[&["restore", path(&backup)], &passphrase[..]].concat(),
    )
    .must_end_with(0);
    let moved = start(&stage.config, &["--state-dir", path(&after)]);
    assert_eq!(moved.onion, first.onion);
    moved.must_become("reachable");
    let sent = stage
        .send(&moved.onion, &[], "to the same address")
        .finish();
    sent.must_end_with(0);
    must_have_arrived(&moved.relay, "to the same address");
}
