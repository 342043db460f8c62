//! Text from strangers, made safe to look at: whatever could steer a terminal or turn the order of letters is shown as
//! what it is.

use std::ffi::OsStr;
use std::fmt::{self, Write};

use icu_properties::props::{DefaultIgnorableCodePoint, Emoji, Script};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use zeroize::Zeroizing;

use crate::measured::measured;
use crate::wrapped::{drawn, wrapped};

mod hidden;

pub use hidden::{is_hidden_as_typed, without_hidden};

/// Shows a text of several lines. Line feeds stay, with or without a carriage return before them; tabs become spaces up
/// to the next of their stops, and the blanks of all languages spaces; everything else that is not a visible character
/// (control characters, escapes, bidirectional and other format characters, line and paragraph separators, private and
/// unassigned code points, letters that are blank) is shown as `<U+001B>`.
///
/// Joiners (U+200C, U+200D) move and turn nothing; they say how the letters beside them are written. Between two
/// letters of a script that needs them they stay: Persian can't be spelled without. Between two emoji they are left
/// out, and a family is shown as its members: terminals don't agree on how wide joined ones are, so that a line of them
/// could get out of its frame. Anywhere else they would only hide, and are shown. It is the same with selectors, which
/// say how the one character before them is drawn. Korean in parts is shown in syllables: terminals agree on how wide
/// those are.
#[derive(Debug)]
pub struct Visible<'t>(pub &'t str);

/// Shows what belongs into one line, such as the name of a file: as [`Visible`] does, and a line feed and a tab are
/// shown as what they are, too.
#[derive(Debug)]
pub struct OneLine<'t>(pub &'t str);

const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Columns from one stop of tabs to the next.
const TAB: usize = 8;

/// Drawn as nothing, though Unicode calls them symbols, letters or marks, and doesn't call them ignorable: a pattern of
/// Braille without a dot, two Egyptian blanks, a musical note without a head, and what fills up Khitan.
const BLANKS: [char; 5] = [
    '\u{2800}',
    '\u{13441}',
    '\u{13442}',
    '\u{1d159}',
    '\u{16fe4}',
];

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, f, true)
    }
}

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, f, false)
    }
}

/// Writes `text`, which may have lines and tabs in it or not.
fn show(text: &str, f: &mut fmt::Formatter<'_>, has_lines: bool) -> fmt::Result {
    let mut before = None;
    let mut column = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied();
        match shown(before, c, after) {
            _ if has_lines && (c, after) == ('\r', Some('\n')) => {}
            _ if has_lines && c == '\n' => {
                f.write_char('\n')?;
                column = 0;
            }
            _ if has_lines && c == '\t' => {
                let wide = TAB - column % TAB;
                write!(f, "{:wide$}", "")?;
                column += wide;
            }
            Shown::Itself => {
                let mut c = c;
                while let Some(syllable) = rest.peek().and_then(|after| syllable(c, *after)) {
                    rest.next();
                    c = syllable;
                }
                f.write_char(c)?;
                column += drawn(c);
                before = Some(c);
                continue;
            }
            Shown::Blank(wide) => {
                write!(f, "{:wide$}", "")?;
                column += wide;
            }
            Shown::Nothing => {}
            Shown::Code => {
                let code = format!("<U+{:04X}>", u32::from(c));
                column += code.len();
                f.write_str(&code)?;
            }
        }
        before = Some(c);
    }
    Ok(())
}

enum Shown {
    Itself,
    Blank(usize),
    Nothing,
    Code,
}

/// How `c` is shown between these two.
fn shown(before: Option<char>, c: char, after: Option<char>) -> Shown {
    let both = |are: fn(char) -> bool| [before, after].iter().all(|c| c.is_some_and(are));
    let script = |c| CodePointMapData::<Script>::new().get(c);
    let is_selected = before.is_some_and(|before| match c {
        // A digit is an emoji in a keycap alone.
        '\u{fe0e}' | '\u{fe0f}' => {
            CodePointSetData::new::<Emoji>().contains(before)
                && (!before.is_ascii() || after == Some('\u{20e3}'))
        }
        '\u{180b}'..='\u{180d}' | '\u{180f}' => script(before) == Script::Mongolian,
        '\u{e0100}'..='\u{e01ef}' => script(before) == Script::Han,
        _ => false,
    });
    match c {
        '\u{3000}' => Shown::Blank(2),
        _ if c.general_category() == GeneralCategory::SpaceSeparator => Shown::Blank(1),
        _ if is_selected || JOINERS.contains(&c) && both(is_joined) => Shown::Itself,
        _ if JOINERS.contains(&c) && both(is_of_emoji) => Shown::Nothing,
        _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) => Shown::Code,
        _ if BLANKS.contains(&c) || is_part_of_a_syllable(c) => Shown::Code,
        _ if is_visible(c) => Shown::Itself,
        _ => Shown::Code,
    }
}

/// A vowel or an end of a Korean syllable: without a beginning terminals don't agree on it.
fn is_part_of_a_syllable(c: char) -> bool {
    matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}')
}

/// What two parts of a Korean syllable are together (Unicode §3.12.3).
fn syllable(one: char, other: char) -> Option<char> {
    const FIRST: u32 = 0xac00;
    const VOWELS: u32 = 21;
    const ENDS: u32 = 28;
    let (one_at, other_at) = (u32::from(one), u32::from(other));
    let together = match (one, other) {
        ('\u{1100}'..='\u{1112}', '\u{1161}'..='\u{1175}') => {
            ((one_at - 0x1100) * VOWELS + (other_at - 0x1161)) * ENDS
        }
        ('\u{ac00}'..='\u{d7a3}', '\u{11a8}'..='\u{11c2}')
            if (one_at - FIRST).is_multiple_of(ENDS) =>
        {
            one_at - FIRST + (other_at - 0x11a7)
        }
        _ => return None,
    };
    char::from_u32(FIRST + together)
}

/// What a stranger's text begins with, in one line of at most `room` columns: made safe like all of it, with a space
/// for whatever parts its words.
pub fn first_words(text: &str, room: usize) -> Zeroizing<String> {
    let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" "));
    let shown = measured(|out| write!(out, "{}", OneLine(&words)));
    if wrapped(&shown, room).len() == 1 {
        return shown;
    }
    let first = wrapped(&shown, room.saturating_sub(1)).swap_remove(0);
    measured(|out| write!(out, "{}…", shown[first.clone()].trim_end()))
}

/// A word as a shell takes it, in quotation marks if it needs them.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
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

/// A letter, or a mark on one, of the scripts whose letters join: Arabic, Syriac, N'Ko and those beside them, the Indic
/// ones up to Sinhala, Khmer and Mongolian.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{dff}' | '\u{1780}'..='\u{18af}')
        && matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
        )
}

/// What emoji are made of, as far as it stands beside a joiner: pictures, two arrows that Unicode takes for
/// mathematics, colours of skin, and the sign that a picture is meant.
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
            ("\u{2028}\u{feff}\u{e0041}", "<U+2028><U+FEFF><U+E0041>"),
        ] {
            assert_eq!(shown(text), want);
        }
    }

    #[test]
    fn blanks_are_blank_tabs_have_stops_and_lines_end_either_way() {
        for (text, want) in [
            ("10\u{202f}000\u{a0}€", "10 000 €"),
            ("a\u{2009}b\u{2003}c\u{205f}d", "a b c d"),
            ("日\u{3000}本", "日  本"),
            ("a\tb\n\tc\n日本\td", "a       b\n        c\n日本    d"),
            ("12345678\t9", "12345678        9"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("one\rtwo\r", "one<U+000D>two<U+000D>"),
            ("\r\r\n", "<U+000D>\n"),
        ] {
            assert_eq!(shown(text), want, "{text:?}");
        }
        assert_eq!(
            OneLine("a\tb\r\n\u{a0}").to_string(),
            "a<U+0009>b<U+000D><U+000A> "
        );
    }

    #[test]
    fn letters_that_are_blank_are_shown_as_codes() {
        assert_eq!(
            shown("do\u{3164}\u{3164} not 🙂 pay"),
            "do<U+3164><U+3164> not 🙂 pay"
        );
        for c in "\u{115f}\u{1160}\u{3164}\u{ffa0}\u{2800}\u{34f}\u{17b4}\u{180b}\u{fe00}\u{fe0f}\u{e0100}\u{1d159}\u{11a8}".chars() {
            let code = format!("<U+{:04X}>", u32::from(c));
            assert_eq!(shown(&format!("a{c}b")), format!("a{code}b"));
            assert_eq!(shown(&c.to_string()), code);
        }
        for text in [
            "1\u{fe0f}\u{20e3}",
            "🏕\u{fe0f}",
            "葛\u{e0100}",
            "ᠠ\u{180b}",
            "🇩🇪",
            "น้ำ กำ",
            "বাংলা",
            "한글",
        ] {
            assert_eq!(shown(text), text, "the language needs it");
        }
        assert_eq!(shown("1\u{fe0f}2"), "1<U+FE0F>2");
    }

    #[test]
    fn korean_in_parts_is_shown_in_syllables() {
        assert_eq!(
            shown("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            "한글"
        );
        assert_eq!(shown("가\u{11a8} 각\u{11a8}"), "각 각<U+11A8>");
        assert_eq!(shown("\u{1100}"), "\u{1100}");
        assert_eq!(shown("\u{1100}\u{1160}"), "\u{1100}<U+1160>");
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
