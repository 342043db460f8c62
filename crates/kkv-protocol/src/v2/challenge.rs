//! The kkv/2 challenge (PROTOCOL.md §4): 128 bytes, integers little endian.
//!
//! ```text
//!   0  suite u8 = 2 | cost u8 | purpose u8 | size u8 | lifetime u32, s | expiry u64, unix s
//!  16  session lifetime u16, s | zero 6 | invitation 8
//!  32  random 16 | tag 16
//!  64  sender's public key 32
//!  96  relay's public key 32
//! ```

use rand::CryptoRng;

use super::invitation::InvitationNumber;
use super::purpose::Purpose;
use crate::crypto::labels;
use crate::error::BadChallenge;
use crate::ids::{RelayId, Seed, SenderId, Statement};
use crate::relay_keys::{RelayKeys, SEED_RANDOM_BYTES};
use crate::terms::Terms;
use crate::wire::field;
use kkv_pow::{Cost, Puzzle};

/// Bytes of a challenge.
pub const CHALLENGE_BYTES: usize = 128;
const SUITE: u8 = 2;
const ZEROS: std::ops::Range<usize> = 18..24;
const INVITATION: std::ops::Range<usize> = 24..32;
const RANDOM: std::ops::Range<usize> = SEED_START..SEED_START + SEED_RANDOM_BYTES;
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
    /// A new challenge with a tag that the relay recognises (16 bytes are drawn).
    pub(super) fn issue(
        keys: &RelayKeys,
        sender: &SenderId,
        purpose: Purpose,
        invitation: Option<InvitationNumber>,
        terms: &Terms,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut bytes = [0; CHALLENGE_BYTES];
        bytes[0] = SUITE;
        bytes[1] = terms.cost.bits();
        bytes[2..4].copy_from_slice(&purpose.to_bytes());
        bytes[4..8].copy_from_slice(&terms.lifetime.to_le_bytes());
        bytes[8..16].copy_from_slice(&terms.expiry.to_le_bytes());
        bytes[16..18].copy_from_slice(&terms.session_lifetime.to_le_bytes());
        rng.fill_bytes(&mut bytes[RANDOM]);
        if let Some(number) = invitation {
            let mut masked = keys.masked(number, &field(&bytes, SEED_START));
            while masked == [0; 8] {
                rng.fill_bytes(&mut bytes[RANDOM]); // zeros would say that it names none
                masked = keys.masked(number, &field(&bytes, SEED_START));
            }
            bytes[INVITATION].copy_from_slice(&masked);
        }
        bytes[64..96].copy_from_slice(&sender.0);
        bytes[96..].copy_from_slice(keys.public().as_bytes());
        let tag = keys.tag_v2().tag(&[&bytes[..TAG.start], &bytes[TAG.end..]]);
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

    /// Whether it carries the tag that this relay makes for these fields.
    pub(super) fn is_own(&self, keys: &RelayKeys) -> bool {
        let fields = [&self.bytes[..TAG.start], &self.bytes[TAG.end..]];
        keys.tag_v2().fits(&fields, &self.bytes[TAG])
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

    /// Whether it names an invitation (PROTOCOL.md §15). Which one, its relay alone can tell.
    #[must_use]
    pub fn is_invited(&self) -> bool {
        self.bytes[INVITATION] != [0; INVITATION.end - INVITATION.start]
    }

    /// Which invitation it names, if the challenge is this relay's own.
    pub(super) fn invitation(&self, keys: &RelayKeys) -> Option<InvitationNumber> {
        let masked = field(&self.bytes, INVITATION.start);
        self.is_invited()
            .then(|| keys.unmasked(masked, &field(&self.bytes, SEED_START)))
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
    use proptest::prelude::*;

    fn terms() -> Terms {
        Terms {
            cost: Cost::new(30).unwrap(),
            lifetime: 480,
            expiry: 1_800_000_000,
            session_lifetime: 120,
        }
    }

    /// One that a relay with these keys makes for a message.
    fn issued(keys: &RelayKeys, invitation: Option<InvitationNumber>) -> Challenge {
        let (sender, rng) = (SenderId([5; 32]), &mut rand::rng());
        Challenge::issue(keys, &sender, Purpose::Message, invitation, &terms(), rng)
    }

    #[test]
    fn only_an_untouched_challenge_is_its_own() {
        let rng = &mut rand::rng();
        let keys = RelayKeys::generate(rng);
        let for_asks = Challenge::issue(
            &keys,
            &SenderId([5; 32]),
            Purpose::Ask(BodySize::Kib16),
            None,
            &terms(),
            rng,
        );
        for issued in [for_asks, issued(&keys, Some(InvitationNumber(1)))] {
            let parsed = Challenge::from_bytes(issued.as_bytes()).unwrap();
            assert_eq!(parsed, issued);
            assert!(parsed.is_own(&keys));
            for position in 0..CHALLENGE_BYTES {
                let mut changed = *issued.as_bytes();
                changed[position] ^= 1;
                let own = Challenge::from_bytes(&changed).is_ok_and(|c| c.is_own(&keys));
                assert!(!own, "byte {position}");
            }
        }
    }

    #[test]
    fn tags_of_one_suite_say_nothing_in_the_other() {
        let keys = RelayKeys::generate(&mut rand::rng());
        let bytes = *issued(&keys, None).as_bytes();
        let fields = [&bytes[..TAG.start], &bytes[TAG.end..]];
        assert!(keys.tag_v2().fits(&fields, &bytes[TAG]));
        assert!(!keys.tag_v1().fits(&fields, &bytes[TAG]));
    }

    #[test]
    fn its_relay_alone_knows_which_invitation_it_names() {
        let rng = &mut rand::rng();
        let (keys, others) = (RelayKeys::generate(rng), RelayKeys::generate(rng));
        for number in [1, 2, u64::MAX].map(InvitationNumber) {
            let challenge = issued(&keys, Some(number));
            assert!(challenge.is_invited());
            assert_eq!(challenge.invitation(&keys), Some(number));
            assert_ne!(challenge.invitation(&others), Some(number));
        }
        let plain = issued(&keys, None);
        assert!(!plain.is_invited());
        assert_eq!(plain.invitation(&keys), None);
    }

    /// What an observer sees of one invitation twice: by chance one byte of eight is alike in three pairs of a hundred.
    #[test]
    fn two_challenges_of_one_invitation_look_no_more_alike_than_those_of_two() {
        let keys = RelayKeys::generate(&mut rand::rng());
        let named = |number| {
            let challenge = issued(&keys, Some(InvitationNumber(number)));
            <[u8; 8]>::try_from(&challenge.as_bytes()[INVITATION]).unwrap()
        };
        let alike = |one: u64, other: u64| {
            let pairs = (0..1000).map(|_| named(one).into_iter().zip(named(other)));
            pairs.flatten().filter(|(a, b)| a == b).count()
        };
        // 8,000 pairs of bytes, of which 31 are alike by chance; 100 or more in one run of 10^20.
        let (one, two) = (alike(1, 1), alike(1, 2));
        assert!(one < 100 && two < 100, "{one}, {two}");
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
