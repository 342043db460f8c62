//! Counts in words: "1 message", "2 messages".

/// So many of `one`, whose plural is regular.
pub(crate) fn counted(count: impl Into<u128>, one: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::sources;

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
        "crate::limits::ATTEMPTS",
        "crate::limits::ANSWER_TIMEOUT",
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
    fn one_is_no_plural() {
        assert_eq!(counted(0u8, "message"), "0 messages");
        assert_eq!(counted(1u64, "message"), "1 message");
        assert_eq!(counted(12u32, "more line"), "12 more lines");
    }

    #[test]
    fn every_count_in_words_is_said_by_this() {
        for (path, source) in sources() {
            if path.ends_with("src/count.rs") {
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
                assert!(!counts || known || debug, "{path}: {line}");
            }
        }
    }
}
