//! `kkvc send` when nothing was delivered: each reason has its own exit code, and the message is not there.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::meddler::{Meddler, Verdict};
use crate::programs::{HeldPort, Relay, Signal, kkvc};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

#[test]
fn nothing_at_the_address_ends_with_3() {
    let dead = HeldPort::take();
    let outcome = kkvc(["send", &dead.address().to_string(), "-m", "x"])
        .finish()
        .must_end_with(3);
    outcome
        .must_say("nothing answers at 127.0.0.1")
        .must_say("nothing was delivered");
}

#[test]
fn no_tor_ends_with_3_and_says_how_to_get_one() {
    let dead = HeldPort::take();
    let tor = format!("socks5://{}", dead.address());
    let outcome = kkvc(["send", ONION, "-m", "x", "--tor", &tor])
        .finish()
        .must_end_with(3);
    let outcome = outcome
        .must_say("no Tor answers")
        .must_say("apt install tor");
    outcome.must_say("nothing was delivered");
}

/// A port whose owner does `act` with each visitor, and keeps the line open until the visitor is gone if that is what
/// `act` waits for.
fn port(act: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || listener.incoming().flatten().for_each(act));
    address
}

fn hold(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

#[test]
fn a_proxy_that_is_no_tor_ends_with_3() {
    let garbage = port(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.0 400 What?\r\n\r\n\x1b[2J");
        hold(stream);
    });
    let silent = port(drop);
    for tor in [garbage, silent] {
        let tor = format!("socks5://{tor}");
        let outcome = kkvc(["send", ONION, "-m", "x", "--tor", &tor])
            .finish()
            .must_end_with(3);
        assert!(!outcome.stderr.contains('\x1b'));
        outcome
            .must_say("Name Tor's own SOCKS port with --tor")
            .must_say("nothing was delivered");
    }
}

#[test]
fn a_proxy_that_never_answers_ends_with_3_when_the_time_is_over() {
    let tor = format!("socks5://{}", port(hold));
    let outcome = kkvc(["send", ONION, "-m", "x", "--tor", &tor, "--timeout", "3s"])
        .finish()
        .must_end_with(3);
    outcome
        .must_say("no connection within 3 seconds")
        .must_say("nothing was delivered");
}

#[test]
fn a_relay_that_never_answers_ends_with_3_when_the_time_is_over() {
    let outcome = kkvc(["send", &port(hold), "-m", "x", "--timeout", "1s"])
        .finish()
        .must_end_with(3);
    outcome
        .must_say("the relay didn't answer within 1s")
        .must_say("nothing was delivered");
}

#[test]
fn a_full_inbox_ends_with_4_in_both_suites() {
    let relay = Relay::start(&["-m", "1"]);
    relay.deliver(b"the only one");
    for suite in ["1", "2"] {
        let outcome = relay
            .send(["-m", "x", "--suite", suite])
            .finish()
            .must_end_with(4);
        outcome.must_say("the inbox is full; nothing was delivered");
    }
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn a_solution_not_found_in_time_ends_with_5_in_both_suites() {
    let relay = Relay::start(&["-c", "40", "-e", "1"]);
    for suite in ["1", "2"] {
        let outcome = relay
            .send(["-m", "x", "--suite", suite, "--anyway"])
            .finish()
            .must_end_with(5);
        outcome
            .must_say("no solution was found")
            .must_say("nothing was delivered");
    }
    assert!(relay.list().is_empty());
}

/// Replaces the first hex digit after `field` by another one.
fn forge(body: &str, field: &str) -> String {
    let (before, after) = body
        .split_once(&format!("\"{field}\":\""))
        .expect("the field is there");
    let digit = if after.starts_with('0') { '1' } else { '0' };
    format!("{before}\"{field}\":\"{digit}{}", &after[1..])
}

#[test]
fn a_signature_of_the_relay_that_does_not_fit_ends_with_6() {
    let relay = Relay::start(&[]);
    for (suite, path, forged) in [
        (
            "2",
            "/pow",
            (|body| forge(body, "signature")) as fn(&str) -> String,
        ),
        ("2", "/pow", |body| forge(body, "challenge")),
        ("2", "/exchange_keys", |body| forge(body, "signature")),
        ("2", "/exchange_keys", |body| forge(body, "x25519")),
        ("2", "/exchange_keys", |_| "{}".to_owned()),
        ("1", "/pow", |body| forge(body, "signature")),
        ("1", "/exchange_keys", |body| {
            forge(body, "diffie_hellman_sig")
        }),
        ("1", "/get_domain_pk", |_| "no key".to_owned()),
    ] {
        let forger = Meddler::start(relay.address(), move |asked| {
            if asked.path == path {
                Verdict::Change(forged)
            } else {
                Verdict::Pass
            }
        });
        let outcome = kkvc(["send", &forger.address, "-m", "x", "--suite", suite]).finish();
        outcome
            .must_end_with(6)
            .must_say("nothing was delivered")
            .must_say("Check the address");
    }
    assert!(relay.list().is_empty());
}

#[test]
fn a_relay_that_is_none_cannot_steer_the_terminal() {
    let relay = Relay::start(&[]);
    for (status, body) in [
        (500, "\x1b[2J\x07 broken"),
        (
            403,
            "{\"error\":\"\\u001b[2J\",\"reason\":\"\x1b]0;pwned\x07\"}",
        ),
        (401, "{\"error\":\"unpaid\",\"reason\":\"\\u001b[31mred\"}"),
    ] {
        let fake = Meddler::start(relay.address(), move |_| Verdict::Answer(status, body));
        let outcome = kkvc(["send", &fake.address, "-m", "x"])
            .finish()
            .must_end_with(1);
        assert!(
            !outcome.stderr.contains(['\x1b', '\x07']),
            "{:?}",
            outcome.stderr
        );
        assert!(!outcome.stderr.contains("31m") && !outcome.stderr.contains("pwned"));
        outcome.must_say("nothing was delivered");
    }
}

#[test]
fn a_relay_behind_another_port_is_told_to_be_called_by_its_own() {
    let relay = Relay::start(&[]);
    let address = relay.address().to_owned();
    // As `ssh -L` does it, with another port on this side.
    let forwarded = port(move |mut near| {
        let mut far = TcpStream::connect(&address).expect("the relay is there");
        let mut asking = near.try_clone().expect("a second handle");
        let mut asked = far.try_clone().expect("a second handle");
        thread::spawn(move || std::io::copy(&mut asking, &mut asked));
        let _ = std::io::copy(&mut far, &mut near);
    });
    let outcome = kkvc(["send", &forwarded, "-m", "x"])
        .finish()
        .must_end_with(1);
    outcome
        .must_say("status 403")
        .must_say("nothing was delivered")
        .must_say("It may be no kkv relay")
        .must_say("ssh -L");
    assert!(relay.list().is_empty());

    let other = Meddler::start(relay.address(), |_| Verdict::Answer(401, ""));
    let outcome = kkvc(["send", &other.address, "-m", "x"]).finish();
    let outcome = outcome.must_end_with(1);
    assert!(!outcome.stderr.contains("ssh"), "{}", outcome.stderr);
}

#[test]
fn what_speaks_no_http_is_no_relay() {
    let chatty = port(|mut stream| {
        let _ = stream.read(&mut [0; 16]); // a greeting before the question would only look like a line that breaks
        let _ = stream.write_all(b"220 mail.example ESMTP \x1b[2J\r\n");
        hold(stream);
    });
    let outcome = kkvc(["send", &chatty, "-m", "x"]).finish().must_end_with(6);
    assert!(!outcome.stderr.contains('\x1b'));
    outcome.must_say("nothing was delivered");
}

#[test]
fn a_line_that_breaks_before_the_message_is_out_ends_with_3() {
    let relay = Relay::start(&[]);
    let breaker = Meddler::start(relay.address(), |asked| {
        if asked.path == "/exchange_keys" {
            Verdict::Cut
        } else {
            Verdict::Pass
        }
    });
    let outcome = kkvc(["send", &breaker.address, "-m", "x"])
        .finish()
        .must_end_with(3);
    outcome
        .must_say("trying again")
        .must_say("nothing was delivered");
    assert!(relay.list().is_empty());
}

/// Cancels a search that would take years, and returns how long the program took to end.
fn cancelled_while_solving(signal: Signal) -> Duration {
    let relay = Relay::start(&["-c", "50"]);
    let receipt = relay.directory().join("receipt");
    let receipt_file = receipt.to_str().expect("UTF-8");
    let process = relay
        .send(["-m", "x", "--anyway", "--receipt", receipt_file])
        .start();
    process.wait_for_stderr("Paying with a proof of work");
    #[expect(
        clippy::disallowed_methods,
        reason = "a real process ends in real time"
    )]
    let before = Instant::now();
    process.signal(signal);
    let (_, ended) = process.ended();
    let outcome = process
        .finish()
        .must_end_with(130)
        .must_say("cancelled; nothing was delivered");
    assert!(outcome.stdout.is_empty() && !receipt.exists());
    assert!(relay.list().is_empty());
    ended - before
}

#[test]
fn a_cancelled_search_ends_within_a_second_with_130() {
    // A machine that is busy with something else can only make it longer; a program that takes longer takes it each
    // time.
    const TRIES: usize = 30;
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut took = (0..TRIES).map(|_| cancelled_while_solving(signal));
        let in_time = took.any(|took| took < Duration::from_secs(1));
        assert!(in_time, "never in {TRIES} times");
    }
}

#[test]
fn cancelling_while_the_message_is_read_leaves_nothing_behind() {
    let relay = Relay::start(&[]);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let receipt = relay.directory().join("receipt");
        let run = relay.send(["-", "--receipt", receipt.to_str().unwrap()]);
        let mut terminal = run.start_on(80, 24);
        terminal.wait_for("Write your message");
        terminal.press("half a sentence");
        terminal.wait_for("half a sentence"); // or its echo may come in the midst of what is said next
        terminal.process().signal(signal);
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(130), "{screen}");
        assert!(
            screen.contains("cancelled; nothing was delivered"),
            "{screen}"
        );
        assert!(!receipt.exists(), "an empty receipt stayed behind");
    }
    assert!(relay.list().is_empty());
}

#[test]
fn nothing_but_blanks_is_refused_before_anything_is_dialled() {
    let relay = Relay::start(&[]);
    for blank in [
        " ",
        "\n \t\r\n",
        "\u{a0}\u{3000}",
        "\u{200b}\u{3164}\u{2800}\u{feff}",
    ] {
        let typed = relay.send(["-m", blank]).finish();
        let piped = relay.send(["-"]).stdin(blank).finish();
        for outcome in [typed, piped] {
            assert!(!outcome.stderr.contains("Connecting"), "{outcome:?}");
            outcome
                .must_end_with(2)
                .must_say("the message has nothing but blanks in it; nothing was sent");
        }
    }
    assert!(relay.list().is_empty());
}

#[test]
fn a_duration_without_a_unit_is_told_what_it_lacks() {
    for option in ["--timeout", "--max-time"] {
        let send = kkvc(["send", ONION, "-m", "x", option, "5"]).finish();
        send.must_end_with(2)
            .must_say("a unit is missing: 5s are seconds, 5m minutes");
    }
}

#[test]
fn what_is_wrong_with_a_text_is_told_before_the_way_that_it_would_go() {
    let relay = Relay::start(&[]);
    for words in [&["nowhere.txt"][..], &["-m", " "], &["-"]] {
        let failed = relay.send(words).finish().must_end_with(2);
        assert!(failed.stderr.starts_with("kkvc: "), "{failed:?}");
    }
    relay
        .send(["-m", "x"])
        .finish()
        .must_end_with(0)
        .must_say("does not go through Tor");
}

#[test]
fn names_with_blanks_are_quoted_where_something_is_wrong_with_a_file() {
    let relay = Relay::start(&[]);
    let failed = relay.send(["my letter.txt"]).finish().must_end_with(2);
    failed.must_say("kkvc: 'my letter.txt': No such file");
    let failed = relay
        .send(["-m", "x", "--receipt", "no such/file"])
        .finish();
    failed
        .must_end_with(2)
        .must_say("can't make 'no such/file' for the receipt");
}
