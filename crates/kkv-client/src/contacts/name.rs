//! What a contact is called.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthChar;

use kkv_base::limits::MAX_NAME_CHARACTERS;
use kkv_net::tor::{ParseTargetError, Target};
use kkv_protocol::blank::is_ignorable;

/// A name that can stand in a list, and where an address stands without being taken for one: 1 to 32 visible
/// characters.
///
/// Spaces may be within it, and no other character that can't be seen or that turns the order of letters around. Two
/// names are the same if they look alike: see `alike`.
#[derive(Clone)]
pub struct Name {
    text: String,
    /// By which it is found and put in order.
    key: String,
}

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadName {
    /// None or too many characters.
    #[error("a name has 1 to {MAX_NAME_CHARACTERS} characters")]
    Length,
    /// A character that can't be seen, or that steers a terminal or the order of letters.
    #[error("a name has visible characters only, and spaces between them")]
    Invisible,
    /// It would be taken for an option.
    #[error("a name doesn't begin with '-'")]
    Dash,
    /// It would be taken for an address, by the program or by a person.
    #[error(
        "a name doesn't look like an address: without a space it has no dot, colon, slash or @"
    )]
    Address,
}

impl Name {
    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same with a number behind it, shortened where it would be too long.
    pub(super) fn numbered(&self, number: u32) -> Self {
        let number = format!(" ({number})");
        let room = MAX_NAME_CHARACTERS - number.len();
        let start: String = self.text.chars().take(room).collect();
        let text = start.trim_end().to_owned() + &number;
        let key = alike(&text);
        Self { text, key }
    }

    /// The same for names that look alike.
    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if text.is_empty() || text.chars().count() > MAX_NAME_CHARACTERS {
            return Err(BadName::Length);
        }
        let at_an_end = text.starts_with(' ') || text.ends_with(' ');
        if at_an_end || !text.chars().all(is_visible) || !text.starts_with(stands_alone) {
            return Err(BadName::Invisible);
        }
        if text.starts_with('-') {
            return Err(BadName::Dash);
        }
        let address = !matches!(text.parse::<Target>(), Err(ParseTargetError::OutsideTor));
        if address || !text.contains(' ') && text.contains(['.', ':', '/', '@']) {
            return Err(BadName::Address);
        }
        Ok(Self {
            text: text.to_owned(),
            key: alike(text),
        })
    }
}

/// What all texts have in common that look alike, by Unicode's compatibility caseless matching (Unicode 17, D146):
/// letters composed or not, wide or in capitals, are one, and what is ignored doesn't count, nor do further spaces.
/// Capitals go to small letters by way of capitals, as ß and SS are the same.
#[must_use]
pub fn alike(text: &str) -> String {
    const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
    let folded = |text: &str| -> String {
        let shown = text.chars().filter(|c| !is_ignorable(*c));
        let capitals = shown.flat_map(char::to_uppercase);
        let small = capitals.flat_map(char::to_lowercase).collect::<String>();
        NFKC.normalize(&small).into_owned()
    };
    // Twice, since what was apart for a case may come together by the other.
    let folded = folded(&folded(&NFKC.normalize(text)));
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// What is shown, with something to see: the letters that are blank by definition have no width.
fn is_visible(c: char) -> bool {
    match c.general_category_group() {
        GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator => c == ' ',
        GeneralCategoryGroup::Mark => true,
        _ => stands_alone(c),
    }
}

/// Whether it needs no other character in front of it to be seen.
fn stands_alone(c: char) -> bool {
    c.width().is_some_and(|width| width > 0)
        && c.general_category_group() != GeneralCategoryGroup::Mark
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// It says whom someone writes to, so it is printed only on purpose.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_look_alike_are_the_same() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        for (one, other) in [
            ("Jos\u{e9}", "Jose\u{301}"),
            ("JOS\u{c9}", "jose\u{301}"),
            ("Straße", "STRASSE"),
            ("ﬁne", "FINE"),
            ("Ｂｏｂ", "bob"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("a\u{34f}b", "ab"),
            ("☺\u{fe0f}", "☺"),
            ("ab c", "AB C"),
            ("a b", "a  b"),
            ("a b", "a \u{34f} b"),
            ("a", "a \u{34f}"),
        ] {
            assert_eq!(name(one), name(other), "{one} {other}");
        }
        for (one, other) in [("José", "Jose"), ("bob", "bobb"), ("a b", "ab")] {
            assert_ne!(name(one), name(other), "{one} {other}");
        }
    }

    #[test]
    fn what_people_are_called_is_a_name() {
        let long = "é".repeat(32);
        for text in [
            "bob",
            "Dr. Who",
            "日本語",
            "שלום",
            "नमस्ते",
            "Zoë e\u{301}",
            "a-b_c!",
            "7",
            "🙂",
            &long,
        ] {
            assert_eq!(text.parse::<Name>().map(|n| n.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_none() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";
        let too_long = "é".repeat(33);
        for (text, why) in [
            ("", BadName::Length),
            (&too_long, BadName::Length),
            (onion, BadName::Length),
            (" bob", BadName::Invisible),
            ("bob ", BadName::Invisible),
            (" ", BadName::Invisible),
            ("a\nb", BadName::Invisible),
            ("\x1b[2J", BadName::Invisible),
            ("a\u{202e}b", BadName::Invisible),
            ("a\u{200b}b", BadName::Invisible),
            ("a\u{a0}b", BadName::Invisible),
            ("\u{301}", BadName::Invisible),
            ("\u{fe0f}a", BadName::Invisible),
            ("\u{3164}", BadName::Invisible),
            ("a\u{3164}", BadName::Invisible),
            ("-x", BadName::Dash),
            ("localhost", BadName::Address),
            ("LOCALHOST", BadName::Address),
            ("127.0.0.1", BadName::Address),
            ("8.8.8.8", BadName::Address),
            ("::1", BadName::Address),
            ("bob:80", BadName::Address),
            ("short.onion", BadName::Address),
            ("http://bob", BadName::Address),
            ("bob@example", BadName::Address),
            ("../bob", BadName::Address),
        ] {
            assert_eq!(text.parse::<Name>().map(|_| ()), Err(why), "{text:?}");
        }
    }

    #[test]
    fn capitals_make_no_other_name() {
        let [one, other, third] = ["Zoë", "ZOË", "Zoe"].map(|text| text.parse::<Name>().unwrap());
        assert_eq!(one, other);
        assert_ne!(one, third);
        assert_eq!(one.to_string(), "Zoë");
    }

    proptest! {
        #[test]
        fn being_alike_is_settled_at_once(text: String) {
            prop_assert_eq!(alike(&alike(&text)), alike(&text));
        }
    }

    proptest! {
        #[test]
        fn no_name_is_an_address_or_steers_anything(text in "[ -~\u{200b}-\u{2070}é@:./]{0,40}|\\PC{0,40}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert!(text.parse::<Target>().is_err());
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
