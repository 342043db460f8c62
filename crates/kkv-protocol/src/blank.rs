//! Which characters leave nothing to see.

use icu_properties::CodePointSetDataBorrowed;
use icu_properties::props::DefaultIgnorableCodePoint;

/// The pattern of no dots of Braille: a letter by its category, and as empty as a space.
const BRAILLE_BLANK: char = '\u{2800}';

/// What Unicode has ignored where it isn't known what to do with it (`Default_Ignorable_Code_Point`): joiners,
/// variation selectors, fillers, tags, and whatever else has no shape of its own.
#[must_use]
pub fn is_ignorable(c: char) -> bool {
    const SET: CodePointSetDataBorrowed<'static> =
        CodePointSetDataBorrowed::new::<DefaultIgnorableCodePoint>();
    SET.contains(c)
}

/// Whether nothing is to be seen of a text: blanks of every kind, and what is ignored. A control character is no blank:
/// it is shown by its number.
///
/// ```
/// use kkv_protocol::blank::{is_blank, is_ignorable};
///
/// assert!(is_blank(" \u{200b}\n") && is_ignorable('\u{200b}'));
/// assert!(!is_blank("."));
/// ```
#[must_use]
pub fn is_blank(text: &str) -> bool {
    let nothing = |c: char| c.is_whitespace() || is_ignorable(c) || c == BRAILLE_BLANK;
    text.chars().all(nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_every_kind_are_blank_and_letters_are_not() {
        for blank in [
            "",
            " \t\r\n",
            "\u{a0}\u{202f}\u{2003}\u{3000}\u{2028}\u{85}",
            "\u{200b}\u{200d}\u{feff}\u{2060}\u{202e}\u{ad}",
            "\u{3164}\u{115f}\u{1160}\u{ffa0}\u{34f}\u{180e}\u{fe0f}\u{e0041}",
            "\u{2800}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for seen in [
            ".",
            " a ",
            "\u{200b}é",
            "🙂\u{fe0f}",
            "\u{1}",
            "\u{e000}",
            "\u{301}",
        ] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }
}
