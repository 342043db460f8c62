//! The kkv/2 challenge (PROTOCOL.md §4): 128 bytes, integers little endian.
//!
//! ```text
//!   0  suite u8 = 2 | cost u8 | purpose u8 | size u8 | lifetime u32, s | expiry u64, unix s
//!  16  session lifetime u16, s | zero 14
//!  32  random 16 | tag 16
//!  64  sender's public key 32
//!  96  relay's public key 32
//! ```

use rand::CryptoRng;

use super::purpose::Purpose;
use crate::crypto::labels;
use crate::error::BadChallenge;
use crate::ids::{RelayId, Seed, SenderId, Statement};
use crate::relay_keys::{SEED_RANDOM_BYTES, TagKey};
use crate::terms::Terms;
use crate::wire::field;
use kkv_pow::{Cost, Puzzle};

/// Bytes of a challenge.
pub const CHALLENGE_BYTES: usize = 128;
const SUITE: u8 = 2;
const ZEROS: std::ops::Range<usize> = 18..32;
const SEED_START: usize = 32;
const TAG: std::ops::Range<usize> = 48..64;

/// A challenge of suite 2 whose cost is one that can be asked for.
///
/// ```
/// use kkv_protocol::error::BadChallenge;
/// use kkv_protocol::v2::challenge::{CHALLENGE_BYTES, Challenge};
///
/// let mut bytes = [0; CHALLENGE_BYTES];
/// assert_eq!(Challenge::from_bytes(&bytes), Err(BadChallenge::Suite(0)));
/// bytes[..2].copy_from_slice(&[2, 30]);
/// let challenge = Challenge::from_bytes(&bytes)?;
/// assert_eq!(challenge.terms().cost.bits(), 30);
/// # Ok::<(), BadChallenge>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    bytes: [u8; CHALLENGE_BYTES],
    purpose: Purpose,
    terms: Terms,
}

impl Challenge {
    /// A new challenge with a tag that `key` recognises (16 bytes are drawn).
    pub(super) fn issue(
        sender: &SenderId,
        relay: &RelayId,
        purpose: Purpose,
        terms: &Terms,
        key: &TagKey,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut bytes = [0; CHALLENGE_BYTES];
        bytes[0] = SUITE;
        bytes[1] = terms.cost.bits();
        bytes[2..4].copy_from_slice(&purpose.to_bytes());
        bytes[4..8].copy_from_slice(&terms.lifetime.to_le_bytes());
        bytes[8..16].copy_from_slice(&terms.expiry.to_le_bytes());
        bytes[16..18].copy_from_slice(&terms.session_lifetime.to_le_bytes());
        rng.fill_bytes(&mut bytes[SEED_START..SEED_START + SEED_RANDOM_BYTES]);
        bytes[64..96].copy_from_slice(&sender.0);
        bytes[96..].copy_from_slice(&relay.0);
        let tag = key.tag(&[&bytes[..TAG.start], &bytes[TAG.end..]]);
        bytes[TAG].copy_from_slice(&tag);
        Self {
            bytes,
            purpose,
            terms: *terms,
        }
    }

    /// Parses 128 bytes.
    ///
    /// # Errors
    /// They are of another suite, the cost is above 60, the purpose unknown, or what has to be zero is not.
    pub fn from_bytes(bytes: &[u8; CHALLENGE_BYTES]) -> Result<Self, BadChallenge> {
        let [suite, cost] = field(bytes, 0);
        if suite != SUITE {
            return Err(BadChallenge::Suite(suite));
        }
        let cost = u32::from(cost);
        if bytes[ZEROS] != [0; ZEROS.end - ZEROS.start] {
            return Err(BadChallenge::NotZero);
        }
        let purpose = Purpose::from_bytes(field(bytes, 2))?;
        let terms = Terms {
            cost: Cost::new(cost).map_err(|_| BadChallenge::Cost(cost))?,
            session_lifetime: u16::from_le_bytes(field(bytes, 16)),
            lifetime: u32::from_le_bytes(field(bytes, 4)),
            expiry: u64::from_le_bytes(field(bytes, 8)),
        };
        Ok(Self {
            bytes: *bytes,
            purpose,
            terms,
        })
    }

    /// Whether it carries the tag that `key` makes for these fields.
    pub(super) fn is_own(&self, key: &TagKey) -> bool {
        let fields = [&self.bytes[..TAG.start], &self.bytes[TAG.end..]];
        key.fits(&fields, &self.bytes[TAG])
    }

    /// The 128 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; CHALLENGE_BYTES] {
        &self.bytes
    }

    /// What its session is for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// On what terms it was made.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Random bytes and tag: the name by which a spent challenge is remembered.
    #[must_use]
    pub fn seed(&self) -> Seed {
        Seed(field(&self.bytes, SEED_START))
    }

    /// Whom it was made for.
    #[must_use]
    pub fn sender(&self) -> SenderId {
        SenderId(field(&self.bytes, 64))
    }

    /// Who made it.
    #[must_use]
    pub fn relay(&self) -> RelayId {
        RelayId(field(&self.bytes, 96))
    }

    /// What has to be found: its key is over the whole challenge, so every field is paid for and none can be changed
    /// after.
    #[must_use]
    pub fn puzzle(&self) -> Puzzle {
        Puzzle::V2 {
            key: labels::PUZZLE.digest(&[&self.bytes]),
            cost: self.terms.cost,
        }
    }

    /// What the relay signs.
    #[must_use]
    pub fn statement(&self) -> Statement {
        labels::CHALLENGE.digest(&[&self.bytes])
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Challenge({:?}, {:?})", self.purpose, self.terms)
    }
}

#[cfg(test)]
mod tests {
    use super::super::purpose::BodySize;
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
        let issued = Challenge::issue(
            &SenderId([5; 32]),
            &keys.public().id(),
            Purpose::Ask(BodySize::Kib16),
            &terms,
            keys.tag_v2(),
            rng,
        );
        let parsed = Challenge::from_bytes(issued.as_bytes()).unwrap();
        assert_eq!(parsed, issued);
        assert!(parsed.is_own(keys.tag_v2()));
        assert!(
            !parsed.is_own(keys.tag_v1()),
            "tags of one suite say nothing in the other"
        );
        for position in 0..CHALLENGE_BYTES {
            let mut changed = *issued.as_bytes();
            changed[position] ^= 1;
            let own = Challenge::from_bytes(&changed).is_ok_and(|c| c.is_own(keys.tag_v2()));
            assert!(!own, "byte {position}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused_and_print_the_same(
            head: [u8; 32], seed: [u8; 32], sender: [u8; 32], relay: [u8; 32], fix in 0..4_u8,
        ) {
            let mut bytes: [u8; CHALLENGE_BYTES] =
                [&head[..], &seed, &sender, &relay].concat().try_into().unwrap();
            if fix > 0 {
                bytes[0] = 2;
            }
            if fix > 1 {
                bytes[1] %= 64;
                bytes[ZEROS].fill(0);
            }
            if fix > 2 {
                bytes[2] %= 3;
                bytes[3] %= 6;
            }
            match Challenge::from_bytes(&bytes) {
                Ok(challenge) => prop_assert_eq!(challenge.as_bytes(), &bytes),
                Err(BadChallenge::Suite(suite)) => prop_assert!(suite == bytes[0] && suite != 2),
                Err(BadChallenge::NotZero) => prop_assert!(bytes[ZEROS].iter().any(|byte| *byte != 0)),
                Err(BadChallenge::Purpose(wrong)) => {
                    prop_assert_eq!(&[wrong.purpose, wrong.size][..], &bytes[2..4]);
                    prop_assert!(Purpose::from_bytes([wrong.purpose, wrong.size]).is_err());
                }
                Err(BadChallenge::Cost(cost)) => {
                    prop_assert_eq!(cost, u32::from(bytes[1]));
                    prop_assert!(cost > 60);
                }
            }
        }
    }
}
