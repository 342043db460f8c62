//! The key that may take an identity's place, and by what a card commits to it (LETTERS-FORMAT.md §8).
//!
//! Its words are printed together with the recovery words and kept elsewhere, so that who has stolen the one has not
//! the other. Whoever follows somebody remembers the first commitment seen: a thief can't put another in its place.

use kkv_words::{BadWords, ENTROPY_BYTES, Kind, Words};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::author::Author;
use crate::identity::{Identity, Seed};
use crate::labels;

/// The 16 bytes that the words against theft stand for. Wiped on drop.
pub struct SuccessorSeed(Zeroizing<[u8; ENTROPY_BYTES]>);

/// D("successor", Ed25519 public key of the successor): names the key and doesn't show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 32]);

impl SuccessorSeed {
    /// A new one: 16 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; ENTROPY_BYTES]);
        rng.fill_bytes(seed.as_mut_slice());
        Self(seed)
    }

    /// Reads the words against theft.
    ///
    /// # Errors
    /// They are none, or words of another kind.
    pub fn parse(words: &str) -> Result<Self, BadWords> {
        let words = Words::parse(Kind::Successor, words)?;
        Ok(Self(Zeroizing::new(*words.entropy())))
    }

    /// The words to write down, and to keep apart from the recovery words.
    #[must_use]
    pub fn words(&self) -> Words {
        Words::new(Kind::Successor, &self.0)
    }

    /// The identity that takes the place: its seed is D("next identity", these 16 bytes)\[..16\], so that it has
    /// recovery words of its own.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let seed = labels::NEXT_IDENTITY.derive(&[self.0.as_slice()]);
        let seed = seed.first_chunk().expect("32 bytes have 16");
        Identity::new(Seed::new(seed))
    }

    /// By what cards commit to it.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        Commitment::to(&self.identity().public().author)
    }
}

impl Commitment {
    /// The commitment to this key.
    #[must_use]
    pub fn to(successor: &Author) -> Self {
        Self(labels::SUCCESSOR.digest(&[&successor.0]))
    }
}

opaque_debug!(SuccessorSeed, Commitment);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn its_words_alone_make_the_key_that_a_card_commits_to(rng_seed: [u8; 16]) {
            let seed = SuccessorSeed(Zeroizing::new(rng_seed));
            let read = SuccessorSeed::parse(&seed.words().line()).unwrap();
            prop_assert_eq!(read.commitment(), seed.commitment());
            let author = read.identity().public().author;
            prop_assert_eq!(Commitment::to(&author), seed.commitment());
        }

        /// Who has the recovery words of an identity can't name its successor, though both were of the same bytes.
        #[test]
        fn the_same_bytes_as_recovery_words_are_another_person(bytes: [u8; 16]) {
            let successor = SuccessorSeed(Zeroizing::new(bytes)).identity();
            prop_assert!(successor.public() != Identity::new(Seed::new(&bytes)).public());
        }
    }

    #[test]
    fn recovery_words_are_not_taken_in_their_place() {
        let recovery = Seed::new(&[7; 16]).words().line();
        let other = BadWords::OtherKind(Kind::Successor, Kind::Recovery);
        assert_eq!(SuccessorSeed::parse(&recovery).unwrap_err(), other);
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let seed = SuccessorSeed(Zeroizing::new([7; 16]));
        let said = format!("{seed:?} {:?}", seed.commitment());
        assert_eq!(said, "SuccessorSeed(..) Commitment(..)");
    }
}
