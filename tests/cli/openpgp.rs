//! OpenPGP in messages, with a real `gpg`: whole round trips, and what the owner is told of each block.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{Outcome, Process, Relay, through_shell};

/// A `gpg` with keys of its own, which go with it.
struct Gpg {
    home: TempDir,
}

impl Gpg {
    fn new() -> Self {
        let home = tempfile::Builder::new()
            .prefix("gpg") // in the shortest place there is: the name of a socket has its limits
            .tempdir_in("/tmp")
            .expect("a directory for the keys");
        Self { home }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.home.path());
        command.args(["--batch", "--quiet", "--no-tty", "--pinentry-mode=loopback"]);
        command.args(["--passphrase=secret", "--trust-model=always"]);
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str], input: &str) -> Outcome {
        Process::spawn(self.command(arguments), Some(input.into())).finish()
    }

    /// What it makes of `input`, in armor.
    fn makes(&self, arguments: &[&str], input: &str) -> String {
        let made = self.run(&[&["--armor"], arguments].concat(), input);
        made.must_end_with(0).stdout_text()
    }

    /// Makes a key to encrypt to and to sign with.
    fn make_key(&self) {
        let quick = ["--quick-generate-key", "owner@example", "future-default"];
        self.run(&[&quick[..], &["default", "never"]].concat(), "")
            .must_end_with(0);
    }

    /// `kkvc ARGUMENTS | gpg ARGUMENTS`, as an owner types it.
    fn piped(&self, relay: &Relay, kkvc: &[&str], gpg: &[&str]) -> Outcome {
        let quoted = |command: &Command| -> String {
            let words = command.get_args().map(|word| word.to_string_lossy());
            words.map(|word| format!(" '{word}'")).collect()
        };
        let gpg = quoted(&self.command(gpg));
        let script = format!(r#""$0" "$@" | gpg{gpg}"#);
        let mut command = through_shell(&relay.owner(kkvc).into_command(), &script);
        command.env("GNUPGHOME", self.home.path());
        Process::spawn(command, None).finish()
    }
}

/// Its agent, which has been started for these keys, ends with them.
impl Drop for Gpg {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        end.args(["--kill", "all"])
            .env("GNUPGHOME", self.home.path());
        end.status()
            .expect("gpgconf is installed: see scripts/need");
    }
}

const TEXT: &str = "Grüße,\n- with a dash\n-----BEGIN PGP SIGNATURE-----\nand an end\n";

fn deliver(relay: &Relay, text: &str) {
    relay.deliver(text.as_bytes());
}

/// What the newest message is said to be, in JSON.
fn newest(relay: &Relay) -> serde_json::Value {
    let list = relay.list();
    list.last().expect("a message")["openpgp"].clone()
}

fn shown(relay: &Relay, id: &str) -> String {
    let read = relay.owner(["read", id]).finish();
    read.must_end_with(0).stdout_text()
}

#[test]
fn a_message_encrypted_with_a_passphrase_is_opened_by_gpg_from_a_pipe() {
    let (relay, gpg) = (Relay::start(&[]), Gpg::new());
    deliver(&relay, &gpg.makes(&["--symmetric"], TEXT));
    assert_eq!(newest(&relay), "message");
    let opened = gpg.piped(&relay, &["read", "1", "--raw"], &["-d"]);
    assert_eq!(opened.must_end_with(0).stdout_text(), TEXT);
    assert_eq!(relay.list()[0]["read"], true);
}

#[test]
fn everything_that_gpg_makes_is_known_for_what_it_is_and_gpg_takes_it_back() {
    let (relay, gpg) = (Relay::start(&["-m", "20", "--adaptive", "off"]), Gpg::new());
    gpg.make_key();
    let encrypted = gpg.makes(&["--encrypt", "--recipient", "owner@example"], TEXT);
    let signed = gpg.makes(&["--clear-sign"], TEXT);
    let public = gpg.makes(&["--export", "owner@example"], "");
    let signature = gpg.makes(&["--detach-sign"], TEXT);
    let private = gpg.makes(&["--export-secret-keys", "owner@example"], "");
    let file = relay.directory().join("signed");
    std::fs::write(&file, TEXT).unwrap();
    let signed_file = file.to_str().expect("made of ASCII");

    let takes: [(&str, &str, &[&str]); 5] = [
        (&encrypted, "message", &["-d"]),
        (&signed, "signed_message", &["--verify"]),
        (&public, "public_key", &["--import"]),
        (&signature, "signature", &["--verify", "-", signed_file]),
        (&private, "private_key", &["--show-keys"]),
    ];
    for (id, (block, name, taken_by)) in (1..).zip(takes) {
        deliver(&relay, block);
        assert_eq!(newest(&relay), name, "{block}");
        let id = id.to_string();
        let taken = gpg.piped(&relay, &["read", &id, "--raw"], taken_by);
        taken.must_end_with(0);

        let shown = shown(&relay, &id);
        let name = name.replace('_', " ");
        assert!(shown.contains(&format!("\nOpenPGP   {name}; ")), "{shown}");
        let secret = name == "private key";
        assert_eq!(
            shown.contains(&format!("kkvc read {id} --raw | gpg ")),
            !secret
        );
        assert_eq!(shown.contains("should revoke it"), secret);
        assert!(
            shown.lines().take(5).all(|line| line.len() <= 80),
            "{shown}"
        );
        if !secret {
            assert!(
                shown.contains(taken_by[0]),
                "what helped here is what it says: {shown}"
            );
        }
    }
    let opened = gpg.piped(&relay, &["read", "1", "--raw"], &["-d"]);
    assert_eq!(opened.must_end_with(0).stdout_text(), TEXT);
}

#[test]
fn list_has_a_column_for_it_if_there_is_any_and_stays_within_80() {
    let (relay, gpg) = (Relay::start(&["-m", "20", "--adaptive", "off"]), Gpg::new());
    let list = || {
        let list = relay.owner(["list"]).finish();
        list.must_end_with(0).stdout_text()
    };
    deliver(&relay, "no block");
    assert!(!list().contains("OPENPGP"), "{}", list());
    let block = gpg.makes(&["--symmetric"], TEXT);
    deliver(&relay, &block);
    let signed = "-----BEGIN PGP SIGNED MESSAGE-----\n\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----";
    deliver(&relay, signed);
    deliver(&relay, &format!("Hello!\n{block}"));
    let list = list();
    let lines: Vec<&str> = list.lines().collect();
    for (line, end) in lines.iter().zip([
        "SUITE  OPENPGP",
        "kkv/2",
        "kkv/2  message",
        "kkv/2  signed message",
        "kkv/2  part: message",
    ]) {
        assert!(line.ends_with(end), "{list}");
        assert!(line.len() <= 80, "{list}");
    }
    assert!(!list.contains("BEGIN"), "no text is in it: {list}");
}

#[test]
fn a_text_with_blocks_in_it_is_told_what_there_is_and_never_called_what_they_are() {
    let (relay, gpg) = (Relay::start(&["-m", "20", "--adaptive", "off"]), Gpg::new());
    gpg.make_key();
    let encrypted = gpg.makes(&["--symmetric"], TEXT);
    let signed = gpg.makes(&["--clear-sign"], "Signed\n");
    let public = gpg.makes(&["--export", "owner@example"], "");
    let cases = [
        (format!("Hello!\n{encrypted}Bye\n"), vec!["message"], TEXT),
        (
            format!("{signed}\nPay Eve!\n"),
            vec!["signed_message"],
            "Signed\n",
        ),
        (format!("{encrypted}{encrypted}"), vec!["message"], TEXT),
        (
            format!("{encrypted}\n{public}"),
            vec!["message", "public_key"],
            TEXT,
        ),
    ];
    for (id, (text, kinds, opened)) in (1..).zip(cases) {
        deliver(&relay, &text);
        let list = relay.list();
        let newest = list.last().expect("a message");
        assert_eq!(newest["openpgp"], serde_json::Value::Null, "it is a text");
        assert_eq!(newest["openpgp_inside"], serde_json::json!(kinds));
        let id = id.to_string();
        let raw = gpg.piped(&relay, &["read", &id, "--raw"], &["-d"]);
        assert!(raw.stdout_text().starts_with(opened), "gpg -d opens it");
        let shown = shown(&relay, &id);
        let kinds = kinds.join(", ").replace('_', " ");
        for told in [
            format!("\nOpenPGP   only in part: {kinds}\n"),
            format!(": kkvc read {id} --raw | gpg -d | less\n"),
        ] {
            assert!(shown.contains(&told), "{shown}");
        }
        assert!(
            shown.lines().take(5).all(|line| line.len() <= 80),
            "{shown}"
        );
    }
    deliver(
        &relay,
        &format!("Hello!\n> {}", encrypted.replace('\n', "\n> ")),
    );
    assert!(
        !shown(&relay, "5").contains("OpenPGP "),
        "gpg doesn't open it"
    );
    let list = relay.owner(["list"]).finish();
    let list = list.must_end_with(0).stdout_text();
    for (line, end) in list.lines().zip([
        "SUITE  OPENPGP",
        "kkv/2  part: message",
        "kkv/2  part: signed message",
        "kkv/2  part: message",
        "kkv/2  several parts",
        "kkv/2",
    ]) {
        assert!(line.ends_with(end), "{list}");
        assert!(line.len() <= 80, "{list}");
    }
}

#[test]
fn gpg_agrees_that_a_block_has_to_begin_its_line() {
    let gpg = Gpg::new();
    let block = gpg.makes(&["--symmetric"], TEXT);
    let opens = |text: &str| gpg.run(&["-d"], text).code == Some(0);
    assert!(opens(&format!("\n \t\n{block}\n")));
    assert!(opens(&block.replace('\n', "\r\n")));
    assert!(!opens(&format!(" {block}")));
    assert!(Path::new(gpg.home.path()).exists());
}
