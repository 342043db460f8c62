//! Where a stranger's words stand: never at the edge of the screen, which is where this program's own words begin.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use super::direction::{LEFT_TO_RIGHT, is_from_the_right};
use super::visible::Visible;
use super::wrapped::{self, bound, wrapped_by};
use crate::onion::OnionAddress;

/// What each line of a text stands behind. Nothing that is said of a message does, so no text can pass for that, nor
/// for another message.
pub(super) const BAR: &str = "│";
/// The bar and a space, in columns.
pub(super) const BAR_COLUMNS: usize = 2;
/// The same where the terminal draws the bar in two.
const WIDE_BAR_COLUMNS: usize = BAR_COLUMNS + 1;
/// No character is drawn in more columns.
const WIDEST: usize = 2;
/// A line goes on so far in that it has this room at least.
const ROOM: usize = 10;
/// Has a terminal end a line at its edge, and go on in the next one again (DECAWM).
const ENDS: &str = "\x1b[?7l";
const GOES_ON: &str = "\x1b[?7h";
/// How much further in a line goes on than it began.
const HANGING: usize = 2;
/// Where what stands behind a label begins, and goes on: see [`rows`].
const BEHIND_LABELS: usize = 12;

/// Columns of the terminal behind standard output, if it is one.
pub(super) fn columns() -> Option<usize> {
    columns_of(io::stdout())
}

/// Columns of the terminal behind `file`, if it is one.
pub(super) fn columns_of(file: impl AsFd) -> Option<usize> {
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
    if line.chars().any(is_from_the_right) {
        LEFT_TO_RIGHT
    } else {
        ""
    }
}

/// A line that has been broken to fit, behind `before`. If a terminal that counts otherwise could draw it beyond its
/// edge, that is told to let it end there rather than to go on in the next line, where it would begin without a bar.
fn ends_at_the_edge<'l>(line: &'l str, before: usize, columns: usize) -> Cow<'l, str> {
    match line.find(|c: char| !c.is_ascii()) {
        Some(at) if bound(line) + before > columns && !is_dumb() => {
            let (plain, rest) = line.split_at(at);
            Cow::Owned(format!("{plain}{ENDS}{rest}{GOES_ON}"))
        }
        _ => Cow::Borrowed(line),
    }
}

/// The text in lines that stand behind a bar. On a terminal they are broken to fit: what it broke by itself would begin
/// without one.
pub(super) fn behind_a_bar(text: &str, columns: Option<usize>) -> Zeroizing<String> {
    let shown = Zeroizing::new(Visible(text).to_string());
    let room = columns.map_or(usize::MAX, |all| all.saturating_sub(WIDE_BAR_COLUMNS));
    if room < WIDEST {
        let told = "(too narrow: no room for a text)\n";
        return Zeroizing::new(told.to_owned());
    }
    let lines = wrapped_by(&shown, room, measure());
    let mut barred = Zeroizing::new(String::with_capacity(
        shown.len() + lines.len() * (BAR.len() + 2),
    ));
    for line in lines {
        barred.push_str(BAR);
        let line = &shown[line];
        let Some(columns) = columns else {
            if !line.is_empty() {
                barred.push(' ');
            }
            barred.push_str(line);
            barred.push('\n');
            continue;
        };
        // Spaces may hang over the edge, and do so without being seen.
        let line = line.trim_end_matches(' ');
        if !line.is_empty() {
            barred.push_str(mark_of_direction(line));
            barred.push(' ');
            barred.push_str(&ends_at_the_edge(line, WIDE_BAR_COLUMNS, columns));
        }
        barred.push('\n');
    }
    barred
}

/// Words of this program in which a stranger's may stand, such as the name of a file, made safe already. On a terminal,
/// a line that is too long goes on further in than it began: the terminal itself would let it go on at the edge.
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
        hang(&mut hung, line, columns, indent);
    }
    hung
}

/// Rows of a label and words of this program, made safe already, which go on below each other behind it.
pub(super) fn rows(rows: &[(&str, String)], columns: Option<usize>) -> String {
    let mut hung = String::new();
    for (label, words) in rows {
        for (place, line) in words.split('\n').enumerate() {
            let label = if place == 0 { label } else { "" };
            let line = format!("{:<BEHIND_LABELS$}{line}", format!("  {label}"));
            match columns {
                Some(columns) => hang(&mut hung, &line, columns, BEHIND_LABELS),
                None => hung.push_str(&line),
            }
            hung.push('\n');
        }
    }
    hung
}

/// Adds one line, which goes on `indent` columns in where it is too long.
fn hang(hung: &mut String, line: &str, columns: usize, indent: usize) {
    // One column further in there is room for any character.
    let columns = columns.max(1 + WIDEST);
    let indent = indent.min(columns.saturating_sub(ROOM)).max(1);
    if let Some(address) = wide_address(line, columns, indent) {
        let before = line[..address.start].trim_end_matches(' ');
        let after = line[address.end..].trim_start_matches(' ');
        if !before.is_empty() {
            hang(hung, before, columns, indent);
            hung.push('\n');
        }
        let room = columns.saturating_sub(address.len());
        hung.extend(std::iter::repeat_n(' ', indent.min(room)));
        hung.push_str(&line[address]);
        if !after.is_empty() {
            hung.push('\n');
            hang(hung, &format!("{:indent$}{after}", ""), columns, indent);
        }
        return;
    }
    let first = wrapped_by(line, columns, measure()).swap_remove(0);
    let (first, rest) = line.split_at(first.end);
    if rest.is_empty() {
        hung.push_str(&ends_at_the_edge(first, 0, columns));
        return;
    }
    hung.push_str(&ends_at_the_edge(first.trim_end_matches(' '), 0, columns));
    for part in wrapped_by(rest, columns - indent, measure()) {
        hung.push('\n');
        hung.extend(std::iter::repeat_n(' ', indent));
        let part = rest[part].trim_end_matches(' ');
        hung.push_str(mark_of_direction(part));
        hung.push_str(&ends_at_the_edge(part, indent, columns));
    }
}

/// Where an onion address stands that a line feed would break. The terminal may break it, which copies it whole; all
/// that could stand at the edge then is a part of an address.
fn wide_address(line: &str, columns: usize, indent: usize) -> Option<Range<usize>> {
    let mut start = 0;
    for word in line.split(' ') {
        let place = start..start + word.len();
        start = place.end + 1;
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let host = bare.split(':').next().unwrap_or(bare);
        let is_address = host.parse::<OnionAddress>().is_ok();
        if is_address && columns < indent + word.len() && columns < line[..place.end].width() {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::wrapped::drawn;
    use super::*;
    use proptest::prelude::*;

    fn bare_of_sequences(text: &str) -> String {
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
        assert_eq!(*hanging("xxxyyzz", Some(3)), "xxx\n yy\n zz");
    }

    #[test]
    fn no_line_feed_stands_within_an_address() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        let words = format!("bob has the address {onion}:80, as it seems");
        for columns in 12..100 {
            let hung = hanging(&words, Some(columns));
            assert!(hung.contains(&format!("{onion}:80,")), "{hung:?}");
            let shown = rows(&[("reach it", onion.to_owned())], Some(columns));
            let (label, address) = shown.split_once(onion).unwrap();
            assert_eq!((label.trim(), address), ("reach it", "\n"), "{shown}");
            let all = hung.lines().chain(shown.lines());
            let widest = all.filter(|line| line.width() > columns);
            let is_broken = columns < format!("{onion}:80,").len();
            assert_eq!(widest.count() > 0, is_broken, "{columns}: {hung:?}");
        }
        let like_one = "x".repeat(56) + ".onion";
        let hung = hanging(&like_one, Some(40));
        assert_eq!(hung.lines().count(), 2, "it is none");
    }

    #[test]
    fn rows_go_on_behind_their_labels() {
        let row = [("cost", "4, while most slots are free\n(so far)".to_owned())];
        let want = "  cost      4, while most\n            slots are free\n            (so far)\n";
        assert_eq!(rows(&row, Some(27)), want);
        let want = "  cost      4, while most slots are free\n            (so far)\n";
        assert_eq!(rows(&row, None), want);
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

        #[test]
        fn only_what_was_a_line_begins_at_the_edge(words in "[ a-z日]{0,200}(\n[ a-z]{0,40}){0,3}", columns in 14_usize..60) {
            let hung = hanging(&words, Some(columns));
            let hung = bare_of_sequences(&hung);
            let at_the_edge = |text: &str| text.split('\n').filter(|line| !line.is_empty() && !line.starts_with(' ')).count();
            prop_assert!(at_the_edge(&hung) <= at_the_edge(&words), "{hung:?}");
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(bare(&hung), bare(&words));
        }
    }
}
