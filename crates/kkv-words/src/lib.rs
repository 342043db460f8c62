//! Twelve words that stand for 128 secret bits, as people write them down: each kind has a checksum of its own, so that
//! words of the wrong kind are told by name.

mod given_away;
mod typed;

use std::fmt;

use bip39::{Language, Mnemonic};
use rand::CryptoRng;
use zeroize::Zeroizing;

pub use given_away::stand_in;
pub use typed::typed;

/// How many they are.
pub const WORDS: usize = 12;
/// Bytes that they stand for.
pub const ENTROPY_BYTES: usize = 16;

/// Bits in a word: there are 2,048.
const WORD_BITS: usize = 11;
/// No two words of the list begin with the same four letters.
const TELLING_LETTERS: usize = 4;

/// What words are for. `Display` names it to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sender's, for the replies to a message (PROTOCOL.md §17).
    Reply,
    /// A person's, that bring an identity back (LETTERS-FORMAT.md §8).
    Recovery,
    /// A person's, that end an identity whose words or machine were stolen (LETTERS-FORMAT.md §8).
    Successor,
}

/// Twelve words of BIP 39's English list: 128 random bits and 4 of a checksum, eleven to a word, the highest first.
///
/// The checksum is the upper half of the first byte of a BLAKE3 of the bits, labelled by the kind, so that words of
/// another kind are noticed 15 times of 16. Wiped on drop.
pub struct Words {
    kind: Kind,
    entropy: Zeroizing<[u8; ENTROPY_BYTES]>,
}

/// Why a text is not the words that are wanted, which are named first. It repeats none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadWords {
    /// They are more or fewer.
    #[error("{0} are {WORDS}, and these are {1}")]
    Count(Kind, usize),
    /// The word at this place, counted from 1, is not of the list.
    #[error("word {1} is not one of the list that {0} are from")]
    Unknown(Kind, usize),
    /// They are twelve words with the checksum of another kind.
    #[error(
        "these look like {1}, which don't belong here; if they are {0}, then one word is wrong"
    )]
    OtherKind(Kind, Kind),
    /// They are twelve words with the checksum of BIP 39.
    #[error("these look like the words of a wallet; if they are {0}, then one word is wrong")]
    Wallet(Kind),
    /// The checksum doesn't fit.
    #[error("these twelve words don't belong together: one is wrong, or two have changed places")]
    Checksum(Kind),
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reply, Self::Recovery, Self::Successor];

    /// The BLAKE3 `derive_key` context of the checksum.
    #[must_use]
    pub fn context(self) -> &'static str {
        match self {
            Self::Reply => "kkv 2026-11-27 reply words",
            Self::Recovery => "kkv letters 2026-11-28 recovery words",
            Self::Successor => "kkv letters 2026-11-28 successor words",
        }
    }

    /// Four bits, in the upper half of the byte.
    fn checksum(self, entropy: &[u8; ENTROPY_BYTES]) -> u8 {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(self.context()));
        hasher.update(entropy);
        hasher.finalize().as_bytes()[0] & 0xf0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reply => "reply words",
            Self::Recovery => "recovery words",
            Self::Successor => "words against theft",
        })
    }
}

impl Words {
    /// New ones: 16 bytes are drawn.
    pub fn generate(kind: Kind, rng: &mut impl CryptoRng) -> Self {
        let mut entropy = Zeroizing::new([0; ENTROPY_BYTES]);
        rng.fill_bytes(entropy.as_mut_slice());
        Self { kind, entropy }
    }

    /// Those that stand for these bytes.
    #[must_use]
    pub fn new(kind: Kind, entropy: &[u8; ENTROPY_BYTES]) -> Self {
        let entropy = Zeroizing::new(*entropy);
        Self { kind, entropy }
    }

    /// Reads what somebody has typed or pasted: in upper or lower case, a word by its first four letters or more, with
    /// numbers, signs and any space between.
    ///
    /// # Errors
    /// They are not twelve, not of the list, or the checksum isn't the one of this kind.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, BadWords> {
        let count = typed(text).count();
        // Before the count, which a word with a blank in it makes wrong: the word itself says more.
        let mut indices = Zeroizing::new([0_u16; WORDS]);
        for (place, word) in typed(text).take(WORDS).enumerate() {
            indices[place] = typed::index(word).ok_or(BadWords::Unknown(kind, place + 1))?;
        }
        if count != WORDS {
            return Err(BadWords::Count(kind, count));
        }
        let (entropy, found) = at(&indices);
        if found == kind.checksum(&entropy) {
            return Ok(Self { kind, entropy });
        }
        let fits = |other: &Kind| found == other.checksum(&entropy);
        if let Some(other) = Kind::ALL.into_iter().find(fits) {
            return Err(BadWords::OtherKind(kind, other));
        }
        let bip_39 = Mnemonic::from_entropy_in(Language::English, entropy.as_slice());
        let last = bip_39.expect("16 bytes are twelve words").words().last();
        Err(if last.and_then(typed::index) == Some(indices[WORDS - 1]) {
            BadWords::Wallet(kind)
        } else {
            BadWords::Checksum(kind)
        })
    }

    /// What they are for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What all keys are derived from.
    #[must_use]
    pub fn entropy(&self) -> &[u8; ENTROPY_BYTES] {
        &self.entropy
    }

    /// One word after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.indices().map(|index| list()[index])
    }

    /// Where each of them stands in the list.
    fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        let checksum = self.kind.checksum(&self.entropy);
        (0..WORDS).map(move |place| {
            let bits = place * WORD_BITS..(place + 1) * WORD_BITS;
            bits.fold(0, |index, bit| {
                let byte = self.entropy.get(bit / 8).copied().unwrap_or(checksum);
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
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

/// What words stand for that stand at these places of the list, and what is written as their checksum.
fn at(indices: &[u16; WORDS]) -> (Zeroizing<[u8; ENTROPY_BYTES]>, u8) {
    let mut bits = Zeroizing::new([0_u8; ENTROPY_BYTES + 1]);
    for bit in 0..WORDS * WORD_BITS {
        let of_word = indices[bit / WORD_BITS] >> (WORD_BITS - 1 - bit % WORD_BITS) & 1;
        bits[bit / 8] |= (of_word as u8) << (7 - bit % 8);
    }
    let mut entropy = Zeroizing::new([0; ENTROPY_BYTES]);
    entropy.copy_from_slice(&bits[..ENTROPY_BYTES]);
    (entropy, bits[ENTROPY_BYTES])
}

/// The words that they are of, sorted: BIP 39's English list.
#[must_use]
pub fn list() -> &'static [&'static str; 2048] {
    Language::English.word_list()
}

#[cfg(test)]
mod tests;
