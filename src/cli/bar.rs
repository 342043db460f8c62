//! Where a stranger's words stand: never at the edge of the screen, which is where this program's own words begin.

use std::io;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;
use zeroize::Zeroizing;

use super::visible::Visible;
use super::wrapped::wrapped;

/// What each line of a text stands behind. Nothing that is said of a message does, so no text can pass for that, nor for another message.
pub(super) const BAR: &str = "│";
/// The bar and a space, in columns.
pub(super) const BAR_COLUMNS: usize = 2;
/// A terminal that says it is narrower than that isn't taken at its word.
const NARROWEST: usize = 10;
/// How much further in a line goes on than it began.
const HANGING: usize = 2;

/// Columns of the terminal behind standard output, if it is one.
pub(super) fn columns() -> Option<usize> {
    columns_of(io::stdout())
}

/// Columns of the terminal behind `file`, if it is one.
pub(super) fn columns_of(file: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(file).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

/// The text in lines that stand behind a bar. On a terminal they are broken to fit: what it broke by itself would begin without one.
pub(super) fn behind_a_bar(text: &str, columns: Option<usize>) -> Zeroizing<String> {
    let shown = Zeroizing::new(Visible(text).to_string());
    let room = columns.map_or(usize::MAX, |all| all.saturating_sub(BAR_COLUMNS));
    let lines = wrapped(&shown, room.max(NARROWEST));
    let mut barred = Zeroizing::new(String::with_capacity(
        shown.len() + lines.len() * (BAR.len() + 2),
    ));
    for line in lines {
        let line = &shown[line];
        // Spaces may hang over the edge, and do so without being seen.
        let line = columns.map_or(line, |_| line.trim_end_matches(' '));
        barred.push_str(BAR);
        if !line.is_empty() {
            barred.push(' ');
        }
        barred.push_str(line);
        barred.push('\n');
    }
    barred
}

/// Words of this program in which a stranger's may stand, such as the name of a file, made safe already. On a terminal, a line that is too long goes on
/// further in than it began: the terminal itself would let it go on at the edge.
pub(super) fn hanging(words: &str, columns: Option<usize>) -> Zeroizing<String> {
    let Some(columns) = columns else {
        return Zeroizing::new(words.to_owned());
    };
    let mut hung = Zeroizing::new(String::with_capacity(words.len() + words.len() / 8));
    for (place, line) in words.split('\n').enumerate() {
        if place > 0 {
            hung.push('\n');
        }
        let indent = line.len() - line.trim_start_matches(' ').len() + HANGING;
        let indent = indent.min(columns.saturating_sub(NARROWEST));
        let first = wrapped(line, columns.max(NARROWEST)).swap_remove(0);
        let (first, rest) = line.split_at(first.end);
        if rest.is_empty() {
            hung.push_str(first);
            continue;
        }
        hung.push_str(first.trim_end_matches(' '));
        for part in wrapped(rest, (columns - indent.min(columns)).max(NARROWEST)) {
            hung.push('\n');
            hung.extend(std::iter::repeat_n(' ', indent));
            hung.push_str(rest[part].trim_end_matches(' '));
        }
    }
    hung
}

#[cfg(test)]
mod tests {
    use super::super::wrapped::drawn;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn every_line_stands_behind_a_bar_and_no_text_changes() {
        for (text, want) in [
            ("one", "│ one\n"),
            ("one\n", "│ one\n"),
            ("one\n\n", "│ one\n│\n"),
            ("\none\r\n  two  ", "│\n│ one\n│   two  \n"),
            ("\n", "│\n"),
            ("│", "│ │\n"),
        ] {
            assert_eq!(*behind_a_bar(text, None), want, "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_broken_where_the_terminal_ends() {
        let text = "a text that is longer than the line\nand      another";
        let want = "│ a text that is\n│ longer than the\n│ line\n│ and\n│ another\n";
        assert_eq!(*behind_a_bar(text, Some(17)), want);
        let text = "x".repeat(25);
        let want = format!("│ {0}\n│ {0}\n│ xxxxx\n", "x".repeat(10));
        assert_eq!(*behind_a_bar(&text, Some(0)), want);
    }

    #[test]
    fn words_that_are_too_long_go_on_further_in() {
        for (words, want) in [
            ("short", "short"),
            (
                "can't read a file with a name",
                "can't read a\n  file with a\n  name",
            ),
            (
                "  Do this and that and\nmore",
                "  Do this and\n   that and\nmore",
            ),
            ("", ""),
            ("xxxxxxxxxxxxxxxyy", "xxxxxxxxxxxxx\n  xxyy"),
        ] {
            assert_eq!(*hanging(words, Some(13)), want, "{words:?}");
            assert_eq!(*hanging(words, None), words, "no terminal");
        }
        let narrow = hanging(&"x".repeat(25), Some(3));
        assert!(narrow.lines().count() == 3, "{narrow:?}");
    }

    proptest! {
        #[test]
        fn nothing_in_a_text_can_pass_for_what_is_said_of_one(
            text in "(Message   [0-9]|Received|\n|\r|\t| |日本|\\PC|x{30}){0,40}",
            columns in prop::option::of(12_usize..100),
        ) {
            let shown = behind_a_bar(&text, columns);
            prop_assert!(shown.ends_with('\n'));
            for line in shown.lines() {
                prop_assert!(line == BAR || line.starts_with("│ "), "{line:?}");
                // Each character for itself, as terminals see them, and never less than they may draw.
                let width: usize = line.chars().map(|c| c.to_string().width().max(drawn(c))).sum();
                prop_assert!(columns.is_none_or(|columns| width <= columns), "{line:?}");
            }
        }

        #[test]
        fn only_what_was_a_line_begins_at_the_edge(words in "[ a-z日]{0,200}(\n[ a-z]{0,40}){0,3}", columns in 14_usize..60) {
            let hung = hanging(&words, Some(columns));
            let at_the_edge = |text: &str| text.split('\n').filter(|line| !line.is_empty() && !line.starts_with(' ')).count();
            prop_assert!(at_the_edge(&hung) <= at_the_edge(&words), "{hung:?}");
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(bare(&hung), bare(&words));
        }
    }
}
