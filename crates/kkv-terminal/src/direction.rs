//! Words that are written from right to left, which some terminals turn round by themselves: Unicode's algorithm (UAX
//! 9) on each line that they show.
//!
//! Such a terminal takes a line for one from the right if it is set so that the first letter decides, and that is one.
//! And it takes what stands between two of a stranger's words for a part of them: blanks, numbers and frames. A mark
//! that is a letter to the algorithm, and nothing to see, stops both. Where nothing is turned round, it changes
//! nothing.

/// The mark (U+200E).
pub const LEFT_TO_RIGHT: &str = "\u{200e}";

/// Whether this is, or may become one day, a letter or a number that is written from the right: by the blocks that
/// Unicode keeps for them.
pub fn is_from_the_right(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// A word that stands in a line with others, such as a name in a table: what comes before and behind it stays there.
pub fn apart(word: String) -> String {
    if word.chars().any(is_from_the_right) {
        format!("{LEFT_TO_RIGHT}{word}{LEFT_TO_RIGHT}")
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

    use super::*;
    use crate::bar::{BAR, behind_a_bar};

    /// How a terminal shows this line that turns it round, with the direction that it has, or that the first letter
    /// decides.
    fn turned(line: &str, direction: Option<Level>) -> String {
        let info = BidiInfo::new(line, direction);
        let [paragraph] = &info.paragraphs[..] else {
            panic!("one line: {line:?}");
        };
        let shown = info.reorder_line(paragraph, paragraph.range.clone());
        assert!(paragraph.level.is_ltr(), "{line:?}");
        shown.replace(LEFT_TO_RIGHT, "")
    }

    fn directions() -> [Option<Level>; 2] {
        [None, Some(Level::ltr())]
    }

    #[test]
    fn all_that_is_written_from_the_right_is_known() {
        for c in '\0'..=char::MAX {
            if matches!(bidi_class(c), BidiClass::R | BidiClass::AL | BidiClass::AN) {
                // This one is no letter, and never shown as itself.
                assert!(is_from_the_right(c) || c == '\u{200f}', "{c:?}");
            }
        }
    }

    #[test]
    fn a_bar_stays_at_the_left() {
        for text in [
            "שלום",
            "שלום Message 7",
            "12 שלום 34 (56)",
            "مرحبا بالعالم 12, 34: kkvc",
            "a שלום",
            "שלום │ שלום",
            &"They belong together שלום ".repeat(9),
        ] {
            for columns in [20, 80] {
                let shown = behind_a_bar(text, Some(columns));
                for line in shown.lines() {
                    for direction in directions() {
                        let turned = turned(line, direction);
                        assert!(turned.starts_with(BAR), "{line:?}: {turned:?}");
                    }
                }
            }
        }
        assert_eq!(*behind_a_bar("שלום", None), "│ שלום\n", "no terminal");
    }

    #[test]
    fn what_stands_behind_a_word_stays_there() {
        for (word, behind) in [("שלום", "  12  34"), ("مرحبا", "  12  │ שלום")] {
            let line = format!("  1 *  {}{behind}", apart(word.to_owned()));
            for direction in directions() {
                let turned = turned(&line, direction);
                let from_the_right: String = word.chars().rev().collect();
                assert!(
                    turned.starts_with(&format!("  1 *  {from_the_right}  12  ")),
                    "{turned:?}"
                );
            }
        }
        assert_eq!(apart("Bob".to_owned()), "Bob");
    }
}
