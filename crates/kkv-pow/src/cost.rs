//! The price of a session, in bits.

use std::fmt;
use std::str::FromStr;

/// The price of opening a session: 2^cost hashes are expected (PROTOCOL.md §5). 0 to 60.
///
/// ```
/// use kkv_pow::{BadCost, Cost};
///
/// let cost: Cost = "30".parse()?;
/// assert_eq!(cost.expected_hashes(), 1024.0 * 1024.0 * 1024.0);
/// assert_eq!(Cost::new(61), Err(BadCost));
/// # Ok::<(), BadCost>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u8);

/// Something is no cost: no whole number, or one above [`Cost::HIGHEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cost is a whole number from 0 to 60: each step doubles the work, and 60 would take a processor core more than \
     a century"
)]
pub struct BadCost;

impl Cost {
    /// The most that can be asked for: 2^60 hashes are 150 years for one core that does 240 million a second, as the
    /// search does; more is surely a mistake.
    pub const HIGHEST: Self = Self(60);

    /// No work: any nonce pays it.
    pub const FREE: Self = Self(0);

    /// A cost of `bits`.
    ///
    /// # Errors
    /// Above [`Cost::HIGHEST`].
    pub fn new(bits: u32) -> Result<Self, BadCost> {
        match u8::try_from(bits) {
            Ok(bits) if bits <= Self::HIGHEST.0 => Ok(Self(bits)),
            _ => Err(BadCost),
        }
    }

    /// Leading zero bits asked for, in all.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Hashes that a solver is expected to compute: 2^bits.
    #[must_use]
    pub fn expected_hashes(self) -> f64 {
        2f64.powi(i32::from(self.0))
    }
}

impl FromStr for Cost {
    type Err = BadCost;

    fn from_str(text: &str) -> Result<Self, BadCost> {
        Self::new(text.parse().map_err(|_| BadCost)?)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert_eq!("0".parse::<Cost>().unwrap().bits(), 0);
        assert_eq!("60".parse::<Cost>().unwrap().bits(), 60);
        for wrong in ["-1", "4294967296", "", "ten", "1.5"] {
            assert_eq!(wrong.parse::<Cost>(), Err(BadCost), "{wrong}");
        }
        for wrong in [61, 256, u32::MAX] {
            let parsed = wrong.to_string().parse::<Cost>();
            assert_eq!(parsed, Err(BadCost), "{wrong}");
        }
        let highest = Cost::HIGHEST.to_string();
        assert_eq!(BadCost.to_string().matches(&highest).count(), 2);
    }
}
