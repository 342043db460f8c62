//! "RAM only": when `kkvc` has sent or shown a message, there is nothing of it left in its own memory, and of no key that it has read or made.
//!
//! What it was told or has shown is in others' hands as well, which it can't wipe: the kernel's buffers of pipes and terminals, and its arguments, which
//! is why a text is better not given with `-m`.

use std::fs;
use std::path::Path;

use data_encoding::{BASE32_NOPAD, BASE64};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, texts};
use super::standing::{At, Standing};
use super::traced::must_be_possible;
use crate::programs::{Relay, Run, kkvc};

const SUITES: [&str; 2] = ["1", "2"];

/// A relay with room for everything that a test sends.
fn roomy() -> Relay {
    let relay = Relay::start(&["-m", "200", "--adaptive", "off"]);
    must_be_possible(relay.directory());
    relay
}

fn path(directory: &Path, name: impl ToString) -> String {
    let path = directory.join(name.to_string());
    path.to_str().expect("made of ASCII").to_owned()
}

/// One short text and one long, by turns.
fn text(suite: &str, run: usize) -> Marker {
    let [short, long, ..] = texts(suite);
    if run % 2 == 0 { short } else { long }
}

/// Everything that a key in such a file could be known by: its secret, what a signature makes of it, and the part of the file that says it.
fn identity(file: &str) -> Vec<Marker> {
    let pem = fs::read_to_string(file).expect("it was made");
    let key = SigningKey::from_pkcs8_pem(&pem).expect("a key");
    let line = pem.lines().nth(1).expect("the key is in one line");
    let der = BASE64.decode(line.as_bytes()).expect("base64");
    assert_eq!(der[16..], key.to_bytes(), "RFC 8410: the secret comes last");
    let mut markers = Marker::with_hex("the secret key", &key.to_bytes()).to_vec();
    markers.extend([
        Marker::new("its scalar", key.to_scalar_bytes()),
        Marker::new("its scalar, reduced", key.to_scalar().to_bytes()),
        Marker::new("the secret key, in base64", &line[22..]), // 16 bytes are 21 characters and a third
    ]);
    markers
}

/// Has every way to give a text to `kkvc` tried, in both suites: `send` starts it for this run and text, and tells what was found of it.
fn sent(send: impl Fn(&Relay, Run, usize, &Marker)) {
    let relay = roomy();
    for suite in SUITES {
        for run in 0..RUNS {
            send(
                &relay,
                relay.send(["--suite", suite]),
                run,
                &text(suite, run),
            );
        }
    }
    assert_eq!(relay.list().len(), SUITES.len() * RUNS);
}

#[test]
fn a_text_that_was_sent_from_a_pipe_is_nowhere_and_neither_is_the_key_that_signed_it() {
    sent(|relay, send, run, text| {
        let file = path(
            relay.directory(),
            format!("key-{}", text.bytes().len() * RUNS + run),
        );
        if !Path::new(&file).exists() {
            kkvc(["identity", &file]).finish().must_end_with(0);
        }
        let send = send
            .stdin(text.bytes())
            .with(|c| c.args(["--identity", &file]));
        let markers = [identity(&file), vec![text.clone()]].concat();
        must_be_nowhere(&Standing::start(send, At::Exit).scan(&markers));
    });
}

#[test]
fn a_text_that_was_sent_from_a_file_is_nowhere() {
    sent(|relay, send, _, text| {
        let file = path(relay.directory(), "text");
        fs::write(&file, text.bytes()).unwrap();
        let send = send.with(|command| command.arg(&file));
        must_be_nowhere(&Standing::start(send, At::Exit).scan(&[text.clone()]));
    });
}

#[test]
fn a_text_that_was_typed_and_sent_is_nowhere() {
    sent(|_, send, _, text| {
        let mut standing = Standing::start_on_terminal(send, At::Exit);
        standing.terminal().wait_for("Write your message");
        standing
            .terminal()
            .press(&format!("{}\n\x04", text.as_str()));
        standing.terminal().wait_for("Accepted");
        must_be_nowhere(&standing.scan(&[text.clone()]));
    });
}

#[test]
fn a_text_that_is_about_to_be_sent_is_found() {
    let relay = roomy();
    for suite in SUITES {
        let text = text(suite, 1);
        let send = relay.send(["-", "--suite", suite]).stdin(text.bytes());
        let standing = Standing::start(send, At::Connect);
        standing.scan(&[text])[0].must_be_one_copy();
        let given = Marker::text(60);
        let send = relay.send(["-m", given.as_str(), "--suite", suite]);
        let found = Standing::start(send, At::Exit).scan(&[given]);
        assert_eq!(found[0].copies(), 1, "its argument is left: {found:?}");
    }
}

/// Has messages delivered, and `show` look at each by its number.
fn shown(show: impl Fn(&Relay, &str, &Marker)) {
    let relay = roomy();
    let mut number = 0;
    for suite in SUITES {
        for run in 0..RUNS {
            let text = text(suite, run);
            let sent = relay.send(["-", "--suite", suite]).stdin(text.bytes());
            sent.finish().must_end_with(0);
            number += 1;
            show(&relay, &number.to_string(), &text);
        }
    }
}

/// Runs a command to its end, where it has shown `text` and forgotten it.
fn must_forget(run: Run, text: &Marker) {
    let standing = Standing::start(run, At::Exit);
    let whole = |out: &str| out.contains(text.as_str());
    standing.process().wait_for_stdout("the text", whole);
    must_be_nowhere(&standing.scan(std::slice::from_ref(text)));
}

#[test]
fn a_message_that_was_read_is_nowhere() {
    shown(|relay, number, text| must_forget(relay.owner(["read", number]), text));
}

#[test]
fn a_message_that_was_read_in_json_is_nowhere() {
    shown(|relay, number, text| must_forget(relay.owner(["read", number, "--json"]), text));
}

#[test]
fn a_message_that_was_exported_is_nowhere() {
    shown(|relay, number, text| must_forget(relay.owner(["export", number]), text));
}

#[test]
fn an_exported_message_that_was_verified_is_nowhere() {
    shown(|relay, number, text| {
        let export = relay.owner(["export", number]).finish().must_end_with(0);
        let file = path(relay.directory(), "exported");
        fs::write(&file, &export.stdout).unwrap();
        must_forget(kkvc(["verify", &file]), text);
        must_forget(kkvc(["verify", "-", "--json"]).stdin(export.stdout), text);
    });
}

#[test]
fn a_message_that_is_about_to_be_shown_is_found() {
    let relay = roomy();
    for (number, suite) in SUITES.iter().enumerate() {
        let text = text(suite, 1);
        let sent = relay.send(["-", "--suite", suite]).stdin(text.bytes());
        sent.finish().must_end_with(0);
        let shown = relay.directory().join("shown");
        let read = relay.owner(["read", &(number + 1).to_string()]);
        let read = read.through_shell("exec \"$0\" \"$@\" >shown");
        let standing = Standing::start(read, At::Output(&shown));
        let found = standing.scan(std::slice::from_ref(&text)).remove(0);
        assert!(found.copies() >= 1, "{found:?}");
    }
}

#[test]
fn a_key_to_sign_with_that_was_made_or_shown_is_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    must_be_possible(directory.path());
    for run in 0..RUNS {
        let file = path(directory.path(), run);
        for _ in ["made", "shown"] {
            let standing = Standing::start(kkvc(["identity", &file]), At::Exit);
            must_be_nowhere(&standing.scan(&identity(&file)));
        }
    }
}

#[test]
fn a_key_to_a_closed_inbox_that_was_made_or_shown_is_nowhere() {
    const INBOX: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
    let directory = tempfile::tempdir().unwrap();
    must_be_possible(directory.path());
    for run in 0..RUNS {
        let file = path(directory.path(), run);
        for _ in ["made", "shown"] {
            let standing = Standing::start(kkvc(["key", INBOX, &file]), At::Exit);
            let line = fs::read_to_string(&file).expect("it was made");
            let base32 = line.trim().rsplit(':').next().expect("the key comes last");
            let secret = BASE32_NOPAD.decode(base32.as_bytes()).expect("base32");
            let [raw, lower, upper] = Marker::with_hex("the secret key", &secret);
            let base32 = Marker::new("the secret key, in base32", base32);
            must_be_nowhere(&standing.scan(&[raw, lower, upper, base32]));
        }
    }
}
