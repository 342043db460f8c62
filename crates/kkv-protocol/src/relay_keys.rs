//! The keys that a relay makes at start and forgets at the end.

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::identity::{PublicKey, Relay, RelayKey};
use crate::crypto::labels;
use crate::ids::{SenderId, SessionIdV1};
use crate::v2::invitation::InvitationNumber;
use crate::wire::field;

/// Bytes of random seed in a challenge.
pub(super) const SEED_RANDOM_BYTES: usize = 16;

/// A relay's signing key, and the keys by which it recognises its own challenges, hides which invitation they are for,
/// and names the sessions of kkv/1.
#[derive(Debug)]
pub struct RelayKeys {
    pub(super) signing: RelayKey,
    public: PublicKey<Relay>,
    tag_v1: TagKey,
    tag_v2: TagKey,
    name_v1: NameKey,
    mask: MaskKey,
}

/// Keys the tag in a challenge's seed: a forged challenge costs the relay one BLAKE3 (0.1 µs) where a signature check
/// would cost three hundred times that. Wiped on drop.
pub(super) struct TagKey(Zeroizing<[u8; 32]>);

/// Keys the names of kkv/1 sessions. Wiped on drop.
struct NameKey(Zeroizing<[u8; 32]>);

/// Keys the masks of invitations' numbers. Wiped on drop.
struct MaskKey(Zeroizing<[u8; 32]>);

impl RelayKeys {
    /// New keys from `rng` (64 bytes are drawn).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let signing = RelayKey::generate(rng);
        let mut root = Zeroizing::new([0; 32]);
        rng.fill_bytes(root.as_mut_slice());
        Self {
            public: signing.public(),
            signing,
            tag_v1: TagKey(labels::TAG_KEY_V1.derive(&[&*root])),
            tag_v2: TagKey(labels::TAG_KEY_V2.derive(&[&*root])),
            name_v1: NameKey(labels::NAME_KEY_V1.derive(&[&*root])),
            mask: MaskKey(labels::INVITATION_MASK_KEY.derive(&[&*root])),
        }
    }

    /// The relay's public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey<Relay> {
        &self.public
    }

    /// BLAKE3 keyed_hash(own secret, sender's key): by this the relay remembers a kkv/1 session, whose messages name it
    /// by the sender's lasting key (PROTOCOL.md §10).
    ///
    /// A name outlives the message, so it must not say whose it was. Who reads the memory of the running relay has the
    /// secret as well and can test a key that he knows already.
    #[must_use]
    pub fn session_id_v1(&self, sender: &SenderId) -> SessionIdV1 {
        SessionIdV1(*blake3::keyed_hash(&self.name_v1.0, &sender.0).as_bytes())
    }

    /// The number of an invitation, XOR BLAKE3 keyed_hash(own secret, random bytes)[..8] (PROTOCOL.md §15).
    ///
    /// Each challenge has other random bytes, so who sees two can't tell whether they are of one invitation.
    pub(super) fn masked(
        &self,
        number: InvitationNumber,
        random: &[u8; SEED_RANDOM_BYTES],
    ) -> [u8; 8] {
        (number.0 ^ self.mask(random)).to_le_bytes()
    }

    /// The number that was [`masked`](Self::masked).
    pub(super) fn unmasked(
        &self,
        masked: [u8; 8],
        random: &[u8; SEED_RANDOM_BYTES],
    ) -> InvitationNumber {
        InvitationNumber(u64::from_le_bytes(masked) ^ self.mask(random))
    }

    fn mask(&self, random: &[u8; SEED_RANDOM_BYTES]) -> u64 {
        let hash = blake3::keyed_hash(&self.mask.0, random);
        u64::from_le_bytes(field(hash.as_bytes(), 0))
    }

    pub(super) fn tag_v1(&self) -> &TagKey {
        &self.tag_v1
    }

    pub(super) fn tag_v2(&self) -> &TagKey {
        &self.tag_v2
    }
}

impl TagKey {
    /// BLAKE3 keyed_hash(self, fields…)[..16].
    pub(super) fn tag(&self, fields: &[&[u8]]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for field in fields {
            hasher.update(field);
        }
        let mut tag = [0; 16];
        tag.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        tag
    }

    /// Whether `tag` is the one over these fields, in constant time: a forger must not learn it byte by byte.
    pub(super) fn fits(&self, fields: &[&[u8]], tag: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.tag(fields).as_slice(), tag).into()
    }
}

impl std::fmt::Debug for TagKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TagKey(..)")
    }
}

impl std::fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaskKey(..)")
    }
}

impl std::fmt::Debug for NameKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NameKey(..)")
    }
}
