//! Every count in words is in the plural only where it should be.

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
const NEVER_ONE: [&str; 15] = [
    "minutes that are paid without asking",
    "{several} lines are",
    "lines are missing here",
    "limits::ATTEMPTS",
    "limits::ANSWER_TIMEOUT",
    "it is longer than {most} bytes",
    "the message has {0} bytes",
    "{bytes} of {most} bytes",
    "all {several} messages",
    "{undelivered} messages that you have written",
    "{columns} columns and {lines} lines",
    "{base}, and {more} more",
    "{} more expected",
    "{} bytes into {MAX}",
    "Text({} bytes)",
];

#[test]
fn every_count_in_words_is_said_by_this() {
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
            let known = NEVER_ONE.iter().any(|known| line.contains(known));
            let debug = line.contains("write!(f, \"Hex") || line.contains("assert");
            assert!(!counts || known || debug, "{}: {line}", path.display());
        }
    }
}
