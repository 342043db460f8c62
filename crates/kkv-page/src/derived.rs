//! The puzzle of class `pbkdf2` (PROTOCOL.md §18): few tries, each 1,250 iterations of PBKDF2.
//!
//! ```text
//! derived(n) = PBKDF2-HMAC-SHA-256(password: K, salt: n as u64 LE, iterations: 1250)[..32]     RFC 8018 §5.2
//! a try is good if zeros(n) of §5, under the key derived(n), is large enough
//! solution = (n as u64 BE ‖ derived(n))*, in hex, the nonces strictly increasing
//! ```
//!
//! A try takes the relay a thousand times as long to check as a hash does. So a solution says what PBKDF2 gave: whether
//! the hashes fit is seen at once, and only then is it worth the time whether PBKDF2 gives that. Who makes up what it
//! gave has to search for hashes that fit, too.

use data_encoding::HEXLOWER_PERMISSIVE;
use kkv_pow::{Cost, PuzzleKey, WrongSolution};
use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;

/// Iterations a try: so many that a flooder saves nothing by this class, whatever he computes with (docs/THREATS.md,
/// "What a flooder pays by PBKDF2").
pub const ITERATIONS: u32 = 1250;

/// Bits of cost that one try stands for. It is 2,500 compressions of SHA-256 instead of 4,096 of BLAKE3, which take
/// as long or less.
const TRY_BITS: u8 = 12;

/// Sub-puzzles of a challenge that asks for so many tries at least. Four are half the spread of one, at a quarter of
/// what sixteen cost to check.
const SUBPUZZLES: usize = 4;
/// log2 of [`SUBPUZZLES`].
const SPLIT_BITS: u8 = 2;

const NONCE_BYTES: usize = 8;
const PART_BYTES: usize = NONCE_BYTES + 32;

/// How many nonces a solution has, and how many zero bits each must give. Their product, 2^(cost − 12) tries, is the
/// expected work.
#[must_use]
pub fn layout(cost: Cost) -> (usize, u8) {
    match cost.bits().saturating_sub(TRY_BITS) {
        bits @ 0..SPLIT_BITS => (1, bits),
        bits => (SUBPUZZLES, bits - SPLIT_BITS),
    }
}

/// derived(nonce) for the puzzle of this key.
#[must_use]
pub fn derive(key: &PuzzleKey, nonce: u64) -> PuzzleKey {
    let salt = nonce.to_le_bytes();
    PuzzleKey(pbkdf2_hmac_array::<Sha256, 32>(&key.0, &salt, ITERATIONS))
}

/// A solution whose hashes fit. It is one if it [holds](Self::holds).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    key: PuzzleKey,
    /// Nonces and what is said to be derived of each.
    parts: Vec<(u64, PuzzleKey)>,
}

impl Claim {
    /// Reads what stands in a form: cheapest fault first.
    pub(crate) fn parse(key: PuzzleKey, cost: Cost, written: &str) -> Result<Self, WrongSolution> {
        let (wanted, bits) = layout(cost);
        let bytes = HEXLOWER_PERMISSIVE.decode(written.as_bytes());
        let bytes = bytes.unwrap_or_default();
        let (parts, rest) = bytes.as_chunks::<PART_BYTES>();
        let found = parts.len();
        if found != wanted || !rest.is_empty() {
            return Err(WrongSolution::Count { wanted, found });
        }
        let parts: Vec<_> = parts.iter().map(part).collect();
        if !parts.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(WrongSolution::Order);
        }
        let enough = |(nonce, derived): &(u64, PuzzleKey)| derived.zeros(*nonce) >= u32::from(bits);
        if !parts.iter().all(enough) {
            return Err(WrongSolution::Bits);
        }
        Ok(Self { key, parts })
    }

    /// Whether PBKDF2 gives what it says. Up to the first that it doesn't, each takes a tenth of a millisecond or more.
    #[must_use]
    pub fn holds(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.all(|(nonce, derived)| derive(&self.key, *nonce) == *derived)
    }
}

fn part(bytes: &[u8; PART_BYTES]) -> (u64, PuzzleKey) {
    let (nonce, derived) = bytes
        .split_first_chunk::<NONCE_BYTES>()
        .expect("40 bytes have 8");
    let derived = derived.try_into().expect("8 of 40 bytes leave 32");
    (u64::from_be_bytes(*nonce), PuzzleKey(derived))
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use pbkdf2::pbkdf2_hmac;
    use proptest::prelude::*;

    const KEY: PuzzleKey = PuzzleKey([7; 32]);

    fn cost(bits: u32) -> Cost {
        Cost::new(bits).unwrap()
    }

    fn written(parts: &[(u64, PuzzleKey)]) -> String {
        let part = |(nonce, derived): &(u64, PuzzleKey)| {
            format!("{nonce:016x}{}", HEXLOWER.encode(&derived.0))
        };
        parts.iter().map(part).collect()
    }

    fn solve(bits: u32) -> Vec<(u64, PuzzleKey)> {
        let (count, zeros) = layout(cost(bits));
        let tries = (0..).map(|nonce| (nonce, derive(&KEY, nonce)));
        let good = tries.filter(|(nonce, derived)| derived.zeros(*nonce) >= u32::from(zeros));
        good.take(count).collect()
    }

    #[test]
    fn pbkdf2_is_that_of_rfc_7914() {
        for (password, salt, iterations, expected) in [
            (
                "passwd",
                "salt",
                1,
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
                 49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
            ),
            (
                "Password",
                "NaCl",
                80000,
                "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56\
                 a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
            ),
        ] {
            let mut derived = [0; 64];
            pbkdf2_hmac::<Sha256>(
                password.as_bytes(),
                salt.as_bytes(),
                iterations,
                &mut derived,
            );
            assert_eq!(HEXLOWER.encode(&derived), expected, "{password}");
        }
    }

    #[test]
    fn the_tries_are_one_for_each_four_thousand_hashes_in_four_parts() {
        for (bits, expected) in [
            (0, (1, 0)),
            (12, (1, 0)),
            (13, (1, 1)),
            (14, (4, 0)),
            (30, (4, 16)),
            (60, (4, 46)),
        ] {
            assert_eq!(layout(cost(bits)), expected, "{bits}");
        }
    }

    #[test]
    fn what_was_found_holds_and_what_was_made_up_does_not() {
        for bits in [0, 13, 15] {
            let found = solve(bits);
            let claim = Claim::parse(KEY, cost(bits), &written(&found)).unwrap();
            assert!(claim.holds(), "{bits}");
            let elsewhere = Claim::parse(PuzzleKey([8; 32]), cost(bits), &written(&found));
            assert!(!elsewhere.unwrap().holds(), "its key is another's");
            for part in 0..found.len() {
                let mut made_up = found.clone();
                let (nonce, derived) = &mut made_up[part];
                let (_, zeros) = layout(cost(bits));
                derived.0[0] ^= 1;
                while derived.zeros(*nonce) < u32::from(zeros) {
                    derived.0[31] = derived.0[31].wrapping_add(1);
                }
                let claim = Claim::parse(KEY, cost(bits), &written(&made_up)).unwrap();
                assert!(!claim.holds(), "{bits}, part {part}");
            }
        }
    }

    #[test]
    fn what_is_no_solution_is_told_without_pbkdf2() {
        let parse = |bits, written: &str| Claim::parse(KEY, cost(bits), written).err();
        let found = solve(15);
        let text = written(&found);
        let count = |found| Some(WrongSolution::Count { wanted: 4, found });
        assert_eq!(parse(15, ""), count(0));
        assert_eq!(parse(15, "x"), count(0));
        assert_eq!(parse(15, &text[..240]), count(3));
        assert_eq!(parse(15, &format!("{text}00")), count(4));
        assert_eq!(parse(15, &text.to_uppercase()), None);
        let [one, other, ..] = found[..] else {
            panic!("there are four");
        };
        let twice = written(&[one, one, other, other]);
        assert_eq!(parse(15, &twice), Some(WrongSolution::Order));
        assert_eq!(parse(60, &text), Some(WrongSolution::Bits));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "[0-9a-f]{80}|.*", bits in 0_u32..60) {
            if let Ok(claim) = Claim::parse(KEY, cost(bits), &text) {
                prop_assert!(!claim.holds());
            }
        }
    }
}
