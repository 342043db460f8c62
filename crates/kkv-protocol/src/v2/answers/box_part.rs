//! What a message says of its box (PROTOCOL.md §7).
//!
//! ```text
//! box secret or proof 32 | salt 16 | first answer key 32
//! ```

use zeroize::Zeroizing;

use super::keys::{AnswerKey, BoxProof, BoxSecret, SALT_BYTES, Salt};
use crate::crypto::labels;
use crate::ids::BoxDigest;
use crate::refusal::Refusal;

/// Bytes of a box part.
pub const BOX_PART_BYTES: usize = 80;

/// Whether a message can be answered, and where the answer may be left.
#[derive(Debug)]
pub enum BoxPart {
    /// It can't.
    None,
    /// It opens a box.
    Opens {
        /// The box's secret.
        secret: BoxSecret,
        /// Names the chain of this message's answers.
        salt: Salt,
        /// The chain's first key.
        key: AnswerKey,
    },
    /// It follows up an earlier message of a box.
    FollowsUp {
        /// That its sender has the box's secret: made for this session, salt and key.
        proof: BoxProof,
        /// Names the chain of this message's answers.
        salt: Salt,
        /// The chain's first key.
        key: AnswerKey,
    },
}

impl BoxPart {
    /// The byte for it: 0 none, 1 opens, 2 follows up.
    #[must_use]
    pub fn answerable(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::Opens { .. } => 1,
            Self::FollowsUp { .. } => 2,
        }
    }

    /// What names this message among those of its box, if it has one.
    #[must_use]
    pub fn salt(&self) -> Option<Salt> {
        match self {
            Self::None => None,
            Self::Opens { salt, .. } | Self::FollowsUp { salt, .. } => Some(*salt),
        }
    }

    /// D(`box part`, answerable ‖ box part): what stands for it in what the sender signs.
    #[must_use]
    pub fn digest(&self) -> BoxDigest {
        labels::BOX_PART.digest(&[&[self.answerable()], self.to_bytes().as_slice()])
    }

    pub(in crate::v2) fn to_bytes(&self) -> Zeroizing<[u8; BOX_PART_BYTES]> {
        let mut bytes = Zeroizing::new([0; BOX_PART_BYTES]);
        let (first, salt, key) = match self {
            Self::None => return bytes,
            Self::Opens { secret, salt, key } => (&*secret.0, salt, key),
            Self::FollowsUp { proof, salt, key } => (&proof.0, salt, key),
        };
        bytes[..32].copy_from_slice(first);
        bytes[32..48].copy_from_slice(&salt.0);
        bytes[48..].copy_from_slice(key.0.as_slice());
        bytes
    }

    /// Reads one.
    ///
    /// # Errors
    /// Unproven: `answerable` is above 2, or it is 0 beside what is not zero.
    pub(in crate::v2) fn parse(
        answerable: u8,
        bytes: &[u8; BOX_PART_BYTES],
    ) -> Result<Self, Refusal> {
        let (first, rest) = bytes.split_first_chunk().ok_or(Refusal::Unproven)?;
        let (salt, key) = rest
            .split_first_chunk::<SALT_BYTES>()
            .ok_or(Refusal::Unproven)?;
        let key = key.first_chunk().ok_or(Refusal::Unproven)?;
        let (salt, key) = (Salt(*salt), AnswerKey::new(Zeroizing::new(*key)));
        match answerable {
            0 if bytes.iter().all(|byte| *byte == 0) => Ok(Self::None),
            1 => {
                let secret = BoxSecret::new(Zeroizing::new(*first));
                Ok(Self::Opens { secret, salt, key })
            }
            2 => {
                let proof = BoxProof(*first);
                Ok(Self::FollowsUp { proof, salt, key })
            }
            _ => Err(Refusal::Unproven),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_nothing_else_is_one() {
        let mut bytes = [0; BOX_PART_BYTES];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = place as u8 + 1;
        }
        for answerable in [1, 2] {
            let read = BoxPart::parse(answerable, &bytes).unwrap();
            assert_eq!(read.answerable(), answerable);
            assert_eq!(*read.to_bytes(), bytes);
            assert!(read.salt().is_some_and(|salt| salt.0 == bytes[32..48]));
            assert!(!format!("{read:?}").contains(char::is_numeric), "{read:?}");
        }
        assert!(matches!(
            BoxPart::parse(0, &[0; BOX_PART_BYTES]),
            Ok(BoxPart::None)
        ));
        for (answerable, bytes) in [(0, bytes), (3, bytes), (255, [0; BOX_PART_BYTES])] {
            let read = BoxPart::parse(answerable, &bytes);
            assert_eq!(read.err(), Some(Refusal::Unproven), "{answerable}");
        }
    }

    #[test]
    fn its_digest_names_what_it_is_for() {
        let bytes = [7; BOX_PART_BYTES];
        let [opens, follows] = [1, 2].map(|kind| BoxPart::parse(kind, &bytes).unwrap().digest());
        assert_ne!(opens, follows);
        assert_ne!(BoxPart::None.digest(), opens);
    }
}
