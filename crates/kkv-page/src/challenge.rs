//! Challenges of the page: what a browser with script solves to pay for a message. The relay keeps nothing of one
//! before a message has been paid for with it.
//!
//! ```text
//! random 16 | expiry u64, masked | cost u8 | class u8 | keyed_hash(key, "challenge" ‖ what stands before)[..16],
//! in hex
//! ```
//!
//! The expiry is masked as a form's is ([`form_id`](crate::form_id)).
//!
//! Its puzzle is that of kkv/2 (PROTOCOL.md §5) or that of class `pbkdf2` (§18), with a key of its own, so no work
//! for one serves the other.

use data_encoding::HEXLOWER_PERMISSIVE;
use kkv_pow::{Cost, Puzzle, PuzzleKey, Solution, WrongSolution};
use rand::CryptoRng;
use subtle::ConstantTimeEq;

use crate::class::Class;
use crate::derived::Claim;
use crate::form_id::{PageKey, TAG_BYTES};

const RANDOM_BYTES: usize = 16;
const SIGNED_BYTES: usize = RANDOM_BYTES + 8 + 1 + 1;
const BYTES: usize = SIGNED_BYTES + TAG_BYTES;

/// What begins the input of a challenge's tag.
const LABEL: &[u8] = b"challenge";
/// Key of the puzzle: BLAKE3 derive_key(this, all bytes of the challenge).
const PUZZLE: &str = "kkv page 2026-11-28 puzzle";

/// A challenge that was found to be the relay's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    bytes: [u8; BYTES],
    expiry: u64,
    cost: Cost,
    class: Class,
}

/// What the nonces of a form are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// They solve the puzzle.
    Solved,
    /// They do if this holds, which takes long to see.
    Claimed(Claim),
}

/// Why a challenge is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadChallenge {
    /// This relay hasn't made it since it was started.
    #[error("this challenge is not from this inbox, or from before its last start")]
    Unknown,
    /// It is too old.
    #[error("this challenge is too old")]
    Expired,
}

impl Challenge {
    /// The random bytes, by which it is known as spent.
    #[must_use]
    pub fn random(&self) -> &[u8; RANDOM_BYTES] {
        self.bytes.first_chunk().expect("it begins with them")
    }

    /// Until when it is good, in seconds of the clock that it was issued by.
    #[must_use]
    pub fn expiry(&self) -> u64 {
        self.expiry
    }

    /// What it costs to solve it.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// How its tries are made.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// Key of its puzzle.
    #[must_use]
    pub fn puzzle_key(&self) -> PuzzleKey {
        PuzzleKey(blake3::derive_key(PUZZLE, &self.bytes))
    }

    /// It as it stands in a form.
    #[must_use]
    pub fn to_text(&self) -> String {
        HEXLOWER_PERMISSIVE.encode(&self.bytes)
    }

    /// Checks the nonces that stand in a form: 1 or 16 numbers of 64 bits, each as 16 digits in hex, the highest first,
    /// one after the other; in class `pbkdf2` 1 or 4, each with what was derived of it.
    ///
    /// # Errors
    /// They don't solve its puzzle, or are no such numbers.
    pub fn check(&self, nonces: &str) -> Result<Checked, WrongSolution> {
        let (key, cost) = (self.puzzle_key(), self.cost);
        match self.class {
            Class::Hash => {
                let solution = Solution::V2(numbers(nonces));
                let solved = Puzzle::V2 { key, cost }.verify(&solution);
                solved.map(|()| Checked::Solved)
            }
            Class::Pbkdf2 => Claim::parse(key, cost, nonces).map(Checked::Claimed),
        }
    }
}

/// None if it is no row of them.
fn numbers(written: &str) -> Vec<u64> {
    let bytes = HEXLOWER_PERMISSIVE.decode(written.as_bytes());
    let bytes = bytes.unwrap_or_default();
    match bytes.as_chunks() {
        (numbers, []) => numbers
            .iter()
            .map(|bytes| u64::from_be_bytes(*bytes))
            .collect(),
        _ => Vec::new(),
    }
}

impl PageKey {
    /// A new challenge: 16 bytes are drawn. `expiry` is in seconds, of whatever clock
    /// [`check_challenge`](Self::check_challenge) is called with.
    pub fn challenge(
        &self,
        cost: Cost,
        class: Class,
        expiry: u64,
        rng: &mut impl CryptoRng,
    ) -> Challenge {
        let mut bytes = [0; BYTES];
        let (signed, tag) = bytes.split_at_mut(SIGNED_BYTES);
        let (random, rest) = signed.split_at_mut(RANDOM_BYTES);
        rng.fill_bytes(random);
        rest[..8].copy_from_slice(&self.masked(random, expiry).to_le_bytes());
        rest[8..].copy_from_slice(&[cost.bits(), class.byte()]);
        tag.copy_from_slice(&self.tag(LABEL, signed));
        Challenge {
            bytes,
            expiry,
            cost,
            class,
        }
    }

    /// Reads the challenge of a form.
    ///
    /// # Errors
    /// It is not this relay's, or too old.
    pub fn check_challenge(&self, written: &str, now: u64) -> Result<Challenge, BadChallenge> {
        let bytes = HEXLOWER_PERMISSIVE.decode(written.as_bytes());
        let bytes = bytes.map_err(|_| BadChallenge::Unknown)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| BadChallenge::Unknown)?;
        let (signed, tag) = bytes.split_at(SIGNED_BYTES);
        if !bool::from(self.tag(LABEL, signed).ct_eq(tag)) {
            return Err(BadChallenge::Unknown);
        }
        let (random, rest) = signed.split_at(RANDOM_BYTES);
        let [masked @ .., cost, class] = rest else {
            return Err(BadChallenge::Unknown);
        };
        let masked = masked.try_into().map_err(|_| BadChallenge::Unknown)?;
        let expiry = self.masked(random, u64::from_le_bytes(masked));
        let cost = Cost::new(u32::from(*cost)).map_err(|_| BadChallenge::Unknown)?;
        let class = Class::of_byte(*class).ok_or(BadChallenge::Unknown)?;
        if now < expiry {
            Ok(Challenge {
                bytes,
                expiry,
                cost,
                class,
            })
        } else {
            Err(BadChallenge::Expired)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_pow::{Search, Solver};
    use proptest::prelude::*;

    fn key() -> PageKey {
        PageKey::generate(&mut rand::rng())
    }

    fn cost(bits: u32) -> Cost {
        Cost::new(bits).unwrap()
    }

    fn in_hex(nonces: &[u64]) -> String {
        nonces.iter().map(|nonce| format!("{nonce:016x}")).collect()
    }

    #[test]
    fn a_challenge_is_good_until_its_time_and_only_at_the_relay_that_made_it() {
        let key = key();
        let [one, other] =
            Class::ALL.map(|class| key.challenge(cost(20), class, 1000, &mut rand::rng()));
        let read = key.check_challenge(&one.to_text(), 999).unwrap();
        assert_eq!(read, one);
        assert_eq!((read.expiry(), read.cost()), (1000, cost(20)));
        assert_eq!((read.class(), other.class()), (Class::Hash, Class::Pbkdf2));
        assert_ne!(one.random(), other.random());
        assert_ne!(one.puzzle_key(), other.puzzle_key());
        let late = key.check_challenge(&one.to_text(), 1000);
        assert_eq!(late, Err(BadChallenge::Expired));
        let elsewhere = self::key().check_challenge(&one.to_text(), 0);
        assert_eq!(elsewhere, Err(BadChallenge::Unknown));
    }

    #[test]
    fn no_visitor_learns_when_it_expires() {
        let key = key();
        let shown = || {
            let challenge = key.challenge(cost(20), Class::Hash, 1000, &mut rand::rng());
            u64::from_le_bytes(challenge.bytes[RANDOM_BYTES..][..8].try_into().unwrap())
        };
        // By chance 1 in 2^40 is so small.
        let [one, other] = [shown(), shown()];
        assert!(one > 1 << 24 && other > 1 << 24 && one != other);
    }

    #[test]
    fn a_change_of_any_bit_is_noticed_and_a_forms_id_is_no_challenge() {
        let key = key();
        let challenge = key.challenge(cost(20), Class::Hash, 1000, &mut rand::rng());
        for bit in 0..8 * BYTES {
            let mut changed = challenge;
            changed.bytes[bit / 8] ^= 1 << (bit % 8);
            let read = key.check_challenge(&changed.to_text(), 0);
            assert_eq!(read, Err(BadChallenge::Unknown), "{bit}");
        }
        let written = challenge.to_text();
        for length in 0..written.len() {
            let read = key.check_challenge(&written[..length], 0);
            assert_eq!(read, Err(BadChallenge::Unknown));
        }
        // Their inputs are told apart by a label even where they are otherwise the same.
        assert_ne!(key.tag(LABEL, &[0; 24]), key.tag(b"form", &[0; 24]));
    }

    #[test]
    fn of_the_class_that_is_slow_to_check_a_solution_is_a_claim_of_its_own() {
        let [challenge, other] =
            [(); 2].map(|()| key().challenge(cost(14), Class::Pbkdf2, 1, &mut rand::rng()));
        let key = challenge.puzzle_key();
        let part = |nonce| {
            let derived = crate::derived::derive(&key, nonce);
            format!("{nonce:016x}{}", HEXLOWER_PERMISSIVE.encode(&derived.0))
        };
        let solution: String = (0..4).map(part).collect();
        let claims = [challenge, other].map(|challenge| challenge.check(&solution));
        let [Ok(Checked::Claimed(claim)), Ok(Checked::Claimed(at_other))] = claims else {
            panic!("{claims:?}");
        };
        assert!(claim.holds() && !at_other.holds());
        assert_ne!(claim, at_other);
        assert!(challenge.check(&in_hex(&[0, 1, 2, 3])).is_err());
    }

    #[test]
    fn it_is_solved_by_what_solves_its_puzzle_and_by_nothing_else() {
        for bits in [0, 3, 4, 8] {
            let cost = cost(bits);
            let challenge = key().challenge(cost, Class::Hash, 1, &mut rand::rng());
            let puzzle = Puzzle::V2 {
                key: challenge.puzzle_key(),
                cost,
            };
            let found = Solver::default().solve(&puzzle, &[0; 24], &Search::default());
            let Some(Solution::V2(nonces)) = found else {
                panic!("nobody stops it");
            };
            let written = in_hex(&nonces);
            assert_eq!(challenge.check(&written), Ok(Checked::Solved));
            assert_eq!(
                challenge.check(&written.to_uppercase()),
                Ok(Checked::Solved)
            );
            for wrong in [
                "",
                "0",
                "+000000000000000",
                &written[1..],
                &format!("{written}00"),
            ] {
                assert!(challenge.check(wrong).is_err(), "{bits}: {wrong}");
            }
        }
        let challenge = key().challenge(cost(8), Class::Hash, 1, &mut rand::rng());
        let twice = in_hex(&[7; 16]);
        assert_eq!(challenge.check(&twice), Err(WrongSolution::Order));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text: String) {
            let key = key();
            prop_assert_eq!(key.check_challenge(&text, 0), Err(BadChallenge::Unknown));
            for class in Class::ALL {
                let challenge = key.challenge(Cost::HIGHEST, class, 1, &mut rand::rng());
                prop_assert!(challenge.check(&text).is_err());
            }
        }
    }
}
