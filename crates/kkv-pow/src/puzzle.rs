//! What has to be found, for both suites, and the check that it was.

use super::Cost;
use super::bytes::{Nonce, PuzzleKey, Seed};

/// Sub-puzzles of one kkv/2 challenge whose cost is at least 4.
///
/// Sixteen of cost − 4 bits are the same expected work as one of cost bits with a quarter of the spread: 99 in 100
/// senders are done within 1.67 times the mean instead of 4.61 (the sum of 16 exponential times has a standard
/// deviation of a quarter of its mean).
pub const SUBPUZZLES: usize = 16;
/// Bits from which on a kkv/2 puzzle is split: log2 of [`SUBPUZZLES`].
const SPLIT_BITS: u8 = 4;

/// What has to be found to open a session (PROTOCOL.md §5; kkv/1's in §10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Puzzle {
    /// A 32-byte nonce with BLAKE3(nonce ‖ seed) starting with `cost` zero bits.
    V1 {
        /// First field of the challenge.
        seed: Seed,
        /// Zero bits asked for.
        cost: Cost,
    },
    /// Strictly increasing 64-bit nonces with BLAKE3 keyed_hash(key, 56 zero bytes ‖ nonce LE) starting with enough
    /// zero bits each.
    V2 {
        /// BLAKE3 derive_key over the whole challenge, so that every field of it is paid for.
        key: PuzzleKey,
        /// Zero bits asked for, in all.
        cost: Cost,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Solution {
    /// The nonce of a kkv/1 puzzle.
    V1(Nonce),
    /// The nonces of a kkv/2 puzzle: 1 or 16, strictly increasing.
    V2(Vec<u64>),
}

/// Why a solution does not solve the puzzle. Only the first fault is told, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongSolution {
    /// It solves puzzles of the other suite.
    #[error("the solution is for a puzzle of the other suite")]
    Suite,
    /// It has another number of nonces than the cost asks for.
    #[error("a solution has {wanted} nonces at this cost, and this has {found}")]
    Count {
        /// Nonces that this puzzle asks for.
        wanted: usize,
        /// Nonces that there are.
        found: usize,
    },
    /// Some nonce is no greater than the one before it, so one could count twice.
    #[error("the nonces of the solution don't increase")]
    Order,
    /// Some nonce gives a hash with too few zero bits.
    #[error("a nonce of the solution has too few zero bits")]
    Bits,
}

impl Puzzle {
    /// The price.
    #[must_use]
    pub fn cost(&self) -> Cost {
        match self {
            Self::V1 { cost, .. } | Self::V2 { cost, .. } => *cost,
        }
    }

    /// A puzzle of this layout that nobody solves, to measure with.
    pub(super) fn at_highest_cost(&self) -> Self {
        let mut puzzle = self.clone();
        let (Self::V1 { cost, .. } | Self::V2 { cost, .. }) = &mut puzzle;
        *cost = Cost::HIGHEST;
        puzzle
    }

    /// How many nonces a solution has.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::V1 { .. } => 1,
            Self::V2 { cost, .. } => cost.nonces_v2(),
        }
    }

    /// Zero bits that each of the nonces must give.
    #[must_use]
    pub fn bits_each(&self) -> u8 {
        match self {
            Self::V2 { cost, .. } if cost.bits() >= SPLIT_BITS => cost.bits() - SPLIT_BITS,
            Self::V1 { cost, .. } | Self::V2 { cost, .. } => cost.bits(),
        }
    }

    /// Checks a solution, cheapest fault first: number and order of nonces, then each hash (80–95 ns).
    ///
    /// ```
    /// use kkv_pow::{Cost, Puzzle, PuzzleKey, Solution, WrongSolution};
    ///
    /// let puzzle = Puzzle::V2 { key: PuzzleKey([7; 32]), cost: Cost::new(4)? };
    /// // Sixteen nonces of 4 − 4 = 0 bits each: any will do, if they increase.
    /// assert_eq!(puzzle.verify(&Solution::V2((0..16).collect())), Ok(()));
    /// assert_eq!(puzzle.verify(&Solution::V2(vec![0; 16])), Err(WrongSolution::Order));
    /// # Ok::<(), kkv_pow::BadCost>(())
    /// ```
    ///
    /// # Errors
    /// It does not solve this puzzle.
    pub fn verify(&self, solution: &Solution) -> Result<(), WrongSolution> {
        let bits = u32::from(self.bits_each());
        let enough = match (self, solution) {
            (Self::V1 { seed, .. }, Solution::V1(nonce)) => {
                leading_zeros(&hash_v1(nonce, seed)) >= bits
            }
            (Self::V2 { key, .. }, Solution::V2(nonces)) => {
                let (wanted, found) = (self.count(), nonces.len());
                if found != wanted {
                    return Err(WrongSolution::Count { wanted, found });
                }
                if !nonces.is_sorted_by(|one, next| one < next) {
                    return Err(WrongSolution::Order);
                }
                nonces.iter().all(|nonce| key.zeros(*nonce) >= bits)
            }
            _ => return Err(WrongSolution::Suite),
        };
        if enough {
            Ok(())
        } else {
            Err(WrongSolution::Bits)
        }
    }
}

impl PuzzleKey {
    /// zeros(nonce) of PROTOCOL.md §5: leading zero bits of BLAKE3 keyed_hash(self, 56 zero bytes ‖ nonce LE).
    #[must_use]
    pub fn zeros(&self, nonce: u64) -> u32 {
        leading_zeros(&hash_v2(self, nonce))
    }
}

impl Cost {
    /// Number of nonces in a kkv/2 solution at this cost: 1 below 4 bits, else [`SUBPUZZLES`] (PROTOCOL.md §5).
    ///
    /// ```
    /// use kkv_pow::{Cost, Puzzle, PuzzleKey};
    ///
    /// let (key, cost) = (PuzzleKey([7; 32]), Cost::new(30)?);
    /// let puzzle = Puzzle::V2 { key, cost };
    /// assert_eq!((cost.nonces_v2(), puzzle.bits_each()), (16, 26)); // 16 · 2^26 = 2^30
    /// # Ok::<(), kkv_pow::BadCost>(())
    /// ```
    #[must_use]
    pub fn nonces_v2(self) -> usize {
        if self.bits() >= SPLIT_BITS {
            SUBPUZZLES
        } else {
            1
        }
    }
}

/// BLAKE3(nonce ‖ seed): exactly one block.
pub(super) fn hash_v1(nonce: &Nonce, seed: &Seed) -> blake3::Hash {
    let mut block = [0; 64];
    block[..32].copy_from_slice(&nonce.0);
    block[32..].copy_from_slice(&seed.0);
    blake3::hash(&block)
}

/// BLAKE3 keyed_hash(key, 56 zero bytes ‖ nonce LE): exactly one block.
pub(super) fn hash_v2(key: &PuzzleKey, nonce: u64) -> blake3::Hash {
    let mut block = [0; 64];
    block[56..].copy_from_slice(&nonce.to_le_bytes());
    blake3::keyed_hash(&key.0, &block)
}

/// Zero bits before the first one bit, from the most significant bit of byte 0. Looks at 128 bits: twice the highest
/// cost.
pub(super) fn leading_zeros(hash: &blake3::Hash) -> u32 {
    let (head, _) = hash
        .as_bytes()
        .split_first_chunk::<16>()
        .expect("32 bytes hold 16");
    u128::from_be_bytes(*head).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_bits_are_counted_from_the_top_of_byte_zero() {
        let mut hash = [0xff; 32];
        let leading_zeros = |hash: &[u8; 32]| leading_zeros(&blake3::Hash::from_bytes(*hash));
        assert_eq!(leading_zeros(&hash), 0);
        hash[0] = 0x01;
        assert_eq!(leading_zeros(&hash), 7);
        hash[0] = 0;
        assert_eq!(leading_zeros(&hash), 8);
        hash[..8].fill(0);
        hash[8] = 0x10;
        assert_eq!(leading_zeros(&hash), 67);
    }

    #[test]
    fn nonces_must_increase_so_one_counts_once() {
        let cost = Cost::new(4).unwrap();
        let puzzle = Puzzle::V2 {
            key: PuzzleKey([1; 32]),
            cost,
        };
        assert_eq!((puzzle.count(), puzzle.bits_each()), (16, 0));
        let increasing: Vec<u64> = (0..16).collect();
        let verified = |nonces: &[u64]| puzzle.verify(&Solution::V2(nonces.to_vec()));
        assert_eq!(verified(&increasing), Ok(()));
        assert_eq!(verified(&[5; 16]), Err(WrongSolution::Order));
        let few = WrongSolution::Count {
            wanted: 16,
            found: 15,
        };
        assert_eq!(verified(&increasing[..15]), Err(few));
        let other = puzzle.verify(&Solution::V1(Nonce([0; 32])));
        assert_eq!(other, Err(WrongSolution::Suite));
    }

    #[test]
    fn a_nonce_with_too_few_zero_bits_solves_nothing() {
        let cost = Cost::HIGHEST;
        let (seed, key) = (Seed([1; 32]), PuzzleKey([1; 32]));
        let v1 = Puzzle::V1 { seed, cost }.verify(&Solution::V1(Nonce([0; 32])));
        let v2 = Puzzle::V2 { key, cost }.verify(&Solution::V2((0..16).collect()));
        assert_eq!(
            (v1, v2),
            (Err(WrongSolution::Bits), Err(WrongSolution::Bits))
        );
    }
}
