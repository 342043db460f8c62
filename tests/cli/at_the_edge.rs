//! What begins at the edge of a terminal is kkvc's own. Every command is walked with texts, names and answers of
//! somebody who wants to speak in its place.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use unicode_width::UnicodeWidthChar;

use crate::cli::contacts::{Desk, ONION};
use crate::cli::meddler::{Meddler, Verdict};
use crate::model_terminal::Model;
use crate::programs::{Relay, Run, Signal, kkvc};

/// All that the stranger writes is made of this letter, which is in no word of ours.
const STRANGE: char = 'Ж';

/// Lines, and one that is longer than any terminal.
fn strange_text() -> String {
    let long = "Ж ЖЖ ЖЖЖЖ ".repeat(60) + &"Ж".repeat(200);
    format!("Ж\n\nЖЖ: Ж\r\nЖ\tЖ\rЖ\u{2028}Ж\u{85}Ж\n{long}\n")
}

/// A name of a file with lines in it.
const STRANGE_NAME: &str = "Ж\nЖЖ ЖЖ\nЖ\tЖ";

/// Runs it with its output in pipes and on two terminals. Nothing of the stranger's may begin a line.
#[track_caller]
fn look(what: &str, run: impl Fn() -> Run) {
    let outcome = run().finish();
    let mut seen = vec![outcome.stdout_text(), outcome.stderr];
    for columns in [80, 45] {
        let (_, output) = run().start_on(columns, 24).finish();
        seen.push(on_a_screen(&output, columns));
    }
    for seen in seen {
        must_stand_in_its_place(what, &seen);
    }
}

fn on_a_screen(output: &str, columns: u16) -> String {
    let usual = |c: char| c.width().expect("no control character");
    let screens =
        [usual, ambiguous_are_wide].map(|widths| Model::shows(output, columns.into(), widths));
    screens.concat().join("\n")
}

#[track_caller]
fn must_stand_in_its_place(what: &str, seen: &str) {
    let at_the_edge = seen.lines().find(|line| line.starts_with(STRANGE));
    assert_eq!(at_the_edge, None, "{what}:\n{seen}");
}

/// A socket at which the owner's relay answers, and somebody changes what it says.
fn false_socket(
    relay: &Relay,
    name: &str,
    change: fn(&str, &mut serde_json::Value) -> u16,
) -> PathBuf {
    let path = relay.directory().join(name);
    let listener = UnixListener::bind(&path).expect("our own directory");
    let true_one = relay.socket().to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            let _ = answered(&client.expect("somebody comes"), &true_one, change);
        }
    });
    path
}

fn answered(
    client: &UnixStream,
    relay: &Path,
    change: fn(&str, &mut serde_json::Value) -> u16,
) -> std::io::Result<()> {
    let (mut from, relay) = (BufReader::new(client), UnixStream::connect(relay)?);
    let mut back = BufReader::new(&relay);
    loop {
        let (head, body) = http(&mut from)?;
        (&relay).write_all(head.as_bytes())?;
        (&relay).write_all(&body)?;
        let (_, body) = http(&mut back)?;
        let mut answer = serde_json::from_slice(&body).unwrap_or_default();
        let status = change(head.split(' ').nth(1).unwrap_or_default(), &mut answer);
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} OK\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        { client }.write_all((head + &body).as_bytes())?;
    }
}

fn http(from: &mut impl BufRead) -> std::io::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let lower = head.to_ascii_lowercase();
    let mut lengths = lower
        .lines()
        .filter_map(|line| line.strip_prefix("content-length:"));
    let length = lengths
        .next()
        .map_or(0, |n| n.trim().parse().expect("a length"));
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((head, body))
}

/// The commands that `kkvc --help` names.
fn commands() -> BTreeSet<String> {
    let help = kkvc(["--help"]).finish().stdout_text();
    let (_, commands) = help.split_once("Commands:\n").expect("a list");
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let first = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    first
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_command_lets_a_stranger_begin_a_line() {
    let (relay, desk) = (Relay::start(&["--adaptive", "off"]), Desk::new());
    let text = strange_text();
    relay.deliver(text.as_bytes());
    relay
        .send(["-", "--receipt", "receipt"])
        .stdin(text.clone())
        .finish()
        .must_end_with(0);
    let export = relay.owner(["export", "2"]).finish().stdout;
    fs::write(relay.directory().join("message"), export).unwrap();
    let key = relay.owner(["identity", "key"]).finish().stdout_text();
    let key = key
        .split_whitespace()
        .last()
        .expect("a public key")
        .to_owned();
    let sent = relay.send(["-", "--identity", "key"]).stdin("Ж");
    sent.finish().must_end_with(0);
    // What a name begins with is the owner's choice: it stands at the edge of the list of contacts.
    let add = ["contact", "add", "An ЖЖЖЖЖ ЖЖЖЖЖЖЖ ЖЖЖЖЖЖЖ ЖЖЖЖ"];
    let add = kkvc(add).with(|c| c.args([ONION, "--sender", &key]));
    desk.with(add).finish().must_end_with(0);

    let lying = false_socket(&relay, "lying", |path, answer| {
        if path == "/status" {
            for field in ["version", "onion"] {
                answer[field] = strange_text().into();
            }
            answer["tor"] = "embedded".into();
            answer["tor_state"] = "reachable".into();
            answer["listens"] = format!("unix:/{STRANGE_NAME}").into();
            answer["sandbox"]["writes"] = strange_text().into();
        }
        200
    });
    let refusing = false_socket(&relay, "refusing", |_, answer| {
        *answer = serde_json::json!({"error": strange_text()});
        500
    });
    let reason = r#"{"error":"Ж\nЖЖ\nЖ","cost":"Ж\nЖ"}"#;
    let refused = Meddler::start(relay.address(), move |_| Verdict::Answer(400, reason));
    let garbled = Meddler::start(relay.address(), move |_| Verdict::Answer(200, reason));

    // Words that have an address in them, which is left whole.
    let strange_addresses = [
        format!("{ONION}:xxxxxxxxxxxxxxxx{}", "Ж".repeat(99)),
        format!("{}{ONION}", "Ж".repeat(99)),
        format!("{}{ONION}:{}", "(".repeat(18), "Ж:".repeat(99)),
        format!("日{ONION}{}", "Ж".repeat(99)),
    ];

    let mut walked = BTreeSet::new();
    let mut walk = |args: &[&str]| {
        walked.insert(args[0].to_owned());
        look(&args.join(" "), || relay.owner(args));
        // Each opening of a file of contacts takes its time.
        if matches!(args, ["list"] | ["read", "3"] | ["contact", ..]) {
            look(&args.join(" "), || desk.with(relay.owner(args)));
        }
        look(&args.join(" "), || {
            relay.owner(args).with(|c| c.arg("--json"))
        });
        for socket in [&lying, &refusing] {
            let name = socket.file_name().unwrap();
            look(&format!("{args:?} at {name:?}"), || {
                let run = kkvc(args).with(|c| c.arg("--socket").arg(socket));
                run.with(|c| c.current_dir(relay.directory()))
            });
        }
    };
    for args in [
        &["list"][..],
        &["read", "1"],
        &["read", "2"],
        &["read", "3"],
        &["read", STRANGE_NAME],
        &["mark", "1", "--unread"],
        &["status"],
        &["doctor"],
        &["card"],
        &["card", STRANGE_NAME],
        &["contact", "list"],
        &["contact", "add", STRANGE_NAME, ONION],
        &["contact", "remove", STRANGE_NAME, "--yes"],
        &["bench", "--threads", STRANGE_NAME],
        &["export", "1"],
        &["verify", "message"],
        &["verify", "message", "receipt"],
        &["verify", STRANGE_NAME],
        &["key", STRANGE_NAME, "file"],
        &["key", ONION, STRANGE_NAME],
        &["identity", STRANGE_NAME],
        &["completions", STRANGE_NAME],
        &["help", STRANGE_NAME],
        &["tui", STRANGE_NAME],
        &["watch", STRANGE_NAME],
        &["send", STRANGE_NAME],
        &["send", refused.address.as_str(), "message"],
        &["send", garbled.address.as_str(), "message"],
        &["send", refused.address.as_str(), "message", "--suite", "1"],
        &["send", refused.address.as_str(), STRANGE_NAME],
        &["send", ONION, "message", "--key", STRANGE_NAME],
        &["replies", STRANGE_NAME],
        &[
            "replies",
            refused.address.as_str(),
            "--words-file",
            STRANGE_NAME,
        ],
        &["reply", STRANGE_NAME],
        &["reply", "1", STRANGE_NAME],
        &["reply", "99", "-m", "x"],
        &["save", "1"],
        &["save", "99", "--all", STRANGE_NAME],
        &["save", STRANGE_NAME],
        &["invite", "list"],
        &["invite", "--address", STRANGE_NAME],
        &["invite", "revoke", STRANGE_NAME],
        &["delete", STRANGE_NAME],
        &["delete", "99", "--yes"],
        &["wipe", STRANGE_NAME],
        &["me", STRANGE_NAME],
        &["post", STRANGE_NAME],
        &["edit", STRANGE_NAME],
        &["feed", STRANGE_NAME],
    ] {
        walk(args);
    }
    for address in &strange_addresses {
        walk(&["send", address, "-m", "x"]);
        walk(&["card", address]);
        walk(&["contact", "add", "Bob", address]);
        walk(&["key", address, "file"]);
    }
    assert_eq!(walked, commands(), "each command, and no other");
}

#[test]
fn what_watch_shows_stands_in_its_place() {
    let relay = Relay::start(&[]);
    let text = strange_text() + "\nthe end";
    relay.deliver(text.as_bytes());
    for columns in [80, 45] {
        let mut watch = relay.owner(["watch", "--unread"]).start_on(columns, 24);
        watch.wait_for("the end");
        watch.process().signal(Signal::TERM);
        let (code, output) = watch.finish();
        assert_eq!(code, Some(0));
        must_stand_in_its_place("watch", &on_a_screen(&output, columns));
        relay
            .owner(["mark", "1", "--unread"])
            .finish()
            .must_end_with(0);
    }
}

/// What tmux and glibc draw wider than Unicode has it, and some terminals wider still.
fn wider(c: char) -> usize {
    match c {
        '\u{9be}' => 1,
        '\u{3248}'..='\u{324f}' | '\u{1f000}'..='\u{1faff}' | '\u{3164}' => 2,
        c => c.width().expect("no control character"),
    }
}

/// As where letters of Cyrillic and Greek, and lines of boxes, are as wide as Chinese.
fn ambiguous_are_wide(c: char) -> usize {
    c.width_cjk().expect("no control character")
}

/// Whatever is no ASCII.
fn all_are_wide(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

#[test]
fn no_text_gets_to_the_edge_on_a_terminal_that_counts_otherwise() {
    let relay = Relay::start(&[]);
    for strange in [
        "\u{9be}",
        "\u{3248}",
        "🏕\u{fe0f}",
        "🇩🇪",
        "\u{3164}",
        "กำ",
        "कि",
        "ש",
        "Ω",
        "─",
        "é",
    ] {
        let text = format!("{}ЖЖЖЖЖЖЖ ЖЖ", strange.repeat(78));
        for text in [text.clone(), text.replace('Ж', "Ж\u{9be}")] {
            relay.deliver(text.as_bytes());
            let id = relay.list().last().expect("a message")["id"].to_string();
            for columns in [80, 45] {
                let (code, output) = relay.owner(["read", &id]).start_on(columns, 24).finish();
                assert_eq!(code, Some(0));
                for widths in [wider, ambiguous_are_wide, all_are_wide] {
                    let lines = Model::shows(&output, columns.into(), widths);
                    let (_, text) = lines.split_at(4);
                    let text: Vec<&String> = text.iter().filter(|line| !line.is_empty()).collect();
                    assert!(!text.is_empty(), "{lines:?}");
                    for line in text {
                        assert!(line.starts_with('│'), "{strange}: {lines:?}");
                    }
                }
            }
            relay.owner(["delete", &id, "-y"]).finish().must_end_with(0);
        }
    }
}

#[test]
fn no_text_gets_to_the_edge_of_a_terminal_however_narrow() {
    let relay = Relay::start(&[]);
    let text = strange_text() + &"日Ж".repeat(20);
    relay.deliver(text.as_bytes());
    for columns in [3, 4, 5, 9, 11, 12, 20] {
        let (code, output) = relay.owner(["read", "1"]).start_on(columns, 24).finish();
        assert_eq!(code, Some(0));
        for widths in [wider, ambiguous_are_wide, all_are_wide] {
            let lines = Model::shows(&output, columns.into(), widths);
            let strange = |line: &&String| line.contains(STRANGE) || line.contains('日');
            let strange: Vec<&String> = lines.iter().filter(strange).collect();
            assert_eq!(strange.is_empty(), columns < 5, "{lines:?}");
            assert!(
                strange.iter().all(|line| line.starts_with('│')),
                "{lines:?}"
            );
        }
        // Names of files, too.
        let (_, output) = relay
            .owner(["read", STRANGE_NAME])
            .start_on(columns, 24)
            .finish();
        for widths in [wider, ambiguous_are_wide, all_are_wide] {
            let seen = Model::shows(&output, columns.into(), widths).join("\n");
            must_stand_in_its_place("read", &seen);
        }
    }
}
