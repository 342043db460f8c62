//! Reply words: twelve words, by which alone a sender gets at the answers to a message.

use std::fmt;

use bip39::{Language, Mnemonic};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::labels;
use crate::v2::answers::sender::ReplySecrets;

/// How many they are.
pub const WORDS: usize = 12;
/// Bytes that they stand for.
pub const ENTROPY_BYTES: usize = 16;

/// Bits in a word: there are 2,048.
const WORD_BITS: usize = 11;
/// No two words of the list begin with the same four letters.
const TELLING_LETTERS: usize = 4;
/// Within so many bytes of a file they are taken for the words of a conversation. With a number, a sign and a line each
/// they take 200.
const NEAR_BYTES: usize = 1024;

/// Twelve words of BIP 39's English list: 128 random bits and 4 of a checksum, eleven to a word, the highest first.
///
/// The checksum is the upper half of the first byte of a labelled BLAKE3 of the bits, so that words of another kind (a
/// wallet's, a card's) are noticed 15 times of 16. Wiped on drop.
pub struct ReplyWords(Zeroizing<[u8; ENTROPY_BYTES]>);

/// Why a text is not the words of a conversation. It repeats none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadWords {
    /// They are more or fewer.
    #[error("reply words are {WORDS}, and these are {0}")]
    Count(usize),
    /// The word at this place, counted from 1, is not of the list.
    #[error("word {0} is not one of the list that reply words are from")]
    Unknown(usize),
    /// They are twelve words with the checksum of BIP 39.
    #[error("these are twelve words of another kind: a card's, or a wallet's")]
    OtherKind,
    /// The checksum doesn't fit.
    #[error("these twelve words don't belong together: one is wrong, or two have changed places")]
    Checksum,
}

impl ReplyWords {
    /// New ones: 16 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut entropy = Zeroizing::new([0; ENTROPY_BYTES]);
        rng.fill_bytes(entropy.as_mut_slice());
        Self(entropy)
    }

    /// Reads what somebody has typed or pasted: in upper or lower case, a word by its first four letters or more, with
    /// numbers, signs and any space between.
    ///
    /// # Errors
    /// They are not twelve, not of the list, or the checksum doesn't fit.
    pub fn parse(text: &str) -> Result<Self, BadWords> {
        let count = typed(text).count();
        // Before the count, which a word with a blank in it makes wrong: the word itself says more.
        let mut indices = Zeroizing::new([0_u16; WORDS]);
        for (place, word) in typed(text).take(WORDS).enumerate() {
            indices[place] = index(word).ok_or(BadWords::Unknown(place + 1))?;
        }
        if count != WORDS {
            return Err(BadWords::Count(count));
        }
        let (words, written) = Self::at(&indices);
        if words.checksum() == written {
            return Ok(words);
        }
        let bip_39 = Mnemonic::from_entropy_in(Language::English, words.0.as_slice());
        let last = bip_39.expect("16 bytes are twelve words").words().last();
        let last = last.and_then(index).map(usize::from);
        Err(if last == Some(usize::from(indices[WORDS - 1])) {
            BadWords::OtherKind
        } else {
            BadWords::Checksum
        })
    }

    /// Those that stand at these places of the list, and what is written as their checksum.
    fn at(indices: &[u16; WORDS]) -> (Self, u8) {
        let mut bits = Zeroizing::new([0_u8; ENTROPY_BYTES + 1]);
        for bit in 0..WORDS * WORD_BITS {
            let of_word = indices[bit / WORD_BITS] >> (WORD_BITS - 1 - bit % WORD_BITS) & 1;
            bits[bit / 8] |= (of_word as u8) << (7 - bit % 8);
        }
        let mut words = Self(Zeroizing::new([0; ENTROPY_BYTES]));
        words.0.copy_from_slice(&bits[..ENTROPY_BYTES]);
        (words, bits[ENTROPY_BYTES])
    }

    /// What all keys of the conversation are derived from.
    #[must_use]
    pub fn entropy(&self) -> &[u8; ENTROPY_BYTES] {
        &self.0
    }

    /// The secrets of the conversation.
    #[must_use]
    pub fn secrets(&self) -> ReplySecrets {
        ReplySecrets::new(&self.0)
    }

    /// One word after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.indices().map(|index| list()[index])
    }

    /// Where each of them stands in the list.
    fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        let checksum = self.checksum();
        (0..WORDS).map(move |place| {
            let bits = place * WORD_BITS..(place + 1) * WORD_BITS;
            bits.fold(0, |index, bit| {
                let byte = self.0.get(bit / 8).copied().unwrap_or(checksum);
                index << 1 | usize::from(byte >> (7 - bit % 8) & 1)
            })
        })
    }

    /// All of them in a line, a space between two. It is wiped on drop, and has no copy.
    #[must_use]
    pub fn line(&self) -> Zeroizing<String> {
        let length: usize = self.iter().map(|word| word.len() + 1).sum();
        let mut line = Zeroizing::new(String::with_capacity(length));
        for (place, word) in self.iter().enumerate() {
            if place > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        line
    }

    /// Whether `text` gives them away: all of them stand in it, in whatever order and case, whole or by four letters or
    /// more; or run together without a space.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let stands = |word: &str| typed(text).any(|typed| is_short_for(typed, word));
        self.iter().all(stands) || self.run_together_in(text.as_bytes())
    }

    /// Whether a file gives them away, whatever its bytes are: they stand in it in their order, near each other,
    /// whole or by four letters or more; or run together, with anything between but letters, as in UTF-16. In a long
    /// text, or a dictionary, all of them may stand somewhere.
    #[must_use]
    pub fn are_in_file(&self, bytes: &[u8]) -> bool {
        self.are_near(typed_in(bytes)) || self.run_together_in(bytes)
    }

    /// Whether they stand in what was typed, each with its place, in their order and within [`NEAR_BYTES`].
    ///
    /// One pass: to look on from wherever the first word stands would take two thirds of a second for a MiB of nothing
    /// but that word (AMD EPYC, release), and who sends a file by the page chooses its words, too.
    fn are_near<'t>(&self, typed: impl Iterator<Item = (usize, &'t [u8])>) -> bool {
        let mut indices = Zeroizing::new([0_usize; WORDS]);
        for (index, word) in indices.iter_mut().zip(self.indices()) {
            *index = word;
        }
        // Of each: the last place where the first of them stands and all up to this one follow in their order.
        let mut begun = [None; WORDS];
        for (at, typed) in typed {
            // The last first: what was typed is one of them, and not the next one, too, if that is the same word.
            for place in (0..WORDS).rev() {
                if !is_short_for(typed, list()[indices[place]]) {
                    continue;
                }
                let start = match place.checked_sub(1) {
                    None => Some(at),
                    Some(before) => begun[before],
                };
                begun[place] = start.max(begun[place]);
            }
            let whole = begun[WORDS - 1].take();
            if whole.is_some_and(|start| at + typed.len() - start <= NEAR_BYTES) {
                return true;
            }
        }
        false
    }

    fn run_together_in(&self, bytes: &[u8]) -> bool {
        let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic());
        let mut all = Zeroizing::new(String::with_capacity(bytes.len()));
        all.extend(letters.map(|letter| char::from(letter.to_ascii_lowercase())));
        let run = |part: fn(&'static str) -> &'static str| {
            let mut run = Zeroizing::new(String::with_capacity(WORDS * WORD_BITS));
            self.iter().for_each(|word| run.push_str(part(word)));
            all.contains(run.as_str())
        };
        run(|word| word) || run(|word| &word[..word.len().min(TELLING_LETTERS)])
    }

    /// Four bits, in the upper half of the byte.
    fn checksum(&self) -> u8 {
        labels::REPLY_WORDS.derive(&[self.0.as_slice()])[0] & 0xf0
    }
}

impl fmt::Debug for ReplyWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyWords(..)")
    }
}

/// The words that they are of, sorted: BIP 39's English list.
#[must_use]
pub fn list() -> &'static [&'static str; 2048] {
    Language::English.word_list()
}

/// The words of what somebody has typed: what is neither a sign between words nor a number before one.
pub fn typed(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
}

/// The same of bytes, in which each that is no ASCII stands between words; and where each begins.
fn typed_in(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
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

/// Whether the words of some conversation stand in `text`, one after the other, whole or by four letters or more. Of
/// twelve other words of the list that happen to stand so, one in 16 is taken for them.
#[must_use]
pub fn stand_in(text: &str) -> bool {
    let mut last = Zeroizing::new([0_u16; WORDS]);
    let mut known = 0;
    typed(text).any(|word| {
        let Some(index) = index(word) else {
            known = 0;
            return false;
        };
        last.rotate_left(1);
        last[WORDS - 1] = index;
        known += 1;
        let (words, written) = ReplyWords::at(&last);
        known >= WORDS && words.checksum() == written
    })
}

/// Where a word stands in the list, whole or shortened.
fn index(typed: &str) -> Option<u16> {
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
fn is_short_for(typed: impl AsRef<[u8]>, word: &str) -> bool {
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
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn of(entropy: [u8; 16]) -> ReplyWords {
        ReplyWords(Zeroizing::new(entropy))
    }

    fn bad(text: &str) -> BadWords {
        ReplyWords::parse(text).unwrap_err()
    }

    proptest! {
        #[test]
        fn all_words_read_back(entropy: [u8; 16]) {
            let words = of(entropy);
            let line = words.line();
            prop_assert_eq!(words.iter().count(), WORDS);
            prop_assert_eq!(*ReplyWords::parse(&line).unwrap().entropy(), entropy);
            prop_assert_eq!(line.capacity(), line.len() + 1, "it has not grown, and left no copy behind");
        }

        #[test]
        fn no_text_makes_the_parser_stumble(text: String) {
            _ = ReplyWords::parse(&text);
            _ = of([7; 16]).are_in(&text);
            _ = of([7; 16]).are_in_file(text.as_bytes());
        }
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
    fn what_people_write_is_read() {
        let words = of([0x5a; 16]);
        let line = words.line();
        let numbered: Vec<_> = words
            .iter()
            .zip(1..)
            .map(|(w, i)| format!("{i}. {w}"))
            .collect();
        let short: Vec<_> = words.iter().map(|w| &w[..w.len().min(4)]).collect();
        for written in [
            line.to_uppercase(),
            format!("  {}\n", line.replace(' ', " \t\n ")),
            numbered.join("\n"),
            line.replace(' ', ", "),
            line.replace(' ', "-"),
            short.join(" "),
        ] {
            let read = ReplyWords::parse(&written).unwrap_or_else(|bad| panic!("{written}: {bad}"));
            assert_eq!(read.entropy(), words.entropy(), "{written}");
        }
        assert_eq!(format!("{words:?}"), "ReplyWords(..)");
    }

    #[test]
    fn what_is_wrong_is_said_by_its_place() {
        let words = of([0x5a; 16]);
        let all: Vec<_> = words.iter().collect();
        assert_eq!(bad(""), BadWords::Count(0));
        assert_eq!(bad(&all[..11].join(" ")), BadWords::Count(11));
        assert_eq!(bad(&format!("{} act", all.join(" "))), BadWords::Count(13));
        for (place, wrong) in [
            (0, "anch0r"),
            (2, "xyz"),
            (11, "acts"),
            (5, "abou\u{e9}"),
            (7, "ab"),
        ] {
            let mut all = all.clone();
            all[place] = wrong;
            assert_eq!(bad(&all.join(" ")), BadWords::Unknown(place + 1), "{wrong}");
        }
        let mut swapped = all.clone();
        swapped.swap(0, 1);
        assert_ne!(all[0], all[1]);
        assert_eq!(bad(&swapped.join(" ")), BadWords::Checksum);
    }

    #[test]
    fn words_of_another_kind_are_called_so() {
        let mut said = [0; 3];
        for byte in 0..=255 {
            let other = Mnemonic::from_entropy_in(Language::English, &[byte; 16]).unwrap();
            match ReplyWords::parse(&other.to_string()) {
                Err(BadWords::OtherKind) => said[0] += 1,
                Ok(_) => said[1] += 1,
                Err(_) => said[2] += 1,
            }
        }
        assert!(
            said[0] > 220 && said[2] == 0,
            "{said:?}: 1 in 16 has both checksums"
        );
    }

    #[test]
    fn the_words_of_any_conversation_are_noticed_in_a_text() {
        let words = of([0x5a; 16]);
        let line = words.line();
        let rows: Vec<_> = words
            .iter()
            .zip(1..)
            .map(|(w, i)| format!("{i}) {w}"))
            .collect();
        let short: Vec<_> = words.iter().map(|w| &w[..w.len().min(4)]).collect();
        for text in [
            line.to_uppercase(),
            format!("abandon able {}, acts", *line),
            format!("Mine: {}.\nThank you.", rows.join("\n")),
            short.join(" "),
        ] {
            assert!(stand_in(&text), "{text}");
        }
        let all: Vec<_> = words.iter().collect();
        let swapped = [&all[1..2], &all[..1], &all[2..]].concat().join(" ");
        for text in [
            "",
            &all[1..].join(" "),
            &all.join(" x "),
            &swapped,
            "Is the flat on Mill Road still free? I will have it all this year if you agree that we can.",
        ] {
            assert!(!stand_in(text), "{text}");
        }
    }

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

    #[test]
    fn a_text_that_gives_them_away_is_noticed() {
        let words = of([0x5a; 16]);
        let line = words.line();
        let short: Vec<_> = words.iter().map(|w| &w[..w.len().min(4)]).collect();
        let backwards: Vec<_> = words.iter().collect::<Vec<_>>().into_iter().rev().collect();
        for text in [
            format!("Mine are: {}. Keep them!", *line),
            line.to_uppercase(),
            line.replace(' ', "\n"),
            line.replace(' ', ""),
            format!("x{}y", line.replace(' ', "").to_uppercase()),
            short.join(" "),
            short.concat(),
            backwards.join(", "),
        ] {
            assert!(words.are_in(&text), "{text}");
        }
        let eleven: Vec<_> = words.iter().take(11).collect();
        for text in [
            "",
            "Is the flat on Mill Road still free?",
            &eleven.join(" "),
        ] {
            assert!(!words.are_in(text), "{text}");
            assert!(!words.are_in_file(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_file_that_gives_them_away_is_noticed_whatever_else_is_in_it() {
        let words = of([0x5a; 16]);
        let line = words.line();
        let rows: String = (1..)
            .zip(words.iter())
            .fold(String::new(), |rows, (n, word)| {
                format!("{rows}{n:3} {word}{}", if n % 4 == 0 { "\n" } else { "" })
            });
        let short: Vec<_> = words.iter().map(|w| &w[..w.len().min(4)]).collect();
        let long = [&b"caf\xe9 "[..], &b"lorem ipsum ".repeat(10_000)].concat();
        for given_away in [&**line, &rows, &line.replace(' ', ""), &short.join("\n")] {
            for (before, behind) in [
                (&b""[..], &b""[..]),
                (b"caf\xe9\n", b""),
                (b"", b"\xff\0"),
                (&long, &long),
            ] {
                let file = [before, given_away.as_bytes(), behind].concat();
                assert!(words.are_in_file(&file), "{given_away}");
            }
        }
        let wide = line.encode_utf16().flat_map(u16::to_le_bytes);
        assert!(words.are_in_file(&wide.collect::<Vec<u8>>()));
    }

    /// As `are_near` finds them, from wherever a word stands on its own.
    fn stand_near(words: &ReplyWords, bytes: &[u8]) -> bool {
        let typed: Vec<_> = typed_in(bytes).collect();
        (0..typed.len()).any(|first| {
            let reach = typed[first].0 + NEAR_BYTES;
            let near = typed[first..]
                .iter()
                .take_while(|(at, word)| at + word.len() <= reach);
            let mut near = near.map(|(_, word)| word);
            let mut all = words.iter();
            let begins = all.next().zip(near.next());
            begins.is_some_and(|(word, typed)| is_short_for(typed, word))
                && all.all(|word| near.any(|typed| is_short_for(typed, word)))
        })
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_a_search_from_each_place_finds(
            picks in proptest::collection::vec((0..14_usize, 1..90_usize), 12..60),
        ) {
            // The second and the fifth are the same word.
            let words = "zoo act zone able act wolf year ask bean calm dad";
            let last = list().iter().find(|last| ReplyWords::parse(&format!("{words} {last}")).is_ok());
            let words = ReplyWords::parse(&format!("{words} {}", last.unwrap())).unwrap();
            let mut text = String::new();
            for (number, (pick, gap)) in picks.iter().enumerate() {
                // Mostly the next one, so that all of them often stand there.
                let pick = if *pick < WORDS { number % WORDS } else { pick * number % WORDS };
                text += words.iter().nth(pick).unwrap();
                text.extend(std::iter::repeat_n('.', *gap));
            }
            prop_assert_eq!(words.are_near(typed_in(text.as_bytes())), stand_near(&words, text.as_bytes()));
        }
    }

    /// Whoever sends a file by the page chooses its words, too.
    #[test]
    fn a_file_of_nothing_but_the_first_word_is_looked_through_once() {
        let words = of([0x5a; 16]);
        let first = words.iter().next().unwrap();
        let file = format!("{first} ").repeat((1 << 20) / (first.len() + 1));
        let mut looked = 0;
        let typed = typed_in(file.as_bytes()).inspect(|_| looked += 1);
        assert!(!words.are_near(typed));
        assert_eq!(looked, file.split_whitespace().count());
    }

    #[test]
    fn a_dictionary_gives_nothing_away() {
        let dictionary = list().join("\n");
        for entropy in 0..64 {
            let words = of([entropy; 16]);
            assert!(words.are_in(&dictionary) && !words.are_in_file(dictionary.as_bytes()));
        }
        // All of them, in their order, far from each other.
        let words = of([0x5a; 16]);
        let far: Vec<_> = words.iter().collect();
        assert!(!words.are_in_file(far.join(&" once upon a time".repeat(10)).as_bytes()));
    }
}
