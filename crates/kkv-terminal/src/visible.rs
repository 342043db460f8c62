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
///
/// `Debug` prints how long the text is, and nothing of it.
pub struct Visible<'t>(pub &'t str);

/// Shows what belongs into one line, such as the name of a file: as [`Visible`] does, and a line feed and a tab are
/// shown as what they are, too. `Debug` is as there.
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

impl fmt::Debug for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visible({} bytes)", self.0.len())
    }
}

impl fmt::Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneLine({} bytes)", self.0.len())
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
mod tests;
