//! Lines that are too long for the terminal go on further in than they began.

use std::fmt::{self, Write};
use std::ops::Range;

use zeroize::Zeroizing;

use super::{WIDEST, mark_of_direction, measure, to_the_edge};
use crate::measured::measured;
use crate::wrapped::wrapped_by;
use kkv_protocol::onion::OnionAddress;

/// A line goes on so far in that it has this room at least.
const ROOM: usize = 10;
/// How much further in a line goes on than it began.
const HANGING: usize = 2;
/// Where what stands behind a label begins, and goes on: see [`rows`].
const BEHIND_LABELS: usize = 12;

/// What may stand before an address, and behind it, and stays there.
const OPEN: [char; 5] = ['\'', '"', '(', '[', '<'];
const CLOSE: [char; 9] = ['\'', '"', ')', ']', '>', ',', '.', ':', ';'];

/// Words of this program in which a stranger's may stand, such as the name of a file, made safe already. On a terminal,
/// a line that is too long goes on further in than it began: the terminal itself would let it go on at the edge.
pub fn hanging(words: &str, columns: Option<usize>) -> Zeroizing<String> {
    let Some(columns) = columns else {
        return Zeroizing::new(words.to_owned());
    };
    measured(|out| {
        for (place, line) in words.split('\n').enumerate() {
            if place > 0 {
                out.write_char('\n')?;
            }
            let indent = line.len() - line.trim_start_matches(' ').len() + HANGING;
            hang(out, line, columns, indent)?;
        }
        Ok(())
    })
}

/// Rows of a label and words of this program, made safe already, which go on below each other behind it.
pub fn rows(rows: &[(&str, String)], columns: Option<usize>) -> Zeroizing<String> {
    measured(|out| {
        for (label, words) in rows {
            for (place, line) in words.split('\n').enumerate() {
                let label = if place == 0 { label } else { "" };
                let line = format!("{:<BEHIND_LABELS$}{line}", format!("  {label}"));
                match columns {
                    Some(columns) => hang(out, &line, columns, BEHIND_LABELS)?,
                    None => out.write_str(&line)?,
                }
                out.write_char('\n')?;
            }
        }
        Ok(())
    })
}

/// Writes one line, which goes on `indent` columns in where it is too long.
fn hang(out: &mut dyn Write, line: &str, columns: usize, indent: usize) -> fmt::Result {
    // One column further in there is room for any character.
    let columns = columns.max(1 + WIDEST);
    let indent = indent.min(columns.saturating_sub(ROOM)).max(1);
    let (mut margin, mut rest) = (0, line);
    while let Some(address) = wide_address(rest, margin, columns, indent) {
        let before = rest[..address.start].trim_end_matches(' ');
        if !before.is_empty() {
            broken(out, before, margin, columns, indent)?;
            out.write_char('\n')?;
        }
        let room = columns.saturating_sub(address.len());
        write!(out, "{:1$}", "", indent.min(room))?;
        out.write_str(&rest[address.clone()])?;
        rest = rest[address.end..].trim_start_matches(' ');
        if rest.is_empty() {
            return Ok(());
        }
        out.write_char('\n')?;
        margin = indent;
    }
    broken(out, rest, margin, columns, indent)
}

/// Writes a line, or what of it stands before or behind an address: its first row `margin` columns in, the others
/// `indent`.
fn broken(
    out: &mut dyn Write,
    line: &str,
    margin: usize,
    columns: usize,
    indent: usize,
) -> fmt::Result {
    let mut row = |before: &str, part: &str, margin: usize| {
        let mark = mark_of_direction(part);
        write!(out, "{before}{:margin$}{mark}", "")?;
        to_the_edge(out, part, margin, columns)
    };
    let first = wrapped_by(line, columns - margin, measure()).swap_remove(0);
    let (first, rest) = line.split_at(first.end);
    if rest.is_empty() {
        return row("", first, margin);
    }
    row("", first.trim_end_matches(' '), margin)?;
    for part in wrapped_by(rest, columns - indent, measure()) {
        row("\n", rest[part].trim_end_matches(' '), indent)?;
    }
    Ok(())
}

/// Where an onion address stands, `margin` columns further in, that a line feed would break. The terminal may break it,
/// which copies it whole; all that could stand at the edge then is a part of an address.
fn wide_address(line: &str, margin: usize, columns: usize, indent: usize) -> Option<Range<usize>> {
    let mut start = 0;
    for word in line.split(' ') {
        let place = start..start + word.len();
        start = place.end + 1;
        let is_wide = columns < indent + word.len();
        if is_wide && columns < margin + measure()(&line[..place.end]) && is_address(word) {
            return Some(place);
        }
    }
    None
}

/// Whether a word is an address, with or without a port, and at most one sign on each side. With anything else it is
/// broken as any word is: what stands beside the address is a stranger's.
fn is_address(word: &str) -> bool {
    let word = word.strip_prefix(OPEN).unwrap_or(word);
    let word = word.strip_suffix(CLOSE).unwrap_or(word);
    let (host, port) = match word.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (word, None),
    };
    let is_port =
        |port: &str| matches!(port.len(), 1..=5) && port.bytes().all(|b| b.is_ascii_digit());
    port.is_none_or(is_port) && host.parse::<OnionAddress>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::super::tests::bare_of_sequences;
    use super::*;
    use crate::direction::LEFT_TO_RIGHT;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

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
        let words = format!("bob has the address {ONION}:80, as it seems");
        for columns in 12..100 {
            let hung = hanging(&words, Some(columns));
            assert!(hung.contains(&format!("{ONION}:80,")), "{hung:?}");
            let shown = rows(&[("reach it", ONION.to_owned())], Some(columns));
            let (label, address) = shown.split_once(ONION).unwrap();
            assert_eq!((label.trim(), address), ("reach it", "\n"), "{shown:?}");
            let all = hung.lines().chain(shown.lines());
            let widest = all.filter(|line| line.width() > columns);
            let is_broken = columns < format!("{ONION}:80,").len();
            assert_eq!(widest.count() > 0, is_broken, "{columns}: {hung:?}");
        }
        let like_one = "x".repeat(56) + ".onion";
        let hung = hanging(&like_one, Some(40));
        assert_eq!(hung.lines().count(), 2, "it is none");
        let alone = format!("{ONION}:80\n  {LEFT_TO_RIGHT}שלום");
        assert_eq!(*hanging(&format!("{ONION}:80 שלום"), Some(60)), alone);
    }

    #[test]
    fn what_is_glued_to_an_address_is_broken_like_any_word() {
        for columns in [20, 62, 66, 80] {
            for (before, behind) in [
                (
                    "",
                    ":xxxxxxxxxxxxxxxxAccepted:_the_message_is_in_the_inbox.",
                ),
                ("日本".repeat(30).as_str(), ""),
                ("(".repeat(64).as_str(), ""),
                ("((", "))"),
                ("", ":123456"),
                ("", &":".repeat(80)),
                ("x", &"x".repeat(80)),
                ("\"", &"\"".repeat(80)),
            ] {
                let word = format!("{before}{ONION}{behind}");
                for line in [word.clone(), format!("kkvc: {word} is no address")] {
                    let hung = bare_of_sequences(&hanging(&line, Some(columns)));
                    let widest = hung.lines().map(UnicodeWidthStr::width).max();
                    assert!(widest <= Some(columns), "{hung}");
                    let further_in = hung.lines().skip(1).all(|line| line.starts_with(' '));
                    assert!(further_in, "{hung}");
                }
            }
        }
        for (before, behind) in [("", ":12345"), ("'", "'"), ("(", ":80)"), ("", ",")] {
            let word = format!("{before}{ONION}{behind}");
            assert_eq!(*hanging(&word, Some(30)), word);
        }
    }

    #[test]
    fn a_line_of_ours_that_begins_with_a_name_from_the_right_is_not_turned() {
        for (line, is_marked) in [
            ("שלום is verified", true),
            ("12 (שלום) is verified", true),
            ("Added שלום", false),
            ("Added Bob", false),
        ] {
            let mark = if is_marked { LEFT_TO_RIGHT } else { "" };
            assert_eq!(*hanging(line, Some(60)), format!("{mark}{line}"));
            assert_eq!(*hanging(line, None), line, "no terminal");
        }
    }

    #[test]
    fn rows_go_on_behind_their_labels() {
        let row = [("cost", "4, while most slots are free\n(so far)".to_owned())];
        let want = "  cost      4, while most\n            slots are free\n            (so far)\n";
        assert_eq!(*rows(&row, Some(27)), want);
        let want = "  cost      4, while most slots are free\n            (so far)\n";
        assert_eq!(*rows(&row, None), want);
    }

    proptest! {
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
