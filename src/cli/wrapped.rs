//! Text in lines and columns, as terminals draw it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where `text` is broken into lines of at most `width` columns: at its line feeds, else behind a space, else anywhere between two characters.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<std::ops::Range<usize>> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for line in text.split('\n') {
        let mut start = offset;
        let mut columns = 0;
        // Behind the last space of this line of the screen, and the columns up to there.
        let mut space = None;
        for (at, c) in line.char_indices() {
            let at = offset + at;
            let wide = drawn(c);
            // Spaces may hang over the edge, where nobody sees them.
            // Twice, if what stands behind the space still leaves no room for it.
            while columns + wide > width && at > start && c != ' ' {
                let (end, taken) = space.take().unwrap_or((at, columns));
                lines.push(start..end);
                start = end;
                columns -= taken;
            }
            columns += wide;
            if c == ' ' {
                space = Some((at + 1, columns));
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

/// Columns of a character, and never less than are drawn for it: one that makes an emoji of the one before adds to that, and the halfwidth sound marks
/// have a cell of their own.
pub(crate) fn drawn(c: char) -> usize {
    match c {
        '\u{fe0f}' | '\u{ff9e}' | '\u{ff9f}' => 1,
        c => c.width().unwrap_or(0),
    }
}

/// Columns of a text on the screen.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

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
