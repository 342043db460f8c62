//! Whatever the README and the guide show a program printing, it prints.

use std::fs;

use regex::Regex;

use super::documents::documents;
use super::{root, sources};

/// What no transcript has, as it needs a terminal, Tor inside, or a certain machine: what such a line looks like, and
/// what in a source prints it.
const OTHERS: [(&str, &str); 19] = [
    (
        r"kkv [0-9.]+ keeps up to \d+ messages in memory",
        "keeps up to {} in memory",
    ),
    (r"  reach it  \w{56}\.onion", "reach it"),
    (r"  owner     /\S+ \(kkvc list\)", "{} (kkvc list)"),
    (r"  key       ([0-9a-f]{4} ?){8}", "key"),
    (
        r"   ID    RECEIVED          FROM       BYTES  COST  SUITE  FIRST WORDS",
        "FIRST WORDS",
    ),
    (
        r" +\d+ \*  \d{4}-\d\d-\d\d \d\d:\d\d  [0-9a-f]{4} [0-9a-f]{4} +\d+ +\d+  kkv/2  │ .+",
        "│ ",
    ),
    (r"│ .+", "│ "),
    (r"  …", "…"),
    (
        r"  \d\d  (under a second|\d+ (s|min)) .*\d (s|min)(  \(the default\))?",
        "under a second",
    ),
    (
        r"ok       relay     running, [0-9.]+, up .+",
        "running, {}, up {up}",
    ),
    (
        r"ok       socket    /\S+, for its user alone",
        "{at}, for its user alone",
    ),
    (r"ok       tor       reachable", "reachable"),
    (
        r"ok       sending   by the Tor inside kkvc",
        "by the Tor inside kkvc",
    ),
    (r"ok       clock     \d{4}-\d\d-\d\d \d\d:\d\d", "\"clock\""),
    (
        r"warning  memory    kkv's messages aren't locked, so they may be swapped to a disk: raise memlock .+",
        "kkv's messages aren't locked, so they may be swapped to a disk",
    ),
    (r"ok       swap      none on a disk", "none on a disk"),
    (
        r"ok       dumps     off for kkv and kkvc",
        "off for kkv and kkvc",
    ),
    (
        r"ok       sandbox   kkv is confined by Landlock and seccomp",
        "kkv is confined by Landlock and seccomp",
    ),
    (
        r"ok       files     kkv may have \d+ open",
        "kkv may have {MAX_DESCRIPTORS} open",
    ),
];

/// Lines that programs print in the blocks of a document, without the commands.
fn printed(text: &str) -> Vec<&str> {
    let blocks = text.split("```").skip(1).step_by(2);
    let sessions = blocks.filter_map(|block| block.strip_prefix("console\n"));
    let lines = sessions.flat_map(str::lines);
    let is_command = |line: &str| {
        line.split_once("$ ")
            .is_some_and(|(who, _)| !who.contains(' '))
    };
    lines
        .filter(|line| !line.trim().is_empty() && !is_command(line))
        .collect()
}

/// What a line may look like that is `line` but for numbers, and for what stands in it as `[NAME]`. None if it says
/// nothing else.
fn pattern(line: &str) -> Option<Regex> {
    let open = Regex::new(r"\[(?:[A-Z]+|\.\.)\]").expect("a pattern");
    let numbers = Regex::new(r"[0-9][0-9.]*").expect("a pattern");
    let parts: Vec<String> = open
        .split(line)
        .map(|part| {
            let words: Vec<String> = part
                .split(' ')
                .map(|word| {
                    let words: Vec<String> = numbers.split(word).map(regex::escape).collect();
                    words.join("[0-9][0-9.]*")
                })
                .collect();
            words.join(" ")
        })
        .collect();
    let says: usize = parts
        .iter()
        .map(|part| part.chars().filter(char::is_ascii_lowercase).count())
        .sum();
    let blanks = Regex::new(" +").expect("a pattern");
    let all = format!("^{}$", parts.join(".+"));
    let all = blanks.replace_all(&all, " +").into_owned();
    (says > 3).then(|| Regex::new(&all).expect("an escaped line"))
}

#[test]
fn every_line_that_is_shown_is_printed() {
    let mut known = Vec::new();
    for entry in fs::read_dir(root().join("tests/transcripts")).expect("transcripts") {
        let transcript = fs::read_to_string(entry.expect("an entry").path()).expect("a transcript");
        let lines = transcript.lines().map(|line| line.trim_start_matches("! "));
        known.extend(lines.filter_map(pattern));
    }
    let sources: String = sources(&["crates", "src", "tests"])
        .into_iter()
        .filter(|(path, _)| !path.ends_with(file!()))
        .map(|(_, text)| text)
        .collect();
    known.extend(OTHERS.map(|(form, origin)| {
        assert!(sources.contains(origin), "nothing has {origin:?}");
        Regex::new(&format!("^(?:{form})$")).expect("a pattern")
    }));
    // The rest stands in a source, or in another test, as it is.
    let (mut checked, mut missing) = (0, Vec::new());
    for (name, text) in documents() {
        for line in printed(&text) {
            checked += 1;
            let line = line.trim_end();
            let is_known =
                known.iter().any(|one| one.is_match(line)) || sources.contains(line.trim());
            if !is_known {
                missing.push(format!("{name}: {line}"));
            }
        }
    }
    assert!(checked > 60, "only {checked} lines were found");
    assert!(
        missing.is_empty(),
        "nothing prints:\n{}",
        missing.join("\n")
    );
}

#[test]
fn a_line_of_a_transcript_fits_what_it_stands_for() {
    let fits =
        |transcript: &str, line: &str| pattern(transcript).is_some_and(|one| one.is_match(line));
    assert!(fits(
        "Proof of work found in [WORK].",
        "Proof of work found in 2 s (2^29.9 hashes)."
    ));
    assert!(fits(
        "  paid    2^4 hashes, kkv/2",
        "  paid    2^30 hashes, kkv/2"
    ));
    assert!(!fits(
        "  paid    2^4 hashes, kkv/2",
        "  paid    2^30 hash, kkv/2"
    ));
    assert!(!fits("[..]", "anything"));
}
