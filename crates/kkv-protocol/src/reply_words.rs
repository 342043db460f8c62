//! Reply words: twelve words, by which alone a sender gets at the answers to a message.

use std::fmt;

use kkv_words::{Kind, Words};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::v2::answers::sender::ReplySecrets;

pub use kkv_words::{BadWords, ENTROPY_BYTES, WORDS, list, typed};

/// Twelve words for 128 random bits (PROTOCOL.md §17). Wiped on drop.
pub struct ReplyWords(Words);

impl ReplyWords {
    /// New ones: 16 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Words::generate(Kind::Reply, rng))
    }

    /// Reads what somebody has typed or pasted, as [`Words::parse`] does.
    ///
    /// # Errors
    /// They are not twelve, not of the list, or of another kind, or the checksum doesn't fit.
    pub fn parse(text: &str) -> Result<Self, BadWords> {
        Words::parse(Kind::Reply, text).map(Self)
    }

    /// What all keys of the conversation are derived from.
    #[must_use]
    pub fn entropy(&self) -> &[u8; ENTROPY_BYTES] {
        self.0.entropy()
    }

    /// The secrets of the conversation.
    #[must_use]
    pub fn secrets(&self) -> ReplySecrets {
        ReplySecrets::new(self.entropy())
    }

    /// One word after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter()
    }

    /// All of them in a line, a space between two. It is wiped on drop, and has no copy.
    #[must_use]
    pub fn line(&self) -> Zeroizing<String> {
        self.0.line()
    }

    /// Whether `text` gives them away, as [`Words::are_in`] says.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        self.0.are_in(text)
    }

    /// Whether a file gives them away, as [`Words::are_in_file`] says.
    #[must_use]
    pub fn are_in_file(&self, bytes: &[u8]) -> bool {
        self.0.are_in_file(bytes)
    }
}

/// Whether the words of some conversation stand in `text`, as [`kkv_words::stand_in`] says.
#[must_use]
pub fn stand_in(text: &str) -> bool {
    kkv_words::stand_in(Kind::Reply, text)
}

impl fmt::Debug for ReplyWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyWords(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    fn of(entropy: [u8; 16]) -> ReplyWords {
        ReplyWords(Words::new(Kind::Reply, &entropy))
    }

    /// Computed by an implementation of BLAKE3 in another language. If this changes, words that people have written
    /// down open nothing any more.
    #[test]
    fn the_words_of_a_conversation_never_change() {
        let last = |entropy| of(entropy).iter().last();
        assert_eq!(last([0; 16]), Some(FIRST_CASE));
        assert_eq!(last([0xff; 16]), Some(SECOND_CASE));
        let counting = std::array::from_fn(|i| i as u8);
        assert_eq!(*of(counting).line(), THIRD_CASE);
    }

    /// The vectors of PROTOCOL.md §13, by an implementation written from its text.
    #[test]
    fn words_are_read_or_refused_as_the_vectors_say() {
        let file = include_str!("../vectors/negative.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        let cases = file["words"].as_array().unwrap();
        assert!(cases.iter().any(|case| case["entropy"].is_null()));
        for case in cases {
            let written = case["words"].as_str().unwrap();
            let read = ReplyWords::parse(written).ok();
            let entropy = read.as_ref().map(|words| HEXLOWER.encode(words.entropy()));
            assert_eq!(entropy.as_deref(), case["entropy"].as_str(), "{case}");
            if let Some(words) = read {
                assert_eq!(*words.line(), written);
            }
        }
    }

    const FIRST_CASE: &str = "ability";
    const SECOND_CASE: &str = "year";
    const THIRD_CASE: &str =
        "abandon amount liar amount expire adjust cage candy arch gather drum buyer";

    #[test]
    fn a_stray_debug_shows_none_of_them() {
        assert_eq!(format!("{:?}", of([0x5a; 16])), "ReplyWords(..)");
    }
}
