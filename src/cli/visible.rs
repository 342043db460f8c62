//! Text from strangers, made safe to look at: whatever could steer a terminal or turn the order of letters is shown as what it is.

use std::ffi::OsStr;
use std::fmt;

use zeroize::Zeroizing;

use super::wrapped::wrapped;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Shows a text of several lines. Line feeds stay; a tab becomes spaces; everything else that is not a visible character (control
/// characters, escapes, bidirectional and other format characters, line and paragraph separators, private and unassigned code points) is
/// shown as `<U+001B>`.
///
/// Joiners (U+200C, U+200D) move and turn nothing; they say how the letters beside them are written. Between two letters of a script that needs
/// them they stay: Persian can't be spelled without. Between two emoji they are left out, and a family is shown as its members: terminals don't agree
/// on how wide joined ones are, so that a line of them could get out of its frame. Anywhere else they would only hide, and are shown.
#[derive(Debug)]
pub struct Visible<'t>(pub &'t str);

/// Shows what belongs into one line, such as the name of a file: as [`Visible`] does, and a line feed and a tab are shown as what they are, too.
#[derive(Debug)]
pub struct OneLine<'t>(pub &'t str);

const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, f, |c| match c {
            '\n' => Some("\n"),
            '\t' => Some("    "),
            _ => None,
        })
    }
}

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, f, |_| None)
    }
}

/// Writes `text`, where `moves` gives what is written for those characters that move to another place.
fn show(
    text: &str,
    f: &mut fmt::Formatter<'_>,
    moves: impl Fn(char) -> Option<&'static str>,
) -> fmt::Result {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied();
        let both = |are: fn(char) -> bool| [before, after].iter().all(|c| c.is_some_and(are));
        match (c, moves(c)) {
            (_, Some(moved)) => f.write_str(moved)?,
            (' ', None) => f.write_str(" ")?,
            _ if is_visible(c) => write!(f, "{c}")?,
            _ if JOINERS.contains(&c) && both(is_joined) => write!(f, "{c}")?,
            _ if JOINERS.contains(&c) && both(is_of_emoji) => {}
            _ => write!(f, "<U+{:04X}>", u32::from(c))?,
        }
        before = Some(c);
    }
    Ok(())
}

/// What a stranger's text begins with, in one line of at most `room` columns: made safe like all of it, with a space for whatever parts its words.
pub(crate) fn first_words(text: &str, room: usize) -> Zeroizing<String> {
    let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" "));
    let shown = Zeroizing::new(OneLine(&words).to_string());
    if wrapped(&shown, room).len() == 1 {
        return shown;
    }
    let first = wrapped(&shown, room.saturating_sub(1)).swap_remove(0);
    Zeroizing::new(format!("{}…", &shown[first].trim_end()))
}

/// A word as a shell takes it, in quotation marks if it needs them.
pub(super) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn is_visible(c: char) -> bool {
    !matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator
    )
}

/// A letter, or a mark on one, of the scripts whose letters join: Arabic, Syriac, N'Ko and those beside them, the Indic ones up to Sinhala, Khmer and
/// Mongolian.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{dff}' | '\u{1780}'..='\u{18af}')
        && matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
        )
}

/// What emoji are made of, as far as it stands beside a joiner: pictures, two arrows that Unicode takes for mathematics, colours of skin, and the
/// sign that a picture is meant.
fn is_of_emoji(c: char) -> bool {
    c.general_category() == GeneralCategory::OtherSymbol
        || matches!(c, '\u{2194}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe0f}')
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
            // Persian, Sinhala, Bengali and Khmer as they are spelled.
            "می\u{200c}خواهم",
            "ශ්\u{200d}රී",
            "র\u{200d}্য",
            "ប\u{17ca}\u{200c}ី",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_shell_takes_a_word_as_it_is_meant() {
        for (word, want) in [
            ("/run/user/1000/kkv.sock", "/run/user/1000/kkv.sock"),
            ("", "''"),
            ("~/book", "'~/book'"),
            ("my book", "'my book'"),
            ("it's $(id) \\", r"'it'\''s $(id) \'"),
            ("é", "'é'"),
        ] {
            assert_eq!(quoted(word), want);
            let printed = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {want}")])
                .output();
            assert_eq!(printed.unwrap().stdout, word.as_bytes());
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

    #[test]
    fn joined_emoji_are_shown_side_by_side() {
        for (text, want) in [
            ("👨\u{200d}👩\u{200d}👧", "👨👩👧"),
            ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}🔥"),
            ("👩🏽\u{200d}⚕\u{fe0f}", "👩🏽⚕\u{fe0f}"),
            ("🙂\u{200d}↔\u{fe0f}", "🙂↔\u{fe0f}"),
        ] {
            assert_eq!(shown(text), want);
        }
    }

    #[test]
    fn joiners_that_join_nothing_are_shown() {
        for (text, want) in [
            ("pass\u{200d}word", "pass<U+200D>word"),
            ("\u{200c}م", "<U+200C>م"),
            ("م\u{200d}", "م<U+200D>"),
            ("م\u{200d} م", "م<U+200D> م"),
            ("م\u{200c}\u{200d}م", "م<U+200C><U+200D>م"),
            ("م\u{200d}a", "م<U+200D>a"),
            ("1\u{200d}2", "1<U+200D>2"),
            ("🙂\u{200d}", "🙂<U+200D>"),
            ("🙂\u{200d}\u{200d}🙂", "🙂<U+200D><U+200D>🙂"),
        ] {
            assert_eq!(shown(text), want);
        }
    }

    /// Joiners, and what may stand beside them, more often than in any text.
    fn joined() -> impl Strategy<Value = String> {
        let parts = vec![
            "\u{200c}", "\u{200d}", "م", "ක", "\u{dca}", "🙂", "\u{fe0f}", "🏽", "↔", "a", "1",
            " ", "\n", "\u{202e}", "\u{600}", "\u{180e}",
        ];
        let part = prop::sample::select(parts).prop_map(str::to_owned);
        prop::collection::vec(prop_oneof![4 => part, 1 => any::<String>()], 0..20)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn nothing_that_steers_ever_comes_out(text in joined()) {
            let shown = shown(&text);
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
            let letters: Vec<char> = shown.chars().collect();
            for (place, c) in letters.iter().enumerate() {
                let hidden = c.general_category() == GeneralCategory::Format;
                let beside = |place: usize| letters.get(place).is_some_and(|c| c.is_alphabetic() || is_joined(*c));
                prop_assert!(
                    !hidden || JOINERS.contains(c) && place > 0 && beside(place - 1) && beside(place + 1),
                    "{shown:?}"
                );
            }
            prop_assert_eq!(self::shown(&shown), shown.clone(), "what is shown is shown as it is");
            let bidi = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
                '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];
            prop_assert!(!shown.contains(bidi));
        }
    }
}
