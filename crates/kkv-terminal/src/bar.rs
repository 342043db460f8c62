//! Where a stranger's words stand: never at the edge of the screen, which is where this program's own words begin.

use std::fmt::{self, Write};
use std::io;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;
use zeroize::Zeroizing;

use crate::direction::{LEFT_TO_RIGHT, is_from_the_right};
use crate::measured::measured;
use crate::visible::Visible;
use crate::wrapped::{self, bound, wrapped_by};

mod hanging;

pub use hanging::{hanging, rows};

/// What each line of a text stands behind. Nothing that is said of a message does, so no text can pass for that, nor
/// for another message.
pub const BAR: &str = "│";
/// The bar and a space, in columns.
pub const BAR_COLUMNS: usize = 2;
/// The same where the terminal draws the bar in two.
const WIDE_BAR_COLUMNS: usize = BAR_COLUMNS + 1;
/// No character is drawn in more columns.
const WIDEST: usize = 2;
/// Has a terminal end a line at its edge, and go on in the next one again (DECAWM).
const ENDS: &str = "\x1b[?7l";
pub(crate) const GOES_ON: &str = "\x1b[?7h";

/// Columns of the terminal behind standard output, if it is one.
pub fn columns() -> Option<usize> {
    columns_of(io::stdout())
}

/// Columns of the terminal behind `file`, if it is one.
pub fn columns_of(file: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(file).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

/// Whether the terminal is one that takes no sequences, so that nothing can be asked of it.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|name| name == "dumb")
}

/// How wide a text is taken to be where a terminal has to be trusted with it: as wide as on any, if it can't be told to
/// end a line at its edge.
fn measure() -> fn(&str) -> usize {
    if is_dumb() { bound } else { wrapped::columns }
}

/// What a line begins with, so that a terminal that turns words of Hebrew or Arabic round doesn't turn the line: some
/// do, if the first letter in it is one of those, and then a bar stands at the right, and something else at the left.
fn mark_of_direction(line: &str) -> &'static str {
    let decides = |c: &char| {
        c.is_ascii_alphabetic() || LEFT_TO_RIGHT.starts_with(*c) || is_from_the_right(*c)
    };
    if line.chars().find(decides).is_some_and(is_from_the_right) {
        LEFT_TO_RIGHT
    } else {
        ""
    }
}

/// Whether a terminal is told in it to let lines end at its edge: what is cut within one would leave it so.
pub fn ends_lines(bytes: &[u8]) -> bool {
    bytes
        .windows(ENDS.len())
        .any(|part| part == ENDS.as_bytes())
}

/// Writes a line that has been broken to fit, behind `before`. If a terminal that counts otherwise could draw it beyond
/// its edge, that is told to let it end there rather than to go on in the next line, where it would begin without a
/// bar.
fn to_the_edge(out: &mut dyn Write, line: &str, before: usize, columns: usize) -> fmt::Result {
    match line.find(|c: char| !c.is_ascii()) {
        Some(at) if bound(line) + before > columns && !is_dumb() => {
            let (plain, rest) = line.split_at(at);
            let mut parts = [plain, ENDS, rest, GOES_ON].into_iter();
            parts.try_for_each(|part| out.write_str(part))
        }
        _ => out.write_str(line),
    }
}

/// The text in lines that stand behind a bar. On a terminal they are broken to fit: what it broke by itself would begin
/// without one.
pub fn behind_a_bar(text: &str, columns: Option<usize>) -> Zeroizing<String> {
    let shown = measured(|out| write!(out, "{}", Visible(text)));
    let room = columns.map_or(usize::MAX, |all| all.saturating_sub(WIDE_BAR_COLUMNS));
    if room < WIDEST {
        let told = "(too narrow: no room for a text)\n";
        return Zeroizing::new(told.to_owned());
    }
    let lines = wrapped_by(&shown, room, measure());
    measured(|out| {
        lines.iter().try_for_each(|line| {
            out.write_str(BAR)?;
            let line = &shown[line.clone()];
            let Some(columns) = columns else {
                let space = if line.is_empty() { "" } else { " " };
                return writeln!(out, "{space}{line}");
            };
            // Spaces may hang over the edge, and do so without being seen.
            let line = line.trim_end_matches(' ');
            if !line.is_empty() {
                write!(out, "{} ", mark_of_direction(line))?;
                to_the_edge(out, line, WIDE_BAR_COLUMNS, columns)?;
            }
            out.write_char('\n')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapped::drawn;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    pub(super) fn bare_of_sequences(text: &str) -> String {
        let sequences = [LEFT_TO_RIGHT, ENDS, GOES_ON];
        sequences
            .iter()
            .fold(text.to_owned(), |text, sequence| text.replace(sequence, ""))
    }

    #[test]
    fn a_line_that_could_be_wider_elsewhere_ends_at_the_edge() {
        let want = format!("│ aa {ENDS}жжж{GOES_ON}\n│ {ENDS}жжжж{GOES_ON}\n│ aa ж\n");
        assert_eq!(*behind_a_bar("aa жжж жжжж aa ж", Some(9)), want);
        assert_eq!(
            *hanging("a жж ж", Some(8)),
            format!("a {ENDS}жж ж{GOES_ON}")
        );
        assert_eq!(*hanging("a жж ж", Some(10)), "a жж ж");
        assert_eq!(*hanging("a жж ж", None), "a жж ж");
    }

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
        assert_eq!(*behind_a_bar(text, Some(18)), want);
        let want = "│ xxxx\n│ xxxx\n│ xx\n";
        assert_eq!(*behind_a_bar(&"x".repeat(10), Some(7)), want);
        for columns in 5..12 {
            let narrow = behind_a_bar("日本 a日本", Some(columns));
            assert!(narrow.lines().all(|line| line.starts_with("│ ")));
        }
        for columns in 0..5 {
            let told = behind_a_bar("text", Some(columns));
            assert_eq!(*told, "(too narrow: no room for a text)\n");
        }
    }

    #[test]
    fn no_text_is_left_behind_by_a_string_that_grew() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        let text = format!("жжж שלום\n{onion} and {}\n\n", "жж ".repeat(99));
        for columns in [None, Some(9), Some(40), Some(200)] {
            for shown in [behind_a_bar(&text, columns), hanging(&text, columns)] {
                assert_eq!(shown.capacity(), shown.len(), "{columns:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_in_a_text_can_pass_for_what_is_said_of_one(
            text in "(Message   [0-9]|Received|\n|\r|\t| |日本|\\PC|x{30}){0,40}",
            columns in prop::option::of(5_usize..100),
        ) {
            let shown = bare_of_sequences(&behind_a_bar(&text, columns));
            prop_assert!(shown.ends_with('\n'));
            for line in shown.lines() {
                prop_assert!(line == BAR || line.starts_with("│ "), "{line:?}");
                // Each character for itself, as terminals see them, and never less than they may draw.
                let width: usize = line.chars().map(|c| c.to_string().width().max(drawn(c))).sum();
                prop_assert!(columns.is_none_or(|columns| width <= columns), "{line:?}");
            }
        }
    }
}
