//! `kkvc send --receipt`: a private new file with the relay's word, or no file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::programs::{HeldPort, Relay, kkvc};

#[test]
fn a_receipt_is_written_to_a_private_new_file() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join("receipt");
    relay
        .send(["-m", "x", "--receipt", "receipt"])
        .finish()
        .must_end_with(0);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    let receipt: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(receipt["sender"], relay.list()[0]["sender"]);
    assert!(
        !receipt.to_string().contains("127.0.0.1"),
        "it names keys, not addresses"
    );
}

#[test]
fn a_file_that_exists_is_refused_before_anything_is_dialled() {
    let relay = Relay::start(&[]);
    let path = relay.directory().join("receipt");
    fs::write(&path, "precious").unwrap();
    let outcome = relay
        .send(["-m", "x", "--receipt", "receipt"])
        .finish()
        .must_end_with(2);
    let outcome = outcome.must_say("File exists").must_say("nothing was sent");
    assert!(!outcome.stderr.contains("Connecting"), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    let nowhere = relay
        .send(["-m", "x", "--receipt", "no/such/place"])
        .finish();
    nowhere.must_end_with(2).must_say("nothing was sent");
    assert!(relay.list().is_empty());
}

#[test]
fn a_receipt_refused_is_said_before_the_message_is_asked_for() {
    let relay = Relay::start(&[]);
    fs::write(relay.directory().join("receipt"), "precious").unwrap();
    let (code, screen) = relay
        .send(["--receipt", "receipt"])
        .start_on(80, 24)
        .finish();
    assert_eq!(code, Some(2), "{screen}");
    assert!(
        !screen.contains("Write your message"),
        "a text would have been written for nothing"
    );
}

#[test]
fn no_receipt_stays_when_the_delivery_fails() {
    let relay = Relay::start(&["-m", "1"]);
    let path = relay.directory().join("receipt");
    relay.deliver(b"full now");
    relay
        .send(["-m", "x", "--receipt", "receipt"])
        .finish()
        .must_end_with(4);
    assert!(!path.exists());
    relay
        .send(["missing", "--receipt", "receipt"])
        .finish()
        .must_end_with(2);
    assert!(!path.exists());
    let dead = HeldPort::take();
    let dead = dead.address().to_string();
    let nobody = kkvc(["send", &dead, "-m", "x", "--receipt"]);
    nobody.with(|c| c.arg(&path)).finish().must_end_with(3);
    assert!(!path.exists());
}

#[test]
fn kkv_1_has_no_receipts_and_says_so() {
    let relay = Relay::start(&[]);
    let outcome = relay
        .send(["-m", "x", "--suite", "1", "--receipt", "receipt"])
        .finish();
    outcome.must_end_with(2).must_say("kkv/1 has no receipts");
    assert!(relay.list().is_empty() && !relay.directory().join("receipt").exists());
}

#[test]
fn an_accepted_message_is_said_to_be_accepted_even_if_nothing_can_be_written() {
    let relay = Relay::start(&[]);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = relay.send(["-m", "x", "--json"]).into_command();
    let output = command.stdout(full).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("the message was accepted, but"), "{said}");
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn a_receipt_that_can_not_be_written_to_its_file_is_shown_instead() {
    let relay = Relay::start(&[]);
    // Files of no length at all; the write fails instead of killing the program.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let run = relay.send(["-m", "x", "--receipt", "receipt"]);
    let outcome = run.through_shell(script).finish().must_end_with(8);
    let outcome = outcome.must_say("the message was accepted, but can't write");
    let (_, shown) = outcome.stderr.split_once("should be in it: ").unwrap();
    fs::write(relay.directory().join("by hand"), shown.trim()).unwrap();
    let verified = relay.owner(["verify", "by hand"]).finish();
    verified.must_end_with(0);
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn a_dash_puts_the_receipt_on_standard_output_and_makes_no_file() {
    let relay = Relay::start(&[]);
    let sent = relay.send(["-m", "x", "--receipt", "-"]).finish();
    let sent = sent.must_end_with(0);
    let receipt: serde_json::Value = serde_json::from_slice(&sent.stdout).unwrap();
    assert_eq!(receipt["format"], "kkv/2 receipt");
    assert!(!relay.directory().join("-").exists());
    kkvc(["verify", "-"])
        .stdin(sent.stdout_text())
        .finish()
        .must_end_with(0);
    // JSON has it already, so it isn't said twice.
    let json = relay.send(["-m", "x", "--receipt", "-", "--json"]).finish();
    assert_eq!(
        json.must_end_with(0).json()["receipt"]["format"],
        "kkv/2 receipt"
    );
}

#[test]
fn a_dash_is_refused_where_a_file_is_needed_and_none_is_made() {
    let relay = Relay::start(&[]);
    for arguments in [
        &["identity", "-"][..],
        &["send", "127.0.0.1", "-m", "x", "--identity", "-"],
        &["list", "--socket", "-"],
        &["contact", "list", "--contacts", "-"],
    ] {
        let outcome = kkvc(arguments).with(|c| c.current_dir(relay.directory()));
        outcome
            .finish()
            .must_end_with(2)
            .must_say("- is no file here; one that is called so is ./-");
    }
    assert!(!relay.directory().join("-").exists());
}
