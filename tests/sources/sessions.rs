//! Whatever the README and the guide show a program printing, it prints.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::documents::documents;
use super::{programs, root};

/// What no transcript has, as it needs a terminal, Tor inside, or a certain machine.
struct Printed {
    /// What such a line looks like.
    form: &'static str,
    /// Where the code that prints it is, and the place there: it occurs once.
    file: &'static str,
    origin: &'static str,
}

const fn printed_by(file: &'static str, origin: &'static str, form: &'static str) -> Printed {
    Printed { form, file, origin }
}

const OTHERS: [Printed; 22] = [
    printed_by(
        "src/cli/host.rs",
        "keeps up to {} in memory",
        r"kkv [0-9.]+ keeps up to \d+ messages in memory",
    ),
    printed_by(
        "src/cli/host.rs",
        "(\"reach it\", reach)",
        r"  reach it  \w{56}\.onion",
    ),
    printed_by(
        "src/cli/host.rs",
        "{} (kkvc list)",
        r"  owner     /\S+ \(kkvc list\)",
    ),
    printed_by(
        "src/cli/host.rs",
        "(\"key\", self.relay",
        r"  key       ([0-9a-f]{4} ?){8}",
    ),
    printed_by(
        "crates/kkv-ui/src/preview.rs",
        "FIRST WORDS",
        r"   ID    RECEIVED          FROM       BYTES  COST  SUITE  FIRST WORDS",
    ),
    printed_by(
        "src/cli/list.rs",
        "{:>5} {mark}  {:<16}  {}  {:>5}  {:>4}  {}{marks}{}",
        r" +\d+ \*  \d{4}-\d\d-\d\d \d\d:\d\d  [0-9a-f]{4} [0-9a-f]{4} +\d+ +\d+  kkv/2  │ .+",
    ),
    printed_by(
        "crates/kkv-terminal/src/bar.rs",
        "out.write_str(BAR)",
        r"│ .+",
    ),
    printed_by(
        "src/cli/send.rs",
        "Write these down; only they open the answer:",
        r"Write these down; only they open the answer:",
    ),
    printed_by(
        "crates/kkv-ui/src/replies.rs",
        "rows.push_str(word);",
        r"  ([ 1]\d [a-z]+ *){4}",
    ),
    printed_by(
        "src/cli/send/ending.rs",
        "\"Later: {later}\"",
        r"Later: kkvc replies \w{56}\.onion",
    ),
    printed_by(
        "src/cli/replies/write_back.rs",
        "confirm(\"Write back?\")",
        r"Write back\? \[y/N\]",
    ),
    printed_by(
        "src/cli/bench.rs",
        "{cost:>4}  {v2}  {v1}",
        r"  \d\d  (under a second|\d+ (s|min)) .*\d (s|min)(  \(the default\))?",
    ),
    printed_by(
        "src/cli/doctor/relay.rs",
        "running, {}, up {up}",
        r"ok       relay     running, [0-9.]+, up .+",
    ),
    printed_by(
        "src/cli/doctor/socket.rs",
        "{at}, for its user alone",
        r"ok       socket    /\S+, for its user alone",
    ),
    printed_by(
        "src/cli/doctor/outside.rs",
        "format!(\"reachable{}\"",
        r"ok       tor       reachable",
    ),
    printed_by(
        "src/cli/doctor/outside.rs",
        "by the Tor inside kkvc",
        r"ok       sending   by the Tor inside kkvc",
    ),
    printed_by(
        "src/cli/doctor/outside.rs",
        "\"clock\"",
        r"ok       clock     \d{4}-\d\d-\d\d \d\d:\d\d",
    ),
    printed_by(
        "src/cli/doctor/memory.rs",
        "kkv's messages aren't locked, so they may be swapped to a disk",
        r"warning  memory    kkv's messages aren't locked, so they may be swapped to a disk: raise memlock .+",
    ),
    printed_by(
        "src/cli/doctor/memory.rs",
        "none on a disk",
        r"ok       swap      none on a disk",
    ),
    printed_by(
        "src/cli/doctor/memory.rs",
        "off for kkv and kkvc",
        r"ok       dumps     off for kkv and kkvc",
    ),
    printed_by(
        "src/cli/doctor/kernel.rs",
        "kkv is confined by Landlock and seccomp",
        r"ok       sandbox   kkv is confined by Landlock and seccomp",
    ),
    printed_by(
        "src/cli/doctor/kernel.rs",
        "kkv may have {MAX_DESCRIPTORS} open",
        r"ok       files     kkv may have \d+ open",
    ),
];

/// What the programs are made of: their files with the code in each, without comments and unit tests.
fn code() -> Vec<(PathBuf, String)> {
    let all = programs();
    let inline =
        Regex::new(r"\n#\[cfg\(test\)\]\n(?:pub\([^)]*\) )?mod \w+ \{").expect("a pattern");
    let tests: BTreeSet<PathBuf> = all
        .iter()
        .flat_map(|(path, text)| test_modules(path, text))
        .flat_map(|module| [module.with_extension("rs"), module])
        .collect();
    all.into_iter()
        .filter(|(path, _)| !tests.iter().any(|test| path.starts_with(test)))
        .filter(|(path, _)| !path.starts_with(root().join("crates/kkv-testing")))
        .map(|(path, text)| {
            let code = inline.split(&text).next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
            (path, lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// The modules that `text`, which is in the file `path`, has for tests alone: their paths without the end `.rs`.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let modules =
        Regex::new(r"#\[cfg\(test\)\]\s+(?:pub\([^)]*\) )?mod (\w+);").expect("a pattern");
    let directory = if path.ends_with("src/lib.rs") {
        path.with_file_name("")
    } else {
        path.with_extension("")
    };
    let names = modules.captures_iter(text);
    names.map(|name| directory.join(&name[1])).collect()
}

/// Lines that programs print in the blocks of a document. The commands are left out, and so are the dots that stand for
/// what the document leaves out.
fn printed(text: &str) -> Vec<&str> {
    let blocks = text.split("```").skip(1).step_by(2);
    let sessions = blocks.filter_map(|block| block.strip_prefix("console\n"));
    let lines = sessions.flat_map(str::lines);
    let is_command = |line: &str| {
        line.split_once("$ ")
            .is_some_and(|(who, _)| !who.contains(' '))
    };
    lines
        .filter(|line| !["", "…"].contains(&line.trim()) && !is_command(line))
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
            let words: Vec<String> = numbers.split(part).map(regex::escape).collect();
            words.join("[0-9][0-9.]*")
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
    let code = code();
    known.extend(OTHERS.map(|other| {
        let file = root().join(other.file);
        let text = code.iter().find(|(path, _)| *path == file);
        let (_, text) = text.unwrap_or_else(|| panic!("there is no {}", other.file));
        let times = text.matches(other.origin).count();
        assert_eq!(times, 1, "{:?} in {}", other.origin, other.file);
        Regex::new(&format!("^(?:{})$", other.form)).expect("a pattern")
    }));
    // The rest stands in the code as it is.
    let stands = |line: &str| code.iter().any(|(_, text)| text.contains(line));
    let (mut checked, mut missing) = (0, Vec::new());
    for (name, text) in documents() {
        for line in printed(&text) {
            checked += 1;
            let line = line.trim_end();
            let is_known = known.iter().any(|one| one.is_match(line)) || stands(line.trim());
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

#[test]
fn what_a_test_or_a_comment_says_is_printed_by_nothing() {
    for (path, text) in code() {
        let at = path.display();
        assert!(!text.contains("#[test]"), "{at} has a test");
        assert!(!text.contains("//! "), "{at} has a comment");
    }
}
