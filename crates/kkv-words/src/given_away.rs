//! Finds words in a text or a file that would give them away.

use zeroize::Zeroizing;

use crate::typed::{index, is_short_for, typed, typed_in};
use crate::{Kind, TELLING_LETTERS, WORD_BITS, WORDS, Words, at, list};

/// Within so many bytes of a file they are taken for one secret's words. With a number, a sign and a line each they
/// take 200.
const NEAR_BYTES: usize = 1024;

impl Words {
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
}

/// Whether twelve words of this kind stand in `text`, one after the other, whole or by four letters or more, whatever
/// they stand for. Of twelve other words of the list that happen to stand so, one in 16 is taken for them.
#[must_use]
pub fn stand_in(kind: Kind, text: &str) -> bool {
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
        let (entropy, written) = at(&last);
        known >= WORDS && kind.checksum(&entropy) == written
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(entropy: [u8; 16]) -> Words {
        Words::new(Kind::Reply, &entropy)
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
    fn any_words_of_a_kind_are_noticed_in_a_text() {
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
            assert!(stand_in(Kind::Reply, &text), "{text}");
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
            assert!(!stand_in(Kind::Reply, text), "{text}");
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
    fn stand_near(words: &Words, bytes: &[u8]) -> bool {
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
            let last = list().iter().find(|last| Words::parse(Kind::Reply, &format!("{words} {last}")).is_ok());
            let words = Words::parse(Kind::Reply, &format!("{words} {}", last.unwrap())).unwrap();
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
