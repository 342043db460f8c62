//! Every count in words is in the plural only where it should be.

use std::collections::BTreeSet;

use super::programs;

/// What is counted anywhere, in the plural.
const WORDS: [&str; 12] = [
    "messages",
    "contacts",
    "bytes",
    "seconds",
    "slots",
    "characters",
    "threads",
    "lines",
    "minutes",
    "times",
    "files",
    "more",
];

/// Where the number before such a word is never one.
const NEVER_ONE: [&str; 12] = [
    "a solution has {wanted} bytes",
    "its text has {bytes} bytes, and a message of this suite has 1 to {most}",
    "minutes that are paid without asking",
    "{several} lines are",
    "limits::ATTEMPTS",
    "it is longer than {most} bytes",
    "{bytes} of {most} bytes",
    "all {several} messages",
    "{undelivered} messages that you have written",
    "{under_way} messages are on their way",
    "{columns} columns and {lines} lines",
    "{} more expected",
];

/// Where it is for programmers alone, who read it in a `{:?}`.
const DEBUG: [&str; 5] = [
    "write!(f, \"Hex",
    "write!(f, \"Text(",
    "write!(f, \"Visible(",
    "write!(f, \"OneLine(",
    ".field(",
];

#[test]
fn every_count_in_words_is_said_by_counted() {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for (path, source) in programs() {
        if path.ends_with("count.rs") {
            continue;
        }
        for line in source.lines().filter(|line| !line.trim().starts_with("//")) {
            // A constant says its own number.
            let counts = WORDS.iter().any(|word| {
                line.match_indices(&format!("}} {word}")).any(|(at, _)| {
                    let number = line[..at].rsplit('{').next().unwrap_or_default();
                    number.is_empty() || number.contains(char::is_lowercase)
                })
            });
            let is_debug = DEBUG.iter().any(|debug| line.contains(debug));
            if !counts || is_debug || line.contains("assert") {
                continue;
            }
            let known = NEVER_ONE.iter().filter(|known| line.contains(**known));
            used.extend(known.clone().copied());
            assert!(known.count() > 0, "{}: {line}", path.display());
        }
    }
    let unused: Vec<_> = NEVER_ONE
        .iter()
        .filter(|known| !used.contains(**known))
        .collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
}
