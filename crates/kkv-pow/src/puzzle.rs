//! What has to be found, for both suites, and the check that it was.

use super::Cost;

/// Sub-puzzles of one kkv/2 challenge whose cost is at least 4.
///
/// Sixteen of cost − 4 bits are the same expected work as one of cost bits with a quarter of the spread: 99 in 100
/// senders are done within 1.67 times the mean instead of 4.61 (the sum of 16 exponential times has a standard
/// deviation of a quarter of its mean).
pub const SUBPUZZLES: usize = 16;
/// Bits from which on a kkv/2 puzzle is split: log2 of [`SUBPUZZLES`].
const SPLIT_BITS: u8 = 4;

/// What has to be found to open a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Puzzle {
    /// A 32-byte nonce with BLAKE3(nonce ‖ seed) starting with `cost` zero bits.
    V1 {
        /// First field of the challenge.
        seed: [u8; 32],
        /// Zero bits asked for.
        cost: Cost,
    },
    /// Strictly increasing 64-bit nonces with BLAKE3 keyed_hash(key, 56 zero bytes ‖ nonce LE) starting with enough
    /// zero bits each.
    V2 {
        /// BLAKE3 derive_key over the whole challenge, so that every field of it is paid for.
        key: [u8; 32],
        /// Zero bits asked for, in all.
        cost: Cost,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Solution {
    /// The nonce of a kkv/1 puzzle.
    V1([u8; 32]),
    /// The nonces of a kkv/2 puzzle: 1 or 16, strictly increasing.
    V2(Vec<u64>),
}

/// A solution that does not solve the puzzle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the solution doesn't solve the puzzle")]
pub struct WrongSolution;

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
    /// # Errors
    /// It does not solve this puzzle.
    pub fn verify(&self, solution: &Solution) -> Result<(), WrongSolution> {
        let bits = u32::from(self.bits_each());
        let solved = match (self, solution) {
            (Self::V1 { seed, .. }, Solution::V1(nonce)) => {
                leading_zeros(&hash_v1(nonce, seed)) >= bits
            }
            (Self::V2 { key, .. }, Solution::V2(nonces)) => {
                nonces.len() == self.count()
                    && nonces.windows(2).all(|pair| pair[0] < pair[1])
                    && nonces
                        .iter()
                        .all(|nonce| leading_zeros(&hash_v2(key, *nonce)) >= bits)
            }
            _ => false,
        };
        if solved { Ok(()) } else { Err(WrongSolution) }
    }
}

impl Cost {
    /// Number of nonces in a kkv/2 solution at this cost: 1 below 4 bits, else [`SUBPUZZLES`].
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
pub(super) fn hash_v1(nonce: &[u8; 32], seed: &[u8; 32]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..32].copy_from_slice(nonce);
    block[32..].copy_from_slice(seed);
    *blake3::hash(&block).as_bytes()
}

/// BLAKE3 keyed_hash(key, 56 zero bytes ‖ nonce LE): exactly one block.
pub(super) fn hash_v2(key: &[u8; 32], nonce: u64) -> [u8; 32] {
    let mut block = [0; 64];
    block[56..].copy_from_slice(&nonce.to_le_bytes());
    *blake3::keyed_hash(key, &block).as_bytes()
}

/// Zero bits before the first one bit, from the most significant bit of byte 0. Looks at 128 bits: twice the highest
/// cost.
pub(super) fn leading_zeros(hash: &[u8; 32]) -> u32 {
    let (head, _) = hash.split_first_chunk::<16>().expect("32 bytes hold 16");
    u128::from_be_bytes(*head).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_bits_are_counted_from_the_top_of_byte_zero() {
        let mut hash = [0xff; 32];
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
        let puzzle = Puzzle::V2 { key: [1; 32], cost };
        assert_eq!((puzzle.count(), puzzle.bits_each()), (16, 0));
        let increasing: Vec<u64> = (0..16).collect();
        assert!(puzzle.verify(&Solution::V2(increasing.clone())).is_ok());
        assert!(puzzle.verify(&Solution::V2(vec![5; 16])).is_err());
        assert!(
            puzzle
                .verify(&Solution::V2(increasing[..15].to_vec()))
                .is_err()
        );
        assert!(puzzle.verify(&Solution::V1([0; 32])).is_err());
    }
}
