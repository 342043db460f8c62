//! What both programs print, to the letter: each file of `tests/transcripts` is a session with a relay of its own, run
//! by a shell and held against what is written there.
//!
//! A line that begins with `$` is a command, those that begin with `!` are what it said on standard error, `?` is the
//! code that it ended with, and the others are standard output. `$INBOX` is the relay's address, and it is where the
//! owner's commands look by default. At `$NOBODY`, an address too, nobody listens. One that ends with `&` is stopped
//! when it has printed the whole block of a relay. Between a code and the next command there is room for words.
//!
//! To add something, write the command, or a file with commands alone, and run this test with `SNAPSHOTS=overwrite` in
//! the environment; then read what it has written. A part that varies in yet another way is one line more in
//! [`redactions`], or `[..]` in the file.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use regex::Regex;
use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data, Redactions};

use crate::programs::{HeldPort, Outcome, Process, Relay, Signal, kkvc, wait_for_block};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts");

/// What differs from run to run, each with what stands for it: the group `redacted` of what is found, or all of it.
const VARYING: [(&str, &str); 31] = [
    ("[SIGNATURE]", r"\b[0-9a-f]{128}\b"),
    ("[HEX]", r"\b[0-9a-f]{64}\b"),
    ("[KEY]", r"\b[0-9a-f]{40}\b"),
    ("[CHECK]", r"\b(?:\d{5} ){5}\d{5}\b"),
    ("[FINGERPRINT]", r"\b(?:[0-9a-f]{4} ){7}[0-9a-f]{4}\b"),
    ("[SHORT]", r"\b[0-9a-f]{4} [0-9a-f]{4}\b"),
    ("[PUBLIC]", r"x25519:(?<redacted>[A-Z2-7]{52})"),
    ("[TIME]", r"\d{4}-\d\d-\d\d \d\d:\d\d"),
    ("[SECONDS]", r#""received":(?<redacted>\d+)"#),
    ("[SECONDS]", r#""expires":(?<redacted>\d+)"#),
    ("[TOKEN]", r"\+(?<redacted>[a-z2-7]{32})\b"),
    (
        "[SECONDS]",
        r#""(?:started|ends|accepted|sealed|after|created)":(?<redacted>\d+)"#,
    ),
    ("[SECONDS]", r#""uptime_seconds":(?<redacted>\d+)"#),
    ("[VERSION]", r"\bkkvc? (?<redacted>\d+\.\d+\.\d+)"),
    ("[VERSION]", r#""version":"(?<redacted>[^"]+)"#),
    (
        "[WORK]",
        r"found in (?<redacted>[^(\n]+ \(2\^[0-9.]+ hashes\))",
    ),
    ("[LONG]", r"hashes: (?<redacted>.+) on this machine"),
    (
        "[TOR]",
        r"--tor <WAY> +(?<redacted>How to [^\[]+\[default:\s+[^\]]+\])",
    ),
    ("[START]", r"(?<redacted>Start Tor \(on Debian[^\n]+)"),
    ("[WAYS]", r"for '--tor <WAY>': (?<redacted>there are .+)"),
    ("[UPTIME]", r"(?:\d|\]), up (?<redacted>.+)"),
    ("[PORT]", r"listens +127\.0\.0\.1:(?<redacted>\d+)"),
    ("[MEMORY]", r"\n  memory    (?<redacted>.+)"),
    ("[CONFINED]", r"\n  confined  (?<redacted>.+)"),
    ("[LOCKED]", r#""locked":(?<redacted>true|false)"#),
    ("[LOCKED]", r#""locked":(?<redacted>[0-9]+)"#),
    ("[CONFINED]", r#""files":"(?<redacted>[a-z]+)"#),
    ("[CONFINED]", r#""calls":"(?<redacted>[a-z]+)"#),
    ("[SPEED]", r"computes (?<redacted>[0-9.]+ [a-z]+)"),
    ("[SPEED]", r"\nand (?<redacted>[0-9.]+ [a-z]+) for kkv/1"),
    (
        "[MACHINE]",
        r"(?:Paying with|kkv/1, with) (?<redacted>.+)\.",
    ),
];

/// One session: a relay, and a directory in which commands run.
struct Session {
    relay: Relay,
    nobody: HeldPort,
    directory: PathBuf,
    _runtime: tempfile::TempDir,
}

impl Session {
    fn start() -> Self {
        let runtime = tempfile::tempdir().expect("a directory for the test");
        let owners = runtime.path().join("kkv");
        fs::create_dir(&owners).expect("the directory is ours");
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&owners, private).expect("the directory is ours");
        let socket = owners.join("kkv.sock");
        let socket = socket.to_str().expect("a plain path");
        let relay = Relay::start(&["--socket", socket]);
        Self {
            relay,
            nobody: HeldPort::take(),
            directory: runtime.path().to_owned(),
            _runtime: runtime,
        }
    }

    /// Runs a line as a shell does.
    fn run(&self, line: &str) -> Outcome {
        let (line, in_background) = match line.strip_suffix('&') {
            Some(line) => (format!("exec {line}"), true),
            None => (line.to_owned(), false),
        };
        let programs = Path::new(env!("CARGO_BIN_EXE_kkvc")).parent();
        let mut path = programs
            .expect("it is in a directory")
            .as_os_str()
            .to_owned();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        // As its environment is, but for what a shell needs and what leads to this session's relay.
        let mut command = kkvc([""; 0]).through_shell(&line).into_command();
        command
            .current_dir(&self.directory)
            .env("PATH", path)
            .env("HOME", &self.directory)
            .env("XDG_RUNTIME_DIR", &self.directory)
            .env("INBOX", self.relay.address())
            .env("NOBODY", self.nobody.address().to_string());
        let process = Process::spawn(command, None);
        if in_background {
            wait_for_block(&process);
            process.signal(Signal::TERM);
        }
        process.finish()
    }

    fn redactions(&self) -> Redactions {
        let mut redactions = Redactions::new();
        let mut add = |placeholder, value: snapbox::RedactedValue| {
            let added = redactions.insert(placeholder, value);
            added.expect("placeholders are in brackets");
        };
        add("[INBOX]", self.relay.address().to_owned().into());
        add("[NOBODY]", self.nobody.address().to_string().into());
        add("[DIR]", self.directory.clone().into());
        for (placeholder, pattern) in VARYING {
            let pattern = Regex::new(pattern).expect("the patterns are fixed");
            add(placeholder, pattern.into());
        }
        redactions
    }
}

/// The same transcript, with what the commands in it print now.
fn again(session: &Session, transcript: &str) -> String {
    let mut again = String::new();
    let mut lines = transcript.lines();
    while let Some(line) = lines.next() {
        again += &format!("{line}\n");
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        again += &told(&session.run(command));
        // A command that is new has no output yet: the next of these lines is another command then.
        let ends = |line: &str| line.starts_with("$ ") || line.starts_with("? ");
        let output = lines.clone().position(ends);
        let end = output.filter(|end| lines.clone().nth(*end).is_some_and(|l| l.starts_with("? ")));
        if let Some(end) = end {
            lines.nth(end);
        }
    }
    again
}

fn told(outcome: &Outcome) -> String {
    let mut told = outcome.stdout_text();
    if !told.is_empty() && !told.ends_with('\n') {
        told.push('\n');
    }
    for line in outcome.stderr.lines() {
        told += format!("! {line}").trim_end();
        told.push('\n');
    }
    let code = outcome
        .code
        .map_or("a signal".to_owned(), |code| code.to_string());
    told + &format!("? {code}\n")
}

/// Every file, by name.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(DIRECTORY).expect("they are there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_transcript_is_what_the_programs_print() {
    let mut differ = Vec::new();
    for file in files() {
        let session = Session::start();
        let transcript = fs::read_to_string(&file).unwrap();
        let assert = Assert::new()
            .action_env(DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .redact_with(session.redactions());
        let actual = Data::text(again(&session, &transcript));
        let expected = Data::read_from(&file, Some(DataFormat::Text));
        if let Err(difference) = assert.try_eq(None, actual, expected) {
            differ.push(difference.to_string());
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn every_command_has_a_transcript() {
    let help = kkvc(["--help"]).finish().must_end_with(0).stdout_text();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let heads = lines.filter(|line| !line.starts_with("   "));
    let commands = heads.filter_map(|line| line.split_whitespace().next());
    let files = files();
    for command in commands {
        let name = format!("kkvc-{command}.txt");
        let there = files.iter().any(|file| file.ends_with(&name));
        assert!(there, "tests/transcripts/{name} is not there");
    }
}
