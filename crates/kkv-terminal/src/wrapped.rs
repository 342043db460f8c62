//! Text in lines and columns, as terminals draw it.

use std::ops::Range;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// Where `text` is broken into lines of at most `width` columns: at its line feeds, else behind a space, else anywhere
/// between two characters as people see them.
pub fn wrapped(text: &str, width: usize) -> Vec<Range<usize>> {
    wrapped_by(text, width, columns)
}

/// The same, where a text takes as many columns as `columns` says.
pub(crate) fn wrapped_by(
    text: &str,
    width: usize,
    columns: fn(&str) -> usize,
) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for line in text.split('\n') {
        let mut start = offset;
        let mut taken = 0;
        // Behind the last space of this line of the screen, and the columns up to there.
        let mut space = None;
        for (at, part) in parts(line, width, columns) {
            let at = offset + at;
            let wide = columns(part);
            // Spaces may hang over the edge, where nobody sees them.
            // Twice, if what stands behind the space still leaves no room for it.
            while taken + wide > width && at > start && part != " " {
                let (end, before) = space.take().unwrap_or((at, taken));
                lines.push(start..end);
                start = end;
                taken -= before;
            }
            taken += wide;
            if part == " " {
                space = Some((at + 1, taken));
            }
        }
        lines.push(start..offset + line.len());
        offset += line.len() + 1;
    }
    // The line feed at the end of a text ends its last line.
    if lines.len() > 1 && text.ends_with('\n') {
        lines.pop();
    }
    lines
}

/// The characters of a line as people see them, each with its place; in its parts, where one has so many marks that it
/// would fill more than a line.
fn parts(
    line: &str,
    width: usize,
    columns: fn(&str) -> usize,
) -> impl Iterator<Item = (usize, &str)> {
    line.grapheme_indices(true).flat_map(move |(at, whole)| {
        let (whole, in_parts) = if columns(whole) <= width {
            (Some((at, whole)), "")
        } else {
            (None, whole)
        };
        let in_parts = in_parts.char_indices();
        let in_parts = in_parts.map(move |(within, c)| {
            let end = within + c.len_utf8();
            (at + within, &line[at + within..at + end])
        });
        whole.into_iter().chain(in_parts)
    })
}

/// The most columns that a terminal draws a character in. They don't agree: one that makes an emoji of the one before
/// may add a column to it, the halfwidth sound marks have a cell of their own, vowels of Indic scripts stand beside
/// their letter, a flag is two letters until it is drawn as one, pictures are wide also where Unicode has them narrow,
/// and what is wide or not by its company is wide between Chinese and Japanese.
pub fn drawn(c: char) -> usize {
    let wide = match c {
        '\u{fe0f}' | '\u{ff9e}' | '\u{ff9f}' => return 1,
        '\u{1f000}'..='\u{1faff}' => return 2,
        // Tone and reading marks of East Asian scripts, which glibc and tmux draw as wide as a letter.
        '\u{302e}' | '\u{302f}' | '\u{16ff0}' | '\u{16ff1}' => return 2,
        '\u{2e80}'.. => c.width_cjk(),
        _ => c.width(),
    };
    // Letters that are joined to the next one, such as U+0D4E, have no width of their own in Unicode's tables, and one
    // in glibc's.
    let may_be_nothing = matches!(
        c.general_category(),
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark | GeneralCategory::Format
    );
    wide.unwrap_or(0).max(usize::from(!may_be_nothing))
}

/// The most columns that a terminal draws a text in.
pub fn columns(text: &str) -> usize {
    text.chars().map(drawn).sum()
}

/// Columns that a text can't take more of on any terminal, however that counts: none draws a character in more than
/// two. Where letters of Cyrillic or Greek, and lines that boxes are drawn with, are taken to be as wide as Chinese,
/// this is what a text takes.
pub fn bound(text: &str) -> usize {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    text.chars().map(wide).sum()
}

/// Whether terminals agree on how wide this is, which has its own place on the screen.
pub fn is_agreed_on(symbol: &str) -> bool {
    let mut letters = symbol.chars();
    let (Some(c), None) = (letters.next(), letters.next()) else {
        return false;
    };
    let is_mark = c.general_category_group() == GeneralCategoryGroup::Mark;
    let is_picture = c >= '\u{2600}' && c.general_category() == GeneralCategory::OtherSymbol;
    c.width() == Some(drawn(c)) && drawn(c) > 0 && !is_picture && !is_mark
}

#[cfg(test)]
mod terminals;
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, width: usize) -> Vec<&str> {
        wrapped(text, width)
            .into_iter()
            .map(|line| &text[line])
            .collect()
    }

    #[test]
    fn lines_break_behind_spaces_and_long_words_where_they_must() {
        assert_eq!(lines("one two three", 8), ["one two ", "three"]);
        assert_eq!(lines("one two three", 7), ["one two ", "three"]);
        assert_eq!(lines("one\n\ntwo\n", 8), ["one", "", "two"]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("a bcdefgh", 4), ["a ", "bcde", "fgh"]);
        assert_eq!(lines("日本語です", 4), ["日本", "語で", "す"]);
        assert_eq!(lines(" aa日", 3), [" ", "aa", "日"]);
        assert_eq!(lines("e\u{301}e\u{301}e", 2), ["e\u{301}e\u{301}", "e"]);
        assert_eq!(lines("", 4), [""]);
        assert_eq!(lines("\n", 4), [""]);
        assert_eq!(
            lines("日", 1),
            ["日"],
            "what is wider than the screen is shown as far as it goes"
        );
    }

    #[test]
    fn what_terminals_may_draw_wider_is_counted_so() {
        for (text, most) in [
            ("\u{9be}", 1),
            ("\u{d4e}\u{111c2}\u{11a84}", 3),
            ("\u{302e}\u{302f}\u{16ff0}\u{16ff1}", 8),
            ("\u{3248}\u{324f}", 4),
            ("🇩🇪", 4),
            ("🏕\u{fe0f}", 3),
            ("กำ", 2),
            ("e\u{301}", 1),
            ("한", 2),
            ("Ж…", 2),
        ] {
            assert_eq!(columns(text), most, "{text}");
        }
        let row = "\u{9be}".repeat(200);
        assert!(lines(&row, 78).iter().all(|line| columns(line) <= 78));
        assert_eq!(
            lines("कि कि", 3),
            ["कि ", "कि"],
            "a vowel stays with its letter"
        );
        for symbol in ["a", "é", "Ж", "日", "─", "한"] {
            assert!(is_agreed_on(symbol), "{symbol}");
        }
        for symbol in ["🙂", "কা", "\u{9be}", "🇩", "\u{3248}", "e\u{301}", "❤"] {
            assert!(!is_agreed_on(symbol), "{symbol}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(text in "[ a-z日❤\u{fe0f}ﾊ\u{ff9e}\u{301}\n]{0,200}", width in 2_usize..20) {
            let shown = lines(&text, width);
            prop_assert_eq!(shown.concat(), text.replace('\n', ""));
            for line in shown {
                prop_assert!(columns(line.trim_end()) <= width);
            }
        }
    }
}
