//! Where a message may go: an onion address or this machine. Everything else is refused before anything is dialled.

use crate::programs::{Outcome, Process, kkv, kkvc, through_shell};

/// A published address: the Tor Project's own site.
const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";

#[track_caller]
fn refused(address: &str) -> Outcome {
    let outcome = kkvc(["send", address, "-m", "x"]).finish().must_end_with(2);
    assert!(outcome.stdout.is_empty());
    assert!(!outcome.stderr.contains("Connecting"), "{}", outcome.stderr);
    outcome.must_say("--help")
}

#[test]
fn what_is_outside_tor_is_refused() {
    for address in [
        "example.com",
        "example.com:45069",
        "8.8.8.8",
        "192.168.1.1:45069",
        "0.0.0.0:45069",
        "[2001:db8::1]:45069",
        "[::ffff:127.0.0.1]:45069",
        "localhost.example.com",
        "",
    ] {
        refused(address).must_say("nothing is ever sent outside Tor");
    }
}

#[test]
fn an_onion_address_with_any_one_character_wrong_is_refused() {
    for position in 0..ONION.len() {
        let mut wrong = ONION.to_owned().into_bytes();
        wrong[position] = if wrong[position] == b'a' { b'b' } else { b'a' };
        refused(&format!("{}.onion", String::from_utf8(wrong).unwrap()));
    }
    let swapped = ONION.replacen("2gz", "2zg", 1);
    refused(&format!("{swapped}.onion")).must_say("a character must be wrong");
}

#[test]
fn an_address_of_another_shape_is_refused_with_the_reason() {
    for (address, reason) in [
        (format!("https://{ONION}.onion"), "https://"),
        (format!("ftp://{ONION}.onion"), "http://"),
        (format!("http://{ONION}.onion/page"), "no pages"),
        (format!("{ONION}.onion:0"), "no port"),
        (format!("{ONION}.onion:65536"), "no port"),
        (format!("{ONION}.onion:"), "no port"),
        ("127.0.0.1:0".to_owned(), "no port"),
        (format!("www.{ONION}.onion"), "subdomain"),
        ("expyuzz4wqqyqhjn.onion".to_owned(), "and this has 16"),
    ] {
        refused(&address).must_say(reason);
    }
}

#[test]
fn an_address_with_escapes_in_it_is_shown_without_them() {
    let outcome = refused("\x1b]0;pwned\x07\u{9b}31m\u{202e}x.onion");
    let outcome = outcome.must_say("<U+009B>31m<U+202E>x.onion");
    let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!outcome.stderr.contains(steers), "{:?}", outcome.stderr);
}

#[test]
fn only_a_tor_on_this_machine_is_dialled_through() {
    let onion = format!("{ONION}.onion");
    for (tor, reason) in [
        ("socks5://10.0.0.1:9050", "must be on this machine"),
        ("socks5://[2001:db8::1]:9050", "must be on this machine"),
        (
            "socks5://example.com:9050",
            "is written socks5://127.0.0.1:9050",
        ),
        (
            "http://127.0.0.1:9050",
            "is written socks5://127.0.0.1:9050",
        ),
        ("127.0.0.1:9050", "is written socks5://127.0.0.1:9050"),
        ("foo", "the SOCKS port of a Tor that runs"),
    ] {
        let outcome = kkvc(["send", &onion, "-m", "x", "--tor", tor]).finish();
        outcome.must_end_with(2).must_say(reason);
    }
}

#[test]
fn an_address_is_changed_for_nobody_who_could_not_see_it() {
    for words in [&["new", "--yes"][..], &["restore", "file"]] {
        let mut command = kkv();
        command
            .arg("address")
            .args(words)
            .args(["--tor", "external"]);
        let refused = Process::spawn(through_shell(&command, "exec \"$0\" \"$@\" >&-"), None);
        let refused = refused.finish().must_end_with(2);
        refused.must_say("standard output is closed");
    }
}
