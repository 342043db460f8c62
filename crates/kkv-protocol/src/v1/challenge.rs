//! The kkv/1 challenge: 76 bytes, integers little endian.
//!
//! ```text
//! seed 32 | cost u32 | sender's public key 32 | expiry u64, unix seconds
//! ```
//! To the sender the seed is 32 random bytes. Ours are 16 random ones and a tag over all other fields, by which the
//! relay knows its own.

use rand::CryptoRng;

use crate::error::BadChallenge;
use crate::ids::{Seed, SenderId};
use crate::relay_keys::{SEED_RANDOM_BYTES, TagKey};
use crate::terms::Terms;
use crate::wire::field;
use kkv_pow::{Cost, Puzzle};

/// Bytes of a challenge.
pub const CHALLENGE_BYTES: usize = 76;

/// A challenge whose cost is one that can be asked for.
///
/// ```
/// use kkv_protocol::error::BadChallenge;
/// use kkv_protocol::v1::challenge::{CHALLENGE_BYTES, Challenge};
///
/// let mut bytes = [0; CHALLENGE_BYTES];
/// bytes[32] = 30; // the cost
/// assert_eq!(Challenge::from_bytes(&bytes)?.to_bytes(), bytes);
/// bytes[32] = 61;
/// assert_eq!(Challenge::from_bytes(&bytes), Err(BadChallenge::Cost(61)));
/// # Ok::<(), BadChallenge>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Makes the puzzle unique.
    pub seed: Seed,
    /// The price.
    pub cost: Cost,
    /// Whom it was made for.
    pub sender: SenderId,
    /// When it ends, in unix seconds.
    pub expiry: u64,
}

impl Challenge {
    /// A new challenge with a seed that `key` recognises.
    pub(super) fn issue(
        sender: SenderId,
        terms: &Terms,
        key: &TagKey,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut challenge = Self {
            seed: Seed([0; 32]),
            cost: terms.cost,
            sender,
            expiry: terms.expiry,
        };
        rng.fill_bytes(&mut challenge.seed.0[..SEED_RANDOM_BYTES]);
        let tag = challenge.tagged(|fields| key.tag(fields));
        challenge.seed.0[SEED_RANDOM_BYTES..].copy_from_slice(&tag);
        challenge
    }

    /// Whether the seed carries the tag that `key` makes for these fields.
    pub(super) fn is_own(&self, key: &TagKey) -> bool {
        self.tagged(|fields| key.fits(fields, &self.seed.0[SEED_RANDOM_BYTES..]))
    }

    fn tagged<T>(&self, tag: impl FnOnce(&[&[u8]]) -> T) -> T {
        let bytes = self.to_bytes();
        tag(&[&bytes[..SEED_RANDOM_BYTES], &bytes[32..]])
    }

    /// The 76 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; CHALLENGE_BYTES] {
        let mut bytes = [0; CHALLENGE_BYTES];
        bytes[..32].copy_from_slice(&self.seed.0);
        bytes[32..36].copy_from_slice(&u32::from(self.cost.bits()).to_le_bytes());
        bytes[36..68].copy_from_slice(&self.sender.0);
        bytes[68..].copy_from_slice(&self.expiry.to_le_bytes());
        bytes
    }

    /// Parses 76 bytes.
    ///
    /// # Errors
    /// The cost is above 60.
    pub fn from_bytes(bytes: &[u8; CHALLENGE_BYTES]) -> Result<Self, BadChallenge> {
        let cost = u32::from_le_bytes(field(bytes, 32));
        Ok(Self {
            seed: Seed(field(bytes, 0)),
            cost: Cost::new(cost).map_err(|_| BadChallenge::Cost(cost))?,
            sender: SenderId(field(bytes, 36)),
            expiry: u64::from_le_bytes(field(bytes, 68)),
        })
    }

    /// What has to be found.
    #[must_use]
    pub fn puzzle(&self) -> Puzzle {
        Puzzle::V1 {
            seed: self.seed,
            cost: self.cost,
        }
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Challenge(cost {})", self.cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay_keys::RelayKeys;
    use proptest::prelude::*;

    #[test]
    fn only_an_untouched_challenge_is_its_own() {
        let rng = &mut rand::rng();
        let keys = RelayKeys::generate(rng);
        let terms = Terms {
            cost: Cost::new(30).unwrap(),
            lifetime: 480,
            expiry: 1_800_000_000,
            session_lifetime: 120,
        };
        let bytes = Challenge::issue(SenderId([5; 32]), &terms, keys.tag_v1(), rng).to_bytes();
        assert!(Challenge::from_bytes(&bytes).unwrap().is_own(keys.tag_v1()));
        for position in 0..CHALLENGE_BYTES {
            let mut changed = bytes;
            changed[position] ^= 1;
            let own = Challenge::from_bytes(&changed).is_ok_and(|c| c.is_own(keys.tag_v1()));
            assert!(!own, "byte {position}");
        }
        let strangers = RelayKeys::generate(rng);
        assert!(
            !Challenge::from_bytes(&bytes)
                .unwrap()
                .is_own(strangers.tag_v1())
        );
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused_and_print_the_same(
            seed: [u8; 32], cost: u32, sender: [u8; 32], expiry: u64,
        ) {
            let mut bytes = [0; CHALLENGE_BYTES];
            bytes[..32].copy_from_slice(&seed);
            bytes[32..36].copy_from_slice(&cost.to_le_bytes());
            bytes[36..68].copy_from_slice(&sender);
            bytes[68..].copy_from_slice(&expiry.to_le_bytes());
            match Challenge::from_bytes(&bytes) {
                Ok(challenge) => prop_assert_eq!(challenge.to_bytes(), bytes),
                Err(wrong) => {
                    prop_assert_eq!(wrong, BadChallenge::Cost(cost));
                    prop_assert!(cost > 60);
                }
            }
        }
    }
}
