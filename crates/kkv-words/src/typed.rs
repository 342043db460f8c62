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
    let whole = |word: &&str| typed.eq_ignore_ascii_case(word);
    let found = list()
        .iter()
        .position(whole)
        .or_else(|| list().iter().position(|word| is_short_for(typed, word)));
    found.and_then(|index| u16::try_from(index).ok())
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
