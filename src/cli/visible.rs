//! Text from strangers, made safe to look at: whatever could steer a terminal or turn the order of letters is shown as what it is.

use std::fmt;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Shows a text of several lines. Line feeds stay; a tab becomes spaces; everything else that is not a visible character (control
/// characters, escapes, bidirectional and other format characters, line and paragraph separators, private and unassigned code points) is
/// shown as `<U+001B>`.
#[derive(Debug)]
pub struct Visible<'t>(pub &'t str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\n' | ' ' => write!(f, "{c}")?,
                '\t' => f.write_str("    ")?,
                _ if is_visible(c) => write!(f, "{c}")?,
                _ => write!(f, "<U+{:04X}>", u32::from(c))?,
            }
        }
        Ok(())
    }
}

fn is_visible(c: char) -> bool {
    !matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        Visible(text).to_string()
    }

    #[test]
    fn letters_of_all_scripts_stay() {
        for text in [
            "naïve café",
            "שלום",
            "日本語",
            "नमस्ते",
            "e\u{301}",
            "🙂",
            "a\nb",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_steers_is_shown() {
        for (text, want) in [
            ("\x1b[2J", "<U+001B>[2J"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("a\rb", "a<U+000D>b"),
            ("\0\x07\x08\x7f", "<U+0000><U+0007><U+0008><U+007F>"),
            ("\u{202e}gpj.exe", "<U+202E>gpj.exe"),
            (
                "\u{2066}\u{2069}\u{200f}\u{61c}",
                "<U+2066><U+2069><U+200F><U+061C>",
            ),
            (
                "\u{2028}\u{a0}\u{feff}\u{e0041}",
                "<U+2028><U+00A0><U+FEFF><U+E0041>",
            ),
            ("a\tb", "a    b"),
        ] {
            assert_eq!(shown(text), want);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_steers_ever_comes_out(text: String) {
            let shown = shown(&text);
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
            let bidi = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
                '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];
            prop_assert!(!shown.contains(bidi));
        }
    }
}
