//! Answers made safe to look at, where the relay opens them: what script does for those that it opens
//! (assets/conversation.js).

use std::fmt::Write;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

/// What a browser draws well: lines, tabs, and the joiners without which Persian can't be spelled and families come
/// apart.
const DRAWN: [char; 4] = ['\n', '\t', '\u{200c}', '\u{200d}'];

/// Most bytes of a code: `<U+10FFFF>`.
const CODE_BYTES: usize = 10;

/// A text with its control and format characters, and what parts lines but a line's end, shown as `<U+202E>`: they are
/// drawn as nothing, or turn the order of letters. A carriage return before a line feed stays.
#[must_use]
pub fn visible(text: &str) -> Zeroizing<String> {
    // At once: what grows leaves copies behind.
    let codes = text.chars().filter(|c| is_hidden(*c)).count();
    let mut shown = Zeroizing::new(String::with_capacity(text.len() + CODE_BYTES * codes));
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_line = c == '\r' && rest.peek() == Some(&'\n');
        if is_hidden(c) && !ends_line {
            write!(shown, "<U+{:04X}>", u32::from(c)).expect("a string takes what is written");
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_hidden(c: char) -> bool {
    !DRAWN.contains(&c)
        && matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_turns_is_shown_as_what_it_is() {
        for (text, shown) in [
            ("x \u{202e}abc\u{202c}", "x <U+202E>abc<U+202C>"),
            ("a\0\u{1b}[31m\u{7f}", "a<U+0000><U+001B>[31m<U+007F>"),
            ("a\u{200b}b\u{feff}\u{ad}", "a<U+200B>b<U+FEFF><U+00AD>"),
            ("a\u{2028}b\u{2029}", "a<U+2028>b<U+2029>"),
            ("a\rb\r\nc\n\td", "a<U+000D>b\r\nc\n\td"),
            ("\u{e0041}", "<U+E0041>"),
        ] {
            assert_eq!(*visible(text), shown);
        }
        for text in [
            "שלום",
            "👩\u{200d}👩\u{200d}👧 ♥",
            "می\u{200c}خواهم",
            "<b>&",
        ] {
            assert_eq!(*visible(text), text);
        }
    }
}
