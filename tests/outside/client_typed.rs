//! "RAM only": what was typed in the interactive client is not in its memory any more once it is forgotten, neither as
//! a text nor letter by letter in what has told of the keys. It runs on meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use kkv_protocol::ids::ServiceKey;
use kkv_protocol::onion::OnionAddress;

use super::marker::Marker;
use super::process_memory::{about, scan_spread};
use crate::programs::{Relay, Terminal, comes_to};

/// Longer than what a block of a channel holds, and shorter than a line of the screen.
const TEXT_BYTES: usize = 64;

fn client(relay: &Relay, arguments: &[&str]) -> Terminal {
    let mut terminal = relay.owner(arguments).start_on(80, 24);
    terminal.wait_for("slots taken");
    terminal
}

/// Types key by key, as a person does: each has been read before the next comes.
fn types(terminal: &mut Terminal, text: &str) {
    for key in text.as_bytes() {
        terminal.press(&[*key]);
        comes_to(|| match terminal.unread() {
            0 => Ok(()),
            unread => Err(format!("{unread} bytes were not read")),
        });
    }
}

fn process(terminal: &Terminal) -> i32 {
    terminal.process().pid().as_raw_nonzero().get()
}

#[track_caller]
fn must_be_there(terminal: &Terminal, marker: &Marker) {
    let places = scan_spread(process(terminal), marker);
    assert!(!places.is_empty(), "this is not its memory: {marker:?}");
}

/// Waits until none of these is in its memory.
#[track_caller]
fn must_become_nowhere(terminal: &Terminal, markers: &[Marker]) {
    comes_to(|| {
        assert!(!about(process(terminal), "status").is_empty(), "it runs");
        for marker in markers {
            let places = scan_spread(process(terminal), marker);
            if !places.is_empty() {
                return Err(format!("{marker:?} is still in memory: {places:#?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_text_that_was_written_is_nowhere_once_it_is_sent_and_forgotten_and_wiped() {
    let relay = Relay::start(&[]);
    let text = Marker::text(TEXT_BYTES);
    let mut terminal = client(&relay, &[]);
    terminal.press("c");
    terminal.wait_for("onion address");
    terminal.press(&format!("{}\t", relay.address()));
    terminal.wait_for("of 3500 bytes");
    types(&mut terminal, text.as_str());
    terminal.wait_for(text.as_str());
    must_be_there(&terminal, &text);
    terminal.press("\x13");
    terminal.wait_for("Accepted: the message");
    terminal.press("d");
    terminal.wait_for("You have written nothing yet");
    terminal.press("\x1b");
    relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    must_become_nowhere(&terminal, &[text]);
}

#[test]
fn words_that_were_looked_for_are_nowhere_once_the_search_has_ended() {
    let relay = Relay::start(&[]);
    relay.deliver(b"something else");
    let words = Marker::text(TEXT_BYTES);
    let mut terminal = client(&relay, &[]);
    terminal.wait_for("something else");
    terminal.press("/");
    terminal.wait_for("words in the text");
    types(&mut terminal, words.as_str());
    terminal.wait_for(words.as_str());
    must_be_there(&terminal, &words);
    terminal.press("\r");
    terminal.wait_for("Esc shows all");
    terminal.press("\x1b");
    must_become_nowhere(&terminal, &[words]);
}

#[test]
fn what_was_typed_of_a_contact_is_nowhere_once_it_is_removed() {
    let relay = Relay::start(&[]);
    let passphrase = relay.directory().join("passphrase");
    fs::write(&passphrase, "several words that nobody guesses\n").expect("the test's directory");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).expect("our file");
    let arguments = [
        "tui",
        "--contacts",
        "book",
        "--passphrase-file",
        "passphrase",
    ];
    let name = format!("n{}", Marker::text(31).as_str());
    let [inbox, signs] = [(); 2].map(|()| SigningKey::generate(&mut rand::rng()).verifying_key());
    let address = OnionAddress::from_public_key(ServiceKey(inbox.to_bytes()));
    let address = address.to_string();
    let digits = HEXLOWER.encode(signs.as_bytes());
    let add = [&["contact", "add", "other", "127.0.0.1:1"], &arguments[1..]].concat();
    relay.owner(add).finish().must_end_with(0);
    let mut terminal = client(&relay, &arguments);
    terminal.press("aa");
    terminal.wait_for("what you call them");
    types(&mut terminal, &format!("{name}\t{address}\t{digits}\r"));
    terminal.wait_for("is a contact");
    let markers = [
        Marker::new("the name", name),
        Marker::new("the address", address),
        Marker::new("the digits of the sender", digits),
    ];
    must_be_there(&terminal, &markers[0]);
    terminal.press("d");
    // In the colours of keys, once they have rested.
    terminal.wait_until("y yes", |seen| {
        let spans = seen.split("\x1b[").filter_map(|span| span.split_once('m'));
        let texts = spans.map(|(_, text)| text.trim());
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        texts.windows(2).any(|pair| pair == ["y", "yes"])
    });
    terminal.press("y");
    terminal.wait_for("is no contact any more");
    terminal.press("\x1b");
    must_become_nowhere(&terminal, &markers);
}

/// The largest resident memory so far.
fn peak(terminal: &Terminal) -> u64 {
    let status = about(process(terminal), "status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.expect("it runs") << 10
}

#[test]
fn keys_that_come_faster_than_they_are_looked_at_take_no_memory() {
    const KEYS: usize = 1 << 19;
    let relay = Relay::start(&[]);
    let mut terminal = client(&relay, &[]);
    let before = peak(&terminal);
    terminal.press(&"j".repeat(KEYS));
    terminal.press("?");
    terminal.wait_for("a page back");
    // One key alone takes 24 bytes.
    let grown = peak(&terminal) - before;
    assert!(grown < 8 * KEYS as u64, "{grown} bytes");
}
