//! Keyboards that don't write Latin letters: which key of a Latin one is in the same place.
//!
//! A terminal tells which letter was typed and not by which key. Kitty's protocol can tell both, but few terminals and
//! no tmux speak it so far, and for letters alone it has to be turned on in a way that turns input methods off. So a
//! letter counts as the key on which the usual keyboard of its script has it. Where the user's language is one whose
//! keyboards have it elsewhere, and for letters that languages with the same keyboard have in different places, nothing
//! is guessed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Keys of a Latin keyboard, row by row; below, what the same keys write on others. What is no letter there counts as
/// itself.
const LATIN: &str = "qwertyuiopasdfghjklzxcvbnm";
/// Russian, and with it Ukrainian, Belarusian and the keyboards of Central Asia. Letters that only those have are in
/// [`KeyboardLayout::latin`].
const CYRILLIC: &str = "йцукенгшщзфывапролдячсмить";
const GREEK: &str = ";ςερτυθιοπασδφγηξκλζχψωβνμ";
const HEBREW: &str = "/'קראטוןםפשדגכעיחלךזסבהנמצ";

/// Languages in Cyrillic whose keyboards have the letters in other places.
const ELSEWHERE: [&str; 5] = ["bg", "bs", "mk", "mn", "sr"];

/// The keyboard that the user has, as far as the language tells.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyboardLayout {
    /// Whether a Cyrillic one is another than usual.
    is_elsewhere: bool,
    /// Where it has the letter і.
    dotted: Option<char>,
}

impl KeyboardLayout {
    /// By the language in the environment.
    pub(super) fn here(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
        let locale = locale.unwrap_or_default();
        let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
        Self {
            is_elsewhere: ELSEWHERE.contains(&language),
            dotted: match language {
                "uk" => Some('s'),
                "be" => Some('b'),
                _ => None,
            },
        }
    }

    /// The key, as a Latin keyboard has it in the same place, if it wrote a letter that such a keyboard doesn't have.
    pub(super) fn key(self, pressed: KeyEvent) -> KeyEvent {
        let is_plain = (pressed.modifiers - KeyModifiers::SHIFT).is_empty();
        match pressed.code {
            KeyCode::Char(letter) if is_plain => KeyEvent {
                code: KeyCode::Char(self.latin(letter).unwrap_or(letter)),
                ..pressed
            },
            _ => pressed,
        }
    }

    fn latin(self, letter: char) -> Option<char> {
        let small = letter
            .to_lowercase()
            .next()
            .filter(|small| !small.is_ascii())?;
        let at = |keys: &str| keys.chars().position(|key| key == small);
        let place = match small {
            'і' => return self.dotted.map(|key| like(letter, key)),
            'а'..='я' | 'ў' if self.is_elsewhere => None,
            // In Belarusian and Uzbek, where Russian has щ.
            'ў' => return Some(like(letter, 'o')),
            _ => [CYRILLIC, GREEK, HEBREW].into_iter().find_map(at),
        };
        LATIN.chars().nth(place?).map(|key| like(letter, key))
    }
}

/// `key` in capitals if `letter` is.
fn like(letter: char, key: char) -> char {
    if letter.is_uppercase() {
        key.to_ascii_uppercase()
    } else {
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(locale: &str) -> KeyboardLayout {
        KeyboardLayout::here(|name| (name == "LANG").then(|| locale.to_owned()))
    }

    #[test]
    fn each_letter_of_a_latin_keyboard_has_one_in_the_same_place() {
        for keys in [CYRILLIC, GREEK, HEBREW] {
            assert_eq!(keys.chars().count(), LATIN.chars().count());
            for (key, letter) in LATIN.chars().zip(keys.chars()) {
                let wanted = (!letter.is_ascii()).then_some(key);
                assert_eq!(layout("en_US.UTF-8").latin(letter), wanted, "{letter}");
                let capital = letter.to_uppercase().next().unwrap();
                // The sigma at the end of a word has the capital of the other.
                if capital != letter && letter != 'ς' {
                    let wanted = wanted.map(|key| key.to_ascii_uppercase());
                    assert_eq!(layout("").latin(capital), wanted, "{capital}");
                }
            }
        }
    }

    #[test]
    fn each_letter_of_the_other_cyrillic_keyboards_is_where_it_is_written() {
        for (locale, keys) in [
            ("uk_UA.UTF-8", "йцукенгшщзфівапролдячсмить"),
            ("be_BY.UTF-8", "йцукенгшўзфывапролдячсміть"),
        ] {
            assert_eq!(keys.chars().count(), LATIN.chars().count());
            for (key, letter) in LATIN.chars().zip(keys.chars()) {
                assert_eq!(layout(locale).latin(letter), Some(key), "{locale} {letter}");
                let capital = letter.to_uppercase().next().unwrap();
                let key = Some(key.to_ascii_uppercase());
                assert_eq!(layout(locale).latin(capital), key, "{locale} {capital}");
            }
        }
    }

    #[test]
    fn where_a_letter_may_be_on_another_key_nothing_is_guessed() {
        for (locale, letter, key) in [
            ("ru_RU.UTF-8", 'к', Some('r')),
            ("C.UTF-8", 'к', Some('r')),
            ("bg_BG.UTF-8", 'к', None),
            ("sr_RS@latin", 'К', None),
            ("bg_BG.UTF-8", 'κ', Some('k')),
            ("en_US.UTF-8", 'ў', Some('o')),
            ("bg_BG.UTF-8", 'ў', None),
            ("en_US.UTF-8", 'і', None),
            ("uk_UA.UTF-8", 'і', Some('s')),
            ("be_BY", 'І', Some('B')),
            ("de_DE", 'ü', None),
            ("de_DE", 'r', None),
            ("ja_JP", 'か', None),
            ("fa_IR", 'ق', None),
            // A sign, which in small letters is a Latin one.
            ("", '\u{212a}', None),
        ] {
            assert_eq!(layout(locale).latin(letter), key, "{locale} {letter}");
        }
        let first = |name: &str| match name {
            "LC_ALL" => Some(String::new()),
            "LC_CTYPE" => Some("bg_BG.UTF-8".to_owned()),
            _ => Some("ru_RU.UTF-8".to_owned()),
        };
        assert_eq!(KeyboardLayout::here(first).latin('к'), None);
    }

    #[test]
    fn only_a_letter_alone_or_a_capital_is_another_key() {
        let layout = KeyboardLayout::default();
        for (modifiers, key) in [
            (KeyModifiers::NONE, 'd'),
            (KeyModifiers::SHIFT, 'd'),
            (KeyModifiers::CONTROL, 'в'),
            (KeyModifiers::ALT, 'в'),
        ] {
            let pressed = KeyEvent::new(KeyCode::Char('в'), modifiers);
            let wanted = KeyEvent::new(KeyCode::Char(key), modifiers);
            assert_eq!(layout.key(pressed), wanted);
        }
    }
}
