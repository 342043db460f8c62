//! Texts as they are searched: without case and accents; and the hashtags in them.

use icu_normalizer::DecomposingNormalizerBorrowed;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A hashtag has at most so many characters, after folding; what is longer is none.
const MAX_TAG_CHARS: usize = 64;

/// At most so many hashtags of one text count.
const MAX_TAGS: usize = 32;

/// The text without case, accents and differences of form: NFKD (UAX #15) without marks, and each character in the
/// lower case of its upper case, so that ß is found by SS and ς by σ.
#[must_use]
pub fn fold(text: &str) -> String {
    // Most texts need no more.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd();
    let is_base = |c: &char| c.general_category_group() != GeneralCategoryGroup::Mark;
    let chars = decomposed.normalize_iter(text.chars()).filter(is_base);
    let upper = chars.flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

/// The hashtags of a text, folded, each once: what follows a # at the start of a word, of letters, digits, marks and _,
/// with a letter in it.
#[must_use]
pub fn tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        if c == '#' && !before.is_some_and(is_in_tag) {
            let word: &str = text.get(at + 1..).unwrap_or_default();
            let end = word.find(|c| !is_in_tag(c)).unwrap_or(word.len());
            if let Some(tag) = tag(&word[..end])
                && !tags.contains(&tag)
                && tags.len() < MAX_TAGS
            {
                tags.push(tag);
            }
            for _ in word[..end].chars() {
                before = rest.next().map(|(_, c)| c);
            }
            continue;
        }
        before = Some(c);
    }
    tags
}

/// A hashtag as it is compared, with or without its #. `None` if it can't be one.
#[must_use]
pub fn tag(word: &str) -> Option<String> {
    let word = word.strip_prefix('#').unwrap_or(word);
    let fits = |word: &str| word.chars().all(is_in_tag) && word.chars().any(char::is_alphabetic);
    // Folding may take a character apart into some that are in no word, as ¼.
    let folded = fits(word)
        .then(|| fold(word))
        .filter(|folded| fits(folded))?;
    let length = folded.chars().count();
    (1..=MAX_TAG_CHARS).contains(&length).then_some(folded)
}

fn is_in_tag(c: char) -> bool {
    c == '_' || c.is_alphanumeric() || c.general_category_group() == GeneralCategoryGroup::Mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_make_no_difference() {
        for (one, other) in [
            ("Élan vital", "elan VITAL"),
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("οδός", "ΟΔΌΣ"),
            ("Ça va", "ca va"),
            ("ﬁn", "FIN"),
            ("e\u{301}", "É"),
            ("Ελλάδα", "ελλαδα"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("lake"), fold("lace"));
    }

    /// K-17: kiki's hashtags were Latin letters only.
    #[test]
    fn hashtags_are_words_of_any_script() {
        let of = |text: &str| tags(text);
        assert_eq!(of("To the #Lake, #lake or #ΘΆΛΑΣΣΑ!"), ["lake", "θαλασσα"]);
        assert_eq!(of("#été_2027 #日本語 (#ok)"), ["ete_2027", "日本語", "ok"]);
        assert_eq!(of("no#tag #1 ## # #-x a#b"), Vec::<String>::new());
        assert_eq!(of("##double #a#b"), ["double", "a"]);
        assert_eq!(of(&format!("#{}", "x".repeat(65))), Vec::<String>::new());
        let many: String = (0..100).map(|n| format!("#t{n} ")).collect();
        assert_eq!(of(&many).len(), MAX_TAGS);
        assert_eq!(tag("#Été"), Some("ete".into()));
        assert_eq!(tag("two words"), None);
        assert_eq!(tag(""), None);
    }

    proptest! {
        #[test]
        fn any_text_folds_to_something_that_folds_to_itself(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.clone());
            for found in tags(&text) {
                prop_assert_eq!(tag(&found), Some(found));
            }
        }
    }
}
