//! Fingerprints of persons, and the check number by which people compare them.

use std::fmt;

use crate::author::Author;
use crate::ids::Fingerprint;

/// Groups of a check number, and digits of each.
const GROUPS: usize = 6;

/// What people read to each other: six groups of five digits.
///
/// Each is the remainder of five bytes by 100,000, as in Signal's safety numbers. 2^99 keys have to be tried for one
/// with a given number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CheckNumber([u32; GROUPS]);

impl Fingerprint {
    /// `BLAKE3(public key)[..20]`.
    #[must_use]
    pub fn of(author: &Author) -> Self {
        let hash = blake3::hash(&author.0);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&hash.as_bytes()[..20]);
        Self(bytes)
    }
}

impl CheckNumber {
    /// `BLAKE3 derive_key("check number", public key)`: each five of the first 30 bytes, big endian, by 100,000.
    #[must_use]
    pub fn of(author: &Author) -> Self {
        let digest = crate::labels::CHECK_NUMBER.digest(&[&author.0]);
        Self(std::array::from_fn(|group| {
            let bytes = &digest[group * 5..group * 5 + 5];
            let number = bytes
                .iter()
                .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
            (number % 100_000) as u32
        }))
    }
}

/// `48213 90177 …`
impl fmt::Display for CheckNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, group) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{group:05}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CheckNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckNumber(..)")
    }
}
