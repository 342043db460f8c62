//! Reads words as people type them: in any case, shortened, with numbers and signs between.

use crate::{TELLING_LETTERS, list};

/// The words of what somebody has typed: what is neither a sign between words nor a number before one.
pub fn typed(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
}

/// The same of bytes, in which each that is no ASCII stands between words; and where each begins.
pub(crate) fn typed_in(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = 0;
    bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .map(move |word| {
            let at = next;
            next += word.len() + 1;
            let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (at + digits, &word[digits..])
        })
        .filter(|(_, word)| !word.is_empty())
}

/// Where a word stands in the list, whole or shortened.
pub(crate) fn index(typed: &str) -> Option<u16> {
    let telling = || {
        let letters = typed.bytes().take(TELLING_LETTERS);
        letters.map(|letter| letter.to_ascii_lowercase())
    };
    let order = |word: &&str| word.bytes().take(TELLING_LETTERS).cmp(telling());
    let place = list().binary_search_by(order).ok()?;
    let place = Some(place).filter(|place| is_short_for(typed, list()[*place]))?;
    u16::try_from(place).ok()
}

/// Whether this means the word: it is the word, or as much of it as no other begins with.
pub(crate) fn is_short_for(typed: impl AsRef<[u8]>, word: &str) -> bool {
    let (typed, word) = (typed.as_ref(), word.as_bytes());
    let enough = typed.len() >= TELLING_LETTERS.min(word.len());
    enough
        && word
            .get(..typed.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By halves it finds what a look at each finds.
    #[test]
    fn each_word_is_found_as_it_is_typed_and_no_other() {
        for (place, word) in list().iter().enumerate() {
            for typed in [word, &word[..word.len().min(4)], &*word.to_uppercase()] {
                assert_eq!(index(typed), Some(place as u16), "{typed}");
            }
            for typed in [
                &word[..word.len().min(4) - 1],
                &format!("{word}x"),
                &format!("x{word}"),
            ] {
                let found = list().iter().position(|word| is_short_for(typed, word));
                assert_eq!(index(typed).map(usize::from), found, "{typed}");
            }
        }
    }
}
