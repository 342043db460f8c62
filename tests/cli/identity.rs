//! `kkvc identity`: a key in a file that nobody else can read, and only that.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::contacts::ONION;
use crate::programs::{Outcome, Relay, kkvc};

fn identity(path: &Path) -> Outcome {
    kkvc(["identity", "--json"])
        .with(|command| command.arg(path))
        .finish()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}

#[test]
fn a_key_is_made_once_private_and_stays_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made = identity(&path).must_end_with(0).json();
    assert_eq!(made["made"], true);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    let pem = fs::read(&path).unwrap();
    let again = identity(&path).must_end_with(0).json();
    assert_eq!(again["made"], false);
    assert_eq!(
        (&again["fingerprint"], &again["public_key"]),
        (&made["fingerprint"], &made["public_key"])
    );
    assert_eq!(fs::read(&path).unwrap(), pem);
    let text = kkvc(["identity"])
        .with(|c| c.arg(&path))
        .finish()
        .must_end_with(0)
        .stdout_text();
    assert!(
        text.contains(made["fingerprint"].as_str().unwrap()),
        "{text}"
    );
    assert!(!text.contains("PRIVATE"), "{text}");
}

#[test]
fn a_key_that_others_may_read_is_refused_and_stays_unread() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join("key");
    identity(&path).must_end_with(0);
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        set_mode(&path, mode);
        let refused = identity(&path).must_end_with(2);
        refused.must_say("other users may").must_say("chmod 600");
        let sent = relay
            .send(["-m", "x", "--identity", path.to_str().unwrap()])
            .finish();
        sent.must_end_with(2).must_say("chmod 600");
    }
    assert!(relay.list().is_empty());
}

#[test]
fn what_is_no_key_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    for garbage in [
        &b""[..],
        b"garbage",
        b"\xff\xfe\x00",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    ] {
        fs::write(&path, garbage).unwrap();
        set_mode(&path, 0o600);
        let refused = identity(&path).must_end_with(2);
        assert!(refused.stdout.is_empty());
        assert_eq!(fs::read(&path).unwrap(), garbage);
    }
}

#[test]
fn what_is_no_file_is_refused_with_advice_that_harms_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("no/such/directory/key");
    identity(&nowhere)
        .must_end_with(2)
        .must_say("in a directory that exists");
    set_mode(directory.path(), 0o755);
    let refused = identity(directory.path())
        .must_end_with(2)
        .must_say("not a file");
    assert!(!refused.stderr.contains("chmod"), "{}", refused.stderr);
    let link = directory.path().join("link");
    symlink(directory.path().join("elsewhere"), &link).unwrap();
    identity(&link).must_end_with(2);
    assert!(
        !directory.path().join("elsewhere").exists(),
        "no key is made through a link"
    );
}

#[test]
fn a_key_made_by_openssl_works_and_is_the_one_that_signs() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join("key");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out"])
        .arg(&path)
        .output()
        .expect("openssl is installed (Debian: apt install openssl)");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    set_mode(&path, 0o600);
    let key = identity(&path).must_end_with(0).json();
    let public = Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(&path)
        .output()
        .expect("openssl is installed");
    let theirs: String = public.stdout[12..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(key["public_key"], theirs);
    let sent = relay
        .send(["-m", "x", "--identity", path.to_str().unwrap()])
        .finish();
    let told = sent.must_end_with(0).stderr;
    assert!(told.contains("your identity"), "{told}");
    assert_eq!(relay.list()[0]["sender"], theirs);
}

#[test]
fn openssl_reads_a_key_made_here_as_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = identity(&path).must_end_with(0).json();
    let public = Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(&path)
        .output()
        .expect("openssl is installed (Debian: apt install openssl)");
    assert!(
        public.status.success(),
        "{}",
        String::from_utf8_lossy(&public.stderr)
    );
    let theirs: String = public.stdout[12..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(key["public_key"], theirs);
}

#[test]
fn without_an_identity_every_message_has_another_sender() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join("key");
    let key = identity(&path).must_end_with(0).json();
    for _ in 0..2 {
        relay.deliver(b"x");
        let sent = relay
            .send(["-m", "x", "--identity", path.to_str().unwrap()])
            .finish();
        sent.must_end_with(0);
    }
    let senders: Vec<_> = relay
        .list()
        .iter()
        .map(|message| message["sender"].clone())
        .collect();
    assert_eq!(
        (&senders[1], &senders[3]),
        (&key["public_key"], &key["public_key"])
    );
    assert!(senders[0] != senders[2] && senders[0] != senders[1] && senders[2] != senders[1]);
}

#[test]
fn a_key_to_a_closed_inbox_is_made_once_private_and_refused_if_others_may_read_it() {
    let inbox = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("\x1b[31mkey");
    let key = || kkvc(["key", inbox]).with(|c| c.arg(&path)).finish();
    let told = key().must_end_with(0);
    let made = told.stdout_text();
    assert!(
        made.starts_with("descriptor:x25519:") && made.lines().count() == 1,
        "{made:?}"
    );
    assert!(!told.stderr.contains('\x1b'), "{:?}", told.stderr);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(key().must_end_with(0).stdout_text(), made);
    set_mode(&path, 0o640);
    key()
        .must_end_with(2)
        .must_say("other users may get at the key");
}

#[test]
fn what_only_the_tor_inside_could_use_is_refused_where_it_is_not_started() {
    let relay = Relay::start(&[]);
    for option in ["--key", "--state-dir", "--tor-config"] {
        let outcome = relay.send(["-m", "x", option, "somewhere"]).finish();
        outcome.must_end_with(2).must_say(option);
    }
    assert!(relay.list().is_empty());
}

#[test]
fn what_an_editor_puts_around_a_key_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made = identity(&path).must_end_with(0).json();
    let pem = fs::read_to_string(&path).unwrap();
    for changed in [
        format!("{pem}\n"),
        format!("{pem}\n \t\n\n"),
        pem.trim_end().to_owned(),
        format!("\n\n{pem}"),
        format!("\u{feff}{}\r\n", pem.replace('\n', "\r\n")),
    ] {
        fs::write(&path, &changed).unwrap();
        let same = identity(&path).must_end_with(0).json();
        assert_eq!(same["public_key"], made["public_key"], "{changed:?}");
    }
    fs::write(&path, format!("{pem}more\n")).unwrap();
    identity(&path).must_end_with(2);
}

#[test]
fn of_a_file_that_is_no_key_that_is_said_and_nothing_of_its_rights() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("l.txt");
    let inbox = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    for (bytes, said) in [
        (&b"dear diary\n"[..], "Name a new file"),
        (b"", "Name a new file"),
        (b"\xff\n", "it isn't UTF-8 text"),
        (&[b'x'; 5000], "it is longer than 4096 bytes"),
    ] {
        fs::write(&path, bytes).unwrap();
        set_mode(&path, 0o644);
        let key = kkvc(["key", inbox, path.to_str().unwrap()]).finish();
        for told in [identity(&path), key] {
            let told = told.must_end_with(2).must_say(said);
            assert!(!told.stderr.contains("other users"), "{told:?}");
            assert!(!told.stderr.contains("chmod"), "{told:?}");
        }
    }
}

#[test]
fn nobody_is_told_to_change_the_rights_of_a_device() {
    let told = identity(Path::new("/dev/null")).must_end_with(2);
    assert!(!told.stderr.contains("chmod"), "{told:?}");
    told.must_say("Name a file of your own");
}

#[test]
fn a_command_to_be_pasted_stays_one_line_on_a_narrow_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory
        .path()
        .join("a_key_with_a_name_longer_than_the_line.pem");
    identity(&path).must_end_with(0);
    set_mode(&path, 0o644);
    let run = kkvc(["identity", path.to_str().unwrap()]);
    let (_, output) = run.start_on(45, 24).finish();
    let command = format!("chmod 600 {}", path.display());
    assert!(output.contains(&command), "{output}");
}

#[test]
fn where_a_file_is_no_key_a_new_one_is_to_be_named() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let file = directory.path().join("f.txt");
    fs::write(&file, "a letter").expect("our own directory");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our own file");
    let shown = kkvc(["identity"]).with(|c| c.arg(&file)).finish();
    shown.must_end_with(2).must_say("Name a new file");
}

#[test]
fn what_the_system_refuses_is_no_wrong_usage() {
    // Not even root makes a file there.
    for words in [
        &["identity", "/sys/key"][..],
        &["key", ONION, "/sys/key"],
        &[
            "send",
            "127.0.0.1:1",
            "-m",
            "x",
            "--receipt",
            "/sys/receipt",
        ],
    ] {
        kkvc(words).finish().must_end_with(1);
    }
}
